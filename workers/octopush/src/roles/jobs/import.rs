//! Imports: looked at first, then read and applied batch by batch, at last the file of what was refused.

use super::export::csv_body;
use super::inspect;
use super::job::{Job, Stopped};
use super::lines::{Batcher, Chunk, Piece, read_csv, read_sheet};
use crate::runtime::backoff::Backoff;
use crate::runtime::metrics as names;
use futures_util::StreamExt;
use metrics::counter;
use octopush_rules::contact_import::spreadsheet::{BYTE_ORDER_MARK, write_line};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::mpsc;
use tracing::warn;

/// Refused lines read at once for the error file.
const ERRORS_PAGE: i32 = 2000;
/// Tries of one batch that met a deadlock or a short outage, before the file is read again.
const BATCH_TRIES: u32 = 5;

pub async fn run(job: &Job, backoff: &mut Backoff) -> Result<(), Stopped> {
    let sql = include_str!("../../database/queries/import_state.sql");
    let state = job.query(sql, &[&job.id, &job.holder.id]).await?;
    let Some(state) = state.first() else {
        return Err(Stopped::Lost);
    };
    let path: String = state.get("path");
    let Some(spec) = state.get::<_, Option<Value>>("spec") else {
        return inspect::run(job, &path).await;
    };
    read_and_apply(job, &path, Arc::new(spec.clone()), state.get("line"), backoff).await?;
    let errors = write_errors(job, &spec).await?;
    let sql = include_str!("../../database/queries/finish_import.sql");
    job.query(sql, &[&job.id, &job.holder.id, &errors]).await?;
    Ok(())
}

async fn read_and_apply(
    job: &Job,
    path: &str,
    spec: Arc<Value>,
    from: i64,
    backoff: &mut Backoff,
) -> Result<(), Stopped> {
    let storage = job.storage()?;
    let (_, size) = storage
        .head("imports", path, 1)
        .await
        .map_err(inspect::unusable)?;
    let (sender, mut pieces) = mpsc::channel(2);
    let batcher = Batcher::new(&spec, from, job.import_batch, sender)?;
    let reading = if inspect::is_sheet(&spec) {
        let file = inspect::fetch_sheet(storage, path, size).await?;
        tokio::task::spawn_blocking(move || read_sheet(&file, &spec, batcher))
    } else {
        let mut stream = storage.read("imports", path).await.map_err(inspect::unusable)?;
        let (chunks, received) = mpsc::channel(8);
        tokio::spawn(async move {
            while let Some(chunk) = stream.next().await {
                let Ok(chunk) = chunk else { return };
                if chunks.send(Chunk::Bytes(chunk)).await.is_err() {
                    return;
                }
            }
            chunks.send(Chunk::End).await.ok();
        });
        tokio::task::spawn_blocking(move || read_csv(received, &spec, size, batcher))
    };
    while let Some(piece) = pieces.recv().await {
        if job.stop.is_cancelled() {
            return Err(Stopped::Stopping);
        }
        apply(job, &piece).await?;
        counter!(names::IMPORT_LINES).increment(piece.count as u64);
        backoff.reset();
    }
    reading
        .await
        .map_err(|_| Stopped::Unusable("The file cannot be read.".into()))?
}

async fn apply(job: &Job, piece: &Piece) -> Result<(), Stopped> {
    let sql = include_str!("../../database/queries/import_batch.sql");
    let mut backoff = Backoff::default();
    for attempt in 1.. {
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] = [
            &job.id,
            &job.holder.id,
            &piece.from,
            &piece.to,
            &piece.lines,
            &piece.total,
        ];
        match job.query(sql, &parameters).await {
            Ok(rows) => match rows.first().and_then(|row| row.get::<_, Option<i64>>(0)) {
                // Also when an earlier try was committed and its answer was lost.
                Some(line) if line == piece.to => return Ok(()),
                Some(_) => return Err(Stopped::Interrupted("the import is elsewhere in its file")),
                None => return Err(Stopped::Lost),
            },
            Err(error) if error.is_transient() && attempt < BATCH_TRIES => {
                warn!(job = %job.id, %error, "batch of an import tried again");
                tokio::time::sleep(backoff.next_delay()).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Stopped::Interrupted("a batch was not applied"))
}

/// The refused lines as they were, with line and reason, in Storage. None when there are none.
async fn write_errors(job: &Job, spec: &Value) -> Result<Option<String>, Stopped> {
    let sql = include_str!("../../database/queries/import_errors.sql");
    let mut page = job
        .query(sql, &[&job.id, &job.holder.id, &0_i64, &ERRORS_PAGE])
        .await?;
    if page.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> = spec["names"]
        .as_array()
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let path = job.file("errors.csv");
    let (sender, body) = csv_body();
    let write = job.storage()?.write_csv("exports", &path, body);
    let send = async {
        let mut text = BYTE_ORDER_MARK.to_vec();
        write_line(&mut text, names.iter().copied().chain(["Line", "Problem"]));
        loop {
            let mut last = 0_i64;
            for row in &page {
                last = row.get("line");
                let mut cells: Vec<String> = row.get("cells");
                cells.resize(names.len(), String::new());
                let line = last.to_string();
                let reason: &str = row.get("reason");
                write_line(
                    &mut text,
                    cells.iter().map(String::as_str).chain([line.as_str(), reason]),
                );
            }
            if !sender.send(std::mem::take(&mut text)).await {
                return Err(Stopped::Interrupted("Storage did not take the file"));
            }
            match job
                .query(sql, &[&job.id, &job.holder.id, &last, &ERRORS_PAGE])
                .await
            {
                Ok(next) if next.is_empty() => {
                    drop(sender);
                    return Ok(());
                }
                Ok(next) => page = next,
                Err(error) => {
                    sender.abandon().await;
                    return Err(error.into());
                }
            }
        }
    };
    let (sent, written) = tokio::join!(send, write);
    sent?;
    written?;
    Ok(Some(path))
}
