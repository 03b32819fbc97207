//! Limits that depend on what went before: windows, rates, and the people themselves.

use octopush_whatsapp::outbound::{Content, Template};
use octopush_whatsapp::webhook::DeliveryStatus::Failed;
use octopush_whatsapp::{OutboundMessage, Recipient};
use serde_json::json;
use whatsapp_sandbox::config::default_account::{FAST_PHONE_NUMBER_ID, PHONE_NUMBER_ID, TOKEN};

use crate::support::{CUSTOMER, Stage, refused};

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
        .json(&json!({"messaging_product": "whatsapp", "to": "+60120000101", "text": {"body": "x"}}))
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
}
