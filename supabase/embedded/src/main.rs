//! `supabase-embedded`: `bootstrap` prepares a database, `serve` runs the stack over it.

use clap::{Parser, Subcommand};
use supabase_embedded::bootstrap::{self, BootstrapArgs};
use supabase_embedded::config::{Config, ServeArgs};
use supabase_embedded::jwt::{self, Keys};
use supabase_embedded::serve;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Without RUST_LOG: what the libraries report at `info` is of use only when looking into them.
const DEFAULT_LOG: &str = "warn,supabase_embedded=info";

#[derive(Parser)]
#[command(version, about = "A Supabase-compatible stack over one Postgres database")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create what Supabase itself brings to a database: roles, schemas, functions, publications. Idempotent.
    Bootstrap(BootstrapArgs),
    /// Serve REST, Auth, Realtime and Storage on one origin.
    Serve(Box<ServeArgs>),
    /// Print the two project keys signed with the given secret, as lines of an env file.
    Keys {
        /// Shared HS256 secret.
        #[arg(long, env = "SUPABASE_JWT_SECRET", hide_env_values = true)]
        jwt_secret: String,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match Cli::parse().command {
        Command::Bootstrap(args) => bootstrap::run(&args).await,
        Command::Serve(args) => {
            let config = Config::validate(*args)?;
            let listener = TcpListener::bind(config.listen)
                .await
                .map_err(|e| anyhow::anyhow!("cannot listen on {}: {e}", config.listen))?;
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            serve::run(config, listener, async move {
                tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            })
            .await
        }
        Command::Keys { jwt_secret } => {
            let keys = Keys::new(&jwt_secret);
            println!("SUPABASE_ANON_KEY={}", jwt::project_key(&keys, "anon")?);
            println!(
                "SUPABASE_SERVICE_ROLE_KEY={}",
                jwt::project_key(&keys, "service_role")?
            );
            Ok(())
        }
    }
}
