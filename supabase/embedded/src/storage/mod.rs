//! Storage: buckets and objects under RLS, kept as files below `config.storage_dir`. Nested at `/storage/v1`.

use std::sync::Arc;

use axum::Router;

use crate::platform::Platform;

/// Routes below `/storage/v1`. The gateway has already swapped opaque project keys for JWTs in `Authorization`, but
/// checks nothing: signed and public URLs carry no key.
pub fn router(_platform: Arc<Platform>) -> Router {
    Router::new()
}
