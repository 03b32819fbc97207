//! The pool, and which database errors pass by themselves.

use deadpool_postgres::{Config as PoolConfig, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime};
use std::time::Duration;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

/// A pool of `size` connections to `url`. Nothing is connected yet.
pub fn pool(url: &str, size: usize) -> anyhow::Result<Pool> {
    let mut config = PoolConfig::new();
    config.url = Some(url.to_owned());
    config.manager = Some(ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    });
    config.pool = Some(deadpool_postgres::PoolConfig {
        max_size: size,
        timeouts: deadpool_postgres::Timeouts {
            wait: Some(Duration::from_secs(5)),
            create: Some(Duration::from_secs(5)),
            recycle: Some(Duration::from_secs(5)),
        },
        ..Default::default()
    });
    Ok(config.create_pool(Some(Runtime::Tokio1), NoTls)?)
}

/// Why a database call failed.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("no connection: {0}")]
    Pool(#[from] PoolError),
    #[error("{}", describe(.0))]
    Query(#[from] tokio_postgres::Error),
}

impl DatabaseError {
    /// True when the same call may work later: connection, shutdown, locks, serialisation, resources. False when its input is at fault.
    pub fn is_transient(&self) -> bool {
        let Self::Query(error) = self else { return true };
        let Some(state) = error.code() else {
            // Without a word from the server: a broken connection passes, a value that cannot be converted never does.
            return error.is_closed()
                || std::error::Error::source(error).is_some_and(|cause| cause.is::<std::io::Error>());
        };
        // A statement that takes too long takes too long again: its batch must be taken apart.
        if *state == SqlState::QUERY_CANCELED {
            return false;
        }
        matches!(&state.code()[..2], "08" | "40" | "53" | "55" | "57" | "58")
            || *state == SqlState::FEATURE_NOT_SUPPORTED
    }
}

fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        // The message only: DETAIL can carry a row, and rows carry people's data.
        Some(db) => format!("{} {}", db.code().code(), db.message()),
        None => error.to_string(),
    }
}
