//! Serving objects: to their readers, from public buckets, and by signed URLs; whole or in part.

use std::io::SeekFrom;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::caller::Caller;
use super::error::StorageError;
use super::objects::{self, Bucket, Key, Object};
use super::range::{self, Wanted};
use super::{Shared, signed};

/// Bytes read from disk at once.
const CHUNK: usize = 64 * 1024;
/// Types a browser would run scripts of, on the origin that also serves the API.
const ACTIVE_TYPES: [&str; 3] = ["html", "xml", "svg"];

/// `download` names the file, `token` is that of a signed URL.
#[derive(Deserialize)]
pub struct DownloadQuery {
    download: Option<String>,
    token: Option<String>,
}

/// `GET` and `HEAD /object/{bucket}/{name}`, also below `/object/authenticated`.
pub async fn read(
    State(shared): State<Shared>,
    Path((bucket, name)): Path<(String, String)>,
    Query(query): Query<DownloadQuery>,
    caller: Caller,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, StorageError> {
    let key = Key {
        bucket: &bucket,
        name: &name,
    };
    let object = if Bucket::find(&shared.platform, &bucket).await?.public {
        objects::find_as_admin(&shared.platform, key).await?
    } else {
        find_as_caller(&shared, &caller, key, "storage.object.get_authenticated").await?
    };
    serve(&shared, &object, query.download.as_deref(), &method, &headers).await
}

/// `GET` and `HEAD /object/public/{bucket}/{name}`.
pub async fn read_public(
    State(shared): State<Shared>,
    Path((bucket, name)): Path<(String, String)>,
    Query(query): Query<DownloadQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, StorageError> {
    let object = find_public(
        &shared,
        Key {
            bucket: &bucket,
            name: &name,
        },
    )
    .await?;
    serve(&shared, &object, query.download.as_deref(), &method, &headers).await
}

/// `GET` and `HEAD /object/sign/{bucket}/{name}?token=…`.
pub async fn read_signed(
    State(shared): State<Shared>,
    Path((bucket, name)): Path<(String, String)>,
    Query(query): Query<DownloadQuery>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, StorageError> {
    let key = Key {
        bucket: &bucket,
        name: &name,
    };
    signed::check_download(&shared.platform.jwt, query.token.as_deref(), key)?;
    let object = objects::find_as_admin(&shared.platform, key).await?;
    serve(&shared, &object, query.download.as_deref(), &method, &headers).await
}

/// `GET /object/info/{bucket}/{name}`, also below `/object/info/authenticated`.
pub async fn info(
    State(shared): State<Shared>,
    Path((bucket, name)): Path<(String, String)>,
    caller: Caller,
) -> Result<axum::Json<Value>, StorageError> {
    let key = Key {
        bucket: &bucket,
        name: &name,
    };
    Bucket::find(&shared.platform, &bucket).await?;
    let object = find_as_caller(&shared, &caller, key, "storage.object.info_authenticated").await?;
    Ok(axum::Json(describe(&object)))
}

/// `GET /object/info/public/{bucket}/{name}`.
pub async fn info_public(
    State(shared): State<Shared>,
    Path((bucket, name)): Path<(String, String)>,
) -> Result<axum::Json<Value>, StorageError> {
    let object = find_public(
        &shared,
        Key {
            bucket: &bucket,
            name: &name,
        },
    )
    .await?;
    Ok(axum::Json(describe(&object)))
}

/// The object, if the caller's policies show it.
pub async fn find_as_caller(
    shared: &Shared,
    caller: &Caller,
    key: Key<'_>,
    operation: &str,
) -> Result<Object, StorageError> {
    let mut client = shared.platform.pool.get().await?;
    let transaction = caller.begin(&mut client, operation).await?;
    objects::find(&transaction, key).await
}

async fn find_public(shared: &Shared, key: Key<'_>) -> Result<Object, StorageError> {
    if !Bucket::find(&shared.platform, key.bucket).await?.public {
        // A private bucket is not told from a missing one.
        return Err(StorageError::NoSuchBucket);
    }
    objects::find_as_admin(&shared.platform, key).await
}

fn describe(object: &Object) -> Value {
    let metadata = &object.metadata;
    json!({
        "id": object.id,
        "name": object.name,
        "version": object.version,
        "bucket_id": object.bucket_id,
        "size": metadata["size"],
        "content_type": metadata["mimetype"],
        "cache_control": metadata["cacheControl"],
        "etag": metadata["eTag"],
        "metadata": object.user_metadata,
        "last_modified": object.updated_at.map(objects::timestamp),
        "created_at": object.created_at.map(objects::timestamp),
    })
}

async fn serve(
    shared: &Shared,
    object: &Object,
    download: Option<&str>,
    method: &Method,
    request: &HeaderMap,
) -> Result<Response, StorageError> {
    let version = object.version.as_deref().ok_or(StorageError::NoSuchKey)?;
    // Opened first: from here on a replacement of the object does not disturb this answer.
    let mut file = shared
        .files
        .open(version)
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => StorageError::NoSuchKey,
            _ => error.into(),
        })?;
    let size = file.metadata().await?.len();
    let headers = entity_headers(object, download);
    let asked = |name: header::HeaderName| request.get(name).and_then(|value| value.to_str().ok());
    let etag = object.metadata["eTag"].as_str().unwrap_or_default();
    if asked(header::IF_NONE_MATCH).is_some_and(|tags| matches_etag(tags, etag)) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    // A part of another version must not be joined to what the client has.
    let same = asked(header::IF_RANGE).is_none_or(|tag| tag == etag);
    let wanted = range::wanted(asked(header::RANGE).filter(|_| same), size);
    let (status, part) = match wanted {
        Wanted::Everything => (StatusCode::OK, None),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, Some(part)),
        Wanted::Unsatisfiable => {
            let total = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, total).into_response());
        }
    };
    let (start, length) = part
        .as_ref()
        .map_or((0, size), |part| (*part.start(), part.end() - part.start() + 1));
    let body = if *method == Method::HEAD {
        Body::empty()
    } else {
        file.seek(SeekFrom::Start(start)).await?;
        Body::from_stream(ReaderStream::with_capacity(file.take(length), CHUNK))
    };
    let mut response = (status, headers, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, length.into());
    if let Some(part) = part {
        let range = format!("bytes {}-{}/{size}", part.start(), part.end());
        headers.insert(header::CONTENT_RANGE, header_value(&range));
    }
    Ok(response)
}

fn entity_headers(object: &Object, download: Option<&str>) -> HeaderMap {
    let metadata =
        |name: &str, default: &str| header_value(object.metadata[name].as_str().unwrap_or(default));
    let mut headers = HeaderMap::new();
    let content_type = metadata("mimetype", "application/octet-stream");
    let is_active = content_type
        .to_str()
        .map(str::to_ascii_lowercase)
        .is_ok_and(|text| ACTIVE_TYPES.iter().any(|kind| text.contains(kind)));
    if is_active {
        let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::ETAG, metadata("eTag", ""));
    headers.insert(header::CACHE_CONTROL, metadata("cacheControl", "no-cache"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if let Some(modified) = object.updated_at {
        let modified = modified.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        headers.insert(header::LAST_MODIFIED, header_value(&modified));
    }
    if let Some(name) = download {
        headers.insert(header::CONTENT_DISPOSITION, header_value(&disposition(name)));
    }
    headers
}

/// An attachment, under `name` if one is given; names outside ASCII need the encoded form.
fn disposition(name: &str) -> String {
    if name.is_empty() {
        return "attachment".to_owned();
    }
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("attachment; filename={encoded}; filename*=UTF-8''{encoded};")
}

fn matches_etag(tags: &str, etag: &str) -> bool {
    tags.trim() == "*"
        || tags
            .split(',')
            .any(|tag| tag.trim().trim_start_matches("W/") == etag)
}

fn header_value(text: &str) -> HeaderValue {
    // What cannot stand in a header was made up by whoever uploaded the object.
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("invalid"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_cannot_break_out_of_the_header() {
        assert_eq!(disposition(""), "attachment");
        assert_eq!(
            disposition("a\"b\r\nx: ü.txt"),
            "attachment; filename=a%22b%0D%0Ax%3A%20%C3%BC.txt; filename*=UTF-8''a%22b%0D%0Ax%3A%20%C3%BC.txt;"
        );
    }

    #[test]
    fn etags_match_in_lists_and_weakly() {
        assert!(matches_etag("\"a\", W/\"b\"", "\"b\""));
        assert!(matches_etag("*", "\"b\""));
        assert!(!matches_etag("\"a\"", "\"b\""));
    }
}
