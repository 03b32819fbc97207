//! Rows of `storage.objects`.

use chrono::{DateTime, SecondsFormat, Utc};
use deadpool_postgres::Transaction;
use serde_json::{Value, json};
use tokio_postgres::Row;
use uuid::Uuid;

use super::body::{Rules, Upload};
use super::caller::owner_uuid;
use super::error::StorageError;
use super::files::Files;
use crate::platform::Platform;

/// An object's row.
#[derive(Debug, Clone)]
pub struct Object {
    pub id: Uuid,
    pub bucket_id: String,
    pub name: String,
    pub version: Option<String>,
    pub created_at: Option<DateTime<Utc>>,
    pub updated_at: Option<DateTime<Utc>>,
    pub last_accessed_at: Option<DateTime<Utc>>,
    pub metadata: Value,
    pub user_metadata: Option<Value>,
    pub owner_id: Option<String>,
}

/// The columns [`Object::from_row`] reads.
pub const COLUMNS: &str = "id, bucket_id, name, version, created_at, updated_at, last_accessed_at, metadata, user_metadata, owner_id";

impl Object {
    pub fn from_row(row: &Row) -> Self {
        Self {
            id: row.get("id"),
            bucket_id: row.get("bucket_id"),
            name: row.get("name"),
            version: row.get("version"),
            created_at: row.get("created_at"),
            updated_at: row.get("updated_at"),
            last_accessed_at: row.get("last_accessed_at"),
            metadata: row.get::<_, Option<Value>>("metadata").unwrap_or(Value::Null),
            user_metadata: row.get("user_metadata"),
            owner_id: row.get("owner_id"),
        }
    }

    /// As removal and listing answer.
    pub fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "bucket_id": self.bucket_id,
            "owner_id": self.owner_id,
            "id": self.id,
            "version": self.version,
            "updated_at": self.updated_at.map(timestamp),
            "created_at": self.created_at.map(timestamp),
            "last_accessed_at": self.last_accessed_at.map(timestamp),
            "metadata": self.metadata,
            "user_metadata": self.user_metadata,
        })
    }
}

pub fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Bucket and name of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key<'a> {
    pub bucket: &'a str,
    pub name: &'a str,
}

impl std::fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.bucket, self.name)
    }
}

/// What the API needs of a bucket, whoever asks.
pub struct Bucket {
    pub public: bool,
    file_size_limit: Option<i64>,
    allowed_mime_types: Option<Vec<String>>,
}

impl Bucket {
    pub async fn find(platform: &Platform, id: &str) -> Result<Self, StorageError> {
        let client = platform.pool.get().await?;
        let statement = client
            .prepare_cached(
                "select public, file_size_limit, allowed_mime_types from storage.buckets where id = $1",
            )
            .await?;
        let row = client
            .query_opt(&statement, &[&id])
            .await?
            .ok_or(StorageError::NoSuchBucket)?;
        Ok(Self {
            public: row.get::<_, Option<bool>>(0).unwrap_or(false),
            file_size_limit: row.get(1),
            allowed_mime_types: row.get(2),
        })
    }

    /// What may be stored in it, on a server that takes files up to `server_limit`.
    pub fn rules(self, server_limit: u64) -> Rules {
        let own = self.file_size_limit.and_then(|limit| u64::try_from(limit).ok());
        Rules {
            max_bytes: own.map_or(server_limit, |own| own.min(server_limit)),
            mime_types: self.allowed_mime_types,
        }
    }
}

/// The object as the transaction's role sees it.
pub async fn find(transaction: &Transaction<'_>, key: Key<'_>) -> Result<Object, StorageError> {
    let sql = format!("select {COLUMNS} from storage.objects where bucket_id = $1 and name = $2");
    let statement = transaction.prepare_cached(&sql).await?;
    let row = transaction
        .query_opt(&statement, &[&key.bucket, &key.name])
        .await?;
    row.as_ref().map(Object::from_row).ok_or(StorageError::NoSuchKey)
}

/// The object whatever the policies say.
pub async fn find_as_admin(platform: &Platform, key: Key<'_>) -> Result<Object, StorageError> {
    let mut client = platform.pool.get().await?;
    let transaction = client.transaction().await?;
    find(&transaction, key).await
}

/// Tries to write the row as the transaction's role; the transaction must be rolled back.
pub async fn try_write(
    transaction: &Transaction<'_>,
    key: Key<'_>,
    owner: Option<&str>,
    upsert: bool,
) -> Result<(), StorageError> {
    // Creating asks the policies for INSERT alone; replacing also those for SELECT and UPDATE.
    let conflict = if upsert {
        "on conflict (bucket_id, name) do update set version = excluded.version, owner = excluded.owner,
             owner_id = excluded.owner_id returning id"
    } else {
        ""
    };
    let sql = format!(
        "insert into storage.objects (bucket_id, name, owner, owner_id, version) values ($1, $2, $3, $4, $5) {conflict}"
    );
    let statement = transaction.prepare_cached(&sql).await?;
    let version = Uuid::new_v4().to_string();
    transaction
        .query(
            &statement,
            &[&key.bucket, &key.name, &owner_uuid(owner), &owner, &version],
        )
        .await?;
    Ok(())
}

/// Puts a received file in place and makes the row name it, as admin: the rights have been tested before the bytes came.
pub async fn commit_upload(
    platform: &Platform,
    files: &Files,
    key: Key<'_>,
    owner: Option<&str>,
    upsert: bool,
    upload: Upload,
) -> Result<Uuid, StorageError> {
    let version = Uuid::new_v4().to_string();
    let metadata = json!({
        "eTag": upload.received.etag,
        "size": upload.received.size,
        "mimetype": upload.mime_type,
        "cacheControl": upload.cache_control,
        "lastModified": timestamp(Utc::now()),
        "contentLength": upload.received.size,
        "httpStatusCode": 200,
    });
    let mut client = platform.pool.get().await?;
    let transaction = client.transaction().await?;
    let previous = transaction
        .query_opt(
            "select version from storage.objects where bucket_id = $1 and name = $2 for update",
            &[&key.bucket, &key.name],
        )
        .await?
        .and_then(|row| row.get::<_, Option<String>>(0));
    let conflict = if upsert {
        "on conflict (bucket_id, name) do update set owner = excluded.owner, owner_id = excluded.owner_id,
             version = excluded.version, metadata = excluded.metadata, user_metadata = excluded.user_metadata
         returning id"
    } else {
        "returning id"
    };
    let sql = format!(
        "insert into storage.objects (bucket_id, name, owner, owner_id, version, metadata, user_metadata)
         values ($1, $2, $3, $4, $5, $6, $7) {conflict}"
    );
    let row = transaction
        .query_one(
            &sql,
            &[
                &key.bucket,
                &key.name,
                &owner_uuid(owner),
                &owner,
                &version,
                &metadata,
                &upload.user_metadata,
            ],
        )
        .await?;
    upload.received.place(files, &version).await?;
    if let Err(error) = transaction.commit().await {
        files.remove(&version).await;
        return Err(error.into());
    }
    if let Some(previous) = previous {
        files.remove(&previous).await;
    }
    Ok(row.get(0))
}
