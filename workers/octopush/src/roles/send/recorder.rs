//! Writes outcomes, many in one commit. What Meta answered is never given up while the process lives.

use super::number::Refill;
use super::outcome::{Fate, Outcome};
use crate::runtime::backoff::Backoff;
use crate::runtime::database::DatabaseError;
use deadpool_postgres::Pool;
use std::collections::HashSet;
use tokio::sync::mpsc;
use tokio_postgres::types::Json;
use tracing::{error, warn};

const MOST_IN_A_BATCH: usize = 200;

/// Records until every sender of outcomes is gone and the last outcome is written.
pub async fn run(pool: Pool, mut outcomes: mpsc::Receiver<Outcome>, refill: Refill) {
    let mut batch = Vec::with_capacity(MOST_IN_A_BATCH);
    while outcomes.recv_many(&mut batch, MOST_IN_A_BATCH).await > 0 {
        if !insist(&pool, &batch).await {
            error!(
                count = batch.len(),
                "a batch of outcomes was refused, recording one by one"
            );
            for outcome in &batch {
                if !insist(&pool, std::slice::from_ref(outcome)).await {
                    error!(message_id = %outcome.message_id, "an outcome was refused; the message becomes uncertain");
                    let uncertain = Outcome {
                        fate: Fate::Uncertain,
                        ..outcome.clone()
                    };
                    insist(&pool, &[uncertain]).await;
                }
            }
        }
        // The next message of each conversation may leave now.
        let accounts: HashSet<_> = batch.drain(..).map(|outcome| outcome.account_id).collect();
        for account_id in accounts {
            refill.send(account_id).ok();
        }
    }
}

/// Tries until the database takes them or refuses them for good; returns whether it took them.
async fn insist(pool: &Pool, batch: &[Outcome]) -> bool {
    let mut backoff = Backoff::default();
    loop {
        match record(pool, batch).await {
            Ok(()) => return true,
            // The report may have been committed all the same; it carries try and attempt, so telling it twice changes nothing.
            Err(problem) if problem.is_transient() => {
                let delay = backoff.next_delay();
                warn!(error = %problem, ?delay, count = batch.len(), "outcomes not recorded, trying again");
                tokio::time::sleep(delay).await;
            }
            Err(problem) => {
                error!(error = %problem, "outcomes refused");
                return false;
            }
        }
    }
}

async fn record(pool: &Pool, batch: &[Outcome]) -> Result<(), DatabaseError> {
    let client = pool.get().await?;
    let statement = client
        .prepare_cached(include_str!("../../database/queries/record_sends.sql"))
        .await?;
    client.query_one(&statement, &[&Json(batch)]).await?;
    Ok(())
}
