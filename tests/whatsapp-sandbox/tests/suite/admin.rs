//! The proofs and controls other tests lean on.

use octopush_whatsapp::{OutboundMessage, Recipient};
use serde_json::{Value, json};
use whatsapp_sandbox::config::default_account::{PHONE_NUMBER_ID, TOKEN, WABA_ID};

use crate::support::{CUSTOMER, Stage, refused};

#[tokio::test]
async fn the_ledger_proves_how_often_something_was_sent() {
    let stage = Stage::start().await;
    stage.customer_writes(CUSTOMER, "hi").await;
    for data in ["a", "b", "b"] {
        let message = OutboundMessage::text(Recipient::phone(CUSTOMER), "x").with_callback_data(data);
        stage.send(&message).await.unwrap();
    }
    let last = stage.send_text(CUSTOMER, "without").await.unwrap();
    stage
        .receiver
        .until("read", |r| r.states(&last.wa_message_id).len() == 3)
        .await;
    let ledger = stage.look("ledger").await;
    assert_eq!(ledger["total"], 4);
    assert_eq!(ledger["per_recipient"], json!({CUSTOMER: 4}));
    assert_eq!(ledger["per_callback_data"], json!({"a": 1, "b": 2}));
    assert_eq!(ledger["duplicates"], json!({"b": 2}));
    assert_eq!(ledger["without_callback_data"], 1);
    let entry = &ledger["messages"][3];
    assert_eq!(entry["wa_message_id"], last.wa_message_id.as_str());
    let statuses = entry["statuses"].as_array().unwrap();
    assert_eq!(
        statuses
            .iter()
            .map(|s| s["status"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["sent", "delivered", "read"]
    );
    let times: Vec<u64> = ledger["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["accepted_at_us"].as_u64().unwrap())
        .collect();
    assert!(times.is_sorted());
    let summary = stage.look("ledger?summary=true").await;
    assert_eq!(
        (
            summary["total"].as_u64(),
            summary["messages"].as_array().map(Vec::len)
        ),
        (Some(4), Some(0))
    );
    assert_eq!(
        stage.look("ledger?since=3").await["messages"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(stage.look("ledger?to=%2B60120000999").await["total"], 0);
}

#[tokio::test]
async fn acknowledged_statuses_are_marked() {
    let stage = Stage::start().await;
    stage
        .settings(json!({"delivered_after_ms": 10, "read_after_ms": null}))
        .await;
    stage.customer_writes(CUSTOMER, "hi").await;
    let receipt = stage.send_text(CUSTOMER, "x").await.unwrap();
    stage
        .receiver
        .until("delivered", |r| r.states(&receipt.wa_message_id).len() == 2)
        .await;
    // The mark follows the acknowledgement, which the receiver sees first.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
    loop {
        let ledger = stage.look("ledger").await;
        let statuses = ledger["messages"][0]["statuses"].as_array().unwrap().clone();
        if statuses.len() == 2 && statuses.iter().all(|status| status["is_delivered"] == true) {
            break;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "never marked: {statuses:?}"
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn requests_are_listed_in_order_of_arrival() {
    let stage = Stage::start().await;
    stage.customer_writes(CUSTOMER, "hi").await;
    let start = stage.look("requests").await["last_seq"].as_u64().unwrap();
    stage.send_text(CUSTOMER, "one").await.unwrap();
    assert_eq!(
        refused(stage.send_text("60199990006", "two").await),
        (400, 131_026)
    );
    stage.api.phone_number(PHONE_NUMBER_ID, TOKEN).await.unwrap();
    let page = stage.look(&format!("requests?since={start}")).await;
    let requests = page["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[0]["body"]["text"]["body"], "one");
    assert_eq!(
        (&requests[1]["http_status"], &requests[1]["error_code"]),
        (&json!(400), &json!(131_026))
    );
    assert_eq!(requests[2]["method"], "GET");
    assert!(requests.is_sorted_by_key(|request| request["arrived_at_us"].as_u64()));
    let next = page["next"].as_u64().unwrap();
    assert_eq!(
        stage.look(&format!("requests?since={next}")).await["requests"],
        json!([])
    );
}

#[tokio::test]
async fn accounts_are_added_changed_and_removed() {
    let stage = Stage::start().await;
    let added = stage
        .admin(
            "accounts",
            json!({"waba_id": "901", "phone_number_id": "902", "token": "own-token",
        "display_phone_number": "+60 3-5550 0900", "throughput_mps": 1000, "tier": "TIER_10K"}),
        )
        .await;
    assert_eq!(
        (&added["waba_id"], &added["throughput_mps"], &added["tokens"]),
        (&json!("901"), &json!(1000), &json!(["own-token"]))
    );
    let numbers = stage.api.phone_numbers("901", "own-token", None).await.unwrap();
    assert_eq!(numbers.items[0].throughput_level(), Some("HIGH"));
    assert_eq!(
        numbers.items[0]
            .whatsapp_business_manager_messaging_limit
            .as_deref(),
        Some("TIER_10K")
    );
    assert!(stage.api.phone_numbers(WABA_ID, "own-token", None).await.is_err());
    let changed = stage
        .admin(
            "accounts",
            json!({"phone_number_id": "902", "quality_rating": "RED"}),
        )
        .await;
    assert_eq!(
        (&changed["quality_rating"], &changed["waba_id"], &changed["tier"]),
        (&json!("RED"), &json!("901"), &json!("TIER_10K"))
    );
    let bare = stage.admin("accounts", json!({})).await;
    assert!(bare["phone_number_id"].as_str().is_some_and(|id| id.len() >= 15));
    let url = format!("{}/admin/accounts/902", stage.sandbox.url());
    assert_eq!(stage.http.delete(&url).send().await.unwrap().status(), 200);
    assert_eq!(stage.http.delete(&url).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn reset_forgets_everything_but_how_it_was_started() {
    let stage = Stage::start().await;
    stage.customer_writes(CUSTOMER, "hi").await;
    stage.send_text(CUSTOMER, "x").await.unwrap();
    stage.faults(json!({"latency_ms": 5})).await;
    stage.admin("accounts", json!({"phone_number_id": "902"})).await;
    stage.admin("reset", json!({})).await;
    assert_eq!(stage.look("ledger").await["total"], 0);
    assert_eq!(stage.look("faults").await["latency_ms"], 0);
    assert_eq!(
        stage.look("accounts").await["accounts"].as_array().unwrap().len(),
        2
    );
    assert_eq!(
        stage.look("settings").await["webhook_url"],
        stage.receiver.url.as_str()
    );
    let before = stage.receiver.messages().len();
    stage.customer_writes(CUSTOMER, "again").await;
    assert_eq!(stage.receiver.messages().len(), before + 1);
}

#[tokio::test]
async fn wrong_requests_say_what_is_wrong() {
    let stage = Stage::start().await;
    for (path, body) in [
        ("customers/1/messages", json!({"text": "x"})),
        ("customers/60120000101/messages", json!({"type": "text"})),
        (
            "customers/60120000101/messages",
            json!({"text": "x", "phone_number_id": "nope"}),
        ),
        ("customers/60120000101", json!({"nmae": "x"})),
        ("accounts", json!({"mps": 1})),
        ("settings", json!({"windo": "off"})),
        ("webhooks/raw", json!({})),
        ("webhooks/raw", json!({"text": "x", "signature": "odd"})),
        (
            "webhooks/status",
            json!({"wa_message_id": "nope", "status": "read"}),
        ),
        ("clock", json!({})),
    ] {
        let response = stage
            .http
            .post(format!("{}/admin/{path}", stage.sandbox.url()))
            .json(&body)
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        let answer: Value = response.json().await.unwrap();
        assert!(
            (400..500).contains(&status) && answer["error"].is_string(),
            "{path} {body}: {status} {answer}"
        );
    }
}

#[tokio::test]
async fn the_page_and_what_it_needs_are_served() {
    let stage = Stage::start().await;
    for (path, content_type) in [
        ("/", "text/html"),
        ("/page/app.js", "text/javascript"),
        ("/page/bubbles.js", "text/javascript"),
        ("/page/faults.js", "text/javascript"),
        ("/page/style.css", "text/css"),
    ] {
        let response = stage
            .http
            .get(format!("{}{path}", stage.sandbox.url()))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert!(
            response.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with(content_type),
            "{path}"
        );
        assert!(!response.text().await.unwrap().is_empty(), "{path}");
    }
    let health = stage
        .http
        .get(format!("{}/healthz", stage.sandbox.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(health.status(), 200);
    let preflight = stage
        .http
        .request(
            reqwest::Method::OPTIONS,
            format!("{}/admin/faults", stage.sandbox.url()),
        )
        .header("origin", "http://127.0.0.1:15300")
        .header("access-control-request-method", "POST")
        .send()
        .await
        .unwrap();
    assert!(preflight.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn open_pages_hear_of_changes() {
    let stage = Stage::start().await;
    let mut events = stage
        .http
        .get(format!("{}/admin/events", stage.sandbox.url()))
        .send()
        .await
        .unwrap();
    stage.customer_writes(CUSTOMER, "hi").await;
    let chunk = events.chunk().await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&chunk).into_owned();
    assert!(
        text.contains(CUSTOMER) && text.contains(PHONE_NUMBER_ID),
        "{text}"
    );
}
