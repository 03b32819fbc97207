//! Faults do what they say, repeatably, and nothing they do not say.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use octopush_whatsapp::webhook::DeliveryStatus::{Delivered, Read, Sent};
use octopush_whatsapp::{CloudApi, OutboundMessage, Recipient, SendError};
use serde_json::{Value, json};
use whatsapp_sandbox::config::default_account::{FAST_PHONE_NUMBER_ID, PHONE_NUMBER_ID, TOKEN};

use crate::support::{CUSTOMER, Stage, refused};

async fn stage_without_windows() -> Stage {
    let stage = Stage::start().await;
    stage.settings(json!({"window": "off", "pair_rate": false})).await;
    stage
}

fn tagged(n: usize) -> OutboundMessage {
    OutboundMessage::text(Recipient::phone(CUSTOMER), "x").with_callback_data(format!("our-{n}"))
}

async fn accepted(stage: &Stage, n: usize) -> u64 {
    stage.look(&format!("ledger?callback_data=our-{n}")).await["total"]
        .as_u64()
        .unwrap()
}

#[tokio::test]
async fn a_dropped_reply_was_accepted_all_the_same() {
    let stage = stage_without_windows().await;
    stage.faults(json!({"drop_reply_probability": 1.0})).await;
    let error = stage.send(&tagged(1)).await.unwrap_err();
    assert!(matches!(error, SendError::Ambiguous(_)), "{error:?}");
    assert_eq!(accepted(&stage, 1).await, 1);
    let is_ours =
        |status: &octopush_whatsapp::webhook::StatusUpdate| status.callback_data.as_deref() == Some("our-1");
    stage
        .receiver
        .until("its status", |r| {
            r.events()
                .iter()
                .any(|event| matches!(event, octopush_whatsapp::Event::Status(status) if is_ours(status)))
        })
        .await;
    stage.faults(json!({})).await;
    stage.send(&tagged(2)).await.unwrap();
}

#[tokio::test]
async fn a_dropped_request_was_not_accepted() {
    let stage = stage_without_windows().await;
    stage.faults(json!({"drop_request_probability": 1.0})).await;
    let error = stage.send(&tagged(1)).await.unwrap_err();
    assert!(matches!(error, SendError::Ambiguous(_)), "{error:?}");
    assert_eq!(accepted(&stage, 1).await, 0);
}

#[tokio::test]
async fn a_bad_gateway_hides_an_acceptance() {
    let stage = stage_without_windows().await;
    stage.faults(json!({"bad_gateway_probability": 1.0})).await;
    let error = stage.send(&tagged(1)).await.unwrap_err();
    assert!(matches!(error, SendError::Ambiguous(_)), "{error:?}");
    assert_eq!(accepted(&stage, 1).await, 1);
}

#[tokio::test]
async fn a_slow_reply_outlives_the_clients_patience() {
    let stage = stage_without_windows().await;
    stage.faults(json!({"latency_ms": 5_000})).await;
    let hasty = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let api = CloudApi::new(&stage.sandbox.url(), "v25.0", hasty).unwrap();
    let error = api
        .send_message(PHONE_NUMBER_ID, TOKEN, &tagged(1))
        .await
        .unwrap_err();
    assert!(matches!(error, SendError::Ambiguous(_)), "{error:?}");
    assert_eq!(accepted(&stage, 1).await, 1);
    stage.faults(json!({"latency_ms": 120})).await;
    let started = Instant::now();
    stage.send(&tagged(2)).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(120));
}

#[tokio::test]
async fn errors_come_with_their_status_and_end_when_counted() {
    let stage = stage_without_windows().await;
    for (code, http_status) in [
        (131_000, 500),
        (2, 503),
        (131_048, 400),
        (190, 401),
        (368, 403),
        (131_045, 500),
    ] {
        stage
            .faults(json!({"errors": [{"code": code, "times": 1}]}))
            .await;
        assert_eq!(refused(stage.send(&tagged(1)).await), (http_status, code));
        stage.send(&tagged(2)).await.unwrap();
    }
    stage
        .faults(json!({"errors": [{"code": 131_016, "http_status": 418}]}))
        .await;
    assert_eq!(refused(stage.send(&tagged(1)).await), (418, 131_016));
    assert_eq!(accepted(&stage, 1).await, 0);
}

#[tokio::test]
async fn throttling_spares_nobody() {
    let stage = stage_without_windows().await;
    stage.faults(json!({"throttle_mps": 1})).await;
    let fast = async |n| {
        stage
            .api
            .send_message(FAST_PHONE_NUMBER_ID, TOKEN, &tagged(n))
            .await
    };
    fast(1).await.unwrap();
    assert_eq!(refused(fast(2).await), (400, 130_429));
}

#[tokio::test]
async fn the_status_can_overtake_the_reply() {
    let stage = stage_without_windows().await;
    stage.faults(json!({"status_before_reply": true})).await;
    let receipt = stage.send(&tagged(1)).await.unwrap();
    assert!(
        stage.receiver.states(&receipt.wa_message_id).contains(&Sent),
        "already there when the reply is"
    );
}

#[tokio::test]
async fn webhooks_are_doubled_dropped_skipped_and_spoiled() {
    let stage = stage_without_windows().await;
    stage
        .faults(json!({"webhooks": {"duplicate_probability": 1.0}}))
        .await;
    stage.customer_writes(CUSTOMER, "twice").await;
    stage.receiver.until("both", |r| r.messages().len() == 2).await;

    stage.faults(json!({"webhooks": {"drop_probability": 1.0}})).await;
    let answer = stage
        .admin(
            &format!("customers/{CUSTOMER}/messages"),
            json!({"text": "never", "wait": true}),
        )
        .await;
    assert_eq!(answer["http_statuses"], json!([Value::Null]));

    stage
        .faults(json!({"webhooks": {"bad_signature_probability": 1.0}}))
        .await;
    let before = stage.receiver.received().len();
    stage.customer_writes(CUSTOMER, "spoiled").await;
    stage
        .receiver
        .until("the second attempt", |r| r.received().len() == before + 2)
        .await;
    let attempts = stage.receiver.received().split_off(before);
    assert_eq!(
        attempts
            .iter()
            .map(|a| (a.is_signed, a.answered))
            .collect::<Vec<_>>(),
        [(false, 401), (true, 200)]
    );

    stage
        .faults(json!({"webhooks": {"skip_statuses": ["delivered"]}}))
        .await;
    let receipt = stage.send(&tagged(1)).await.unwrap();
    stage
        .receiver
        .until("read", |r| r.states(&receipt.wa_message_id).contains(&Read))
        .await;
    assert_eq!(stage.receiver.states(&receipt.wa_message_id), [Sent, Read]);
}

#[tokio::test]
async fn statuses_come_in_another_order() {
    let stage = stage_without_windows().await;
    stage
        .faults(json!({"seed": 3, "webhooks": {"reorder_probability": 1.0}}))
        .await;
    let receipt = stage.send(&tagged(1)).await.unwrap();
    stage
        .receiver
        .until("all three", |r| r.states(&receipt.wa_message_id).len() == 3)
        .await;
    let states = stage.receiver.states(&receipt.wa_message_id);
    assert_ne!(states, [Sent, Delivered, Read]);
    assert_eq!(states.iter().collect::<HashSet<_>>().len(), 3);
}

#[tokio::test]
async fn webhooks_are_delayed() {
    let stage = stage_without_windows().await;
    stage
        .faults(json!({"webhooks": {"delay_probability": 1.0, "delay_ms": 150}}))
        .await;
    let started = Instant::now();
    stage.customer_writes(CUSTOMER, "late").await;
    assert!(started.elapsed() >= Duration::from_millis(150));
    assert_eq!(stage.receiver.messages().len(), 1);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_run() {
    let stage = stage_without_windows().await;
    let mut runs = Vec::new();
    for seed in [11, 11, 12] {
        stage
            .faults(json!({"seed": seed, "errors": [{"code": 131_000, "probability": 0.5}]}))
            .await;
        let mut outcomes = Vec::new();
        for n in 0..30 {
            outcomes.push(stage.send(&tagged(n)).await.is_ok());
        }
        runs.push(outcomes);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn misspelt_faults_are_refused() {
    let stage = Stage::start().await;
    for wrong in [
        json!({"latency": 1}),
        json!({"drop_reply_probability": 2}),
        json!({"errors": [{"probability": 1}]}),
        json!([]),
    ] {
        let url = format!("{}/admin/faults", stage.sandbox.url());
        let response = stage.http.post(url).json(&wrong).send().await.unwrap();
        assert_eq!(response.status(), 400, "{wrong}");
    }
}
