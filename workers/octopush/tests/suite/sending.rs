//! From the outbox to Meta: once, in order, and what every kind of answer means.

use super::fixture::{Database, Organisation, Sandbox, eventually};
use serde_json::json;

const ALICE: &str = "60111111111";

#[tokio::test]
async fn a_reply_reaches_meta_once_and_its_ticks_climb() {
    let (database, sandbox) = (Database::create().await, Sandbox::start().await);
    let organisation = Organisation::create(&database).await;
    let conversation = organisation.conversation(&database, ALICE).await;
    let worker = sandbox.worker(&database, &[]).await;
    let message = organisation.say(&database, conversation, "Yes, we do!").await;
    eventually("it is delivered", || async {
        database.message(message, "status").await.as_deref() == Some("delivered")
    })
    .await;
    assert_eq!(sandbox.accepted(message).await, 1);
    assert!(
        database
            .message(message, "wa_message_id")
            .await
            .is_some_and(|id| id.starts_with("wamid."))
    );
    assert_eq!(database.count("select count(*) from private.outbox").await, 0);
    worker.stop().await;
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_the_status_and_never_sent_again() {
    let (database, sandbox) = (Database::create().await, Sandbox::start().await);
    let organisation = Organisation::create(&database).await;
    let conversation = organisation.conversation(&database, ALICE).await;
    let worker = sandbox.worker(&database, &[]).await;
    sandbox
        .set(
            "settings",
            json!({ "sent_after_ms": 600, "delivered_after_ms": 700 }),
        )
        .await;
    sandbox
        .set("faults", json!({ "drop_reply_probability": 1.0 }))
        .await;
    let message = organisation
        .say(&database, conversation, "Did you get this?")
        .await;
    eventually("it is shown as uncertain", || async {
        database.message(message, "is_uncertain").await.as_deref() == Some("true")
    })
    .await;
    eventually("the status settles it", || async {
        database.message(message, "status").await.as_deref() == Some("delivered")
    })
    .await;
    assert_eq!(
        database.message(message, "is_uncertain").await.as_deref(),
        Some("false")
    );
    assert_eq!(sandbox.accepted(message).await, 1);
    assert_eq!(sandbox.asked(message).await, 1);
    assert_eq!(database.count("select count(*) from private.outbox").await, 0);
    worker.stop().await;
}

#[tokio::test]
async fn a_request_that_vanished_stays_uncertain() {
    let (database, sandbox) = (Database::create().await, Sandbox::start().await);
    let organisation = Organisation::create(&database).await;
    let conversation = organisation.conversation(&database, ALICE).await;
    let worker = sandbox.worker(&database, &[]).await;
    sandbox
        .set("faults", json!({ "drop_request_probability": 1.0 }))
        .await;
    let lost = organisation.say(&database, conversation, "first").await;
    eventually("it is uncertain", || async {
        database.message(lost, "is_uncertain").await.as_deref() == Some("true")
    })
    .await;
    sandbox.set("faults", json!({})).await;
    // The conversation goes on: an uncertain message blocks nobody.
    let next = organisation.say(&database, conversation, "second").await;
    eventually("the next one is delivered", || async {
        database.message(next, "status").await.as_deref() == Some("delivered")
    })
    .await;
    assert_eq!(sandbox.asked(lost).await, 1);
    assert_eq!(sandbox.accepted(lost).await, 0);
    assert_eq!(
        database.message(lost, "is_uncertain").await.as_deref(),
        Some("true")
    );
    worker.stop().await;
}

#[tokio::test]
async fn a_window_that_closed_while_waiting_is_judged_again() {
    let (database, sandbox) = (Database::create().await, Sandbox::start().await);
    let organisation = Organisation::create(&database).await;
    let conversation = organisation.conversation(&database, ALICE).await;
    let message = organisation.say(&database, conversation, "too late").await;
    database
        .admin
        .execute(
            "update public.conversations set window_expires_at = now() - interval '1 second'",
            &[],
        )
        .await
        .unwrap();
    let worker = sandbox.worker(&database, &[]).await;
    eventually("it failed", || async {
        database.message(message, "status").await.as_deref() == Some("failed")
    })
    .await;
    assert_eq!(
        database.message(message, "error_code").await.as_deref(),
        Some("WA_005")
    );
    assert_eq!(sandbox.asked(message).await, 0);
    worker.stop().await;
}

#[tokio::test]
async fn a_passing_refusal_is_tried_again() {
    let (database, sandbox) = (Database::create().await, Sandbox::start().await);
    let organisation = Organisation::create(&database).await;
    let conversation = organisation.conversation(&database, ALICE).await;
    let worker = sandbox.worker(&database, &[]).await;
    sandbox
        .set("faults", json!({ "errors": [{ "code": 131_000, "times": 1 }] }))
        .await;
    let message = organisation.say(&database, conversation, "again").await;
    eventually("it is delivered", || async {
        database.message(message, "status").await.as_deref() == Some("delivered")
    })
    .await;
    assert_eq!(sandbox.asked(message).await, 2);
    assert_eq!(sandbox.accepted(message).await, 1);
    worker.stop().await;
}

#[tokio::test]
async fn a_refusal_for_good_is_shown_with_its_reason() {
    let (database, sandbox) = (Database::create().await, Sandbox::start().await);
    let organisation = Organisation::create(&database).await;
    let conversation = organisation.conversation(&database, ALICE).await;
    let worker = sandbox.worker(&database, &[]).await;
    sandbox
        .set("faults", json!({ "errors": [{ "code": 131_026 }] }))
        .await;
    let message = organisation.say(&database, conversation, "hello?").await;
    eventually("it failed", || async {
        database.message(message, "status").await.as_deref() == Some("failed")
    })
    .await;
    assert_eq!(
        database.message(message, "error_code").await.as_deref(),
        Some("131026")
    );
    assert!(database.message(message, "error_message").await.is_some());
    worker.stop().await;
}

#[tokio::test]
async fn a_dead_token_holds_the_queue_until_the_number_is_connected_again() {
    let (database, sandbox) = (Database::create().await, Sandbox::start().await);
    let organisation = Organisation::create(&database).await;
    let conversation = organisation.conversation(&database, ALICE).await;
    let worker = sandbox.worker(&database, &[]).await;
    sandbox
        .set("faults", json!({ "errors": [{ "code": 190, "times": 1 }] }))
        .await;
    let message = organisation.say(&database, conversation, "hold the line").await;
    eventually("the number needs a person", || async {
        database
            .text("select status from public.whatsapp_accounts")
            .await
            .as_deref()
            == Some("error")
    })
    .await;
    eventually("the message waits", || async {
        database
            .count("select count(*) from private.outbox where state = 'ready'")
            .await
            == 1
    })
    .await;
    assert_eq!(
        database.message(message, "status").await.as_deref(),
        Some("pending")
    );
    // As the next check with Meta would.
    database
        .admin
        .execute("update public.whatsapp_accounts set status = 'connected'", &[])
        .await
        .unwrap();
    eventually("it leaves", || async {
        database.message(message, "status").await.as_deref() == Some("delivered")
    })
    .await;
    worker.stop().await;
}

#[tokio::test]
async fn messages_of_one_conversation_leave_in_order() {
    let (database, sandbox) = (Database::create().await, Sandbox::start().await);
    let organisation = Organisation::create(&database).await;
    let conversation = organisation.conversation(&database, ALICE).await;
    let mut said = Vec::new();
    for n in 0..12 {
        said.push(
            organisation
                .say(&database, conversation, &format!("line {n}"))
                .await
                .to_string(),
        );
    }
    sandbox.set("faults", json!({ "latency_jitter_ms": 40 })).await;
    let worker = sandbox.worker(&database, &[]).await;
    eventually("all are sent", || async {
        sandbox.get("ledger").await["total"] == 12
    })
    .await;
    let ledger = sandbox.get("ledger").await;
    let order: Vec<String> = ledger["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["biz_opaque_callback_data"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(order, said);
    worker.stop().await;
}

#[tokio::test]
async fn stopping_lets_requests_under_way_finish_and_be_recorded() {
    let (database, sandbox) = (Database::create().await, Sandbox::start().await);
    let organisation = Organisation::create(&database).await;
    let conversation = organisation.conversation(&database, ALICE).await;
    let worker = sandbox.worker(&database, &[]).await;
    sandbox.set("faults", json!({ "latency_ms": 800 })).await;
    let message = organisation.say(&database, conversation, "on its way").await;
    eventually("Meta has it", || async { sandbox.accepted(message).await == 1 }).await;
    worker.stop().await;
    assert!(
        database.message(message, "wa_message_id").await.is_some(),
        "the answer was not recorded"
    );
    assert_eq!(
        database.message(message, "is_uncertain").await.as_deref(),
        Some("false")
    );
    assert_eq!(
        database.count("select count(*) from private.phone_leases").await,
        0
    );
}

#[tokio::test]
async fn two_workers_share_the_numbers_and_send_nothing_twice() {
    let (database, sandbox) = (Database::create().await, Sandbox::start().await);
    let organisation = Organisation::create(&database).await;
    let first = sandbox.worker(&database, &[]).await;
    let second = sandbox.worker(&database, &[]).await;
    let mut said = Vec::new();
    for n in 0..40 {
        let conversation = organisation.conversation(&database, &format!("6012{n:07}")).await;
        said.push(organisation.say(&database, conversation, "hello").await);
    }
    first.stop().await;
    eventually("all are sent", || async {
        sandbox.get("ledger").await["total"] == 40
    })
    .await;
    for message in said {
        assert_eq!(sandbox.accepted(message).await, 1);
    }
    second.stop().await;
}
