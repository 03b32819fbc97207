//! Walking the envelope: `entry[].changes[].value`, and inside it the arrays that one notification may mix.

use serde_json::Value;

use super::reading::{items, text, text_at};
use super::{Event, account, message, status, templates};

const OBJECT: &str = "whatsapp_business_account";

/// Where an item stands: what every event inside one change has in common.
pub(super) struct Place<'a> {
    pub waba_id: Option<String>,
    pub phone_number_id: Option<String>,
    pub field: &'a str,
    /// `entry.time`, which only account and template notifications carry.
    pub entry_time: Option<i64>,
    pub value: &'a Value,
}

impl Place<'_> {
    pub(super) fn unknown(&self, reason: impl Into<String>, raw: &Value) -> Event {
        Event::Unknown {
            waba_id: self.waba_id.clone(),
            phone_number_id: self.phone_number_id.clone(),
            field: Some(self.field.to_owned()),
            reason: reason.into(),
            raw: raw.clone(),
        }
    }

    pub(super) fn other(&self, field: String, value: &Value) -> Event {
        Event::Other {
            waba_id: self.waba_id.clone(),
            phone_number_id: self.phone_number_id.clone(),
            field,
            value: value.clone(),
        }
    }
}

pub(super) fn events(document: &Value) -> Vec<Event> {
    let stray = |waba_id: Option<String>, reason: &str, raw: &Value| Event::Unknown {
        waba_id,
        phone_number_id: None,
        field: None,
        reason: reason.to_owned(),
        raw: raw.clone(),
    };
    if document.get("object").and_then(Value::as_str) != Some(OBJECT) {
        return vec![stray(None, "not a WhatsApp notification", document)];
    }
    let Some(entries) = document.get("entry").and_then(Value::as_array) else {
        return vec![stray(None, "no list of entries", document)];
    };
    let mut events = Vec::new();
    for entry in entries {
        let waba_id = text(entry, "id");
        let Some(changes) = entry.get("changes").and_then(Value::as_array) else {
            events.push(stray(waba_id, "entry without a list of changes", entry));
            continue;
        };
        for change in changes {
            match (change.get("field").and_then(Value::as_str), change.get("value")) {
                (Some(field), Some(value)) if value.is_object() => {
                    let place = Place {
                        waba_id: waba_id.clone(),
                        phone_number_id: text_at(value, &["metadata", "phone_number_id"]),
                        field,
                        entry_time: super::reading::timestamp(entry, "time"),
                        value,
                    };
                    read_change(&place, &mut events);
                }
                (field, value) => events.push(Event::Unknown {
                    waba_id: waba_id.clone(),
                    phone_number_id: value.and_then(|v| text_at(v, &["metadata", "phone_number_id"])),
                    field: field.map(str::to_owned),
                    reason: match field {
                        None => "change without a field",
                        Some(_) => "change without a value",
                    }
                    .to_owned(),
                    raw: change.clone(),
                }),
            }
        }
    }
    events
}

fn read_change(place: &Place<'_>, events: &mut Vec<Event>) {
    let before = events.len();
    match place.field {
        "messages" => {
            each(place, "messages", events, message::inbound);
            each(place, "statuses", events, status::status);
            each(place, "errors", events, account::fault);
        }
        "smb_message_echoes" | "message_echoes" => each(place, "message_echoes", events, message::echo),
        "user_preferences" => each(place, "user_preferences", events, account::user_preference),
        "user_id_update" => each(place, "user_id_update", events, super::identity::user_id_update),
        "message_template_status_update" => events.push(templates::status_or_quality(place)),
        "message_template_quality_update" => events.push(templates::quality(place)),
        "template_category_update" => events.push(templates::category(place)),
        "message_template_components_update" => events.push(templates::components(place)),
        "template_correct_category_detection" => events.push(templates::miscategorized(place)),
        "phone_number_quality_update" => events.push(account::phone_number_quality(place)),
        "phone_number_name_update" => events.push(account::phone_number_name(place)),
        "business_capability_update" => events.push(account::business_capability(place)),
        "account_update" => events.push(account::account_update(place)),
        "account_review_update" => events.push(account::account_review(place)),
        "account_alerts" => events.push(account::account_alert(place)),
        "business_username_updates" | "business_username_update" => events.push(account::username(place)),
        "security" => events.push(account::security(place)),
        _ => {}
    }
    if events.len() == before {
        events.push(place.other(place.field.to_owned(), place.value));
    }
}

fn each(place: &Place<'_>, key: &str, events: &mut Vec<Event>, read: impl Fn(&Place<'_>, &Value) -> Event) {
    match place.value.get(key) {
        None | Some(Value::Null | Value::Array(_)) => {
            events.extend(items(place.value, key).iter().map(|item| read(place, item)));
        }
        Some(strange) => events.push(place.unknown(format!("{key} is not a list"), strange)),
    }
}
