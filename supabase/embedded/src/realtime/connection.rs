//! Connections of one task each, so that a slow policy or a busy pool holds up no stream.

use anyhow::Context;
use tokio::task::AbortHandle;
use tokio_postgres::{Client, NoTls};

use super::replication::SESSION_OPTIONS;

/// A connection that ends with its owner.
pub struct OwnConnection {
    pub client: Client,
    driver: AbortHandle,
}

impl OwnConnection {
    /// Connects under `name`, as the database shows it; no statement may take longer than `statement_timeout_ms`.
    pub async fn open(
        db: &tokio_postgres::Config,
        name: &'static str,
        statement_timeout_ms: u32,
    ) -> anyhow::Result<Self> {
        let mut db = db.clone();
        db.application_name(name).options(format!(
            "{SESSION_OPTIONS} -c statement_timeout={statement_timeout_ms}"
        ));
        let (client, connection) = db
            .connect(NoTls)
            .await
            .with_context(|| format!("cannot connect as {name}"))?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("{name} has lost its connection: {error}");
            }
        })
        .abort_handle();
        Ok(Self { client, driver })
    }
}

impl Drop for OwnConnection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
