//! Waiting until what a transaction committed can be seen.
//!
//! Postgres hands out a transaction's log a moment before other sessions see its rows. Whoever is told of a change in that
//! moment looks and finds nothing: a policy would hide the row, a browser that refetches would miss it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Statement};

/// Far more than the moment lasts; a standby that must acknowledge each commit can stretch it.
const PATIENCE: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(1);

/// Asks on one connection.
pub struct Visibility {
    statement: Statement,
    /// The transaction last found visible.
    visible_xid: AtomicU32,
}

impl Visibility {
    pub async fn prepare(client: &Client) -> Result<Self, tokio_postgres::Error> {
        let statement = client
            .prepare_typed(include_str!("is_visible.sql"), &[Type::INT8])
            .await?;
        Ok(Self {
            statement,
            visible_xid: AtomicU32::new(0),
        })
    }

    /// Returns once a query sees what the transaction has done, or patience has run out.
    pub async fn of(&self, client: &Client, xid: u32) -> Result<(), tokio_postgres::Error> {
        let start = Instant::now();
        while self.visible_xid.load(Ordering::Relaxed) != xid && start.elapsed() < PATIENCE {
            let row = client.query_one(&self.statement, &[&i64::from(xid)]).await?;
            if row.get(0) {
                self.visible_xid.store(xid, Ordering::Relaxed);
            } else {
                tokio::time::sleep(POLL).await;
            }
        }
        Ok(())
    }
}
