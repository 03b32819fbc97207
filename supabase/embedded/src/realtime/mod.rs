//! Realtime: broadcast, presence and `postgres_changes` over Phoenix channels. Nested at `/realtime/v1`.

use std::sync::Arc;

use axum::Router;

use crate::platform::Platform;

/// Routes below `/realtime/v1`. The gateway has checked the project key and put the JWT that stands for it (or for
/// the key of an opaque `sb_…` caller) into the header `x-api-key`.
pub fn router(_platform: Arc<Platform>) -> Router {
    Router::new()
}

/// Starts the background tasks (replication tails, partition upkeep). They must end when `platform.shutdown` fires.
pub async fn start(_platform: Arc<Platform>) -> anyhow::Result<()> {
    Ok(())
}
