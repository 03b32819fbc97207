//! `octopush replay`: webhooks that were kept but not understood, listed or put back into the queue. Applying twice changes nothing.

use crate::runtime::database;
use anyhow::Context;
use chrono::{DateTime, Utc};

/// What to replay.
#[derive(Debug, Clone, clap::Args)]
pub struct ReplayArgs {
    /// Only list what was rejected, newest first.
    #[arg(long)]
    pub list: bool,
    /// Webhooks to apply again; without any, all that were rejected.
    pub ids: Vec<i64>,
}

/// Does it, as octopush_worker.
pub async fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    let url =
        std::env::var("OCTOPUSH_WORKER_DATABASE_URL").context("OCTOPUSH_WORKER_DATABASE_URL is not set")?;
    let client = database::pool(&url, 2)?.get().await?;
    if args.list {
        for row in client
            .query(
                include_str!("database/queries/rejected_webhooks.sql"),
                &[&100_i32],
            )
            .await?
        {
            let (id, at, problem, bytes): (i64, DateTime<Utc>, Option<String>, i32) =
                (row.get(0), row.get(1), row.get(2), row.get(3));
            println!(
                "{id}  {}  {bytes} bytes  {}",
                at.format("%Y-%m-%d %H:%M:%S"),
                problem.unwrap_or_default()
            );
        }
        return Ok(());
    }
    let ids = (!args.ids.is_empty()).then_some(&args.ids);
    let count: i32 = client
        .query_one(include_str!("database/queries/replay_webhooks.sql"), &[&ids])
        .await?
        .get(0);
    println!("{count} webhooks put back into the queue");
    Ok(())
}
