//! Storage: buckets and objects under RLS, kept as files below `config.storage_dir`. Nested at `/storage/v1`.

mod body;
mod buckets;
mod caller;
mod download;
mod drain;
mod error;
mod files;
mod keys;
mod list;
mod manage;
mod objects;
mod range;
mod sign;
mod signed;
mod upload;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{delete, get, post, put};

use self::files::Files;
use crate::platform::Platform;

/// Largest file a server takes, unless `SUPABASE_STORAGE_FILE_SIZE_LIMIT` (bytes) says otherwise: that of the real one.
const MAX_FILE_BYTES: u64 = 50 * 1024 * 1024;

/// What all handlers share.
#[derive(Clone)]
struct Shared {
    platform: Arc<Platform>,
    files: Files,
    max_file_bytes: u64,
}

/// Routes below `/storage/v1`. The gateway has already swapped opaque project keys for JWTs in `Authorization`, but
/// checks nothing: signed and public URLs carry no key.
pub fn router(platform: Arc<Platform>) -> Router {
    let files = Files::new(&platform.config.storage_dir);
    if let Err(error) = files.sweep() {
        tracing::warn!("unfinished uploads of an earlier run could not be removed: {error}");
    }
    let shared = Shared {
        files,
        max_file_bytes: max_file_bytes(),
        platform,
    };
    let uploads = Router::new()
        .route(
            "/object/upload/sign/{bucket}/{*name}",
            put(upload::upload_signed).post(upload::sign_upload),
        )
        .route(
            "/object/{bucket}/{*name}",
            get(download::read)
                .post(upload::upload)
                .put(upload::upload)
                .delete(manage::remove_one),
        )
        // The bucket's own limit is applied while the body streams to disk.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(shared.clone(), drain::drain));
    Router::new()
        .route("/bucket", get(buckets::list).post(buckets::create))
        .route(
            "/bucket/{id}",
            get(buckets::get).put(buckets::update).delete(buckets::delete),
        )
        .route("/bucket/{id}/empty", post(buckets::empty))
        .route("/object/authenticated/{bucket}/{*name}", get(download::read))
        .route("/object/public/{bucket}/{*name}", get(download::read_public))
        .route(
            "/object/sign/{bucket}/{*name}",
            get(download::read_signed).post(sign::sign_one),
        )
        .route("/object/sign/{bucket}", post(sign::sign_many))
        .route("/object/info/{bucket}/{*name}", get(download::info))
        .route("/object/info/authenticated/{bucket}/{*name}", get(download::info))
        .route("/object/info/public/{bucket}/{*name}", get(download::info_public))
        .route("/object/list/{bucket}", post(list::list))
        .route("/object/list-v2/{bucket}", post(list::list_v2))
        .route("/object/move", post(manage::move_object))
        .route("/object/copy", post(manage::copy_object))
        .route("/object/{bucket}", delete(manage::remove_many))
        .merge(uploads)
        .with_state(shared)
}

fn max_file_bytes() -> u64 {
    let Ok(text) = std::env::var("SUPABASE_STORAGE_FILE_SIZE_LIMIT") else {
        return MAX_FILE_BYTES;
    };
    text.parse().unwrap_or_else(|_| {
        tracing::warn!("SUPABASE_STORAGE_FILE_SIZE_LIMIT must be a number of bytes, not {text:?}");
        MAX_FILE_BYTES
    })
}
