//! Storing objects: created, replaced, or put by a signed URL.

use axum::Json;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, Method};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::error::StorageError;
use super::objects::{self, Bucket, Key};
use super::{Shared, body, keys, signed};

/// Whether the headers ask to replace what is there.
pub fn wants_upsert(headers: &HeaderMap) -> bool {
    headers.get("x-upsert").is_some_and(|value| value == "true")
}

/// `POST` and `PUT /object/{bucket}/{name}`.
pub async fn upload(
    State(shared): State<Shared>,
    Path((bucket, name)): Path<(String, String)>,
    caller: Caller,
    request: Request,
) -> Result<Json<Value>, StorageError> {
    let key = Key {
        bucket: &bucket,
        name: &name,
    };
    keys::check_key(&name)?;
    let upsert = request.method() == Method::PUT || wants_upsert(request.headers());
    let rules = Bucket::find(&shared.platform, &bucket)
        .await?
        .rules(shared.max_file_bytes);
    test_right(&shared, &caller, key, upsert, "storage.object.upload").await?;
    let upload = body::receive(request, &shared.files, &rules).await?;
    let owner = caller.owner();
    let id = objects::commit_upload(&shared.platform, &shared.files, key, owner, upsert, upload).await?;
    Ok(Json(json!({ "Id": id, "Key": key.to_string() })))
}

/// Writes the row as the caller and takes it back, before any byte is accepted.
async fn test_right(
    shared: &Shared,
    caller: &Caller,
    key: Key<'_>,
    upsert: bool,
    operation: &str,
) -> Result<(), StorageError> {
    let mut client = shared.platform.pool.get().await?;
    let transaction = caller.begin(&mut client, operation).await?;
    objects::try_write(&transaction, key, caller.owner(), upsert).await?;
    transaction.rollback().await?;
    Ok(())
}

/// `POST /object/upload/sign/{bucket}/{name}`: a URL at which one object may be stored without a token of one's own.
pub async fn sign_upload(
    State(shared): State<Shared>,
    Path((bucket, name)): Path<(String, String)>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Json<Value>, StorageError> {
    let key = Key {
        bucket: &bucket,
        name: &name,
    };
    keys::check_key(&name)?;
    Bucket::find(&shared.platform, &bucket).await?;
    let upsert = wants_upsert(&headers);
    test_right(&shared, &caller, key, upsert, "storage.object.sign_upload_url").await?;
    let token = signed::mint_upload(&shared.platform.jwt, key, caller.owner(), upsert)?;
    Ok(Json(
        json!({ "url": format!("/object/upload/sign/{key}?token={token}"), "token": token }),
    ))
}

/// The token of a signed URL.
#[derive(Deserialize)]
pub struct TokenQuery {
    pub token: Option<String>,
}

/// `PUT /object/upload/sign/{bucket}/{name}?token=…`.
pub async fn upload_signed(
    State(shared): State<Shared>,
    Path((bucket, name)): Path<(String, String)>,
    Query(query): Query<TokenQuery>,
    request: Request,
) -> Result<Json<Value>, StorageError> {
    let key = Key {
        bucket: &bucket,
        name: &name,
    };
    keys::check_key(&name)?;
    let grant = signed::check_upload(&shared.platform.jwt, query.token.as_deref(), key)?;
    let rules = Bucket::find(&shared.platform, &bucket)
        .await?
        .rules(shared.max_file_bytes);
    if !grant.upsert && objects::find_as_admin(&shared.platform, key).await.is_ok() {
        return Err(StorageError::KeyAlreadyExists);
    }
    let upload = body::receive(request, &shared.files, &rules).await?;
    let owner = grant.owner.as_deref();
    objects::commit_upload(&shared.platform, &shared.files, key, owner, grant.upsert, upload).await?;
    Ok(Json(json!({ "Key": key.to_string() })))
}
