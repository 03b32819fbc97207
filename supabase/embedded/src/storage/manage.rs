//! Moving, copying and removing objects.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::Upload;
use super::caller::Caller;
use super::error::StorageError;
use super::objects::{self, Bucket, COLUMNS, Key, Object};
use super::{Shared, download, keys, upload};

/// The most objects one call may remove.
const MAX_REMOVED: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relocation {
    bucket_id: String,
    source_key: String,
    destination_key: String,
    destination_bucket: Option<String>,
    copy_metadata: Option<bool>,
    metadata: Option<Value>,
}

impl Relocation {
    fn destination(&self) -> Key<'_> {
        Key {
            bucket: self.destination_bucket.as_deref().unwrap_or(&self.bucket_id),
            name: &self.destination_key,
        }
    }

    fn source(&self) -> Key<'_> {
        Key {
            bucket: &self.bucket_id,
            name: &self.source_key,
        }
    }
}

/// `POST /object/move`. Content is found by version, so only the row changes: as the caller, under the policies for UPDATE.
pub async fn move_object(
    State(shared): State<Shared>,
    caller: Caller,
    Json(request): Json<Relocation>,
) -> Result<Json<Value>, StorageError> {
    let (source, destination) = (request.source(), request.destination());
    keys::check_key(destination.name)?;
    Bucket::find(&shared.platform, destination.bucket).await?;
    let mut client = shared.platform.pool.get().await?;
    let transaction = caller.begin(&mut client, "storage.object.move").await?;
    objects::find(&transaction, source).await?;
    let statement = transaction
        .prepare_cached(
            "update storage.objects set bucket_id = $3, name = $4 where bucket_id = $1 and name = $2 returning id",
        )
        .await?;
    let moved = transaction
        .query_opt(
            &statement,
            &[
                &source.bucket,
                &source.name,
                &destination.bucket,
                &destination.name,
            ],
        )
        .await?
        .ok_or_else(|| StorageError::AccessDenied("new row violates row-level security policy".into()))?;
    transaction.commit().await?;
    let id: uuid::Uuid = moved.get(0);
    Ok(Json(
        json!({ "message": "Successfully moved", "Id": id, "Key": destination.to_string() }),
    ))
}

/// `POST /object/copy`.
pub async fn copy_object(
    State(shared): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    Json(request): Json<Relocation>,
) -> Result<Json<Value>, StorageError> {
    let (source, destination) = (request.source(), request.destination());
    keys::check_key(destination.name)?;
    let upsert = upload::wants_upsert(&headers);
    Bucket::find(&shared.platform, destination.bucket).await?;
    let object = download::find_as_caller(&shared, &caller, source, "storage.object.copy").await?;
    {
        let mut client = shared.platform.pool.get().await?;
        let transaction = caller.begin(&mut client, "storage.object.copy").await?;
        objects::try_write(&transaction, destination, caller.owner(), upsert).await?;
        transaction.rollback().await?;
    }
    let version = object.version.as_deref().ok_or(StorageError::NoSuchKey)?;
    let text = |name: &str, default: &str| object.metadata[name].as_str().unwrap_or(default).to_owned();
    let size = object.metadata["size"].as_u64().unwrap_or(0);
    let copy = Upload {
        received: shared.files.duplicate(version, size, text("eTag", "")).await?,
        mime_type: text("mimetype", "application/octet-stream"),
        cache_control: text("cacheControl", "no-cache"),
        user_metadata: if request.copy_metadata == Some(false) {
            request.metadata.clone()
        } else {
            object.user_metadata
        },
    };
    let owner = caller.owner();
    let id =
        objects::commit_upload(&shared.platform, &shared.files, destination, owner, upsert, copy).await?;
    Ok(Json(json!({ "Id": id, "Key": destination.to_string() })))
}

#[derive(Deserialize)]
pub struct Removal {
    prefixes: Vec<Entry>,
}

/// A name, or a name with a version that must still be the current one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Name(String),
    Version {
        path: String,
        #[serde(rename = "versionId")]
        version_id: String,
    },
}

/// `DELETE /object/{bucket}`.
pub async fn remove_many(
    State(shared): State<Shared>,
    Path(bucket): Path<String>,
    caller: Caller,
    Json(request): Json<Removal>,
) -> Result<Json<Value>, StorageError> {
    if request.prefixes.is_empty() || request.prefixes.len() > MAX_REMOVED {
        return Err(StorageError::InvalidRequest(format!(
            "body/prefixes must hold 1 to {MAX_REMOVED} items"
        )));
    }
    let (names, versions): (Vec<String>, Vec<Option<String>>) = request
        .prefixes
        .into_iter()
        .map(|entry| match entry {
            Entry::Name(name) => (name, None),
            Entry::Version { path, version_id } => (path, Some(version_id)),
        })
        .unzip();
    let removed = remove(
        &shared,
        &caller,
        &bucket,
        &names,
        &versions,
        "storage.object.delete_many",
    )
    .await?;
    Ok(Json(Value::Array(removed.iter().map(Object::to_json).collect())))
}

/// `DELETE /object/{bucket}/{name}`.
pub async fn remove_one(
    State(shared): State<Shared>,
    Path((bucket, name)): Path<(String, String)>,
    caller: Caller,
) -> Result<Json<Value>, StorageError> {
    let removed = remove(
        &shared,
        &caller,
        &bucket,
        &[name],
        &[None],
        "storage.object.delete",
    )
    .await?;
    if removed.is_empty() {
        return Err(StorageError::NoSuchKey);
    }
    Ok(Json(json!({ "message": "Successfully deleted" })))
}

async fn remove(
    shared: &Shared,
    caller: &Caller,
    bucket: &str,
    names: &[String],
    versions: &[Option<String>],
    operation: &str,
) -> Result<Vec<Object>, StorageError> {
    let mut client = shared.platform.pool.get().await?;
    let transaction = caller.begin(&mut client, operation).await?;
    let sql = format!(
        "delete from storage.objects as o
         where o.bucket_id = $1
           and exists (select from unnest($2::text[], $3::text[]) as wanted (name, version)
                       where wanted.name = o.name and (wanted.version is null or wanted.version = o.version))
         returning {COLUMNS}"
    );
    let statement = transaction.prepare_cached(&sql).await?;
    let rows = transaction
        .query(&statement, &[&bucket, &names, &versions])
        .await?;
    transaction.commit().await?;
    let removed: Vec<Object> = rows.iter().map(Object::from_row).collect();
    for version in removed.iter().filter_map(|object| object.version.as_deref()) {
        shared.files.remove(version).await;
    }
    Ok(removed)
}
