//! What customers do: write, react, press buttons, change their numbers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Parcel, Route, payload};
use crate::config::default_account;
use crate::directory::digits;
use crate::threads::Entry;
use crate::world::World;
use crate::{ids, media};

/// A customer's message, ready to be delivered.
pub struct Prepared {
    pub wa_message_id: String,
    /// More than one when the same notification is to arrive several times.
    pub parcels: Vec<Parcel>,
    /// The business has blocked this person: nothing is delivered.
    pub is_blocked: bool,
}

const MEDIA: &[&str] = &["image", "video", "audio", "document", "sticker"];

/// Turns what `/admin/customers/{phone}/messages` was given into notifications. The fields are described in the README.
pub fn prepare(world: &World, phone: &str, request: &Value) -> Result<Prepared, String> {
    let phone = digits(phone);
    if !(7..=20).contains(&phone.len()) {
        return Err("the customer's phone must have 7 to 20 digits".to_owned());
    }
    let text = |key: &str| {
        request
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let phone_number_id = text("phone_number_id")
        .unwrap_or(default_account::PHONE_NUMBER_ID)
        .to_owned();
    let kind = text("type").unwrap_or("text").to_owned();
    let timestamp = request
        .get("timestamp")
        .and_then(Value::as_i64)
        .unwrap_or_else(|| world.now());
    let copies = request
        .get("copies")
        .and_then(Value::as_u64)
        .unwrap_or(1)
        .clamp(1, 1000);
    let wa_message_id = text("id").map_or_else(|| ids::message_id(&phone, false), str::to_owned);

    let mut state = world.state();
    let state = &mut *state;
    if !state.directory.numbers.contains_key(&phone_number_id) {
        return Err(format!("no business number {phone_number_id}"));
    }
    if let Some(name) = text("name") {
        name.clone_into(&mut state.customer(&phone).name);
    }
    let content = content(world, state, &phone_number_id, &kind, request)?;
    let customer = state.customer(&phone).clone();
    let number = state
        .directory
        .numbers
        .get_mut(&phone_number_id)
        .ok_or_else(|| format!("no business number {phone_number_id}"))?;
    let mut message = Map::new();
    if !customer.hides_phone {
        message.insert("from".into(), phone.as_str().into());
    }
    message.insert("from_user_id".into(), customer.user_id.as_str().into());
    if let Some(parent) = &customer.parent_user_id {
        message.insert("from_parent_user_id".into(), parent.as_str().into());
    }
    message.insert("id".into(), wa_message_id.as_str().into());
    message.insert("timestamp".into(), timestamp.to_string().into());
    if let Some(id) = text("context_message_id") {
        message.insert("context".into(), json!({"from": number.digits(), "id": id}));
    }
    for beside in ["context", "referral", "errors", "group_id", "unsupported"] {
        if let Some(value) = request.get(beside) {
            message.insert(beside.into(), value.clone());
        }
    }
    let meta_type = match kind.as_str() {
        "number_change" => "system",
        "phantom" => "text",
        other => other,
    };
    message.insert("type".into(), meta_type.into());
    if !content.is_null() {
        message.insert(meta_type.into(), content.clone());
    }

    let mut value = payload::number_value(number);
    if kind != "number_change" {
        value.insert("contacts".into(), json!([payload::contact(&customer)]));
    }
    value.insert("messages".into(), json!([message]));
    let value = Value::Object(value);
    let mut values = vec![value.clone()];
    if kind == "phantom" {
        // First a stand-in under the same id, then the message itself.
        let mut stand_in = value.clone();
        if let Some(fields) = stand_in.pointer_mut("/messages/0").and_then(Value::as_object_mut) {
            fields.remove("text");
            fields.insert("type".into(), "unsupported".into());
            fields.insert("unsupported".into(), json!({"type": "unknown"}));
            fields.insert(
                "errors".into(),
                json!([crate::refusal::Refusal::reported(
                    131_060,
                    "This message is currently unavailable."
                )]),
            );
        }
        values.insert(0, stand_in);
    } else {
        values.resize(usize::try_from(copies).unwrap_or(1), value);
    }

    let is_blocked = number.blocked.contains(&phone);
    if !is_blocked {
        number.throughput.count_inbound(std::time::Instant::now());
        let thread = number.threads.entry(phone.clone()).or_default();
        // Whether a reaction opens the window is not confirmed by Meta: here it does not.
        if !matches!(meta_type, "reaction" | "system") {
            thread.customer_wrote(timestamp);
        }
        if thread.entry_mut(&wa_message_id).is_none() {
            thread.add(Entry {
                id: wa_message_id.clone(),
                is_from_customer: true,
                kind: meta_type.to_owned(),
                content,
                context_message_id: text("context_message_id").map(str::to_owned),
                timestamp,
                status: None,
                error_code: None,
            });
        }
    }
    world.announce(&phone_number_id, &phone);
    let route = Route::Number { phone_number_id };
    let parcels = values.into_iter().map(|value| Parcel::Change {
        route: route.clone(),
        field: "messages",
        value,
    });
    Ok(Prepared {
        wa_message_id,
        parcels: if is_blocked { Vec::new() } else { parcels.collect() },
        is_blocked,
    })
}

/// The object under the type's name.
fn content(
    world: &World,
    state: &mut crate::world::State,
    phone_number_id: &str,
    kind: &str,
    request: &Value,
) -> Result<Value, String> {
    match kind {
        "text" | "phantom" => Ok(match request.get("text") {
            Some(Value::String(body)) => json!({"body": body}),
            Some(object @ Value::Object(_)) => object.clone(),
            _ => return Err("a text message needs \"text\"".to_owned()),
        }),
        "number_change" => {
            let new = request
                .get("new_phone")
                .and_then(Value::as_str)
                .map(digits)
                .unwrap_or_default();
            if new.len() < 7 {
                return Err("a change of number needs \"new_phone\"".to_owned());
            }
            Ok(
                json!({"body": format!("The customer changed their number to {new}"), "type": "user_changed_number",
                "wa_id": new, "user_id": ids::user_id(&new)}),
            )
        }
        kind if MEDIA.contains(&kind) => {
            let (mime_type, bytes) = file(kind, request)?;
            let now = world.now();
            let settings = &state.settings;
            let (ttl, link_ttl) = (settings.inbound_media_ttl_seconds, settings.media_url_ttl_seconds);
            let stored = state.media.add(phone_number_id, &mime_type, bytes, now + ttl);
            let mut object = request
                .get(kind)
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default();
            object.insert("id".into(), stored.id.as_str().into());
            object.insert("mime_type".into(), stored.mime_type.as_str().into());
            object.insert("sha256".into(), stored.sha256().into());
            match kind {
                "audio" => drop(object.entry("voice").or_insert(Value::Bool(true))),
                "sticker" => drop(object.entry("animated").or_insert(Value::Bool(false))),
                "document" => drop(object.entry("filename").or_insert("document.pdf".into())),
                _ => {}
            }
            // Only callers that say how they reach us get an address: it must lead back here.
            if let Some(base_url) = request.get("base_url").and_then(Value::as_str) {
                let path = state.media.link(&stored.id, now + link_ttl);
                object.insert("url".into(), format!("{base_url}{path}").into());
            }
            Ok(Value::Object(object))
        }
        other => Ok(request.get(other).cloned().unwrap_or(Value::Null)),
    }
}

fn file(kind: &str, request: &Value) -> Result<(String, Bytes), String> {
    let Some(file) = request.get("file").filter(|file| file.is_object()) else {
        let (mime_type, bytes) = media::sample(kind);
        return Ok((mime_type.to_owned(), bytes));
    };
    let encoded = file["base64"].as_str().ok_or("file needs \"base64\"")?;
    let bytes = STANDARD
        .decode(encoded)
        .map_err(|error| format!("file is not base64: {error}"))?;
    let mime_type = file["mime_type"].as_str().unwrap_or(media::sample(kind).0);
    Ok((mime_type.to_owned(), bytes.into()))
}
