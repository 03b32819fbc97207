//! Every refusal of a send, with the code and the HTTP status Meta gives it.

use octopush_whatsapp::{OutboundMessage, Recipient};
use serde_json::{Value, json};
use whatsapp_sandbox::config::default_account::{PHONE_NUMBER_ID, TOKEN};

use crate::support::{CUSTOMER, Stage, refused};

fn message(kind: &str, content: Value) -> Value {
    json!({"messaging_product": "whatsapp", "to": format!("+{CUSTOMER}"), "type": kind, kind: content})
}

fn code(answer: &(u16, Value)) -> (u16, i64) {
    (answer.0, answer.1["error"]["code"].as_i64().unwrap_or_default())
}

#[tokio::test]
async fn tokens_and_numbers_are_checked_before_anything_else() {
    let stage = Stage::start().await;
    let path = format!("{PHONE_NUMBER_ID}/messages");
    for token in [None, Some(""), Some("not-a-token")] {
        let answer = stage.graph("POST", &path, token, Some(&json!({}))).await;
        assert_eq!(code(&answer), (401, 190), "{token:?}");
        assert!(answer.1["error"]["fbtrace_id"].is_string());
    }
    let answer = stage
        .graph("POST", "999/messages", Some(TOKEN), Some(&json!({})))
        .await;
    assert_eq!(code(&answer), (400, 100));
    assert_eq!(answer.1["error"]["error_subcode"], 33);
    stage
        .admin(
            "accounts",
            json!({"phone_number_id": "777", "waba_id": "888", "token": "theirs"}),
        )
        .await;
    let answer = stage
        .graph("POST", "777/messages", Some(TOKEN), Some(&json!({})))
        .await;
    assert_eq!(
        code(&answer),
        (400, 100),
        "another business's number does not exist for this token"
    );
    stage
        .admin("tokens", json!({"token": TOKEN, "expires_in": 0}))
        .await;
    let answer = stage.graph("POST", &path, Some(TOKEN), Some(&json!({}))).await;
    assert_eq!(
        (code(&answer), answer.1["error"]["error_subcode"].as_i64()),
        ((401, 190), Some(463))
    );
    let answer = stage.graph("POST", "x", Some(TOKEN), None).await;
    assert_eq!(code(&answer), (401, 190));
}

#[tokio::test]
async fn numbers_that_cannot_send_say_why() {
    let stage = Stage::start().await;
    stage.customer_writes(CUSTOMER, "hi").await;
    for (status, expected) in [
        ("PENDING", (400, 133_010)),
        ("BANNED", (403, 131_031)),
        ("MAINTENANCE", (500, 131_057)),
    ] {
        stage
            .admin(
                "accounts",
                json!({"phone_number_id": PHONE_NUMBER_ID, "status": status}),
            )
            .await;
        assert_eq!(
            refused(stage.send_text(CUSTOMER, "x").await),
            expected,
            "{status}"
        );
    }
    stage
        .api
        .register(PHONE_NUMBER_ID, TOKEN, "123456")
        .await
        .unwrap();
    stage.send_text(CUSTOMER, "x").await.unwrap();
}

#[tokio::test]
async fn the_frame_of_a_message_is_checked() {
    let stage = Stage::start().await;
    let text = json!({"body": "x"});
    for (body, expected) in [
        (json!([]), (400, 100)),
        (json!({"to": CUSTOMER, "text": text}), (400, 100)),
        (
            json!({"messaging_product": "telegram", "to": CUSTOMER, "text": text}),
            (400, 100),
        ),
        (json!({"messaging_product": "whatsapp", "text": text}), (400, 100)),
        (
            json!({"messaging_product": "whatsapp", "to": "", "text": text}),
            (400, 100),
        ),
        (
            json!({"messaging_product": "whatsapp", "to": 60_120_000_101_u64, "text": text}),
            (400, 100),
        ),
        (
            json!({"messaging_product": "whatsapp", "to": "bob", "text": text}),
            (400, 131_009),
        ),
        (
            json!({"messaging_product": "whatsapp", "to": "+60120000101", "recipient_type": "x", "text": text}),
            (400, 100),
        ),
        (
            json!({"messaging_product": "whatsapp", "to": "+60120000101", "type": "hologram", "hologram": {}}),
            (400, 100),
        ),
        (
            json!({"messaging_product": "whatsapp", "to": "+60120000101", "type": "image", "text": text}),
            (400, 131_008),
        ),
        (
            json!({"messaging_product": "whatsapp", "to": "+60120000101", "type": "text"}),
            (400, 131_008),
        ),
        (
            json!({"messaging_product": "whatsapp", "to": "+60120000101", "text": text, "context": {}}),
            (400, 131_008),
        ),
        (
            json!({"messaging_product": "whatsapp", "to": "+60120000101", "text": text,
            "biz_opaque_callback_data": "x".repeat(513)}),
            (400, 100),
        ),
        (
            json!({"messaging_product": "whatsapp", "to": "+60 3-5550 0001", "text": text}),
            (400, 131_021),
        ),
        (
            json!({"messaging_product": "whatsapp", "recipient": "MY.1", "text": text}),
            (400, 131_026),
        ),
        (
            json!({"messaging_product": "whatsapp", "recipient_type": "group", "to": "g", "text": text}),
            (400, 131_020),
        ),
    ] {
        assert_eq!(code(&stage.post_message(&body).await), expected, "{body}");
    }
    assert_eq!(
        stage.look("ledger").await["total"],
        0,
        "nothing refused is in the ledger"
    );
    let url = format!("{}/v25.0/{PHONE_NUMBER_ID}/messages", stage.sandbox.url());
    let broken = stage
        .http
        .post(url)
        .bearer_auth(TOKEN)
        .body("{\"half")
        .send()
        .await
        .unwrap();
    assert_eq!(broken.status(), 400);
    let url = format!("{}/25/{PHONE_NUMBER_ID}/messages", stage.sandbox.url());
    let answer: Value = stage
        .http
        .post(url)
        .bearer_auth(TOKEN)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(answer["error"]["code"], 2_500, "a version looks like v25.0");
}

#[tokio::test]
async fn contents_are_checked_by_type() {
    let stage = Stage::start().await;
    stage.customer_writes(CUSTOMER, "hi").await;
    let button = |id: &str, title: &str| json!({"type": "reply", "reply": {"id": id, "title": title}});
    let buttons = |buttons: Vec<Value>| json!({"type": "button", "body": {"text": "?"}, "action": {"buttons": buttons}});
    let rows = |from: usize, to: usize| {
        (from..to)
            .map(|n| json!({"id": n.to_string(), "title": "t"}))
            .collect::<Vec<_>>()
    };
    let list = |sections: Value| json!({"type": "list", "body": {"text": "?"}, "action": {"button": "Open", "sections": sections}});
    for (kind, content, expected) in [
        ("text", json!("x"), 100),
        ("text", json!({}), 131_008),
        ("text", json!({"body": ""}), 131_008),
        ("text", json!({"body": 7}), 100),
        ("text", json!({"body": "x".repeat(4097)}), 100),
        ("text", json!({"body": "x", "previev_url": true}), 100),
        ("image", json!({}), 131_008),
        (
            "image",
            json!({"id": "1", "link": "https://x.example/a.png"}),
            100,
        ),
        ("image", json!({"link": "ftp://x/y"}), 100),
        ("image", json!({"id": "12345"}), 131_009),
        (
            "image",
            json!({"link": "https://x.example/a.png", "caption": "x".repeat(1025)}),
            100,
        ),
        (
            "audio",
            json!({"link": "https://x.example/a.mp3", "caption": "no"}),
            100,
        ),
        ("location", json!({"latitude": 3.1}), 131_008),
        ("location", json!({"latitude": 95, "longitude": 0}), 100),
        ("contacts", json!([]), 100),
        (
            "contacts",
            json!([{"name": {"formatted_name": "alone"}}]),
            131_009,
        ),
        ("contacts", json!([{"name": {"first_name": "x"}}]), 131_008),
        ("reaction", json!({"emoji": "👍"}), 131_008),
        (
            "reaction",
            json!({"message_id": "wamid.A", "emoji": "ok"}),
            131_009,
        ),
        ("interactive", json!({"type": "button"}), 131_008),
        (
            "interactive",
            json!({"type": "bingo", "body": {"text": "?"}, "action": {}}),
            100,
        ),
        ("interactive", buttons(vec![]), 131_009),
        (
            "interactive",
            buttons((0..4).map(|n| button(&n.to_string(), &n.to_string())).collect()),
            131_009,
        ),
        (
            "interactive",
            buttons(vec![button("1", &"x".repeat(21))]),
            131_009,
        ),
        (
            "interactive",
            buttons(vec![button("1", "a"), button("1", "b")]),
            131_009,
        ),
        (
            "interactive",
            buttons(vec![button("1", "a"), button("2", "a")]),
            131_009,
        ),
        ("interactive", list(json!([{"rows": rows(0, 11)}])), 131_009),
        (
            "interactive",
            list(json!([{"title": "a", "rows": rows(0, 6)}, {"title": "b", "rows": rows(6, 11)}])),
            131_009,
        ),
        (
            "interactive",
            list(json!([{"rows": rows(0, 1)}, {"rows": rows(1, 2)}])),
            131_009,
        ),
        (
            "interactive",
            json!({"type": "cta_url", "body": {"text": "?"},
            "action": {"name": "cta_url", "parameters": {"display_text": "Go", "url": "nowhere"}}}),
            131_009,
        ),
        (
            "interactive",
            json!({"type": "flow", "body": {"text": "?"},
            "action": {"name": "flow", "parameters": {"flow_message_version": "3", "flow_cta": "Go"}}}),
            131_008,
        ),
    ] {
        let body = message(kind, content);
        assert_eq!(code(&stage.post_message(&body).await), (400, expected), "{body}");
    }
    assert_eq!(stage.look("ledger").await["total"], 0);
}

#[tokio::test]
async fn what_the_client_lets_through_the_sandbox_takes() {
    let stage = Stage::start().await;
    stage.settings(json!({"pair_rate": false})).await;
    stage.customer_writes(CUSTOMER, "hi").await;
    let card = json!({"name": {"formatted_name": "Tan Mei", "first_name": "Mei"}});
    let rows: Vec<Value> = (0..10)
        .map(|n| json!({"id": n.to_string(), "title": "t", "description": "d"}))
        .collect();
    for (kind, body, payload) in [
        ("text", Some("x".repeat(4096)), json!({"preview_url": true})),
        (
            "image",
            Some("y".repeat(1024)),
            json!({"link": "https://x.example/a.png"}),
        ),
        ("video", None, json!({"link": "https://x.example/a.mp4"})),
        (
            "audio",
            None,
            json!({"link": "https://x.example/a.ogg", "voice": true}),
        ),
        (
            "document",
            None,
            json!({"link": "https://x.example/a.pdf", "filename": "a.pdf"}),
        ),
        ("sticker", None, json!({"link": "https://x.example/a.webp"})),
        (
            "location",
            None,
            json!({"latitude": 3.1, "longitude": 101.6, "name": "KL"}),
        ),
        ("contacts", None, json!([card])),
        (
            "reaction",
            Some("👍🏽".to_owned()),
            json!({"message_id": "wamid.A"}),
        ),
        ("reaction", None, json!({"message_id": "wamid.A"})),
        (
            "interactive",
            None,
            json!({"type": "list", "body": {"text": "b"}, "footer": {"text": "f"}, "header": {"type": "text", "text": "h"},
            "action": {"button": "Open", "sections": [{"title": "s", "rows": rows}]}}),
        ),
        (
            "interactive",
            None,
            json!({"type": "location_request_message", "body": {"text": "b"}, "action": {"name": "send_location"}}),
        ),
        (
            "template",
            None,
            json!({"name": "hello_world", "language": {"code": "en_US"}}),
        ),
    ] {
        let message =
            OutboundMessage::from_stored(Recipient::phone(CUSTOMER), kind, body.as_deref(), Some(&payload))
                .unwrap();
        let result = stage.send(&message).await;
        assert!(result.is_ok(), "{kind} {payload}: {result:?}");
    }
}
