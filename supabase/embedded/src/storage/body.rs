//! Receiving the body of an upload: a multipart form whose file may have an empty field name, or the bare bytes.

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde_json::Value;

use super::error::StorageError;
use super::files::{Files, Received};

/// Text fields of a form are short; this bounds what is kept in memory of one.
const MAX_TEXT_FIELD_BYTES: usize = 1024 * 1024;

/// What a bucket takes.
pub struct Rules {
    pub max_bytes: u64,
    /// None or empty takes every type.
    pub mime_types: Option<Vec<String>>,
}

impl Rules {
    fn check_type(&self, mime_type: &str) -> Result<(), StorageError> {
        let allowed = self.mime_types.as_deref().unwrap_or_default();
        let essence = mime_type.split(';').next().unwrap_or_default().trim();
        let fits = |pattern: &String| match pattern.strip_suffix("/*") {
            Some("*") => true,
            Some(kind) => essence
                .split('/')
                .next()
                .is_some_and(|found| found.eq_ignore_ascii_case(kind)),
            None => pattern.eq_ignore_ascii_case(essence),
        };
        if allowed.is_empty() || allowed.iter().any(fits) {
            Ok(())
        } else {
            Err(StorageError::InvalidMimeType(mime_type.to_owned()))
        }
    }

    fn check_size(&self, size: u64) -> Result<(), StorageError> {
        if size > self.max_bytes {
            Err(StorageError::EntityTooLarge)
        } else {
            Ok(())
        }
    }
}

/// A received body with what the client said about it.
pub struct Upload {
    pub received: Received,
    pub mime_type: String,
    pub cache_control: String,
    pub user_metadata: Option<Value>,
}

/// Receives the body of `request` into a file, within `rules`.
pub async fn receive(request: Request, files: &Files, rules: &Rules) -> Result<Upload, StorageError> {
    let content_type = text_header(request.headers(), header::CONTENT_TYPE.as_str());
    if content_type.is_some_and(|value| value.starts_with("multipart/form-data")) {
        receive_form(request, files, rules).await
    } else {
        receive_bytes(request, files, rules).await
    }
}

async fn receive_bytes(request: Request, files: &Files, rules: &Rules) -> Result<Upload, StorageError> {
    let headers = request.headers();
    let mime_type = text_header(headers, "content-type")
        .unwrap_or("application/octet-stream")
        .to_owned();
    rules.check_type(&mime_type)?;
    if let Some(length) = text_header(headers, "content-length").and_then(|length| length.parse().ok()) {
        rules.check_size(length)?;
    }
    let cache_control = text_header(headers, "cache-control")
        .unwrap_or("no-cache")
        .to_owned();
    let user_metadata = text_header(headers, "x-metadata")
        .map(|encoded| {
            let decoded = STANDARD.decode(encoded).ok();
            decoded
                .and_then(|json| serde_json::from_slice(&json).ok())
                .ok_or_else(bad_metadata)
        })
        .transpose()?;
    let received = store(Body::into_data_stream(request.into_body()), files, rules).await?;
    Ok(Upload {
        received,
        mime_type,
        cache_control,
        user_metadata,
    })
}

async fn receive_form(request: Request, files: &Files, rules: &Rules) -> Result<Upload, StorageError> {
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|error| StorageError::InvalidRequest(error.body_text()))?;
    let mut cache_control = "no-cache".to_owned();
    let mut user_metadata = None;
    while let Some(mut field) = form.next_field().await.map_err(broken_form)? {
        // A field with a file name or a type of its own is the file, whatever it is called.
        if field.file_name().is_some() || field.content_type().is_some() {
            let mime_type = field
                .content_type()
                .unwrap_or("application/octet-stream")
                .to_owned();
            rules.check_type(&mime_type)?;
            let received = store(&mut field, files, rules).await?;
            return Ok(Upload {
                received,
                mime_type,
                cache_control,
                user_metadata,
            });
        }
        let name = field.name().unwrap_or_default().to_owned();
        let mut text = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(broken_form)? {
            if text.len() + chunk.len() > MAX_TEXT_FIELD_BYTES {
                return Err(StorageError::EntityTooLarge);
            }
            text.extend_from_slice(&chunk);
        }
        match name.as_str() {
            "cacheControl" => {
                cache_control = format!("max-age={}", String::from_utf8_lossy(&text).trim());
            }
            "metadata" => user_metadata = Some(serde_json::from_slice(&text).map_err(|_| bad_metadata())?),
            _ => {}
        }
    }
    Err(StorageError::InvalidRequest("No content provided".into()))
}

async fn store<S, E>(mut chunks: S, files: &Files, rules: &Rules) -> Result<Received, StorageError>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    let mut incoming = files.receive().await?;
    while let Some(chunk) = chunks.next().await {
        let chunk =
            chunk.map_err(|error| StorageError::InvalidRequest(format!("the upload broke off: {error}")))?;
        rules.check_size(incoming.size() + chunk.len() as u64)?;
        incoming.write(&chunk).await?;
    }
    Ok(incoming.finish().await?)
}

fn text_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn broken_form(error: axum::extract::multipart::MultipartError) -> StorageError {
    StorageError::InvalidRequest(error.body_text())
}

fn bad_metadata() -> StorageError {
    StorageError::InvalidRequest("Invalid metadata".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(mime_types: &[&str]) -> Rules {
        Rules {
            max_bytes: 10,
            mime_types: Some(mime_types.iter().map(|t| (*t).to_owned()).collect()),
        }
    }

    #[test]
    fn types_match_by_name_or_kind_and_ignore_parameters() {
        let images = rules(&["image/*", "application/pdf"]);
        for accepted in ["image/png", "IMAGE/PNG", "application/pdf; charset=utf-8"] {
            assert!(images.check_type(accepted).is_ok(), "{accepted}");
        }
        for refused in ["text/plain", "imagex/png", "", "application/pdfx"] {
            assert!(images.check_type(refused).is_err(), "{refused}");
        }
        assert!(rules(&[]).check_type("text/plain").is_ok());
        assert!(rules(&["*/*"]).check_type("text/plain").is_ok());
    }

    #[test]
    fn the_size_limit_is_inclusive() {
        assert!(rules(&[]).check_size(10).is_ok());
        assert!(rules(&[]).check_size(11).is_err());
    }
}
