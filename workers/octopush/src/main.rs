//! `octopush`: one binary, its parts switched on by command and role.

use anyhow::Context;
use clap::{Parser, Subcommand};
use octopush_worker::config::Config;
use octopush_worker::replay::ReplayArgs;
use octopush_worker::runtime::reports;
use octopush_worker::web::WebArgs;
use octopush_worker::{doctor, migrate, replay, run, web};
use sentry::integrations::tracing::{BreadcrumbLayer, ErrorLayer};
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(version, about = "The workers of OctoPush")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the roles of OCTOPUSH_ROLES until stopped.
    Run {
        /// Roles instead of OCTOPUSH_ROLES, separated by commas.
        #[arg(long)]
        roles: Option<String>,
    },
    /// Serve the built web UI.
    Web(WebArgs),
    /// Bring the database to this build's schema.
    Migrate {
        /// Connection string of the role `postgres`.
        #[arg(long, env = "OCTOPUSH_MIGRATE_URL", hide_env_values = true)]
        url: Option<String>,
        /// Write supabase/migrations into this folder instead of touching a database.
        #[arg(long)]
        emit: Option<PathBuf>,
    },
    /// Say what is wrong, and what to do about it.
    Doctor,
    /// Apply kept webhooks again.
    Replay(ReplayArgs),
    /// Exit 0 when the process behind OCTOPUSH_WORKER_LISTEN is ready.
    Healthcheck,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().command {
        Command::Run { roles } => {
            let config = Config::load(|name| match (name, &roles) {
                ("OCTOPUSH_ROLES", Some(roles)) => Some(roles.clone()),
                _ => std::env::var(name).ok(),
            })?;
            start_logs(&config.log, config.log_json);
            let _reports = reports::start(config.sentry_dsn.as_ref())?;
            let listener = TcpListener::bind(config.listen)
                .await
                .with_context(|| format!("cannot listen on {}", config.listen))?;
            run::run(config, listener, stopped_by_signal()?).await?;
        }
        Command::Web(args) => {
            start_logs("info", false);
            web::run(args, stopped_by_signal()?).await?;
        }
        Command::Migrate {
            emit: Some(folder), ..
        } => println!("{} files written", migrate::emit(&folder)?),
        Command::Migrate { url, .. } => {
            start_logs("info", false);
            let outcome = migrate::run(&url.context("set OCTOPUSH_MIGRATE_URL or give --url")?).await?;
            let code = if outcome.code_changed {
                "applied"
            } else {
                "unchanged"
            };
            println!("{} migrations applied, code {code}", outcome.applied.len());
        }
        Command::Doctor => {
            if !doctor::run().await {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Replay(args) => replay::run(&args).await?,
        Command::Healthcheck => {
            let listen = std::env::var("OCTOPUSH_WORKER_LISTEN").unwrap_or_else(|_| "127.0.0.1:15302".into());
            reqwest::get(format!("http://{listen}/readyz"))
                .await?
                .error_for_status()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn start_logs(filter: &str, json: bool) {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if json { lines.json().boxed() } else { lines.boxed() };
    tracing_subscriber::registry()
        .with(EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info")))
        .with(lines)
        // Silent until reports::start.
        .with(ErrorLayer::new().with_filter(LevelFilter::ERROR))
        .with(BreadcrumbLayer::new().with_filter(LevelFilter::INFO))
        .init();
}

/// Cancelled by the first SIGTERM or SIGINT; the second ends the process at once.
fn stopped_by_signal() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = CancellationToken::new();
    let cancelled = stop.clone();
    tokio::spawn(async move {
        for round in 0..2 {
            tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
            if round == 0 {
                cancelled.cancel();
            }
        }
        std::process::exit(130);
    });
    Ok(stop)
}
