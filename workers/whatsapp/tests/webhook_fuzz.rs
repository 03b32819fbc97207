//! Hostile bodies: nothing may panic, nothing may be lost, nothing may come out that Postgres refuses.

use octopush_whatsapp::webhook::{self, Event};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Names that mean something in a webhook, so that random documents reach deep into the readers.
const KEYS: &[&str] = &[
    "id",
    "from",
    "from_user_id",
    "timestamp",
    "type",
    "text",
    "body",
    "image",
    "caption",
    "interactive",
    "button_reply",
    "title",
    "reaction",
    "emoji",
    "message_id",
    "system",
    "wa_id",
    "user_id",
    "errors",
    "code",
    "error_data",
    "details",
    "status",
    "contacts",
    "profile",
    "name",
    "username",
    "context",
    "edit",
    "message",
    "original_message_id",
    "revoke",
    "order",
    "product_items",
    "location",
    "latitude",
    "longitude",
    "event",
    "reason",
    "new_category",
    "value",
    "decision",
    "alert_info",
    "metadata",
    "phone_number_id",
    "messages",
    "statuses",
    "message_echoes",
    "user_preferences",
    "user_id_update",
    "recipient_id",
    "payment",
    "conversation",
    "to",
];

const TEXTS: &[&str] = &[
    "",
    "text",
    "image",
    "interactive",
    "reaction",
    "system",
    "contacts",
    "edit",
    "revoke",
    "unsupported",
    "order",
    "location",
    "sent",
    "failed",
    "1790000000",
    "-1",
    "9223372036854775808",
    "a\u{0}b",
    "user_changed_number",
    "😀",
    "\u{202e}abc",
];

const FIELDS: &[&str] = &[
    "messages",
    "smb_message_echoes",
    "user_preferences",
    "user_id_update",
    "message_template_status_update",
    "template_category_update",
    "phone_number_quality_update",
    "account_update",
    "account_alerts",
    "security",
    "calls",
    "",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => prop::sample::select(TEXTS).prop_map(str::to_owned), 1 => any::<String>()]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![9 => prop::sample::select(KEYS).prop_map(str::to_owned), 1 => any::<String>()]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        (1_000_000_000_i64..2_000_000_000).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::String),
    ];
    leaf.prop_recursive(6, 96, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((key(), inner), 0..10)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn wrapped(field: &str, value: &Value) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
        {"field": field, "value": value}, {"field": "account_review_update", "value": {"decision": "SIBLING"}}]}]})
}

fn assert_storable(value: &Value) {
    match value {
        Value::String(text) => assert!(!text.contains('\u{0}'), "NUL in {text:?}"),
        Value::Array(items) => items.iter().for_each(assert_storable),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            assert!(!key.contains('\u{0}'), "NUL in key {key:?}");
            assert_storable(value);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Parses, and checks what holds for every body whatsoever. JSON always gives events.
fn read(body: &[u8]) -> Vec<Event> {
    let events = webhook::parse(body).expect("JSON is never an error");
    assert_storable(&serde_json::to_value(&events).expect("events are JSON"));
    events
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = webhook::parse(&body);
    }

    #[test]
    fn any_json_gives_events(document in any_json()) {
        let events = read(document.to_string().as_bytes());
        prop_assert!(!events.is_empty());
    }

    #[test]
    fn any_value_is_kept_and_spares_its_sibling(field in prop::sample::select(FIELDS), value in any_json()) {
        let events = read(wrapped(field, &value).to_string().as_bytes());
        prop_assert!(events.len() >= 2);
        let spared = matches!(events.last(), Some(Event::AccountReview(review)) if review.decision == "SIBLING");
        prop_assert!(spared);
    }

    #[test]
    fn strange_items_spare_the_good_ones(strange in prop::collection::vec(any_json(), 0..4), at in 0_usize..5) {
        let good = json!({"from": "60120000101", "id": "wamid.GOOD", "timestamp": "1790000000", "type": "text",
            "text": {"body": "hello"}});
        let mut messages = strange;
        messages.insert(at.min(messages.len()), good);
        let value = json!({"metadata": {"phone_number_id": "1"}, "messages": messages});
        let events = read(wrapped("messages", &value).to_string().as_bytes());
        prop_assert_eq!(events.len(), messages.len() + 1);
        let kept = events.iter().any(|event| matches!(event, Event::Message(message)
            if message.wa_message_id == "wamid.GOOD" && message.body.as_deref() == Some("hello")));
        prop_assert!(kept);
    }

    #[test]
    fn truncated_bodies_are_refused_whole(cut in 1_usize..200) {
        let value = json!({"metadata": {"phone_number_id": "1"}, "messages": [{"from": "6012", "id": "wamid.A",
            "timestamp": "1790000000", "type": "text", "text": {"body": "hello 😀"}}]});
        let body = wrapped("messages", &value).to_string();
        let cut = cut.min(body.len() - 1);
        prop_assert!(webhook::parse(&body.as_bytes()[..body.len() - cut]).is_err());
    }
}

#[test]
fn a_name_cut_in_the_middle_of_an_emoji_loses_nothing() {
    let body = br#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{
        "metadata":{"phone_number_id":"2"},"contacts":[{"profile":{"name":"Mei \ud83d"},"wa_id":"6012"}],
        "messages":[{"from":"6012","id":"wamid.A","timestamp":"1790000000","type":"text","text":{"body":"caf\u00e9 \ud83d\ude00 \u0000"}}]}}]}]}"#;
    let events = read(body);
    let [Event::Message(message)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(message.from.profile_name.as_deref(), Some("Mei \u{FFFD}"));
    assert_eq!(message.body.as_deref(), Some("café 😀 \u{FFFD}"));
}

#[test]
fn absurd_nesting_is_refused_and_not_a_stack_overflow() {
    let body = "[".repeat(1_000_000);
    assert!(webhook::parse(body.as_bytes()).is_err());
    let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    assert!(webhook::parse(deep.as_bytes()).is_err());
}

#[test]
fn a_body_of_three_megabytes_is_read() {
    let messages: Vec<Value> = (0..1000)
        .map(|n| {
            json!({"from": "60120000101", "id": format!("wamid.{n}"), "timestamp": "1790000000", "type": "text",
                "text": {"body": "x".repeat(2900)}})
        })
        .collect();
    let body = wrapped(
        "messages",
        &json!({"metadata": {"phone_number_id": "1"}, "messages": messages}),
    )
    .to_string();
    assert!(body.len() > 2_900_000);
    assert_eq!(read(body.as_bytes()).len(), 1001);
}
