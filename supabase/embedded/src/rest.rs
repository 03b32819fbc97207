//! REST: PostgREST's surface, served by `postrust-server`. Nested at `/rest/v1`.

use std::sync::Arc;

use axum::Router;

use crate::platform::Platform;

/// Routes below `/rest/v1`.
pub fn router(_platform: Arc<Platform>) -> Router {
    Router::new()
}
