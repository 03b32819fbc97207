//! From kept webhooks to conversations, messages and statuses.

use super::fixture::{Database, Organisation, PHONE_NUMBER_ID, Worker, envelope, eventually, inbound, text};
use serde_json::json;

const ALICE: &str = "60111111111";

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

#[tokio::test]
async fn one_delivery_ten_times_at_once_makes_one_message() {
    let database = Database::create().await;
    Organisation::create(&database).await;
    let worker = Worker::start(&database, &[]).await;
    let body = inbound(ALICE, &[text("wamid.once", ALICE, now(), "Hello")]);
    let deliveries = (0..10).map(|_| worker.deliver(&body));
    let statuses = futures_util::future::join_all(deliveries).await;
    assert!(statuses.iter().all(|s| *s == 200));
    eventually("all ten are applied", || async {
        database
            .count("select count(*) from private.webhook_events where state = 'applied'")
            .await
            == 10
    })
    .await;
    assert_eq!(database.count("select count(*) from public.messages").await, 1);
    assert_eq!(
        database
            .count("select unread_count::bigint from public.conversations")
            .await,
        1
    );
    worker.stop().await;
}

#[tokio::test]
async fn metas_time_rules_the_window_and_the_order() {
    let database = Database::create().await;
    Organisation::create(&database).await;
    let worker = Worker::start(&database, &[]).await;
    let (late, early) = (now() - 60, now() - 7200);
    worker
        .deliver(&inbound(ALICE, &[text("wamid.late", ALICE, late, "second")]))
        .await;
    eventually("the first is there", || async {
        database.count("select count(*) from public.messages").await == 1
    })
    .await;
    worker
        .deliver(&inbound(ALICE, &[text("wamid.early", ALICE, early, "first")]))
        .await;
    eventually("both are there", || async {
        database.count("select count(*) from public.messages").await == 2
    })
    .await;
    let expires = database
        .count("select extract(epoch from window_expires_at)::bigint from public.conversations")
        .await;
    assert_eq!(expires, late + 86_400);
    assert_eq!(
        database
            .text("select last_message_preview from public.conversations")
            .await
            .as_deref(),
        Some("second")
    );
    let order = database
        .text("select string_agg(body, ',' order by occurred_at, id) from public.messages")
        .await;
    assert_eq!(order.as_deref(), Some("first,second"));
    worker.stop().await;
}

#[tokio::test]
async fn an_old_message_opens_no_window() {
    let database = Database::create().await;
    Organisation::create(&database).await;
    let worker = Worker::start(&database, &[]).await;
    worker
        .deliver(&inbound(
            ALICE,
            &[text("wamid.old", ALICE, now() - 100_000, "old")],
        ))
        .await;
    eventually("it is expired", || async {
        database
            .text("select status from public.conversations")
            .await
            .as_deref()
            == Some("expired")
    })
    .await;
    worker.stop().await;
}

#[tokio::test]
async fn a_placeholder_is_replaced_by_the_real_message_of_the_same_id() {
    let database = Database::create().await;
    Organisation::create(&database).await;
    let worker = Worker::start(&database, &[]).await;
    let placeholder = json!({ "id": "wamid.ad", "from": ALICE, "timestamp": now().to_string(), "type": "unsupported",
        "errors": [{ "code": 131_060, "title": "This message is currently unavailable." }] });
    worker.deliver(&inbound(ALICE, &[placeholder])).await;
    eventually("the placeholder shows", || async {
        database.text("select type from public.messages").await.as_deref() == Some("unsupported")
    })
    .await;
    worker
        .deliver(&inbound(
            ALICE,
            &[text("wamid.ad", ALICE, now(), "I saw your ad")],
        ))
        .await;
    eventually("the real one takes its place", || async {
        database.text("select body from public.messages").await.as_deref() == Some("I saw your ad")
    })
    .await;
    assert_eq!(database.count("select count(*) from public.messages").await, 1);
    assert_eq!(
        database
            .count("select unread_count::bigint from public.conversations")
            .await,
        1
    );
    worker.stop().await;
}

#[tokio::test]
async fn a_sender_without_a_phone_number_is_a_contact_all_the_same() {
    let database = Database::create().await;
    Organisation::create(&database).await;
    let worker = Worker::start(&database, &[]).await;
    let body = envelope(&json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "60355500001", "phone_number_id": PHONE_NUMBER_ID },
        "contacts": [{ "profile": { "name": "Hidden", "username": "@hidden" }, "user_id": "MY.13491208655302741918" }],
        "messages": [{ "id": "wamid.b", "from_user_id": "MY.13491208655302741918", "timestamp": now().to_string(), "type": "text", "text": { "body": "hi" } }],
    }));
    worker.deliver(&body).await;
    eventually("the contact is known by bsuid", || async {
        database
            .text("select bsuid from public.contacts where phone is null and wa_id is null")
            .await
            .as_deref()
            == Some("MY.13491208655302741918")
    })
    .await;
    worker.stop().await;
}

#[tokio::test]
async fn a_batch_with_a_poisonous_webhook_applies_the_others() {
    let database = Database::create().await;
    Organisation::create(&database).await;
    // A constraint only this test has stands in for whatever one day makes the database refuse a row.
    database
        .admin
        .batch_execute("alter table public.messages add constraint poison check (body <> 'poison')")
        .await
        .unwrap();
    let worker = Worker::start(&database, &[("OCTOPUSH_ROLES", "webhook")]).await;
    for (n, body) in ["one", "poison", "two"].iter().enumerate() {
        worker
            .deliver(&inbound(
                ALICE,
                &[text(&format!("wamid.{n}"), ALICE, now(), body)],
            ))
            .await;
    }
    worker.stop().await;
    let worker = Worker::start(&database, &[]).await;
    eventually("both good ones are there", || async {
        database.count("select count(*) from public.messages").await == 2
    })
    .await;
    eventually("the poisonous one is kept with its problem", || async {
        database.count("select count(*) from private.webhook_events where state = 'rejected' and problem like '%poison%'").await == 1
    })
    .await;
    worker.stop().await;
}

#[tokio::test]
async fn every_known_type_is_stored_and_unknown_ones_are_shown_as_such() {
    let database = Database::create().await;
    Organisation::create(&database).await;
    let worker = Worker::start(&database, &[]).await;
    let at = now().to_string();
    let message = |id: &str, kind: &str, content: serde_json::Value| json!({ "id": format!("wamid.{id}"), "from": ALICE, "timestamp": at, "type": kind, kind: content });
    let messages = [
        message(
            "image",
            "image",
            json!({ "id": "1", "mime_type": "image/jpeg", "sha256": "x", "caption": "look\u{0}here" }),
        ),
        message(
            "voice",
            "audio",
            json!({ "id": "2", "mime_type": "audio/ogg; codecs=opus", "voice": true }),
        ),
        message(
            "place",
            "location",
            json!({ "latitude": 3.139, "longitude": 101.6869, "name": "KL" }),
        ),
        message("button", "button", json!({ "payload": "YES", "text": "Yes" })),
        message("future", "hologram", json!({ "frames": 12 })),
    ];
    worker.deliver(&inbound(ALICE, &messages)).await;
    eventually("all five are there", || async {
        database.count("select count(*) from public.messages").await == 5
    })
    .await;
    assert_eq!(
        database
            .count("select count(*) from public.messages where type = 'unsupported'")
            .await,
        1
    );
    assert_eq!(
        database
            .text("select body from public.messages where type = 'image'")
            .await
            .as_deref(),
        Some("look\u{fffd}here")
    );
    worker.stop().await;
}

#[tokio::test]
async fn a_reaction_sits_on_its_message_and_can_be_taken_back() {
    let database = Database::create().await;
    Organisation::create(&database).await;
    let worker = Worker::start(&database, &[]).await;
    worker
        .deliver(&inbound(ALICE, &[text("wamid.target", ALICE, now() - 10, "hi")]))
        .await;
    eventually("the message is there", || async {
        database.count("select count(*) from public.messages").await == 1
    })
    .await;
    let reaction = |id: &str, at: i64, content: serde_json::Value| {
        inbound(
            ALICE,
            &[
                json!({ "id": id, "from": ALICE, "timestamp": at.to_string(), "type": "reaction", "reaction": content }),
            ],
        )
    };
    worker
        .deliver(&reaction(
            "wamid.r1",
            now() - 5,
            json!({ "message_id": "wamid.target", "emoji": "❤️" }),
        ))
        .await;
    eventually("it is shown", || async {
        database
            .text("select reactions #>> '{contact,emoji}' from public.messages")
            .await
            .as_deref()
            == Some("❤️")
    })
    .await;
    worker
        .deliver(&reaction(
            "wamid.r2",
            now() - 4,
            json!({ "message_id": "wamid.target" }),
        ))
        .await;
    eventually("it is gone", || async {
        database
            .text("select reactions #>> '{contact,emoji}' from public.messages")
            .await
            .is_none()
    })
    .await;
    assert_eq!(
        database
            .count("select unread_count::bigint from public.conversations")
            .await,
        1
    );
    worker.stop().await;
}
