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
        every_second(
            &pool,
            "starting campaigns",
            include_str!("../../database/queries/start_due_campaigns.sql"),
            &stop,
        ),
        every_second(
            &pool,
            "advancing campaigns",
            include_str!("../../database/queries/advance_campaigns.sql"),
            &stop,
        ),
    );
}

/// Asks the database to do what is due, and says what it did.
async fn every_second(pool: &Pool, what: &'static str, sql: &'static str, stop: &CancellationToken) {
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        let pause = match call(pool, sql).await {
            Ok(count) => {
                if count > 0 {
                    info!(count, "{what}");
                }
                backoff.reset();
                EVERY_SECOND
            }
            Err(error) => failed(&error, what, &mut backoff),
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
