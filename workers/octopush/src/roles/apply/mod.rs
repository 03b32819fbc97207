//! Turns kept webhooks into messages and statuses, a batch a transaction.
//!
//! A batch that the database refuses is taken apart: every webhook is tried alone, and the one at fault is kept as rejected with its
//! problem, so that it never stops the rest.

mod events;

use crate::config::Config;
use crate::runtime::backoff::Backoff;
use crate::runtime::database::DatabaseError;
use crate::runtime::listener::Wakes;
use crate::runtime::metrics as names;
use deadpool_postgres::{Pool, Transaction};
use events::Sorted;

pub use events::callback_data;
use metrics::counter;
use std::sync::Arc;
use tokio_postgres::types::Json;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// Applies until cancelled. A batch under way is finished first.
pub async fn run(pool: Pool, config: Config, wakes: Arc<Wakes>, stop: CancellationToken) {
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        match apply_batch(&pool, config.apply_batch).await {
            Ok(0) => {
                backoff.reset();
                tokio::select! {
                    () = wakes.apply.notified() => {}
                    () = tokio::time::sleep(config.poll) => {}
                    () = stop.cancelled() => {}
                }
            }
            Ok(count) => {
                backoff.reset();
                counter!(names::WEBHOOKS_APPLIED).increment(count as u64);
            }
            Err(error) if error.is_transient() => {
                counter!(names::WORKER_ERRORS, "role" => "apply").increment(1);
                let delay = backoff.next_delay();
                warn!(%error, ?delay, "applying webhooks failed, trying again");
                tokio::select! { () = tokio::time::sleep(delay) => {} () = stop.cancelled() => {} }
            }
            Err(error) => {
                warn!(%error, "a batch of webhooks was refused, applying one by one");
                if let Err(error) = apply_one_by_one(&pool, config.apply_batch).await {
                    counter!(names::WORKER_ERRORS, "role" => "apply").increment(1);
                    warn!(%error, "applying one by one stopped");
                    tokio::select! { () = tokio::time::sleep(backoff.next_delay()) => {} () = stop.cancelled() => {} }
                }
            }
        }
    }
}

struct Kept {
    id: i64,
    body: Vec<u8>,
}

async fn claim(transaction: &Transaction<'_>, limit: i32) -> Result<Vec<Kept>, DatabaseError> {
    let statement = transaction
        .prepare_cached(include_str!("../../database/queries/claim_webhooks.sql"))
        .await?;
    let rows = transaction.query(&statement, &[&limit]).await?;
    Ok(rows
        .iter()
        .map(|r| Kept {
            id: r.get(0),
            body: r.get(1),
        })
        .collect())
}

async fn apply_batch(pool: &Pool, limit: i32) -> Result<usize, DatabaseError> {
    let mut client = pool.get().await?;
    let transaction = client.transaction().await?;
    let kept = claim(&transaction, limit).await?;
    if !kept.is_empty() {
        apply(&transaction, &kept).await?;
    }
    transaction.commit().await?;
    Ok(kept.len())
}

/// The same rows, each in a transaction of its own.
async fn apply_one_by_one(pool: &Pool, limit: i32) -> Result<(), DatabaseError> {
    for _ in 0..limit {
        let mut client = pool.get().await?;
        let mut transaction = client.transaction().await?;
        let Some(kept) = claim(&transaction, 1).await?.pop() else {
            return Ok(());
        };
        let id = kept.id;
        // A savepoint, so that the row stays ours between failing and being rejected.
        let attempt = transaction.savepoint("one_webhook").await?;
        match apply(&attempt, &[kept]).await {
            Ok(()) => attempt.commit().await?,
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => {
                attempt.rollback().await?;
                counter!(names::WEBHOOKS_REJECTED).increment(1);
                warn!(webhook_event_id = id, %error, "webhook rejected");
                let statement = transaction
                    .prepare_cached(include_str!("../../database/queries/reject_webhook.sql"))
                    .await?;
                transaction
                    .query_one(&statement, &[&id, &error.to_string()])
                    .await?;
            }
        }
        transaction.commit().await?;
    }
    Ok(())
}

async fn apply(transaction: &Transaction<'_>, kept: &[Kept]) -> Result<(), DatabaseError> {
    let mut sorted = Sorted::default();
    for webhook in kept {
        sorted.read(webhook.id, &webhook.body);
    }
    let ids: Vec<i64> = kept.iter().map(|k| k.id).collect();
    let statement = transaction
        .prepare_cached(include_str!("../../database/queries/finish_webhooks.sql"))
        .await?;
    transaction.query_opt(&statement, &[&ids]).await?;
    let mut problems = sorted.problems;
    if !sorted.preferences.is_empty() {
        // First: it locks contacts, and messages lock conversations after theirs.
        let statement = transaction
            .prepare_cached(include_str!("../../database/queries/apply_user_preferences.sql"))
            .await?;
        transaction
            .query_opt(&statement, &[&Json(&sorted.preferences)])
            .await?;
    }
    if !sorted.messages.is_empty() {
        let statement = transaction
            .prepare_cached(include_str!("../../database/queries/apply_messages.sql"))
            .await?;
        let rows = transaction.query(&statement, &[&Json(&sorted.messages)]).await?;
        problems.extend(rows.iter().map(|r| (r.get(0), r.get(1))));
    }
    if !sorted.statuses.is_empty() {
        let statement = transaction
            .prepare_cached(include_str!("../../database/queries/apply_statuses.sql"))
            .await?;
        let rows = transaction.query(&statement, &[&Json(&sorted.statuses)]).await?;
        problems.extend(rows.iter().map(|r| (r.get(0), r.get(1))));
    }
    if !sorted.templates.is_empty() {
        let statement = transaction
            .prepare_cached(include_str!("../../database/queries/apply_template_events.sql"))
            .await?;
        transaction
            .query_opt(&statement, &[&Json(&sorted.templates)])
            .await?;
    }
    if !sorted.account_events.is_empty() {
        let statement = transaction
            .prepare_cached(include_str!("../../database/queries/record_account_events.sql"))
            .await?;
        transaction
            .query_opt(&statement, &[&Json(&sorted.account_events)])
            .await?;
    }
    for (id, problem) in problems {
        debug!(webhook_event_id = id, problem, "webhook kept, not understood");
        counter!(names::WEBHOOKS_REJECTED).increment(1);
        let statement = transaction
            .prepare_cached(include_str!("../../database/queries/reject_webhook.sql"))
            .await?;
        transaction.query_one(&statement, &[&id, &problem]).await?;
    }
    Ok(())
}
