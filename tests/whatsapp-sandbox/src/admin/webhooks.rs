//! Sending the receiver whatever a test wants it to get.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Wrong, read};
use crate::config::default_account;
use crate::webhooks::{Parcel, Route, Signature, verify_callback};
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    /// Any JSON, sent compactly …
    #[serde(default)]
    body: Option<Value>,
    /// … or any text, sent as it is …
    #[serde(default)]
    text: Option<String>,
    /// … or any bytes.
    #[serde(default)]
    base64: Option<String>,
    /// `valid` (default), `wrong`, `missing`.
    #[serde(default)]
    signature: Option<String>,
    #[serde(default)]
    url: Option<String>,
    /// How often, at the same time.
    #[serde(default)]
    copies: Option<usize>,
}

/// Delivers a body once (no retries) and answers what the receiver said: one HTTP status a copy, `null` without a receiver.
pub async fn raw(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Answer {
    let raw: Raw = read(body)?;
    let bytes: Bytes = match (raw.body, raw.text, raw.base64) {
        (Some(body), None, None) => body.to_string().into(),
        (None, Some(text), None) => text.into(),
        (None, None, Some(encoded)) => STANDARD.decode(encoded).map_err(Wrong::request)?.into(),
        _ => return Err(Wrong::request("give exactly one of body, text and base64")),
    };
    let signature = match raw.signature.as_deref() {
        None | Some("valid") => Signature::Valid,
        Some("wrong") => Signature::Wrong,
        Some("missing") => Signature::Missing,
        Some(other) => {
            return Err(Wrong::request(format!(
                "signature {other} is not valid, wrong or missing"
            )));
        }
    };
    let waiting: Vec<_> = (0..raw.copies.unwrap_or(1).clamp(1, 1000))
        .map(|_| {
            world.post.put_and_wait(Parcel::Raw {
                body: bytes.clone(),
                signature,
                url: raw.url.clone(),
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for receipt in waiting {
        statuses.push(receipt.await.ok());
    }
    Ok(Json(json!({"http_statuses": statuses})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    field: String,
    value: Value,
    #[serde(default)]
    phone_number_id: Option<String>,
    #[serde(default)]
    waba_id: Option<String>,
}

/// Delivers one change in a proper envelope, signed and retried like any other.
pub async fn change(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Answer {
    let change: Change = read(body)?;
    let route = match change.phone_number_id {
        Some(phone_number_id) => Route::Number { phone_number_id },
        None => Route::App {
            waba_id: change
                .waba_id
                .unwrap_or_else(|| default_account::WABA_ID.to_owned()),
        },
    };
    let receipt = world.post.put_and_wait(Parcel::Change {
        route,
        field: leaked(change.field),
        value: change.value,
    });
    Ok(Json(json!({"http_status": receipt.await.ok()})))
}

/// Field names are few and live as long as the process.
fn leaked(field: String) -> &'static str {
    use std::collections::HashSet;
    use std::sync::{Mutex, PoisonError};
    static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_default();
    if let Some(name) = names.get(field.as_str()) {
        return name;
    }
    let name: &'static str = Box::leak(field.into_boxed_str());
    names.insert(name);
    name
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusStep {
    wa_message_id: String,
    status: String,
    #[serde(default)]
    error_code: Option<i64>,
}

/// Moves a message to a state by hand, in any order.
pub async fn status(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Answer {
    let step: StatusStep = read(body)?;
    let known = ["sent", "delivered", "read", "played", "failed", "deleted"];
    let status = known
        .into_iter()
        .find(|name| *name == step.status)
        .ok_or_else(|| Wrong::request(format!("status must be one of {known:?}")))?;
    if world.state().ledger.get(&step.wa_message_id).is_none() {
        return Err(Wrong::unknown("message"));
    }
    let error_code = step.error_code.or((status == "failed").then_some(131_026));
    let parcel = Parcel::Status {
        wa_message_id: step.wa_message_id.into(),
        status,
        error_code,
    };
    world.post.put(parcel, Duration::ZERO);
    Ok(Json(json!({"status": status})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handshake {
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    verify_token: Option<String>,
}

/// Runs the verification handshake against the callback.
pub async fn verify(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Answer {
    let handshake: Handshake = read(body)?;
    let url = handshake
        .url
        .unwrap_or_else(|| world.state().settings.webhook_url.clone());
    let token = handshake
        .verify_token
        .unwrap_or_else(|| world.config.verify_token.clone());
    match verify_callback(&url, &token).await {
        Ok(()) => Ok(Json(json!({"verified": true}))),
        Err(refusal) => Ok(Json(json!({"verified": false, "why": refusal.title}))),
    }
}
