//! Writes outcomes, many in one commit. What Meta answered is never given up while the process lives.

use super::outcome::Outcome;
use crate::runtime::backoff::Backoff;
use crate::runtime::database::DatabaseError;
use crate::runtime::listener::Wakes;
use deadpool_postgres::Pool;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_postgres::types::Json;
use tracing::{error, warn};

const MOST_IN_A_BATCH: usize = 200;

/// Records until every sender of outcomes is gone and the last outcome is written.
pub async fn run(pool: Pool, mut outcomes: mpsc::Receiver<Outcome>, wakes: Arc<Wakes>) {
    let mut batch = Vec::with_capacity(MOST_IN_A_BATCH);
    while outcomes.recv_many(&mut batch, MOST_IN_A_BATCH).await > 0 {
        let mut backoff = Backoff::default();
        loop {
            match record(&pool, &batch).await {
                Ok(()) => break,
                // The report may have been committed all the same; it carries the attempt, so telling it twice changes nothing.
                Err(problem) if problem.is_transient() => {
                    let delay = backoff.next_delay();
                    warn!(error = %problem, ?delay, count = batch.len(), "outcomes not recorded, trying again");
                    tokio::time::sleep(delay).await;
                }
                Err(problem) => {
                    error!(error = %problem, count = batch.len(), "a batch of outcomes was refused, recording one by one");
                    for outcome in &batch {
                        if let Err(problem) = record(&pool, std::slice::from_ref(outcome)).await {
                            error!(error = %problem, message_id = %outcome.message_id, "outcome lost: the message stays uncertain");
                        }
                    }
                    break;
                }
            }
        }
        batch.clear();
        // The next message of each conversation may leave now.
        wakes.send.notify_one();
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
