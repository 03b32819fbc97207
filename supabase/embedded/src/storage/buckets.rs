//! Buckets, under the policies on `storage.buckets`.

use axum::Json;
use axum::extract::{Path, Query, State};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

use super::caller::{Caller, owner_uuid};
use super::error::StorageError;
use super::objects::timestamp;
use super::{Shared, keys};

const COLUMNS: &str =
    "id, name, owner, public, file_size_limit, allowed_mime_types, created_at, updated_at, type::text";
/// Rows removed in one transaction when a bucket is emptied.
const EMPTY_BATCH: i64 = 1000;

#[derive(Deserialize)]
pub struct NewBucket {
    id: Option<String>,
    name: String,
    #[serde(default)]
    public: Option<bool>,
    file_size_limit: Option<Value>,
    allowed_mime_types: Option<Vec<String>>,
}

/// `POST /bucket`.
pub async fn create(
    State(shared): State<Shared>,
    caller: Caller,
    Json(bucket): Json<NewBucket>,
) -> Result<Json<Value>, StorageError> {
    let id = bucket.id.unwrap_or_else(|| bucket.name.clone());
    keys::check_bucket_name(&id)?;
    keys::check_bucket_name(&bucket.name)?;
    let limit = size_limit(bucket.file_size_limit.as_ref())?;
    let mut client = shared.platform.pool.get().await?;
    let transaction = caller.begin(&mut client, "storage.bucket.create").await?;
    transaction
        .execute(
            "insert into storage.buckets (id, name, owner, owner_id, public, file_size_limit, allowed_mime_types)
             values ($1, $2, $3, $4, $5, $6, $7)",
            &[
                &id,
                &bucket.name,
                &owner_uuid(caller.owner()),
                &caller.owner(),
                &bucket.public.unwrap_or(false),
                &limit,
                &bucket.allowed_mime_types,
            ],
        )
        .await
        .map_err(|error| match error.code() {
            Some(code) if *code == SqlState::UNIQUE_VIOLATION => StorageError::BucketAlreadyExists,
            _ => error.into(),
        })?;
    transaction.commit().await?;
    Ok(Json(json!({ "name": bucket.name })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListQuery {
    limit: Option<i64>,
    offset: Option<i64>,
    search: Option<String>,
    sort_column: Option<String>,
    sort_order: Option<String>,
}

/// `GET /bucket`.
pub async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, StorageError> {
    let known = ["id", "name", "created_at", "updated_at"];
    let column = query.sort_column.as_deref().unwrap_or("id");
    let column = known.into_iter().find(|name| *name == column).unwrap_or("id");
    let order = if query.sort_order.as_deref() == Some("desc") {
        "desc"
    } else {
        "asc"
    };
    let mut client = shared.platform.pool.get().await?;
    let transaction = caller.begin(&mut client, "storage.bucket.list").await?;
    let sql = format!(
        "select {COLUMNS} from storage.buckets where strpos(lower(name), lower($1)) > 0 or $1 = ''
         order by {column} {order} limit $2 offset $3"
    );
    let limit = query.limit.unwrap_or(1000).clamp(0, 1000);
    let rows = transaction
        .query(
            &sql,
            &[
                &query.search.unwrap_or_default(),
                &limit,
                &query.offset.unwrap_or(0).max(0),
            ],
        )
        .await?;
    Ok(Json(Value::Array(rows.iter().map(describe).collect())))
}

/// `GET /bucket/{id}`.
pub async fn get(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Json<Value>, StorageError> {
    let mut client = shared.platform.pool.get().await?;
    let transaction = caller.begin(&mut client, "storage.bucket.get").await?;
    let sql = format!("select {COLUMNS} from storage.buckets where id = $1");
    let row = transaction.query_opt(&sql, &[&id]).await?;
    row.as_ref()
        .map(describe)
        .map(Json)
        .ok_or(StorageError::NoSuchBucket)
}

/// `PUT /bucket/{id}`. What is left out stays as it is.
pub async fn update(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    caller: Caller,
    Json(change): Json<Value>,
) -> Result<Json<Value>, StorageError> {
    let limit = size_limit(change.get("file_size_limit"))?;
    let types: Option<Vec<String>> = change
        .get("allowed_mime_types")
        .map(|types| serde_json::from_value(types.clone()))
        .transpose()
        .map_err(|_| {
            StorageError::InvalidRequest("body/allowed_mime_types must be an array of strings".into())
        })?
        .flatten();
    let mut client = shared.platform.pool.get().await?;
    let transaction = caller.begin(&mut client, "storage.bucket.update").await?;
    let changed = transaction
        .execute(
            "update storage.buckets
             set public = coalesce($2, public),
                 file_size_limit = case when $3 then $4 else file_size_limit end,
                 allowed_mime_types = case when $5 then $6 else allowed_mime_types end,
                 updated_at = now()
             where id = $1",
            &[
                &id,
                &change.get("public").and_then(Value::as_bool),
                &change.get("file_size_limit").is_some(),
                &limit,
                &change.get("allowed_mime_types").is_some(),
                &types,
            ],
        )
        .await?;
    if changed == 0 {
        return Err(StorageError::NoSuchBucket);
    }
    transaction.commit().await?;
    Ok(Json(json!({ "message": "Successfully updated" })))
}

/// `POST /bucket/{id}/empty`.
pub async fn empty(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Json<Value>, StorageError> {
    let mut client = shared.platform.pool.get().await?;
    loop {
        let transaction = caller.begin(&mut client, "storage.bucket.empty").await?;
        let visible = transaction
            .query_opt("select from storage.buckets where id = $1", &[&id])
            .await?;
        visible.ok_or(StorageError::NoSuchBucket)?;
        let rows = transaction
            .query(
                "delete from storage.objects
                 where id in (select id from storage.objects where bucket_id = $1 limit $2) returning version",
                &[&id, &EMPTY_BATCH],
            )
            .await?;
        transaction.commit().await?;
        for version in rows.iter().filter_map(|row| row.get::<_, Option<String>>(0)) {
            shared.files.remove(&version).await;
        }
        if (rows.len() as i64) < EMPTY_BATCH {
            return Ok(Json(json!({ "message": "Successfully emptied" })));
        }
    }
}

/// `DELETE /bucket/{id}`.
pub async fn delete(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Json<Value>, StorageError> {
    let mut client = shared.platform.pool.get().await?;
    let transaction = caller.begin(&mut client, "storage.bucket.delete").await?;
    let deleted = transaction
        .execute("delete from storage.buckets where id = $1", &[&id])
        .await
        .map_err(|error| match error.code() {
            Some(code) if *code == SqlState::FOREIGN_KEY_VIOLATION => StorageError::BucketNotEmpty,
            _ => error.into(),
        })?;
    if deleted == 0 {
        return Err(StorageError::NoSuchBucket);
    }
    transaction.commit().await?;
    Ok(Json(json!({ "message": "Successfully deleted" })))
}

fn describe(row: &Row) -> Value {
    let time = |name: &str| row.get::<_, Option<DateTime<Utc>>>(name).map(timestamp);
    json!({
        "id": row.get::<_, String>("id"),
        "name": row.get::<_, String>("name"),
        "owner": row.get::<_, Option<uuid::Uuid>>("owner").map_or_else(String::new, |owner| owner.to_string()),
        "public": row.get::<_, Option<bool>>("public").unwrap_or(false),
        "file_size_limit": row.get::<_, Option<i64>>("file_size_limit"),
        "allowed_mime_types": row.get::<_, Option<Vec<String>>>("allowed_mime_types"),
        "created_at": time("created_at"),
        "updated_at": time("updated_at"),
        "type": row.get::<_, String>("type"),
    })
}

/// Bytes as a number, or with a unit (`20MB`).
fn size_limit(value: Option<&Value>) -> Result<Option<i64>, StorageError> {
    let bytes = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => bytes_of(text),
        Some(_) => None,
    };
    bytes
        .filter(|bytes| *bytes >= 0)
        .map(Some)
        .ok_or(StorageError::InvalidFileSizeLimit)
}

fn bytes_of(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: f64 = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1.0,
        "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        _ => return None,
    };
    let bytes = digits.trim().parse::<f64>().ok()? * factor;
    (bytes.is_finite() && bytes >= 0.0 && bytes <= i64::MAX as f64).then_some(bytes as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_or_have_a_unit() {
        for (value, bytes) in [
            (json!(5), Some(5)),
            (json!("20MB"), Some(20_000_000)),
            (json!("1.5kb"), Some(1500)),
            (json!("3B"), Some(3)),
            (json!(null), None),
        ] {
            assert_eq!(size_limit(Some(&value)).unwrap(), bytes, "{value}");
        }
        for value in [json!("20XB"), json!("MB"), json!(-1), json!([]), json!("-5MB")] {
            assert!(size_limit(Some(&value)).is_err(), "{value}");
        }
    }
}
