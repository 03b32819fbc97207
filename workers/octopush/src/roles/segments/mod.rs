//! The segments role: lets the database work changes of contacts into the members of segments, without a pause while there are any.

use crate::runtime::backoff::Backoff;
use crate::runtime::database::DatabaseError;
use crate::runtime::metrics as names;
use deadpool_postgres::Pool;
use metrics::{counter, histogram};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How often the queue is looked at: members are right within a second of any change.
const PAUSE: Duration = Duration::from_millis(200);
/// Changes taken at once: a round stays well below that second.
const PIECE: i32 = 2000;

/// Runs until cancelled.
pub async fn run(pool: Pool, stop: CancellationToken) {
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        let pause = match round(&pool).await {
            Ok(true) => {
                backoff.reset();
                continue;
            }
            Ok(false) => {
                backoff.reset();
                PAUSE
            }
            Err(error) => {
                counter!(names::WORKER_ERRORS, "role" => "segments").increment(1);
                warn!(%error, "maintaining segments failed");
                backoff.next_delay()
            }
        };
        tokio::select! { () = tokio::time::sleep(pause) => {} () = stop.cancelled() => {} }
    }
}

/// True while there is more.
async fn round(pool: &Pool) -> Result<bool, DatabaseError> {
    let began = Instant::now();
    let client = pool.get().await?;
    let statement = client
        .prepare_cached(include_str!("../../database/queries/maintain_segments.sql"))
        .await?;
    let row = client.query_one(&statement, &[&PIECE]).await?;
    let handled: i32 = row.get("handled");
    if handled > 0 {
        counter!(names::SEGMENT_CHANGES).increment(handled.unsigned_abs().into());
        histogram!(names::SEGMENT_ROUND_SECONDS).record(began.elapsed());
    }
    Ok(row.get("more"))
}
