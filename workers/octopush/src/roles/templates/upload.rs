//! Samples of headers from Storage to Meta, piece by piece; a connection that breaks is gone on with where Meta stopped.

use super::Desk;
use super::outcome::{Done, Fate, of_error};
use super::work::Work;
use crate::runtime::storage::{Storage, StorageError};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use octopush_whatsapp::ApiError;
use octopush_whatsapp::client::UploadSession;
use reqwest::Body;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tracing::warn;

const BUCKET: &str = "templates";
/// Connections that may break before the whole upload is begun anew later.
const RESUMES: usize = 3;
/// The largest file a header takes is a document of 100 MB (§7).
const MOST_BYTES: u64 = 100 << 20;

#[derive(Deserialize)]
struct File {
    path: String,
    mime: String,
}

/// Why a file has no handle.
enum Failure {
    Api(ApiError),
    Storage(StorageError),
    TooLarge,
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// Uploads every file of the work; either all have handles or it is asked again.
pub async fn run(desk: &Desk, work: &Work) -> Fate {
    let files = work.payload.get("files").cloned().unwrap_or(Value::Null);
    let Ok(files) = serde_json::from_value::<Vec<File>>(files) else {
        return Fate::failed("TEMPLATE_004", "The files of this template are not known.");
    };
    let Some(storage) = &desk.storage else {
        warn!("SUPABASE_SERVICE_ROLE_KEY is not set: templates with files wait for a worker that has it");
        return Fate::Retry {
            retry_seconds: 60.0,
            error_message: "Files cannot be read at the moment.".into(),
        };
    };
    let token = &work.access_token.0;
    let app_id = match &desk.app_id {
        Some(app_id) => app_id.clone(),
        None => match desk.graph.debug_token(token, token).await {
            Ok(info) => match info.app_id {
                Some(app_id) => app_id,
                None => {
                    return Fate::failed(
                        "WA_010",
                        "WhatsApp does not say which app the access token belongs to.",
                    );
                }
            },
            Err(error) => return of_error(&error, work.attempt),
        },
    };
    let mut handles = BTreeMap::new();
    for file in files {
        match upload(desk, storage, &app_id, token, &file).await {
            Ok(handle) => handles.insert(file.path, handle),
            Err(Failure::Api(error)) => return of_error(&error, work.attempt),
            Err(Failure::TooLarge) => {
                return Fate::failed("TEMPLATE_004", "The header's file is larger than WhatsApp takes.");
            }
            Err(Failure::Storage(StorageError::Missing)) => {
                return Fate::failed("TEMPLATE_004", "The header's file is gone: choose it again.");
            }
            Err(Failure::Storage(error)) => {
                return Fate::again(work.attempt, Duration::ZERO, error.to_string());
            }
        };
    }
    Fate::Done(Done {
        handles,
        ..Done::default()
    })
}

async fn upload(
    desk: &Desk,
    storage: &Storage,
    app_id: &str,
    token: &str,
    file: &File,
) -> Result<String, Failure> {
    let (_, length) = storage.head(BUCKET, &file.path, 1).await?;
    if length > MOST_BYTES {
        return Err(Failure::TooLarge);
    }
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    let session = desk
        .graph
        .begin_upload(app_id, token, name, &file.mime, length)
        .await?;
    let mut offset = 0;
    for _ in 0..RESUMES {
        match send_from(desk, storage, &session, token, file, offset, length).await {
            Ok(handle) => return Ok(handle),
            Err(Failure::Api(ApiError::Transport(error))) => {
                warn!(%error, "an upload broke off");
                offset = desk.graph.upload_offset(&session, token).await?;
            }
            Err(other) => return Err(other),
        }
    }
    send_from(desk, storage, &session, token, file, offset, length).await
}

async fn send_from(
    desk: &Desk,
    storage: &Storage,
    session: &UploadSession,
    token: &str,
    file: &File,
    offset: u64,
    length: u64,
) -> Result<String, Failure> {
    let bytes = storage.read(BUCKET, &file.path).await?;
    let body = Body::wrap_stream(without_first(bytes, offset));
    let handle = desk
        .graph
        .finish_upload(session, token, offset, length.saturating_sub(offset), body)
        .await?;
    Ok(handle)
}

fn without_first(
    stream: impl Stream<Item = reqwest::Result<Bytes>> + Unpin + Send + 'static,
    count: u64,
) -> impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static {
    let mut left = count;
    stream.map(move |chunk| {
        chunk.map(|mut chunk| {
            let skipped = left.min(chunk.len() as u64);
            left -= skipped;
            chunk.split_off(skipped as usize)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn goes_on_in_the_middle_of_a_piece() {
        for count in [0_u64, 2, 3, 4, 6] {
            let pieces = ["abc", "def"].map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
            let rest: Vec<u8> = without_first(futures_util::stream::iter(pieces), count)
                .map(|piece| piece.unwrap().to_vec())
                .concat()
                .await;
            assert_eq!(rest, b"abcdef"[count as usize..]);
        }
    }
}
