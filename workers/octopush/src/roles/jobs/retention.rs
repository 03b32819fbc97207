//! What old jobs left behind is removed, rows by the database and files through Storage.

use super::job::Stopped;
use super::storage::Storage;
use crate::runtime::database::DatabaseError;
use crate::runtime::metrics as names;
use deadpool_postgres::Pool;
use metrics::counter;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

const EVERY: Duration = Duration::from_secs(600);
const PIECE: i32 = 200;

/// Runs until cancelled.
pub async fn run(pool: Pool, storage: Option<Storage>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match sweep(&pool, storage.as_ref(), &stop).await {
            Ok(0) => {}
            Ok(files) => info!(files, "files of old jobs removed"),
            Err(error) => {
                counter!(names::WORKER_ERRORS, "role" => "jobs").increment(1);
                warn!(%error, "removing old jobs failed");
            }
        }
        tokio::select! { () = tokio::time::sleep(EVERY) => {} () = stop.cancelled() => {} }
    }
}

async fn sweep(pool: &Pool, storage: Option<&Storage>, stop: &CancellationToken) -> Result<usize, Stopped> {
    loop {
        let client = pool.get().await.map_err(DatabaseError::from)?;
        let sql = include_str!("../../database/queries/purge_jobs.sql");
        let row = client
            .query_one(sql, &[&PIECE])
            .await
            .map_err(DatabaseError::from)?;
        if row.get::<_, i32>(0) < PIECE || stop.is_cancelled() {
            break;
        }
    }
    let Some(storage) = storage else { return Ok(0) };
    let mut removed = 0;
    loop {
        let client = pool.get().await.map_err(DatabaseError::from)?;
        let sql = include_str!("../../database/queries/expired_files.sql");
        let rows = client.query(sql, &[&PIECE]).await.map_err(DatabaseError::from)?;
        drop(client);
        let mut buckets: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in &rows {
            buckets
                .entry(row.get("bucket"))
                .or_default()
                .push(row.get("path"));
        }
        for (bucket, paths) in &buckets {
            storage.remove(bucket, paths).await?;
            removed += paths.len();
        }
        if rows.len() < PIECE as usize || stop.is_cancelled() {
            return Ok(removed);
        }
    }
}
