//! Auth: the subset of GoTrue that e-mail and password sign-in needs. Nested at `/auth/v1`.

use std::sync::Arc;

use axum::Router;

use crate::platform::Platform;

/// Routes below `/auth/v1`.
pub fn router(_platform: Arc<Platform>) -> Router {
    Router::new()
}
