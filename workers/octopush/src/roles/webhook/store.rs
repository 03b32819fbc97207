//! Many requests share one commit: while one batch is being written, the next one gathers.

use crate::runtime::database::DatabaseError;
use axum::body::Bytes;
use deadpool_postgres::Pool;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

/// Bodies written in one statement. Bounds the memory of a burst together with the body limit.
const MOST_IN_A_BATCH: usize = 500;
/// Bytes written in one statement: far below the gigabyte at which Postgres refuses a value.
const MOST_BYTES_IN_A_BATCH: usize = 64 * 1024 * 1024;
/// Bytes that may wait for their commit in all.
const MOST_BYTES_WAITING: usize = 256 * 1024 * 1024;
/// Longest a request waits for its commit; Meta wants an answer within a second and gives up soon after.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a body was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreError {
    /// Too many are waiting already.
    Overloaded,
    /// The database did not commit it.
    Database,
}

struct Waiting {
    body: Bytes,
    kept: oneshot::Sender<bool>,
}

/// A handle to the task that writes.
#[derive(Clone)]
pub struct Store {
    queue: mpsc::Sender<Waiting>,
    bytes_waiting: Arc<AtomicUsize>,
}

impl Store {
    /// Starts the writer. It ends, after writing what waits, when every handle is dropped.
    pub fn start(pool: Pool, queue: usize) -> (Self, tokio::task::JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(queue);
        let store = Self {
            queue: sender,
            bytes_waiting: Arc::default(),
        };
        let bytes_waiting = store.bytes_waiting.clone();
        (store, tokio::spawn(write_batches(pool, receiver, bytes_waiting)))
    }

    /// Returns once the body is committed.
    pub async fn keep(&self, body: Bytes) -> Result<(), StoreError> {
        let bytes = body.len();
        if self.bytes_waiting.fetch_add(bytes, Ordering::Relaxed) + bytes > MOST_BYTES_WAITING {
            self.bytes_waiting.fetch_sub(bytes, Ordering::Relaxed);
            return Err(StoreError::Overloaded);
        }
        let (kept, outcome) = oneshot::channel();
        if self.queue.try_send(Waiting { body, kept }).is_err() {
            self.bytes_waiting.fetch_sub(bytes, Ordering::Relaxed);
            return Err(StoreError::Overloaded);
        }
        match tokio::time::timeout(PATIENCE, outcome).await {
            Ok(Ok(true)) => Ok(()),
            _ => Err(StoreError::Database),
        }
    }
}

async fn write_batches(pool: Pool, mut receiver: mpsc::Receiver<Waiting>, bytes_waiting: Arc<AtomicUsize>) {
    let mut gathered = Vec::with_capacity(MOST_IN_A_BATCH);
    while receiver.recv_many(&mut gathered, MOST_IN_A_BATCH).await > 0 {
        while !gathered.is_empty() {
            let mut bytes = 0;
            let fitting = gathered.iter().take_while(|w: &&Waiting| {
                bytes += w.body.len();
                bytes <= MOST_BYTES_IN_A_BATCH
            });
            let count = fitting.count().max(1);
            let mut batch: Vec<Waiting> = gathered.drain(..count).collect();
            bytes_waiting.fetch_sub(batch.iter().map(|w| w.body.len()).sum(), Ordering::Relaxed);
            // Whoever stopped waiting was answered 503, and Meta will send the same again.
            batch.retain(|w| !w.kept.is_closed());
            let outcome = write(&pool, &batch).await;
            if let Err(error) = &outcome {
                warn!(%error, count = batch.len(), "webhooks not kept");
            }
            for waiting in batch {
                waiting.kept.send(outcome.is_ok()).ok();
            }
        }
    }
}

async fn write(pool: &Pool, batch: &[Waiting]) -> Result<(), DatabaseError> {
    let bodies: Vec<&[u8]> = batch.iter().map(|w| w.body.as_ref()).collect();
    let client = pool.get().await?;
    let statement = client
        .prepare_cached(include_str!("../../database/queries/store_webhooks.sql"))
        .await?;
    client.query_one(&statement, &[&bodies]).await?;
    Ok(())
}
