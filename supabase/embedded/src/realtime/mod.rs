//! Realtime: broadcast, presence and `postgres_changes` over Phoenix channels. Nested at `/realtime/v1`.

mod authorize;
mod changes;
mod channel;
mod connection;
mod frame;
mod http;
mod hub;
mod join;
mod limits;
mod messages;
mod outbox;
mod partitions;
mod pgoutput;
mod presence;
mod replay;
mod replication;
mod socket;
mod status;
mod token;
mod visibility;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use tokio::sync::{Semaphore, SemaphorePermit};

use self::changes::Changes;
use self::hub::Hub;
use self::limits::Limits;
use self::status::StreamStatus;
use crate::platform::Platform;

/// Connections of the shared pool that may ask policies at once: a rush of joins must leave some to the other services.
const PROBES_AT_ONCE: usize = 6;

/// What all sockets and background tasks share.
pub struct Realtime {
    limits: Limits,
    hub: Hub,
    changes: Arc<Changes>,
    messages_stream: StreamStatus,
    connections: Arc<Semaphore>,
    probes: Semaphore,
}

impl Realtime {
    /// With the limits of the environment.
    pub fn from_env() -> anyhow::Result<Self> {
        let limits = Limits::from_env()?;
        Ok(Self {
            connections: Arc::new(Semaphore::new(limits.connections)),
            limits,
            hub: Hub::default(),
            changes: Arc::default(),
            messages_stream: StreamStatus::default(),
            probes: Semaphore::new(PROBES_AT_ONCE),
        })
    }

    fn hub(&self) -> &Hub {
        &self.hub
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn changes(&self) -> &Arc<Changes> {
        &self.changes
    }

    fn messages_stream(&self) -> &StreamStatus {
        &self.messages_stream
    }

    /// Waits for a place among those who ask policies.
    async fn probe_place(&self) -> Option<SemaphorePermit<'_>> {
        // Never closed; without a permit the pool itself is the limit.
        self.probes.acquire().await.ok()
    }
}

/// Routes below `/realtime/v1`. The gateway has checked the project key and put the JWT that stands for it (or for
/// the key of an opaque `sb_…` caller) into the header `x-api-key`.
pub fn router(platform: Arc<Platform>) -> Router {
    Router::new()
        .route("/websocket", get(socket::open))
        .route("/api/broadcast", post(http::broadcast_batch))
        .route("/api/broadcast/{topic}/events/{event}", post(http::broadcast_one))
        .layer(http::body_limit())
        .with_state(platform)
}

/// Starts the background tasks (replication tails, partition upkeep). They end when `platform.shutdown` fires.
pub async fn start(platform: Arc<Platform>) -> anyhow::Result<()> {
    tokio::spawn(partitions::maintain(platform.clone()));
    tokio::spawn(messages::follow(platform.clone()));
    tokio::spawn(changes::follow(platform));
    Ok(())
}
