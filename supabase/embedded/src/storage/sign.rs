//! Signing URLs for objects the caller may read.

use std::collections::HashSet;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::error::StorageError;
use super::objects::{Bucket, Key};
use super::{Shared, download, signed};

/// The most URLs one call may sign.
const MAX_PATHS: usize = 1000;

#[derive(Deserialize)]
pub struct SignOne {
    #[serde(rename = "expiresIn")]
    expires_in: i64,
}

#[derive(Deserialize)]
pub struct SignMany {
    #[serde(rename = "expiresIn")]
    expires_in: i64,
    paths: Vec<String>,
}

/// `POST /object/sign/{bucket}/{name}`.
pub async fn sign_one(
    State(shared): State<Shared>,
    Path((bucket, name)): Path<(String, String)>,
    caller: Caller,
    Json(request): Json<SignOne>,
) -> Result<Json<Value>, StorageError> {
    let key = Key {
        bucket: &bucket,
        name: &name,
    };
    check_lifetime(request.expires_in)?;
    Bucket::find(&shared.platform, &bucket).await?;
    download::find_as_caller(&shared, &caller, key, "storage.object.sign").await?;
    Ok(Json(
        json!({ "signedURL": signed_url(&shared, key, request.expires_in)? }),
    ))
}

/// `POST /object/sign/{bucket}`.
pub async fn sign_many(
    State(shared): State<Shared>,
    Path(bucket): Path<String>,
    caller: Caller,
    Json(request): Json<SignMany>,
) -> Result<Json<Value>, StorageError> {
    check_lifetime(request.expires_in)?;
    if request.paths.is_empty() || request.paths.len() > MAX_PATHS {
        return Err(StorageError::InvalidRequest(format!(
            "body/paths must hold 1 to {MAX_PATHS} items"
        )));
    }
    Bucket::find(&shared.platform, &bucket).await?;
    let mut client = shared.platform.pool.get().await?;
    let transaction = caller.begin(&mut client, "storage.object.sign_many").await?;
    let statement = transaction
        .prepare_cached("select name from storage.objects where bucket_id = $1 and name = any ($2)")
        .await?;
    let rows = transaction.query(&statement, &[&bucket, &request.paths]).await?;
    transaction.rollback().await?;
    let readable: HashSet<&str> = rows.iter().map(|row| row.get(0)).collect();
    let signed: Result<Vec<Value>, StorageError> = request
        .paths
        .iter()
        .map(|path| {
            if !readable.contains(path.as_str()) {
                let error = "Either the object does not exist or you do not have access to it";
                return Ok(json!({ "error": error, "path": path, "signedURL": null }));
            }
            let url = signed_url(
                &shared,
                Key {
                    bucket: &bucket,
                    name: path,
                },
                request.expires_in,
            )?;
            Ok(json!({ "error": null, "path": path, "signedURL": url }))
        })
        .collect();
    Ok(Json(Value::Array(signed?)))
}

fn check_lifetime(seconds: i64) -> Result<(), StorageError> {
    if seconds < 1 {
        return Err(StorageError::InvalidRequest("body/expiresIn must be >= 1".into()));
    }
    Ok(())
}

/// The client puts `/storage/v1` in front and encodes it.
fn signed_url(shared: &Shared, key: Key<'_>, seconds: i64) -> Result<String, StorageError> {
    let token = signed::mint_download(&shared.platform.jwt, key, seconds)?;
    Ok(format!("/object/sign/{key}?token={token}"))
}
