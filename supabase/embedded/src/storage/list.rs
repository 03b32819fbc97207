//! Listing a bucket.

use axum::Json;
use axum::extract::{Path, State};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;
use super::caller::Caller;
use super::error::StorageError;
use super::objects::{COLUMNS, Object, timestamp};

const MAX_LIMIT: i64 = 1000;

#[derive(Deserialize)]
pub struct ListRequest {
    #[serde(default)]
    prefix: String,
    limit: Option<i64>,
    offset: Option<i64>,
    #[serde(rename = "sortBy")]
    sort_by: Option<SortBy>,
    search: Option<String>,
}

#[derive(Deserialize)]
struct SortBy {
    column: Option<String>,
    order: Option<String>,
}

/// `POST /object/list/{bucket}`: one level, folders first.
pub async fn list(
    State(shared): State<Shared>,
    Path(bucket): Path<String>,
    caller: Caller,
    Json(request): Json<ListRequest>,
) -> Result<Json<Value>, StorageError> {
    // The prefix is always a folder.
    let mut prefix = request.prefix;
    if !prefix.is_empty() && !prefix.ends_with('/') {
        prefix.push('/');
    }
    let level = i32::try_from(prefix.matches('/').count() + 1)
        .map_err(|_| StorageError::InvalidRequest("the prefix is too deep".into()))?;
    let within = |value: Option<i64>, default: i64, most: i64| value.unwrap_or(default).clamp(0, most) as i32;
    let (column, order) = request
        .sort_by
        .map_or((None, None), |sort| (sort.column, sort.order));
    let mut client = shared.platform.pool.get().await?;
    let transaction = caller.begin(&mut client, "storage.object.list").await?;
    let statement = transaction
        .prepare_cached(
            "select name, id, updated_at, created_at, last_accessed_at, metadata
             from storage.search($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .await?;
    let rows = transaction
        .query(
            &statement,
            &[
                &prefix,
                &bucket,
                &within(request.limit, 100, MAX_LIMIT),
                &level,
                &within(request.offset, 0, i64::from(i32::MAX)),
                &request.search.unwrap_or_default(),
                &column.unwrap_or_else(|| "name".into()),
                &order.unwrap_or_else(|| "asc".into()),
            ],
        )
        .await?;
    let entries = rows.iter().map(|row| {
        let time = |name: &str| row.get::<_, Option<DateTime<Utc>>>(name).map(timestamp);
        json!({
            "name": row.get::<_, String>("name"),
            "id": row.get::<_, Option<uuid::Uuid>>("id"),
            "updated_at": time("updated_at"),
            "created_at": time("created_at"),
            "last_accessed_at": time("last_accessed_at"),
            "metadata": row.get::<_, Option<Value>>("metadata"),
        })
    });
    Ok(Json(Value::Array(entries.collect())))
}

#[derive(Deserialize)]
pub struct ListV2Request {
    #[serde(default)]
    prefix: String,
    limit: Option<i64>,
    cursor: Option<String>,
    #[serde(default)]
    with_delimiter: bool,
}

/// `POST /object/list-v2/{bucket}`: pages in the order of names, with or without folding folders.
pub async fn list_v2(
    State(shared): State<Shared>,
    Path(bucket): Path<String>,
    caller: Caller,
    Json(request): Json<ListV2Request>,
) -> Result<Json<Value>, StorageError> {
    let limit = request.limit.unwrap_or(MAX_LIMIT).clamp(1, MAX_LIMIT);
    let after = request
        .cursor
        .as_deref()
        .map(read_cursor)
        .transpose()?
        .unwrap_or_default();
    let mut client = shared.platform.pool.get().await?;
    let transaction = caller.begin(&mut client, "storage.object.list_v2").await?;
    // A folder is the part of a name up to the first slash behind the prefix; it sorts by that part.
    let sql = format!(
        r#"with entries as (
             select o.*,
                    case when $4 and strpos(substr(o.name, length($2) + 1), '/') > 0
                         then $2 || split_part(substr(o.name, length($2) + 1), '/', 1) || '/' end as folder
             from storage.objects as o
             where o.bucket_id = $1 and starts_with(o.name, $2)
           )
           select distinct on (coalesce(folder, name) collate "C")
                  coalesce(folder, name) collate "C" as position, folder, {COLUMNS}
           from entries
           where coalesce(folder, name) collate "C" > $3
           order by coalesce(folder, name) collate "C"
           limit $5"#
    );
    let statement = transaction.prepare_cached(&sql).await?;
    let rows = transaction
        .query(
            &statement,
            &[
                &bucket,
                &request.prefix,
                &after,
                &request.with_delimiter,
                &(limit + 1),
            ],
        )
        .await?;
    let has_next = rows.len() as i64 > limit;
    let page = &rows[..rows.len().min(limit as usize)];
    let (mut folders, mut objects) = (Vec::new(), Vec::new());
    for row in page {
        match row.get::<_, Option<&str>>("folder") {
            Some(folder) => folders.push(json!({ "name": folder, "key": folder })),
            None => {
                let mut object = Object::from_row(row).to_json();
                object["key"] = object["name"].clone();
                objects.push(object);
            }
        }
    }
    let mut answer = json!({ "hasNext": has_next, "folders": folders, "objects": objects });
    if has_next && let Some(last) = page.last() {
        answer["nextCursor"] = URL_SAFE_NO_PAD.encode(last.get::<_, &str>("position")).into();
    }
    Ok(Json(answer))
}

fn read_cursor(cursor: &str) -> Result<String, StorageError> {
    let decoded = URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.ok_or_else(|| StorageError::InvalidRequest("the cursor is invalid".into()))
}
