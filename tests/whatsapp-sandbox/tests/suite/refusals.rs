//! Every refusal of a send, with the code and the HTTP status Meta gives it.

use octopush_whatsapp::outbound::{Content, Template};
use octopush_whatsapp::webhook::DeliveryStatus::Failed;
use octopush_whatsapp::{OutboundMessage, Recipient};
use serde_json::{Value, json};
use whatsapp_sandbox::config::default_account::{FAST_PHONE_NUMBER_ID, PHONE_NUMBER_ID, TOKEN, WABA_ID};

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

#[tokio::test]
async fn the_window_is_the_sandboxs_own_record() {
    let stage = Stage::start().await;
    let receipt = stage.send_text(CUSTOMER, "too early").await.unwrap();
    stage
        .receiver
        .until("failed", |r| r.states(&receipt.wa_message_id) == [Failed])
        .await;
    let error = stage.receiver.statuses(&receipt.wa_message_id)[0]
        .error
        .clone()
        .unwrap();
    assert_eq!(error.code, 131_047);

    stage.settings(json!({"window": "sync"})).await;
    assert_eq!(refused(stage.send_text(CUSTOMER, "x").await), (400, 131_047));
    stage.customer_writes(CUSTOMER, "hi").await;
    stage.send_text(CUSTOMER, "now").await.unwrap();
    let other_number = stage
        .api
        .send_message(
            FAST_PHONE_NUMBER_ID,
            TOKEN,
            &OutboundMessage::text(Recipient::phone(CUSTOMER), "x"),
        )
        .await;
    assert_eq!(
        refused(other_number),
        (400, 131_047),
        "a window belongs to one number"
    );

    stage.admin("clock", json!({"advance_seconds": 86_401})).await;
    assert_eq!(refused(stage.send_text(CUSTOMER, "x").await), (400, 131_047));
    let reaction =
        json!({"type": "reaction", "reaction": {"message_id": "wamid.A", "emoji": "👍"}, "wait": true});
    stage
        .admin(&format!("customers/{CUSTOMER}/messages"), reaction)
        .await;
    assert_eq!(
        refused(stage.send_text(CUSTOMER, "x").await),
        (400, 131_047),
        "reactions open nothing"
    );
    let template = Content::Template(Template::new("hello_world", "en_US"));
    stage
        .send(&OutboundMessage::new(Recipient::phone(CUSTOMER), template))
        .await
        .unwrap();

    let now = stage.look("clock").await["now"].as_i64().unwrap();
    let seeded = json!([{"phone": CUSTOMER, "last_customer_message_at": now - 3600}]);
    stage.admin("windows", seeded).await;
    stage.send_text(CUSTOMER, "a seeded conversation").await.unwrap();
    stage.settings(json!({"window": "off"})).await;
    stage.send_text("60120000555", "anyone").await.unwrap();
}

#[tokio::test]
async fn a_missing_plus_reaches_a_stranger_and_meta_rewrites_some_numbers() {
    let stage = Stage::start().await;
    stage.settings(json!({"window": "off"})).await;
    let body = |to: &str| json!({"messaging_product": "whatsapp", "to": to, "text": {"body": "x"}});
    for (typed, reached) in [
        ("+1 (631) 555-1234", "16315551234"),
        ("16315551234", "6016315551234"),
        ("+5531987654321", "553187654321"),
        ("+525512345678", "5215512345678"),
    ] {
        let (status, answer) = stage.post_message(&body(typed)).await;
        assert_eq!(status, 200);
        assert_eq!(
            (
                answer["contacts"][0]["input"].as_str(),
                answer["contacts"][0]["wa_id"].as_str()
            ),
            (Some(typed), Some(reached))
        );
    }
}

#[tokio::test]
async fn too_fast_is_400_with_a_code_and_no_retry_after() {
    let stage = Stage::start().await;
    stage
        .settings(json!({"window": "off", "auto_status": false}))
        .await;
    stage
        .admin(
            "accounts",
            json!({"phone_number_id": PHONE_NUMBER_ID, "throughput_mps": 5}),
        )
        .await;
    let mut refusals = Vec::new();
    for n in 0..20 {
        if let Err(error) = stage.send_text(&format!("6012000{n:04}"), "x").await {
            refusals.push(refused(Err(error)));
        }
    }
    assert!(
        !refusals.is_empty() && refusals.iter().all(|refusal| *refusal == (400, 130_429)),
        "{refusals:?}"
    );
    let raw = stage
        .http
        .post(format!(
            "{}/v25.0/{PHONE_NUMBER_ID}/messages",
            stage.sandbox.url()
        ))
        .bearer_auth(TOKEN);
    let raw = raw
        .json(&message("text", json!({"body": "x"})))
        .send()
        .await
        .unwrap();
    assert!(!raw.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn one_person_gets_45_and_then_one_in_six_seconds() {
    let stage = Stage::start().await;
    stage
        .settings(json!({"window": "off", "auto_status": false}))
        .await;
    let mut taken = 0;
    let refusal = loop {
        match stage.send_text(CUSTOMER, "x").await {
            Ok(_) => taken += 1,
            Err(error) => break refused(Err(error)),
        }
    };
    assert_eq!(refusal, (400, 131_056));
    assert!((45..=47).contains(&taken), "{taken}");
    stage.send_text("60120000102", "someone else").await.unwrap();
    stage.settings(json!({"pair_rate": false})).await;
    stage.send_text(CUSTOMER, "switched off").await.unwrap();
}

#[tokio::test]
async fn some_people_are_refused_at_once() {
    let stage = Stage::start().await;
    assert_eq!(refused(stage.send_text("60199990006", "x").await), (400, 131_026));
    stage.customer_writes(CUSTOMER, "hi").await;
    stage
        .api
        .block_users(PHONE_NUMBER_ID, TOKEN, &[CUSTOMER])
        .await
        .unwrap();
    assert_eq!(refused(stage.send_text(CUSTOMER, "x").await), (400, 130_403));
    let silenced = stage
        .admin(
            &format!("customers/{CUSTOMER}/messages"),
            json!({"text": "hello?"}),
        )
        .await;
    assert_eq!(silenced["is_blocked"], true);
}

#[tokio::test]
async fn marketing_to_someone_who_stops_it_fails_and_says_so() {
    let stage = Stage::start().await;
    let template = Template::new("raya_sale", "en")
        .with_header(json!({"type": "image", "image": {"link": "https://x.example/a.png"}}))
        .with_body(&["Mei"])
        .with_url_button(0, "t1");
    let receipt = stage
        .send(&OutboundMessage::new(
            Recipient::phone("60199990003"),
            Content::Template(template),
        ))
        .await
        .unwrap();
    stage
        .receiver
        .until("failed", |r| r.states(&receipt.wa_message_id) == [Failed])
        .await;
    assert_eq!(
        stage.receiver.statuses(&receipt.wa_message_id)[0]
            .error
            .as_ref()
            .unwrap()
            .code,
        131_050
    );
    stage
        .receiver
        .until("the preference", |r| {
            r.events().iter().any(
                |event| matches!(event, octopush_whatsapp::Event::UserPreference(p) if p.value == "stop"),
            )
        })
        .await;
    let account = stage.look("accounts").await["accounts"][0].clone();
    assert_eq!(account["waba_id"], WABA_ID);
}
