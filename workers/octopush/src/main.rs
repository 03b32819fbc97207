//! `octopush`: the one binary of the workers.

use clap::{Parser, Subcommand};
use std::path::PathBuf;

#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring the database to this build's schema, or write supabase/migrations with --emit.
    Migrate {
        /// Connection string of the role `postgres`.
        #[arg(long, env = "OCTOPUSH_MIGRATE_URL", hide_env_values = true)]
        url: Option<String>,
        /// Write the generated migrations of the Supabase CLI into this folder instead.
        #[arg(long)]
        emit: Option<PathBuf>,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match Cli::parse().command {
        Command::Migrate { emit: Some(folder), .. } => {
            println!("{} files written", octopush_worker::migrate::emit(&folder)?);
        }
        Command::Migrate { url, .. } => {
            let url = url.ok_or_else(|| anyhow::anyhow!("set OCTOPUSH_MIGRATE_URL or give --url"))?;
            let outcome = octopush_worker::migrate::run(&url).await?;
            println!("migrations applied: {}, code {}", outcome.applied.len(), if outcome.code_changed { "applied" } else { "unchanged" });
        }
    }
    Ok(())
}
