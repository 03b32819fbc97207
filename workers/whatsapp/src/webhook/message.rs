//! Messages from customers, their later edits and revocations, and echoes of messages typed on the business's own phone (§3, §5.10).

use serde::Serialize;
use serde_json::{Map, Value};

use super::Event;
use super::body_text::shown_text;
use super::envelope::Place;
use super::identity::{Identity, IdentityChange, change_in_system_message};
use super::reading::{items, text, text_at, timestamp};
use crate::error::ReportedError;

/// Meta's code for "message unavailable"; the real message may follow under the same id.
const PLACEHOLDER_CODE: i64 = 131_060;

/// A message from a customer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InboundMessage {
    pub phone_number_id: String,
    pub waba_id: Option<String>,
    pub from: Identity,
    /// Set when the message was written in a group: it does not belong to the sender's own thread.
    pub group_id: Option<String>,
    pub wa_message_id: String,
    /// Seconds since 1970, as WhatsApp counts them: what orders messages and opens the 24-hour window.
    pub timestamp: i64,
    /// One of the message types the product stores: text, image, video, audio, document, sticker, location, contacts, interactive,
    /// button, reaction, order, system, unsupported.
    pub kind: &'static str,
    /// The type as Meta named it.
    pub meta_type: String,
    /// What an inbox shows of it in plain text: the text, a caption, a pressed button's title, a place's name, …
    pub body: Option<String>,
    /// The typed object (what stands under the key named like the type), with `context`, `referral` and `errors` beside it when the
    /// message has them.
    pub payload: Value,
    /// The message this one answers; it may be one we never stored.
    pub context_message_id: Option<String>,
    /// The message a reaction is about. `body` is the emoji, `None` takes the reaction back.
    pub reaction_to: Option<String>,
    /// Code 131060: a stand-in. When the real message comes it has the same id and must replace this one.
    pub is_unsupported_placeholder: bool,
    /// Set on system messages that announce new identifiers of the sender.
    pub identity_change: Option<IdentityChange>,
    /// Why the content is missing or not understood by the API.
    pub errors: Vec<ReportedError>,
}

impl InboundMessage {
    /// Whether this opens or extends the 24-hour window: anything a person does except reacting (§3, unconfirmed for reactions) and
    /// except what WhatsApp itself says in the thread.
    #[must_use]
    pub fn opens_window(&self) -> bool {
        !matches!(self.kind, "reaction" | "system") && self.group_id.is_none()
    }
}

/// New content of an earlier message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MessageEdit {
    pub phone_number_id: String,
    pub waba_id: Option<String>,
    pub from: Identity,
    /// The id of the edit itself.
    pub wa_message_id: String,
    pub original_message_id: String,
    pub timestamp: i64,
    pub kind: &'static str,
    pub body: Option<String>,
    pub payload: Value,
}

/// An earlier message was deleted for everyone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MessageRevoke {
    pub phone_number_id: String,
    pub waba_id: Option<String>,
    pub from: Identity,
    pub wa_message_id: String,
    pub original_message_id: String,
    pub timestamp: i64,
}

/// A message a colleague typed in the WhatsApp Business app.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Echo {
    pub phone_number_id: String,
    pub waba_id: Option<String>,
    pub to: Identity,
    pub wa_message_id: String,
    pub timestamp: i64,
    pub kind: &'static str,
    pub meta_type: String,
    pub body: Option<String>,
    pub payload: Value,
    pub context_message_id: Option<String>,
    /// The message an echoed reaction, edit or revocation is about.
    pub target_message_id: Option<String>,
}

pub(super) fn inbound(place: &Place<'_>, item: &Value) -> Event {
    let Some(phone_number_id) = place.phone_number_id.clone() else {
        return place.unknown("message without a business number", item);
    };
    let Some(wa_message_id) = text(item, "id") else {
        return place.unknown("message without an id", item);
    };
    let Some(timestamp) = timestamp(item, "timestamp").or(place.entry_time) else {
        return place.unknown("message without a usable timestamp", item);
    };
    let identity_change = change_in_system_message(place, item);
    let from = sender(place, item, identity_change.as_ref());
    if from.is_anonymous() {
        return place.unknown("message without a sender", item);
    }
    let waba_id = place.waba_id.clone();
    let meta_type = text(item, "type").unwrap_or_else(|| "unknown".to_owned());
    let original = |key: &str| text_at(item, &[key, "original_message_id"]);
    if let ("revoke", Some(original_message_id)) = (meta_type.as_str(), original("revoke")) {
        return Event::MessageRevoke(MessageRevoke {
            phone_number_id,
            waba_id,
            from,
            wa_message_id,
            original_message_id,
            timestamp,
        });
    }
    if let ("edit", Some(original_message_id), Some(new)) = (
        meta_type.as_str(),
        original("edit"),
        item.get("edit").and_then(|edit| edit.get("message")),
    ) {
        let new_type = text(new, "type").unwrap_or_else(|| "unknown".to_owned());
        return Event::MessageEdit(Box::new(MessageEdit {
            phone_number_id,
            waba_id,
            from,
            wa_message_id,
            original_message_id,
            timestamp,
            kind: stored_kind(&new_type),
            body: shown_text(&new_type, new),
            payload: payload(&new_type, new),
        }));
    }
    let errors: Vec<_> = items(item, "errors").iter().map(ReportedError::read).collect();
    Event::Message(Box::new(InboundMessage {
        phone_number_id,
        waba_id,
        from,
        group_id: text(item, "group_id"),
        wa_message_id,
        timestamp,
        kind: stored_kind(&meta_type),
        body: shown_text(&meta_type, item),
        payload: payload(&meta_type, item),
        context_message_id: text_at(item, &["context", "id"])
            .or_else(|| text_at(item, &["context", "message_id"])),
        reaction_to: text_at(item, &["reaction", "message_id"]),
        is_unsupported_placeholder: stored_kind(&meta_type) == "unsupported"
            && errors.iter().any(|error| error.code == PLACEHOLDER_CODE),
        identity_change,
        errors,
        meta_type,
    }))
}

fn sender(place: &Place<'_>, item: &Value, change: Option<&IdentityChange>) -> Identity {
    let named = Identity {
        wa_id: text(item, "from"),
        user_id: text(item, "from_user_id").or_else(|| change.and_then(|c| c.previous_user_id.clone())),
        parent_user_id: text(item, "from_parent_user_id")
            .or_else(|| change.and_then(|c| c.previous_parent_user_id.clone())),
        ..Identity::default()
    };
    named.complete_from(place.value)
}

pub(super) fn echo(place: &Place<'_>, item: &Value) -> Event {
    let to = Identity {
        wa_id: text(item, "to"),
        user_id: text(item, "to_user_id"),
        parent_user_id: text(item, "to_parent_user_id"),
        ..Identity::default()
    }
    .complete_from(place.value);
    let meta_type = text(item, "type").unwrap_or_else(|| "unknown".to_owned());
    match (
        place.phone_number_id.clone(),
        text(item, "id"),
        timestamp(item, "timestamp").or(place.entry_time),
    ) {
        (Some(phone_number_id), Some(wa_message_id), Some(timestamp)) if !to.is_anonymous() => {
            Event::Echo(Box::new(Echo {
                phone_number_id,
                waba_id: place.waba_id.clone(),
                to,
                wa_message_id,
                timestamp,
                kind: stored_kind(&meta_type),
                body: shown_text(&meta_type, item),
                payload: payload(&meta_type, item),
                context_message_id: text_at(item, &["context", "id"]),
                target_message_id: text_at(item, &["reaction", "message_id"])
                    .or_else(|| text_at(item, &["edit", "original_message_id"]))
                    .or_else(|| text_at(item, &["revoke", "original_message_id"])),
                meta_type,
            }))
        }
        _ => place.unknown("echo without number, id, time or recipient", item),
    }
}

/// The product's name of one of Meta's message types.
fn stored_kind(meta_type: &str) -> &'static str {
    match meta_type {
        "text" => "text",
        "image" => "image",
        "video" => "video",
        // On-premise and early Cloud API payloads call voice notes `voice`.
        "audio" | "voice" => "audio",
        "document" => "document",
        "sticker" => "sticker",
        "location" => "location",
        "contacts" => "contacts",
        "interactive" => "interactive",
        "button" => "button",
        "reaction" => "reaction",
        "order" => "order",
        "system" => "system",
        _ => "unsupported",
    }
}

/// The typed object, with what stands beside it in the message and belongs to it. A type whose object is a list (`contacts`) keeps it
/// under its own name.
fn payload(meta_type: &str, item: &Value) -> Value {
    let mut payload = match item.get(meta_type) {
        Some(Value::Object(fields)) => fields.clone(),
        Some(Value::Null) | None => Map::new(),
        Some(list) => Map::from_iter([(meta_type.to_owned(), list.clone())]),
    };
    for beside in ["context", "referral", "errors", "identity"] {
        if let Some(value) = item.get(beside).filter(|value| !value.is_null()) {
            payload.entry(beside).or_insert_with(|| value.clone());
        }
    }
    if stored_kind(meta_type) == "unsupported" && !["unsupported", "unknown"].contains(&meta_type) {
        payload
            .entry("meta_type")
            .or_insert_with(|| Value::String(meta_type.to_owned()));
    }
    Value::Object(payload)
}
