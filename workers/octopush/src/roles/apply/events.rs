//! From Meta's events to the arrays that `worker.apply_messages` and its siblings take.

use octopush_whatsapp::webhook::{
    self, DeliveryStatus, Event, InboundMessage, MessageEdit, MessageRevoke, StatusUpdate, TemplateKey,
    UserPreference,
};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// One element of `worker.apply_messages`.
#[derive(Debug, Serialize)]
pub struct MessageRow {
    webhook_event_id: i64,
    phone_number_id: String,
    wa_id: Option<String>,
    bsuid: Option<String>,
    profile_name: Option<String>,
    username: Option<String>,
    wa_message_id: String,
    occurred_at: String,
    #[serde(rename = "type")]
    kind: String,
    body: Option<String>,
    payload: Value,
    reply_to: Option<String>,
    is_placeholder: bool,
    reaction_to: Option<String>,
    opens_window: bool,
}

/// One element of `worker.apply_statuses`.
#[derive(Debug, Serialize)]
pub struct StatusRow {
    webhook_event_id: i64,
    phone_number_id: String,
    wa_message_id: String,
    message_id: Option<Uuid>,
    send_try: Option<i16>,
    status: &'static str,
    occurred_at: String,
    error_code: Option<String>,
    error_message: Option<String>,
}

/// One element of `worker.apply_template_events`.
#[derive(Debug, Serialize)]
pub struct TemplateEventRow {
    webhook_event_id: i64,
    waba_id: Option<String>,
    /// Where Meta should have put it, which is not always where it was.
    field: &'static str,
    wa_template_id: Option<String>,
    name: Option<String>,
    language: Option<String>,
    value: Value,
    occurred_at: Option<String>,
}

/// One element of `worker.apply_user_preferences`.
#[derive(Debug, Serialize)]
pub struct PreferenceRow {
    webhook_event_id: i64,
    phone_number_id: Option<String>,
    wa_id: Option<String>,
    user_id: Option<String>,
    category: String,
    value: String,
    occurred_at: Option<String>,
}

/// One element of `worker.record_account_events`.
#[derive(Debug, Serialize)]
pub struct AccountEventRow {
    webhook_event_id: i64,
    waba_id: Option<String>,
    phone_number_id: Option<String>,
    field: String,
    payload: Value,
    /// Tells a redelivery from a new event.
    body_hash: String,
}

/// The events of a batch of webhooks by what becomes of them.
#[derive(Debug, Default)]
pub struct Sorted {
    pub messages: Vec<MessageRow>,
    pub statuses: Vec<StatusRow>,
    pub templates: Vec<TemplateEventRow>,
    pub preferences: Vec<PreferenceRow>,
    /// Everything else, and the two above once more: kept for people to see.
    pub account_events: Vec<AccountEventRow>,
    /// Webhooks in which something was not understood, with the reason.
    pub problems: Vec<(i64, String)>,
}

impl Sorted {
    /// Adds the events of one webhook. Never fails: what cannot be read becomes a problem of that webhook.
    pub fn read(&mut self, id: i64, body: &[u8]) {
        match webhook::parse(body) {
            Err(error) => self.problems.push((id, error.to_string())),
            Ok(events) => {
                let body_hash = hex::encode(Sha256::digest(body));
                events
                    .into_iter()
                    .for_each(|event| self.add(id, &body_hash, event));
            }
        }
    }

    fn add(&mut self, id: i64, body_hash: &str, event: Event) {
        match event {
            Event::Message(message) => self.messages.push(message_row(id, *message)),
            Event::MessageEdit(edit) => self.messages.push(edit_row(id, *edit)),
            Event::MessageRevoke(revoke) => self.messages.push(revoke_row(id, revoke)),
            Event::Status(status) => match time(status.timestamp) {
                Some(occurred_at) => self.statuses.push(status_row(id, *status, occurred_at)),
                None => self.problems.push((id, "status with an impossible time".into())),
            },
            Event::Unknown {
                waba_id,
                phone_number_id,
                field,
                reason,
                raw,
            } => {
                self.problems.push((id, reason));
                self.account_events.push(AccountEventRow {
                    webhook_event_id: id,
                    waba_id,
                    phone_number_id,
                    field: field.unwrap_or_default(),
                    payload: raw,
                    body_hash: body_hash.to_owned(),
                });
            }
            Event::Other {
                waba_id,
                phone_number_id,
                field,
                value,
            } => {
                self.account_events.push(AccountEventRow {
                    webhook_event_id: id,
                    waba_id,
                    phone_number_id,
                    field,
                    payload: value,
                    body_hash: body_hash.to_owned(),
                });
            }
            other => {
                self.templates.extend(template_row(id, &other));
                if let Event::UserPreference(preference) = &other {
                    self.preferences.push(preference_row(id, preference));
                }
                let payload = serde_json::to_value(&other).unwrap_or_default();
                let text = |name: &str| payload.get(name).and_then(Value::as_str).map(str::to_owned);
                let of_template = |(_, template, _): (_, &TemplateKey, _)| template.waba_id.clone();
                self.account_events.push(AccountEventRow {
                    webhook_event_id: id,
                    waba_id: text("waba_id").or_else(|| other.about_template().and_then(of_template)),
                    phone_number_id: text("phone_number_id"),
                    field: text("event").unwrap_or_default(),
                    payload,
                    body_hash: body_hash.to_owned(),
                });
            }
        }
    }
}

/// Meta's seconds as ISO 8601; `None` outside what a calendar holds.
fn time(seconds: i64) -> Option<String> {
    chrono::DateTime::from_timestamp(seconds, 0).map(|t| t.to_rfc3339())
}

fn message_row(id: i64, m: InboundMessage) -> MessageRow {
    let opens_window = m.opens_window();
    let mut payload = m.payload;
    if !m.errors.is_empty() {
        payload = json!({ "content": payload, "errors": m.errors, "meta_type": m.meta_type });
    }
    MessageRow {
        webhook_event_id: id,
        phone_number_id: m.phone_number_id,
        wa_id: m.from.wa_id,
        bsuid: m.from.user_id,
        profile_name: m.from.profile_name,
        username: m.from.username,
        wa_message_id: m.wa_message_id,
        // A message is worth more than its time: an impossible one becomes the epoch, which opens no window.
        occurred_at: time(m.timestamp).unwrap_or_else(|| "1970-01-01T00:00:00+00:00".into()),
        kind: m.kind.to_owned(),
        body: m.body,
        payload,
        reply_to: m.context_message_id,
        is_placeholder: m.is_unsupported_placeholder,
        reaction_to: m.reaction_to,
        opens_window,
    }
}

/// Edits and deletions are shown as lines of their own: what a customer took back was still said.
fn edit_row(id: i64, edit: MessageEdit) -> MessageRow {
    MessageRow {
        webhook_event_id: id,
        phone_number_id: edit.phone_number_id,
        wa_id: edit.from.wa_id,
        bsuid: edit.from.user_id,
        profile_name: edit.from.profile_name,
        username: edit.from.username,
        wa_message_id: edit.wa_message_id,
        occurred_at: time(edit.timestamp).unwrap_or_else(|| "1970-01-01T00:00:00+00:00".into()),
        kind: "unsupported".into(),
        body: edit.body,
        payload: json!({ "meta_type": "edit", "original": edit.original_message_id, "content": edit.payload }),
        reply_to: Some(edit.original_message_id),
        is_placeholder: false,
        reaction_to: None,
        opens_window: true,
    }
}

fn revoke_row(id: i64, revoke: MessageRevoke) -> MessageRow {
    MessageRow {
        webhook_event_id: id,
        phone_number_id: revoke.phone_number_id,
        wa_id: revoke.from.wa_id,
        bsuid: revoke.from.user_id,
        profile_name: revoke.from.profile_name,
        username: revoke.from.username,
        wa_message_id: revoke.wa_message_id,
        occurred_at: time(revoke.timestamp).unwrap_or_else(|| "1970-01-01T00:00:00+00:00".into()),
        kind: "unsupported".into(),
        body: None,
        payload: json!({ "meta_type": "revoke", "original": revoke.original_message_id }),
        reply_to: Some(revoke.original_message_id),
        is_placeholder: false,
        reaction_to: None,
        opens_window: false,
    }
}

fn status_row(id: i64, s: StatusUpdate, occurred_at: String) -> StatusRow {
    let callback = s.callback_data.as_deref().and_then(parse_callback);
    StatusRow {
        webhook_event_id: id,
        phone_number_id: s.phone_number_id,
        wa_message_id: s.wa_message_id,
        message_id: callback.map(|c| c.0),
        send_try: callback.map(|c| c.1),
        status: match s.status {
            // A voice note that was played was read.
            DeliveryStatus::Played => "read",
            other => other.as_str(),
        },
        occurred_at,
        error_code: s.error.as_ref().map(|e| e.code.to_string()),
        error_message: s.error.and_then(|e| e.details.or(e.title)),
    }
}

fn template_row(id: i64, event: &Event) -> Option<TemplateEventRow> {
    let (field, template, value) = event.about_template()?;
    Some(TemplateEventRow {
        webhook_event_id: id,
        waba_id: template.waba_id.clone(),
        field,
        wa_template_id: template.template_id.clone(),
        name: template.name.clone(),
        language: template.language.clone(),
        value: value.clone(),
        occurred_at: template.occurred_at.and_then(time),
    })
}

fn preference_row(id: i64, preference: &UserPreference) -> PreferenceRow {
    PreferenceRow {
        webhook_event_id: id,
        phone_number_id: preference.phone_number_id.clone(),
        wa_id: preference.contact.wa_id.clone(),
        user_id: preference.contact.user_id.clone(),
        category: preference.category.clone(),
        value: preference.value.clone(),
        occurred_at: preference.timestamp.and_then(time),
    }
}

/// What travels in `biz_opaque_callback_data`: the message, and which of a person's tries this is.
pub fn callback_data(message_id: Uuid, send_try: i32) -> String {
    if send_try == 0 {
        message_id.to_string()
    } else {
        format!("{message_id}:{send_try}")
    }
}

fn parse_callback(text: &str) -> Option<(Uuid, i16)> {
    let (id, attempt) = text.split_once(':').unwrap_or((text, "0"));
    Some((id.parse().ok()?, attempt.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callback_data_comes_back_as_it_went() {
        let id = Uuid::now_v7();
        assert_eq!(parse_callback(&callback_data(id, 0)), Some((id, 0)));
        assert_eq!(parse_callback(&callback_data(id, 3)), Some((id, 3)));
        assert_eq!(parse_callback("somebody else's"), None);
    }

    #[test]
    fn what_is_not_json_is_a_problem_and_not_a_panic() {
        let mut sorted = Sorted::default();
        sorted.read(7, b"\xff\xfe nothing");
        sorted.read(8, b"{\"object\":\"page\"}");
        assert_eq!(
            sorted.problems.iter().map(|p| p.0).collect::<Vec<_>>(),
            vec![7, 8]
        );
        assert!(sorted.messages.is_empty());
    }

    fn change(field: &str, value: &Value) -> Vec<u8> {
        let entry =
            json!({ "id": "1", "time": 1_790_000_300, "changes": [{ "field": field, "value": value }] });
        json!({ "object": "whatsapp_business_account", "entry": [entry] })
            .to_string()
            .into_bytes()
    }

    #[test]
    fn a_quality_that_came_as_a_status_goes_where_it_belongs() {
        let mut sorted = Sorted::default();
        let value = json!({ "new_quality_score": "RED", "message_template_id": 7, "message_template_language": "en-US" });
        sorted.read(3, &change("message_template_status_update", &value));
        let rows = serde_json::to_value(&sorted.templates).unwrap();
        assert_eq!(
            rows,
            json!([{ "webhook_event_id": 3, "waba_id": "1", "field": "message_template_quality_update", "wa_template_id": "7", "name": null,
                "language": "en_US", "value": value, "occurred_at": "2026-09-21T14:18:20+00:00" }])
        );
        assert_eq!(sorted.account_events.len(), 1, "kept for people, too");
        assert_eq!(sorted.account_events[0].waba_id.as_deref(), Some("1"));
    }

    #[test]
    fn a_customers_choice_about_marketing_reaches_the_database_as_it_is() {
        let mut sorted = Sorted::default();
        let person = json!({ "wa_id": "60111111111", "user_id": "MY.1", "category": "marketing_messages", "value": "signup", "timestamp": 1_790_000_000 });
        let value = json!({ "metadata": { "phone_number_id": "10" }, "user_preferences": [person] });
        sorted.read(4, &change("user_preferences", &value));
        let rows = serde_json::to_value(&sorted.preferences).unwrap();
        assert_eq!(rows[0]["value"], "signup");
        assert_eq!(rows[0]["user_id"], "MY.1");
        assert_eq!(rows[0]["phone_number_id"], "10");
    }

    #[test]
    fn one_strange_message_costs_its_siblings_nothing() {
        let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": {
            "messaging_product": "whatsapp", "metadata": {"phone_number_id": "10", "display_phone_number": "60"},
            "messages": [17, {"from": "60111111111", "id": "wamid.A", "timestamp": "1700000000", "type": "text", "text": {"body": "hi"}}]
        }}]}]});
        let mut sorted = Sorted::default();
        sorted.read(1, body.to_string().as_bytes());
        assert_eq!(sorted.messages.len(), 1);
        assert_eq!(sorted.problems.len(), 1);
        assert_eq!(sorted.messages[0].body.as_deref(), Some("hi"));
    }
}
