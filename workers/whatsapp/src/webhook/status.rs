//! Delivery statuses (§4). Payments and calls report in the same array and must never reach a message's state machine.

use serde::Serialize;
use serde_json::Value;

use super::Event;
use super::envelope::Place;
use super::identity::Identity;
use super::reading::{items, text, timestamp};
use crate::error::ReportedError;

/// How far a message got. Ordered as states climb; `Failed` stands apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    Sent,
    Delivered,
    Read,
    /// A voice note was played for the first time; implies read.
    Played,
    Failed,
}

impl DeliveryStatus {
    /// The name used on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
            Self::Failed => "failed",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "sent" => Self::Sent,
            "delivered" => Self::Delivered,
            "read" => Self::Read,
            "played" => Self::Played,
            "failed" => Self::Failed,
            _ => return None,
        })
    }
}

/// A message we sent reached a new state.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatusUpdate {
    pub phone_number_id: String,
    pub waba_id: Option<String>,
    pub wa_message_id: String,
    pub status: DeliveryStatus,
    pub timestamp: i64,
    /// May be empty: failed sends to a phone often name nobody.
    pub recipient: Identity,
    /// Set when the message went to a group; then there is one status per participant.
    pub group_id: Option<String>,
    /// What we sent along in `biz_opaque_callback_data`.
    pub callback_data: Option<String>,
    /// Why it failed.
    pub error: Option<ReportedError>,
    pub pricing: Option<Value>,
    pub conversation: Option<Value>,
    /// The status as received.
    pub payload: Value,
}

pub(super) fn status(place: &Place<'_>, item: &Value) -> Event {
    let kind = text(item, "type").filter(|kind| kind != "message");
    if kind.is_some() || item.get("payment").is_some_and(Value::is_object) {
        let kind = kind.unwrap_or_else(|| "payment".to_owned());
        return place.other(format!("messages.statuses.{kind}"), item);
    }
    let Some(name) = text(item, "status") else {
        return place.unknown("status without a state", item);
    };
    let Some(status) = DeliveryStatus::from_name(&name.to_ascii_lowercase()) else {
        return place.unknown(format!("status of an unknown state: {name}"), item);
    };
    let Some(phone_number_id) = place.phone_number_id.clone() else {
        return place.unknown("status without a business number", item);
    };
    let (Some(wa_message_id), Some(timestamp)) = (
        text(item, "id"),
        timestamp(item, "timestamp").or(place.entry_time),
    ) else {
        return place.unknown("status without id or usable timestamp", item);
    };
    let is_group = text(item, "recipient_type").as_deref() == Some("group");
    let recipient = if is_group {
        Identity {
            wa_id: text(item, "recipient_participant_id"),
            user_id: text(item, "recipient_participant_user_id"),
            ..Identity::default()
        }
    } else {
        Identity {
            wa_id: text(item, "recipient_id"),
            user_id: text(item, "recipient_user_id"),
            parent_user_id: super::reading::text_of(
                item,
                &["recipient_parent_user_id", "parent_recipient_user_id"],
            ),
            ..Identity::default()
        }
    };
    Event::Status(Box::new(StatusUpdate {
        phone_number_id,
        waba_id: place.waba_id.clone(),
        wa_message_id,
        status,
        timestamp,
        recipient: recipient.complete_from(place.value),
        group_id: if is_group {
            text(item, "recipient_id")
        } else {
            None
        },
        callback_data: text(item, "biz_opaque_callback_data"),
        error: items(item, "errors").first().map(ReportedError::read),
        pricing: item.get("pricing").filter(|value| !value.is_null()).cloned(),
        conversation: item.get("conversation").filter(|value| !value.is_null()).cloned(),
        payload: item.clone(),
    }))
}
