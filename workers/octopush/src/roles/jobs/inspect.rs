//! The first look at an uploaded file: its beginning goes to the database, which says what it is.

use super::job::{Job, Stopped};
use super::sheet::{self, Download};
use super::storage::{Storage, StorageError};

/// Enough for the columns and some hundred rows.
const HEAD_BYTES: u64 = 256 * 1024;
/// What a zip archive, and so an XLSX file, begins with.
const ZIP: &[u8] = b"PK\x03\x04";

/// Whether the import goes on as a sheet.
pub fn is_sheet(spec: &serde_json::Value) -> bool {
    spec["sheet"].is_string()
}

/// The job waits for its mapping afterwards, or has failed with a reason.
pub async fn run(job: &Job, path: &str) -> Result<(), Stopped> {
    let storage = job.storage()?;
    let (head, size) = storage
        .head("imports", path, HEAD_BYTES)
        .await
        .map_err(unusable)?;
    if head.starts_with(ZIP) {
        let file = fetch_sheet(storage, path, size).await?;
        let first = tokio::task::spawn_blocking(move || sheet::first_rows(&file))
            .await
            .map_err(|_| Stopped::Unusable(sheet::DAMAGED.into()))??;
        return record(job, size, None, Some(first)).await;
    }
    record(job, size, Some(head), None).await
}

async fn record(
    job: &Job,
    size: u64,
    head: Option<Vec<u8>>,
    sheet: Option<sheet::FirstRows>,
) -> Result<(), Stopped> {
    let (rows, name, count) = match sheet {
        Some(first) => (Some(first.rows), Some(first.sheet), Some(first.count)),
        None => (None, None, None),
    };
    let sql = include_str!("../../database/queries/record_import_head.sql");
    job.query(
        sql,
        &[
            &job.id,
            &job.holder.id,
            &(size as i64),
            &head,
            &rows,
            &name,
            &count,
        ],
    )
    .await?;
    Ok(())
}

/// A sheet on disk: its format needs to be read from the end.
pub async fn fetch_sheet(storage: &Storage, path: &str, size: u64) -> Result<Download, Stopped> {
    if size > sheet::MAX_BYTES {
        let most = sheet::MAX_BYTES / 1_048_576;
        return Err(Stopped::Unusable(format!(
            "An XLSX file may have up to {most} MB. Save the sheet as CSV: that may be as large as you like."
        )));
    }
    let stream = storage.read("imports", path).await.map_err(unusable)?;
    Download::receive(stream).await
}

/// A file that is gone will not come back.
pub fn unusable(error: StorageError) -> Stopped {
    match error {
        StorageError::Missing => Stopped::Unusable("The uploaded file is gone. Upload it again.".into()),
        error => error.into(),
    }
}
