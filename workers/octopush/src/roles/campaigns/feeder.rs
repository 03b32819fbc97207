//! Recipients trickle into the outbox as their number sends: a second's worth at most waits there, so that a pause takes effect at once.

use super::failed;
use crate::runtime::backoff::Backoff;
use crate::runtime::database::DatabaseError;
use crate::runtime::listener::Wakes;
use crate::runtime::metrics as names;
use deadpool_postgres::Pool;
use metrics::{counter, histogram};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Recipients of one number in one transaction: a tenth of a second's work, so that replies and pauses find no long locks.
const PIECE: i32 = 500;
/// While something sends: ten pieces of the outbox's second.
const BUSY: Duration = Duration::from_millis(100);
const IDLE: Duration = Duration::from_secs(1);
/// A full outbox has nothing to add for a moment: so long the feeder stays awake.
const STAY_AWAKE: Duration = Duration::from_secs(3);

/// Runs until cancelled.
pub async fn run(pool: &Pool, wakes: &Wakes, stop: &CancellationToken) {
    let mut backoff = Backoff::default();
    let mut awake_until = Instant::now();
    while !stop.is_cancelled() {
        let pause = match feed(pool).await {
            Ok(fed) => {
                backoff.reset();
                if fed.is_sending {
                    awake_until = Instant::now() + STAY_AWAKE;
                }
                if fed.has_more {
                    continue;
                }
                if Instant::now() < awake_until { BUSY } else { IDLE }
            }
            Err(error) => failed(&error, "feeding campaigns", &mut backoff),
        };
        tokio::select! {
            () = wakes.campaigns.notified() => awake_until = Instant::now() + STAY_AWAKE,
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

struct Fed {
    is_sending: bool,
    /// A number took a whole piece and may take another.
    has_more: bool,
}

async fn feed(pool: &Pool) -> Result<Fed, DatabaseError> {
    let began = Instant::now();
    let client = pool.get().await?;
    let statement = client
        .prepare_cached(include_str!("../../database/queries/feed_campaigns.sql"))
        .await?;
    let mut fed = Fed {
        is_sending: false,
        has_more: false,
    };
    let mut total: u64 = 0;
    for row in client.query(&statement, &[&PIECE]).await? {
        let queued: i32 = row.get("queued");
        fed.is_sending = true;
        fed.has_more |= queued >= PIECE;
        total += u64::from(queued.unsigned_abs());
    }
    if total > 0 {
        counter!(names::CAMPAIGN_RECIPIENTS_QUEUED).increment(total);
        histogram!(names::CAMPAIGN_FEED_SECONDS).record(began.elapsed());
    }
    Ok(fed)
}
