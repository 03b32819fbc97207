//! The campaigns role: starts what is due, keeps the outbox fed, brings campaigns to their end.
//!
//! Three loops, so that the snapshot of a large audience holds up no feeding. What may be sent, and by how much, the database decides;
//! every process may run all three, because each call takes only what no other holds.

mod feeder;

use crate::runtime::backoff::Backoff;
use crate::runtime::database::DatabaseError;
use crate::runtime::listener::Wakes;
use crate::runtime::metrics as names;
use deadpool_postgres::Pool;
use metrics::counter;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How exactly a campaign starts at its time, and how soon one that is through is shown as completed.
const EVERY_SECOND: Duration = Duration::from_secs(1);

/// Runs until cancelled.
pub async fn run(pool: Pool, wakes: Arc<Wakes>, stop: CancellationToken) {
    tokio::join!(
        feeder::run(&pool, &wakes, &stop),
        schedule(&pool, &wakes, &stop),
        advance(&pool, &stop)
    );
}

/// Starts campaigns at their time.
async fn schedule(pool: &Pool, wakes: &Wakes, stop: &CancellationToken) {
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        let sql = include_str!("../../database/queries/start_due_campaigns.sql");
        let pause = match call(pool, sql).await {
            Ok(0) => {
                backoff.reset();
                EVERY_SECOND
            }
            Ok(_) => {
                info!("a scheduled campaign was started");
                // One at a time: perhaps another is due.
                continue;
            }
            Err(error) => failed(&error, "starting campaigns", &mut backoff),
        };
        tokio::select! {
            () = wakes.schedule.notified() => {}
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Completes campaigns, decides tests, settles what stayed uncertain too long, folds counts.
async fn advance(pool: &Pool, stop: &CancellationToken) {
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        let sql = include_str!("../../database/queries/advance_campaigns.sql");
        let pause = match call(pool, sql).await {
            Ok(_) => {
                backoff.reset();
                EVERY_SECOND
            }
            Err(error) => failed(&error, "advancing campaigns", &mut backoff),
        };
        tokio::select! { () = tokio::time::sleep(pause) => {} () = stop.cancelled() => {} }
    }
}

async fn call(pool: &Pool, sql: &str) -> Result<i32, DatabaseError> {
    let client = pool.get().await?;
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query_one(&statement, &[]).await?.get(0))
}

/// Counts the failure; how long to wait.
fn failed(error: &DatabaseError, what: &'static str, backoff: &mut Backoff) -> Duration {
    counter!(names::WORKER_ERRORS, "role" => "campaigns").increment(1);
    warn!(%error, "{what} failed");
    backoff.next_delay()
}
