//! Time moved forward: sweeps on a schedule, checks of numbers when asked.
//!
//! Every process may run it: each piece skips what another one holds.

mod account_checks;

use crate::config::Config;
use crate::runtime::database::DatabaseError;
use crate::runtime::listener::Wakes;
use crate::runtime::metrics as names;
use chrono::Utc;
use cron::Schedule;
use deadpool_postgres::Pool;
use metrics::counter;
use octopush_whatsapp::CloudApi;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Rows a sweep touches in one statement: short enough not to hold anybody up.
const PIECE: i32 = 1000;

struct Sweep {
    name: &'static str,
    /// Seconds, minutes, hours, day of month, month, day of week; UTC.
    schedule: &'static str,
    sql: &'static str,
}

const SWEEPS: [Sweep; 4] = [
    Sweep {
        name: "windows",
        schedule: "*/5 * * * * *",
        sql: include_str!("../../database/queries/sweep_windows.sql"),
    },
    Sweep {
        name: "snoozes",
        schedule: "*/5 * * * * *",
        sql: include_str!("../../database/queries/wake_snoozed.sql"),
    },
    Sweep {
        name: "sent messages",
        schedule: "0 * * * * *",
        sql: include_str!("../../database/queries/fold_sent_messages.sql"),
    },
    // 3 in the morning in Malaysia.
    Sweep {
        name: "retention",
        schedule: "0 0 19 * * *",
        sql: include_str!("../../database/queries/purge.sql"),
    },
];

/// Runs until cancelled.
pub async fn run(
    pool: Pool,
    config: Config,
    graph: Arc<CloudApi>,
    wakes: Arc<Wakes>,
    stop: CancellationToken,
) {
    let sweeps = SWEEPS
        .iter()
        .map(|sweep| tokio::spawn(repeat(pool.clone(), sweep, stop.clone())));
    let sweeps: Vec<_> = sweeps.collect();
    while !stop.is_cancelled() {
        match account_checks::run_due(&pool, &graph).await {
            Ok(0) => {
                tokio::select! {
                    () = wakes.maintenance.notified() => {}
                    () = tokio::time::sleep(config.poll) => {}
                    () = stop.cancelled() => {}
                }
            }
            Ok(count) => info!(count, "numbers checked with Meta"),
            Err(error) => {
                counter!(names::WORKER_ERRORS, "role" => "maintenance").increment(1);
                warn!(%error, "checking numbers failed");
                tokio::select! { () = tokio::time::sleep(config.poll) => {} () = stop.cancelled() => {} }
            }
        }
    }
    for sweep in sweeps {
        sweep.await.ok();
    }
}

async fn repeat(pool: Pool, sweep: &'static Sweep, stop: CancellationToken) {
    let schedule = Schedule::from_str(sweep.schedule).expect("the schedules above are valid");
    loop {
        let wait = schedule
            .upcoming(Utc)
            .next()
            .and_then(|at| (at - Utc::now()).to_std().ok())
            .unwrap_or(Duration::from_secs(1));
        tokio::select! { () = stop.cancelled() => return, () = tokio::time::sleep(wait) => {} }
        match until_done(&pool, sweep, &stop).await {
            Ok(0) => {}
            Ok(rows) => info!(sweep = sweep.name, rows, "swept"),
            Err(error) => {
                counter!(names::WORKER_ERRORS, "role" => "maintenance").increment(1);
                warn!(sweep = sweep.name, %error, "sweep failed");
            }
        }
    }
}

async fn until_done(pool: &Pool, sweep: &Sweep, stop: &CancellationToken) -> Result<i64, DatabaseError> {
    let mut total = 0;
    loop {
        let client = pool.get().await?;
        let statement = client.prepare_cached(sweep.sql).await?;
        let rows: i32 = client.query_one(&statement, &[&PIECE]).await?.get(0);
        total += i64::from(rows);
        if rows < PIECE || stop.is_cancelled() {
            return Ok(total);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schedule_is_valid() {
        for sweep in &SWEEPS {
            assert!(
                Schedule::from_str(sweep.schedule)
                    .unwrap()
                    .upcoming(Utc)
                    .next()
                    .is_some(),
                "{}",
                sweep.name
            );
        }
    }
}
