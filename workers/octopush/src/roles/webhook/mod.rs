//! Meta's webhooks: checked, committed as raw bytes, acknowledged. Nothing is parsed before it is durable.

mod store;

use crate::config::{Config, Secret};
use crate::runtime::metrics as names;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use metrics::{counter, histogram};
use octopush_whatsapp::signature;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use subtle::ConstantTimeEq;

pub use store::{Store, StoreError};

struct Receiver {
    app_secrets: Vec<Secret>,
    verify_token: Secret,
    store: Store,
}

/// The routes under `/webhooks`.
pub fn router(config: &Config, store: Store) -> Router {
    let receiver = Arc::new(Receiver {
        app_secrets: config.app_secrets.clone(),
        verify_token: config.verify_token.clone(),
        store,
    });
    Router::new()
        .route("/webhooks/whatsapp", get(handshake).post(receive))
        .layer(DefaultBodyLimit::max(config.webhook_max_bytes))
        .with_state(receiver)
}

/// Meta's check when the callback is saved: the challenge back, exactly (reference/whatsapp.md §1.1).
async fn handshake(
    State(receiver): State<Arc<Receiver>>,
    Query(query): Query<HashMap<String, String>>,
) -> impl IntoResponse {
    let text = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    // Hashed first so that the comparison takes the same time for every length.
    let given = Sha256::digest(text("hub.verify_token"));
    let expected = Sha256::digest(&receiver.verify_token.0);
    let is_right: bool = given.as_slice().ct_eq(expected.as_slice()).into();
    if text("hub.mode") == "subscribe" && is_right {
        (StatusCode::OK, text("hub.challenge").to_owned())
    } else {
        (StatusCode::FORBIDDEN, String::new())
    }
}

async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let started = Instant::now();
    let header = headers.get("x-hub-signature-256").and_then(|v| v.to_str().ok());
    let secrets: Vec<&[u8]> = receiver.app_secrets.iter().map(|s| s.0.as_bytes()).collect();
    if !signature::verify(&secrets, header, &body) {
        counter!(names::WEBHOOKS_REFUSED, "reason" => "signature").increment(1);
        return StatusCode::UNAUTHORIZED;
    }
    match receiver.store.keep(body).await {
        Ok(()) => {
            counter!(names::WEBHOOKS_RECEIVED).increment(1);
            histogram!(names::WEBHOOK_ACK_SECONDS).record(started.elapsed().as_secs_f64());
            StatusCode::OK
        }
        // Only 200 acknowledges: Meta keeps what we could not, and tries again for days (§1.3).
        Err(StoreError::Overloaded) => {
            counter!(names::WEBHOOKS_REFUSED, "reason" => "overloaded").increment(1);
            StatusCode::SERVICE_UNAVAILABLE
        }
        Err(StoreError::Database) => {
            counter!(names::WEBHOOKS_REFUSED, "reason" => "database").increment(1);
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
