//! `whatsapp-sandbox serve`: the stand-in as a process.

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use whatsapp_sandbox::Config;
use whatsapp_sandbox::config::default_account;

#[derive(Parser)]
#[command(name = "whatsapp-sandbox", about = "A stand-in for Meta's WhatsApp Cloud API")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the Graph API, the admin API and the page.
    Serve(Serve),
}

#[derive(Args)]
struct Serve {
    #[arg(long, env = "SANDBOX_LISTEN", default_value = "127.0.0.1:15303")]
    listen: String,
    /// Signs webhooks.
    #[arg(
        long,
        env = "WHATSAPP_APP_SECRET",
        hide_env_values = true,
        default_value = "sandbox-app-secret",
        hide_default_value = true
    )]
    app_secret: String,
    #[arg(
        long,
        env = "WHATSAPP_VERIFY_TOKEN",
        hide_env_values = true,
        default_value = "sandbox-verify-token",
        hide_default_value = true
    )]
    verify_token: String,
    /// Where webhooks go; without it nobody is told.
    #[arg(long, env = "SANDBOX_WEBHOOK_URL")]
    webhook_url: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| "whatsapp_sandbox=info".into()),
        )
        .init();
    let Command::Serve(options) = Cli::parse().command;
    let listener = TcpListener::bind(&options.listen)
        .await
        .with_context(|| format!("cannot listen on {}", options.listen))?;
    let config = Config {
        app_secret: options.app_secret,
        verify_token: options.verify_token,
        webhook_url: options.webhook_url.filter(|url| !url.is_empty()),
    };
    let sandbox = whatsapp_sandbox::serve(listener, config)?;
    tracing::info!(
        url = sandbox.url(),
        phone_number_id = default_account::PHONE_NUMBER_ID,
        waba_id = default_account::WABA_ID,
        token = default_account::TOKEN,
        "WhatsApp sandbox is up"
    );
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    sandbox.stop().await.context("the server failed")
}
