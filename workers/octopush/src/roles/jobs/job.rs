//! What every kind of job has: a holder, calls to the database, ways to end.

use super::storage::{Storage, StorageError};
use crate::runtime::database::DatabaseError;
use crate::runtime::listener::Holder;
use deadpool_postgres::Pool;
use std::io;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Why a job's work stopped before its end.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    #[error("cancelled, or taken over by another worker")]
    Lost,
    #[error("this process stops")]
    Stopping,
    #[error("{0}")]
    Unusable(String),
    #[error("{0}")]
    Database(#[from] DatabaseError),
    #[error("{0}")]
    Storage(#[from] StorageError),
    #[error("a temporary file: {0}")]
    Disk(#[from] io::Error),
    #[error("{0}")]
    Interrupted(&'static str),
}

impl Stopped {
    /// True when trying again from where the job is may work.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Lost | Self::Stopping | Self::Unusable(_) => false,
            Self::Database(error) => error.is_transient(),
            Self::Storage(error) => error.is_transient(),
            Self::Disk(_) | Self::Interrupted(_) => true,
        }
    }
}

/// One job in this process's hands.
#[derive(Clone)]
pub struct Job {
    pub id: Uuid,
    pub org_id: Uuid,
    pub kind: String,
    pub holder: Holder,
    pub pool: Pool,
    pub storage: Option<Storage>,
    pub import_batch: usize,
    pub stop: CancellationToken,
}

impl Job {
    /// Calls a verb of schema `worker`.
    pub async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, DatabaseError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(sql).await?;
        Ok(client.query(&statement, parameters).await?)
    }

    pub fn storage(&self) -> Result<&Storage, Stopped> {
        self.storage
            .as_ref()
            .ok_or(Stopped::Interrupted("there is no key to Storage"))
    }

    /// Where the job's files go.
    pub fn file(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.org_id, self.id)
    }
}
