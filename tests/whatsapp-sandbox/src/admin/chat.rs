//! Playing the customer, and what the page shows of it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::{Answer, Wrong, read as parsed};
use crate::config::default_account;
use crate::customers::CustomerChange;
use crate::directory::digits;
use crate::webhooks::{Parcel, Route, inbound, payload};
use crate::world::World;

/// The customer sends something. With `wait` the answer comes when the receiver has answered, and says what.
pub async fn send(
    State(world): State<Arc<World>>,
    Path(phone): Path<String>,
    headers: HeaderMap,
    Json(mut body): Json<Value>,
) -> Answer {
    if let (Some(fields), Some(host)) = (
        body.as_object_mut(),
        headers.get(header::HOST).and_then(|h| h.to_str().ok()),
    ) {
        fields
            .entry("base_url")
            .or_insert_with(|| format!("http://{host}").into());
    }
    let prepared = inbound::prepare(&world, &phone, &body).map_err(Wrong::request)?;
    let is_waiting = body["wait"].as_bool().unwrap_or(false);
    let mut answers = Vec::new();
    if body["type"] == "phantom" {
        // The stand-in is first; Meta was seen to leave about 200 ms between the two.
        let parcels = prepared.parcels.into_iter().zip([0, 200]);
        world
            .post
            .put_all(parcels.map(|(parcel, delay)| (parcel, Duration::from_millis(delay))));
    } else if is_waiting {
        let waiting: Vec<_> = prepared
            .parcels
            .into_iter()
            .map(|parcel| world.post.put_and_wait(parcel))
            .collect();
        for receipt in waiting {
            // Dropped receipts: nobody is subscribed, or a fault swallowed the notification.
            answers.push(receipt.await.ok());
        }
    } else {
        world.post.put_all(
            prepared
                .parcels
                .into_iter()
                .map(|parcel| (parcel, Duration::ZERO)),
        );
    }
    let mut answer = json!({"wa_message_id": prepared.wa_message_id, "is_blocked": prepared.is_blocked});
    if is_waiting {
        answer["http_statuses"] = json!(answers);
    }
    Ok(Json(answer))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InNumber {
    #[serde(default = "default_number")]
    phone_number_id: String,
}

fn default_number() -> String {
    default_account::PHONE_NUMBER_ID.to_owned()
}

/// The customer opens the chat: what was delivered becomes read.
pub async fn read(
    State(world): State<Arc<World>>,
    Path(phone): Path<String>,
    Json(body): Json<Value>,
) -> Answer {
    let query: InNumber = parsed(body)?;
    let phone = digits(&phone);
    let unread: Vec<String> = {
        let state = world.state();
        let number = state
            .directory
            .numbers
            .get(&query.phone_number_id)
            .ok_or_else(|| Wrong::unknown("number"))?;
        let entries = number
            .threads
            .get(&phone)
            .map_or(&[][..], |thread| thread.entries.as_slice());
        let is_unread = |status: &Option<String>| matches!(status.as_deref(), Some("sent" | "delivered"));
        entries
            .iter()
            .filter(|entry| !entry.is_from_customer && is_unread(&entry.status))
            .map(|entry| entry.id.clone())
            .collect()
    };
    let count = unread.len();
    world.post.put_all(unread.into_iter().map(|id| {
        (
            Parcel::Status {
                wa_message_id: id.into(),
                status: "read",
                error_code: None,
            },
            Duration::ZERO,
        )
    }));
    Ok(Json(json!({"read": count})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preference {
    #[serde(default = "default_number")]
    phone_number_id: String,
    /// `stop` or `resume`.
    value: String,
}

/// The customer stops or resumes marketing inside WhatsApp.
pub async fn preference(
    State(world): State<Arc<World>>,
    Path(phone): Path<String>,
    Json(body): Json<Value>,
) -> Answer {
    let preference: Preference = parsed(body)?;
    let now = world.now();
    let value = {
        let mut state = world.state();
        let customer = state.customer(&digits(&phone)).clone();
        let number = state
            .directory
            .numbers
            .get(&preference.phone_number_id)
            .ok_or_else(|| Wrong::unknown("number"))?;
        let mut value = payload::number_value(number);
        value.insert("contacts".into(), json!([payload::contact(&customer)]));
        value.insert(
            "user_preferences".into(),
            json!([{"wa_id": customer.phone, "user_id": customer.user_id, "detail": "Changed in WhatsApp",
                "category": "marketing_messages", "value": preference.value, "timestamp": now}]),
        );
        Value::Object(value)
    };
    let route = Route::Number {
        phone_number_id: preference.phone_number_id,
    };
    world.post.put(
        Parcel::Change {
            route,
            field: "user_preferences",
            value,
        },
        Duration::ZERO,
    );
    Ok(Json(json!({"value": preference.value})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowChange {
    #[serde(default = "default_number")]
    phone_number_id: String,
    phone: String,
    /// Seconds since 1970; `null` closes the window for good.
    last_customer_message_at: Option<i64>,
}

/// Makes the sandbox believe in earlier messages of customers: a seeded database has conversations it never saw.
pub async fn set_windows(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Answer {
    let changes: Vec<WindowChange> = serde_json::from_value(body).map_err(Wrong::request)?;
    let count = changes.len();
    let mut state = world.state();
    for change in changes {
        let number = state
            .directory
            .numbers
            .get_mut(&change.phone_number_id)
            .ok_or_else(|| Wrong::unknown("number"))?;
        let thread = number.threads.entry(digits(&change.phone)).or_default();
        thread.last_customer_message_at = change.last_customer_message_at;
    }
    Ok(Json(json!({"changed": count})))
}

pub async fn customers(State(world): State<Arc<World>>) -> Answer {
    let state = world.state();
    let mut customers: Vec<_> = state.customers.values().collect();
    customers.sort_by(|a, b| a.phone.cmp(&b.phone));
    Ok(Json(json!({"customers": customers})))
}

pub async fn customer(State(world): State<Arc<World>>, Path(phone): Path<String>) -> Answer {
    Ok(Json(json!(world.state().customer(&digits(&phone)))))
}

pub async fn change_customer(
    State(world): State<Arc<World>>,
    Path(phone): Path<String>,
    Json(body): Json<Value>,
) -> Answer {
    let change: CustomerChange = parsed(body)?;
    let mut state = world.state();
    let customer = state.customer(&digits(&phone));
    customer.apply(change);
    Ok(Json(json!(customer)))
}

/// Conversations of a number, the latest first.
pub async fn threads(State(world): State<Arc<World>>, Path(phone_number_id): Path<String>) -> Answer {
    let now = world.now();
    let state = world.state();
    let number = state
        .directory
        .numbers
        .get(&phone_number_id)
        .ok_or_else(|| Wrong::unknown("number"))?;
    let mut threads: Vec<_> = number.threads.iter().collect();
    threads.sort_by_key(|(_, thread)| {
        std::cmp::Reverse(thread.entries.last().map_or(0, |entry| entry.timestamp))
    });
    let threads: Vec<Value> = threads
        .into_iter()
        .take(200)
        .map(|(phone, thread)| {
            json!({"phone": phone, "name": state.customers.get(phone).map(|customer| &customer.name),
                "is_open": thread.is_open(now), "last": thread.entries.last()})
        })
        .collect();
    Ok(Json(json!({"threads": threads})))
}

/// One conversation, oldest first.
pub async fn thread(
    State(world): State<Arc<World>>,
    Path((phone_number_id, phone)): Path<(String, String)>,
) -> Answer {
    let now = world.now();
    let phone = digits(&phone);
    let mut state = world.state();
    let customer = json!(state.customer(&phone));
    let number = state
        .directory
        .numbers
        .get(&phone_number_id)
        .ok_or_else(|| Wrong::unknown("number"))?;
    let thread = number.threads.get(&phone);
    Ok(Json(json!({
        "customer": customer,
        "is_open": thread.is_some_and(|thread| thread.is_open(now)),
        "last_customer_message_at": thread.and_then(|thread| thread.last_customer_message_at),
        "messages": thread.map_or(&[][..], |thread| thread.entries.as_slice()),
    })))
}

/// A file as the customer's phone shows it: no token, no expiry of addresses.
pub async fn media(State(world): State<Arc<World>>, Path(id): Path<String>) -> Result<Response, Wrong> {
    let state = world.state();
    let media = state
        .media
        .get(&id, world.now())
        .ok_or_else(|| Wrong::unknown("file"))?;
    let headers = [
        (header::CONTENT_TYPE, media.mime_type.clone()),
        // Files come from strangers: never let one act as a page.
        (
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'".to_owned(),
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, media.bytes.clone()).into_response())
}

/// Server-sent events: which conversation moved.
pub async fn events(State(world): State<Arc<World>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = stream::unfold(world.changes.subscribe(), |mut receiver| async move {
        match receiver.recv().await {
            Ok(change) => Some((json!(change), receiver)),
            // Too slow: the page reads everything again.
            Err(RecvError::Lagged(_)) => Some((Value::Null, receiver)),
            Err(RecvError::Closed) => None,
        }
    });
    Sse::new(changes.map(|change| Ok(Event::default().data(change.to_string()))))
        .keep_alive(KeepAlive::default())
}
