//! The bodies of notifications (§2, §4).

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::Route;
use crate::customers::Customer;
use crate::directory::Number;
use crate::refusal::Refusal;
use crate::world::{State, World};

/// The account and the callback of a route; `None` when nobody is to be told.
pub fn address(state: &State, route: &Route) -> Option<(String, String)> {
    let (waba_id, number_override) = match route {
        Route::Number { phone_number_id } => {
            let number = state.directory.numbers.get(phone_number_id)?;
            (number.waba_id.clone(), number.override_callback.clone())
        }
        Route::App { waba_id } => (waba_id.clone(), None),
    };
    let waba = state.directory.wabas.get(&waba_id)?;
    if !waba.is_subscribed {
        return None;
    }
    let account_override = match route {
        Route::Number { .. } => waba.override_callback.clone(),
        Route::App { .. } => None,
    };
    let app = Some(state.settings.webhook_url.clone()).filter(|url| !url.is_empty());
    Some((waba_id, number_override.or(account_override).or(app)?))
}

pub fn envelope(waba_id: &str, time: Option<i64>, field: &str, value: Value) -> Value {
    let mut entry = Map::new();
    entry.insert("id".into(), waba_id.into());
    if let Some(time) = time {
        entry.insert("time".into(), time.into());
    }
    entry.insert("changes".into(), json!([{"value": value, "field": field}]));
    json!({"object": "whatsapp_business_account", "entry": [entry]})
}

/// JSON text, with everything beyond ASCII written as `\uXXXX` when asked.
pub fn serialize(body: &Value, escape_unicode: bool) -> String {
    let text = body.to_string();
    if !escape_unicode || text.is_ascii() {
        return text;
    }
    let mut escaped = String::with_capacity(text.len() * 2);
    let mut units = [0; 2];
    for character in text.chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            for unit in character.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped
}

/// The start of every value about a number.
pub fn number_value(number: &Number) -> Map<String, Value> {
    let mut value = Map::new();
    value.insert("messaging_product".into(), "whatsapp".into());
    value.insert(
        "metadata".into(),
        json!({"display_phone_number": number.digits(), "phone_number_id": number.id}),
    );
    value
}

/// An element of `contacts[]`.
pub fn contact(customer: &Customer) -> Value {
    let mut profile = Map::new();
    profile.insert("name".into(), customer.name.as_str().into());
    if let Some(username) = &customer.username {
        profile.insert("username".into(), format!("@{username}").into());
    }
    let mut contact = Map::new();
    contact.insert("profile".into(), Value::Object(profile));
    if !customer.hides_phone {
        contact.insert("wa_id".into(), customer.phone.as_str().into());
    }
    contact.insert("user_id".into(), customer.user_id.as_str().into());
    if let Some(parent) = &customer.parent_user_id {
        contact.insert("parent_user_id".into(), parent.as_str().into());
    }
    Value::Object(contact)
}

/// A status that has just come to pass.
pub struct StatusNotice {
    pub phone_number_id: String,
    pub status: Value,
    pub contact: Option<Value>,
}

/// Makes the status happen (ledger, conversation) and describes it; `None` when it is not to be reported.
pub fn status(
    world: &World,
    wa_message_id: &str,
    status: &'static str,
    error_code: Option<i64>,
) -> Option<StatusNotice> {
    let now = world.now();
    let mut guard = world.state();
    let state = &mut *guard;
    let entry = state.ledger.get_mut(wa_message_id)?;
    entry.statuses.push(crate::ledger::StatusRecord {
        status,
        timestamp: now,
        is_delivered: false,
        error_code,
    });
    let (phone_number_id, wa_id) = (entry.phone_number_id.clone(), entry.wa_id.clone());
    let callback_data = entry.biz_opaque_callback_data.clone();
    let template = entry.template.clone();
    let addressed_by_phone = !entry.input.contains('.');
    let number = state.directory.numbers.get_mut(&phone_number_id)?;
    if let Some(shown) = number
        .threads
        .get_mut(&wa_id)
        .and_then(|thread| thread.entry_mut(wa_message_id))
    {
        shown.status = Some(status.to_owned());
        shown.error_code = error_code;
    }
    let category = template
        .and_then(|name| state.templates.category(&number.waba_id, &name))
        .map_or_else(|| "service".to_owned(), |category| category.to_lowercase());
    let has_conversation = state.settings.has_conversation();
    let customer = state
        .customers
        .entry(wa_id.clone())
        .or_insert_with(|| Customer::new(&wa_id))
        .clone();
    let is_skipped = state.faults.skips(status);
    drop(guard);
    world.announce(&phone_number_id, &wa_id);
    if is_skipped {
        return None;
    }

    let mut body = Map::new();
    body.insert("id".into(), wa_message_id.into());
    body.insert("status".into(), status.into());
    body.insert("timestamp".into(), now.to_string().into());
    if !customer.hides_phone {
        body.insert("recipient_id".into(), customer.phone.as_str().into());
    }
    // Failed sends to a phone do not tell the user id.
    if status != "failed" || !addressed_by_phone {
        body.insert("recipient_user_id".into(), customer.user_id.as_str().into());
        if let Some(parent) = &customer.parent_user_id {
            body.insert("recipient_parent_user_id".into(), parent.as_str().into());
        }
    }
    if let Some(data) = callback_data {
        body.insert("biz_opaque_callback_data".into(), data.into());
    }
    if has_conversation && status != "failed" {
        let mut conversation = Map::new();
        conversation.insert(
            "id".into(),
            format!("{:032x}", u128::from(number_hash(wa_message_id))).into(),
        );
        if status == "sent" {
            conversation.insert("expiration_timestamp".into(), (now + 86_400).to_string().into());
        }
        conversation.insert("origin".into(), json!({"type": category}));
        body.insert("conversation".into(), Value::Object(conversation));
    }
    if matches!(status, "sent" | "delivered") {
        let is_free = category == "service";
        body.insert(
            "pricing".into(),
            json!({"billable": !is_free, "pricing_model": "PMP",
                "type": if is_free { "free_customer_service" } else { "regular" }, "category": category}),
        );
    }
    if let Some(code) = error_code {
        body.insert("errors".into(), json!([Refusal::reported(code, details(code))]));
    }
    Some(StatusNotice {
        phone_number_id,
        status: Value::Object(body),
        contact: (status != "failed").then(|| contact(&customer)),
    })
}

fn number_hash(text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn details(code: i64) -> &'static str {
    match code {
        131_047 => {
            "Message failed to send because more than 24 hours have passed since the customer last replied to this number."
        }
        131_026 => "Message Undeliverable.",
        131_049 => "This message was not delivered to maintain healthy ecosystem engagement.",
        131_050 => {
            "Unable to deliver the message. This recipient has chosen to stop receiving marketing messages on WhatsApp."
        }
        131_053 => "Media upload error.",
        131_009 => "Parameter value is not valid.",
        130_472 => "Failed to send message because this user's phone number is part of an experiment.",
        130_403 => "The user is blocked by the business.",
        132_015 => "The template was paused for low quality before this message was released.",
        _ => "Something went wrong.",
    }
}

/// The value of a notification about statuses of one number; people named once.
pub fn statuses_value(
    world: &World,
    phone_number_id: &str,
    statuses: Vec<Value>,
    mut contacts: Vec<Value>,
) -> Option<Value> {
    let state = world.state();
    let mut value = number_value(state.directory.numbers.get(phone_number_id)?);
    let mut seen = std::collections::HashSet::new();
    contacts.retain(|contact| seen.insert(contact["user_id"].to_string()));
    if !contacts.is_empty() {
        value.insert("contacts".into(), Value::Array(contacts));
    }
    value.insert("statuses".into(), Value::Array(statuses));
    Some(Value::Object(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::serialize;

    #[test]
    fn escapes_as_meta_does() {
        let body = json!({"a": "é 😀 \n"});
        let escaped = serialize(&body, true);
        assert_eq!(escaped, r#"{"a":"\u00e9 \ud83d\ude00 \n"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), body);
        assert_eq!(serialize(&body, false), "{\"a\":\"é 😀 \\n\"}");
    }
}
