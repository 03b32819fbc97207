//! Broadcasts over HTTP, for clients that have not joined.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::authorize::{self, Caller, Extension};
use super::frame::{self, Encoding, UserBroadcast};
use super::hub::{Broadcast, Topic};
use super::socket;
use super::token::{self, Refusal};
use crate::platform::Platform;

/// Room for a batch; each payload has its own limit.
pub fn body_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(10 * 1024 * 1024)
}

struct Message {
    topic: Topic,
    broadcast: Broadcast,
}

/// `POST /api/broadcast` with `{"messages": [{topic, event, payload, private}]}`.
pub async fn broadcast_batch(
    State(platform): State<Arc<Platform>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let caller = match caller(&platform, &headers) {
        Ok(caller) => caller,
        Err(refusal) => return unauthorized(refusal),
    };
    let body: Value = match serde_json::from_slice(&body) {
        Ok(body) => body,
        Err(_) => return invalid(&json!({ "messages": ["is invalid"] })),
    };
    let Some(entries) = body["messages"].as_array() else {
        return invalid(&json!({ "messages": ["can't be blank"] }));
    };
    let limit = platform.realtime.limits().payload_bytes;
    let read: Result<Vec<Message>, Value> = entries.iter().map(|entry| message(entry, limit)).collect();
    match read {
        Ok(messages) => {
            send(&platform, &caller, messages).await;
            StatusCode::ACCEPTED.into_response()
        }
        Err(errors) => invalid(&json!({ "messages": [errors] })),
    }
}

fn message(entry: &Value, limit: usize) -> Result<Message, Value> {
    let mut errors = serde_json::Map::new();
    let mut text = |name: &str| match entry[name].as_str() {
        Some(text) if !text.is_empty() => text.to_owned(),
        _ => {
            errors.insert(name.into(), json!(["can't be blank"]));
            String::new()
        }
    };
    let (topic, event) = (text("topic"), text("event"));
    let payload = match &entry["payload"] {
        payload @ Value::Object(_) => payload.to_string(),
        _ => {
            errors.insert("payload".into(), json!(["can't be blank"]));
            String::new()
        }
    };
    if payload.len() > limit {
        errors.insert("payload".into(), json!(["Payload size exceeds tenant limit"]));
    }
    if !errors.is_empty() {
        return Err(Value::Object(errors));
    }
    Ok(Message {
        topic: Topic::new(&topic, entry["private"].as_bool().unwrap_or(false)),
        broadcast: Broadcast::Text {
            payload: frame::text_broadcast(&event, &payload, ""),
            id: None,
        },
    })
}

/// `POST /api/broadcast/{topic}/events/{event}?private=true`, the body being the payload: JSON, or raw bytes.
pub async fn broadcast_one(
    State(platform): State<Arc<Platform>>,
    Path((topic, event)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let caller = match caller(&platform, &headers) {
        Ok(caller) => caller,
        Err(refusal) => return unauthorized(refusal),
    };
    if body.len() > platform.realtime.limits().payload_bytes {
        return invalid(&json!({ "payload": ["Payload size exceeds tenant limit"] }));
    }
    let is_raw = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/octet-stream"));
    let broadcast = if is_raw {
        Broadcast::User(UserBroadcast {
            event,
            encoding: Encoding::Binary,
            body,
            meta: String::new(),
        })
    } else {
        match serde_json::from_slice::<Value>(&body) {
            Ok(payload) => Broadcast::Text {
                payload: frame::text_broadcast(&event, &payload.to_string(), ""),
                id: None,
            },
            Err(_) => return invalid(&json!({ "payload": ["is invalid"] })),
        }
    };
    let private = query.get("private").is_some_and(|value| value == "true");
    let messages = vec![Message {
        topic: Topic::new(&topic, private),
        broadcast,
    }];
    send(&platform, &caller, messages).await;
    StatusCode::ACCEPTED.into_response()
}

/// Messages to private topics the caller may not write on are dropped without a word, as on the real server.
async fn send(platform: &Platform, caller: &Caller, messages: Vec<Message>) {
    let mut rights: HashMap<Topic, bool> = HashMap::new();
    for Message { topic, broadcast } in messages {
        let may = if !topic.private {
            true
        } else if let Some(known) = rights.get(&topic) {
            *known
        } else {
            let may = authorize::may_write(platform, caller, &topic.name, Extension::Broadcast)
                .await
                .unwrap_or_else(|error| {
                    tracing::warn!(
                        topic = &*topic.name,
                        "the right to broadcast could not be asked: {error}"
                    );
                    false
                });
            rights.insert(topic.clone(), may);
            may
        };
        if may {
            platform.realtime.hub().broadcast(&topic, &broadcast, None);
        }
    }
}

fn caller(platform: &Platform, headers: &HeaderMap) -> Result<Caller, Refusal> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let key = headers.get("x-api-key").and_then(|value| value.to_str().ok());
    let claims = token::confirm(&platform.jwt, bearer.or(key).unwrap_or_default())?;
    Ok(Caller {
        claims,
        headers: socket::policy_headers(headers),
    })
}

fn unauthorized(refusal: Refusal) -> Response {
    (
        StatusCode::UNAUTHORIZED,
        Json(json!({ "error": refusal.message })),
    )
        .into_response()
}

fn invalid(errors: &Value) -> Response {
    (
        StatusCode::UNPROCESSABLE_ENTITY,
        Json(json!({ "errors": errors })),
    )
        .into_response()
}
