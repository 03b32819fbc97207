//! What the receiver gets: signed, in Meta's shapes, again and again until it says 200.

use crate::support::{CUSTOMER, Receiver, Stage, VERIFY_TOKEN};
use octopush_whatsapp::webhook::DeliveryStatus::{Delivered, Failed, Played, Read, Sent};
use octopush_whatsapp::webhook::Event;
use octopush_whatsapp::{OutboundMessage, Recipient};
use serde_json::{Value, json};
use whatsapp_sandbox::config::default_account::{PHONE_NUMBER_ID, TOKEN, WABA_ID};

#[tokio::test]
async fn a_conversation_goes_both_ways() {
    let stage = Stage::start().await;
    let id = stage.customer_writes(CUSTOMER, "Salam, ada stok? 😊").await;
    let messages = stage.receiver.messages();
    let [message] = messages.as_slice() else {
        panic!("{messages:?}")
    };
    assert_eq!(message.wa_message_id, id);
    assert_eq!(message.phone_number_id, PHONE_NUMBER_ID);
    assert_eq!(message.waba_id.as_deref(), Some(WABA_ID));
    assert_eq!(message.from.wa_id.as_deref(), Some(CUSTOMER));
    assert_eq!(message.body.as_deref(), Some("Salam, ada stok? 😊"));
    assert!(
        stage.receiver.received()[0].body.is_ascii(),
        "characters beyond ASCII are escaped as Meta does"
    );

    let answer = OutboundMessage::text(Recipient::phone(CUSTOMER), "Ada!").with_callback_data("our-77");
    let receipt = stage.send(&answer).await.unwrap();
    assert_eq!(receipt.wa_id.as_deref(), Some(CUSTOMER));
    stage
        .receiver
        .until("read", |r| r.states(&receipt.wa_message_id).contains(&Read))
        .await;
    let statuses = stage.receiver.statuses(&receipt.wa_message_id);
    assert_eq!(
        statuses.iter().map(|s| s.status).collect::<Vec<_>>(),
        [Sent, Delivered, Read]
    );
    assert!(
        statuses
            .iter()
            .all(|status| status.callback_data.as_deref() == Some("our-77"))
    );
    assert_eq!(statuses[0].recipient.user_id, message.from.user_id);
    assert_eq!(statuses[0].conversation, None, "v24 and later");
    assert_eq!(statuses[0].pricing.as_ref().unwrap()["pricing_model"], "PMP");
}

#[tokio::test]
async fn older_versions_carry_a_conversation() {
    let stage = Stage::start().await;
    stage.settings(json!({"webhook_version": "v23.0"})).await;
    stage.customer_writes(CUSTOMER, "hi").await;
    let receipt = stage.send_text(CUSTOMER, "hello").await.unwrap();
    stage
        .receiver
        .until("sent", |r| !r.states(&receipt.wa_message_id).is_empty())
        .await;
    let conversation = stage.receiver.statuses(&receipt.wa_message_id)[0]
        .conversation
        .clone()
        .unwrap();
    assert_eq!(conversation["origin"]["type"], "service");
}

#[tokio::test]
async fn only_200_is_an_acknowledgement() {
    let stage = Stage::start().await;
    stage.receiver.answer_with(&[500, 204, 302, 201, 401]);
    stage.customer_writes(CUSTOMER, "are you there?").await;
    stage
        .receiver
        .until("the sixth attempt", |r| r.received().len() == 6)
        .await;
    let received = stage.receiver.received();
    assert!(
        received.iter().all(|attempt| attempt.body == received[0].body),
        "the same bytes each time"
    );
    assert_eq!(stage.receiver.messages().len(), 1);
    let deliveries = stage.look("deliveries").await;
    let attempts: Vec<u64> = deliveries["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["attempt"].as_u64().unwrap())
        .collect();
    assert_eq!(attempts, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn what_a_receiver_that_is_away_missed_comes_when_it_is_back() {
    let stage = Stage::start().await;
    let away = "http://127.0.0.1:9/webhook";
    stage
        .settings(json!({"webhook_url": away, "webhook_retry_max_ms": 20}))
        .await;
    let letter = json!({"text": "anyone?", "wait": true});
    let answer = stage
        .admin(&format!("customers/{CUSTOMER}/messages"), letter)
        .await;
    assert_eq!(answer["http_statuses"], json!([0]));
    assert!(
        stage.look("deliveries").await["pending"].as_u64().unwrap() > 0,
        "still to be delivered"
    );
}

#[tokio::test]
async fn every_kind_of_customer_message_is_understood() {
    let stage = Stage::start().await;
    let kinds = [
        json!({"type": "image", "image": {"caption": "look"}}),
        json!({"type": "video"}),
        json!({"type": "audio"}),
        json!({"type": "document", "document": {"filename": "slip.pdf"}}),
        json!({"type": "sticker"}),
        json!({"type": "location", "location": {"latitude": 3.1, "longitude": 101.6, "name": "KL"}}),
        json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "Tan", "first_name": "Tan"}}]}),
        json!({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "y", "title": "Yes"}},
            "context_message_id": "wamid.ASKED"}),
        json!({"type": "button", "button": {"payload": "P", "text": "Confirm"}, "context_message_id": "wamid.ASKED"}),
        json!({"type": "reaction", "reaction": {"message_id": "wamid.X", "emoji": "👍"}}),
        json!({"type": "order", "order": {"catalog_id": "1", "product_items": []}}),
        json!({"type": "unsupported", "errors": [{"code": 131_051, "title": "Message type unknown"}]}),
        json!({"type": "number_change", "new_phone": "+60120000999"}),
    ];
    for request in &kinds {
        let mut request = request.clone();
        request["wait"] = true.into();
        let answer = stage
            .admin(&format!("customers/{CUSTOMER}/messages"), request.clone())
            .await;
        assert_eq!(answer["http_statuses"], json!([200]), "{request}");
    }
    let messages = stage.receiver.messages();
    let found: Vec<&str> = messages.iter().map(|message| message.kind).collect();
    let expected: Vec<&str> = kinds
        .iter()
        .map(|request| match request["type"].as_str().unwrap() {
            "number_change" => "system",
            kind => kind,
        })
        .collect();
    assert_eq!(found, expected);
    assert!(
        !stage
            .receiver
            .events()
            .iter()
            .any(|event| matches!(event, Event::Unknown { .. }))
    );
    assert_eq!(messages[7].context_message_id.as_deref(), Some("wamid.ASKED"));
    assert_eq!(
        messages[12].identity_change.as_ref().unwrap().wa_id.as_deref(),
        Some("60120000999")
    );
}

#[tokio::test]
async fn a_customers_file_can_be_fetched_and_is_what_was_sent() {
    let stage = Stage::start().await;
    let letter =
        json!({"type": "image", "file": {"base64": "aGVsbG8=", "mime_type": "image/jpeg"}, "wait": true});
    stage
        .admin(&format!("customers/{CUSTOMER}/messages"), letter)
        .await;
    let payload = stage.receiver.messages()[0].payload.clone();
    let info = stage
        .api
        .media_info(payload["id"].as_str().unwrap(), TOKEN, Some(PHONE_NUMBER_ID))
        .await
        .unwrap();
    assert_eq!(info.mime_type.as_deref(), Some("image/jpeg"));
    for url in [info.url.as_str(), payload["url"].as_str().unwrap()] {
        let file = stage.api.download_media(url, TOKEN).await.unwrap();
        assert_eq!(&file.into_bytes(100).await.unwrap()[..], b"hello");
    }
}

#[tokio::test]
async fn a_phantom_comes_first_and_the_message_follows_under_the_same_id() {
    let stage = Stage::start().await;
    let id = stage
        .admin(
            &format!("customers/{CUSTOMER}/messages"),
            json!({"type": "phantom", "text": "from the ad"}),
        )
        .await;
    stage.receiver.until("both", |r| r.messages().len() == 2).await;
    let messages = stage.receiver.messages();
    assert!(
        messages
            .iter()
            .all(|message| id["wa_message_id"] == message.wa_message_id.as_str())
    );
    assert!(messages[0].is_unsupported_placeholder);
    assert_eq!(messages[1].body.as_deref(), Some("from the ad"));
}

#[tokio::test]
async fn a_customer_who_hides_the_number_is_known_by_user_id_alone() {
    let stage = Stage::start().await;
    let hidden = "60199990011";
    stage
        .admin(&format!("customers/{hidden}"), json!({"username": "mei"}))
        .await;
    stage.customer_writes(hidden, "hi").await;
    let from = stage.receiver.messages()[0].from.clone();
    assert_eq!(from.wa_id, None);
    assert_eq!(from.username.as_deref(), Some("mei"));
    let recipient = Recipient::from_contact(None, from.user_id.as_deref()).unwrap();
    let receipt = stage
        .send(&OutboundMessage::text(recipient, "hello"))
        .await
        .unwrap();
    assert_eq!(receipt.wa_id, None);
    stage
        .receiver
        .until("sent", |r| !r.states(&receipt.wa_message_id).is_empty())
        .await;
    let status = stage.receiver.statuses(&receipt.wa_message_id).remove(0);
    assert_eq!(
        (status.recipient.wa_id, status.recipient.user_id),
        (None, from.user_id)
    );
}

#[tokio::test]
async fn people_behave_as_their_numbers_say() {
    let stage = Stage::start().await;
    for (phone, expected) in [
        ("60199990007", vec![Sent, Delivered]),
        ("60199990008", vec![Sent]),
        ("60199990010", vec![Sent, Read]),
        ("60199990012", vec![Sent, Failed]),
        ("60199990013", vec![Sent, Delivered, Read, Played]),
        ("60199990001", vec![Failed]),
    ] {
        stage.customer_writes(phone, "hi").await;
        let receipt = stage.send_text(phone, "hello").await.unwrap();
        stage
            .receiver
            .until(phone, |r| {
                r.states(&receipt.wa_message_id).len() >= expected.len()
            })
            .await;
        assert_eq!(stage.receiver.states(&receipt.wa_message_id), expected, "{phone}");
    }
}

#[tokio::test]
async fn statuses_can_be_moved_by_hand_and_chats_opened() {
    let stage = Stage::start().await;
    stage.settings(json!({"read_after_ms": null})).await;
    stage.customer_writes(CUSTOMER, "hi").await;
    let receipt = stage.send_text(CUSTOMER, "hello").await.unwrap();
    let id = &receipt.wa_message_id;
    stage
        .receiver
        .until("delivered", |r| r.states(id) == [Sent, Delivered])
        .await;
    stage
        .admin(&format!("customers/{CUSTOMER}/read"), json!({}))
        .await;
    stage
        .receiver
        .until("read", |r| r.states(id) == [Sent, Delivered, Read])
        .await;
    stage
        .admin(
            "webhooks/status",
            json!({"wa_message_id": id, "status": "played"}),
        )
        .await;
    stage
        .receiver
        .until("played", |r| r.states(id).last() == Some(&Played))
        .await;
}

#[tokio::test]
async fn raw_bodies_arrive_as_they_are_with_the_signature_asked_for() {
    let stage = Stage::start().await;
    for (signature, expected) in [("valid", 200), ("wrong", 401), ("missing", 401)] {
        let body = json!({"text": "{\"half\":", "signature": signature});
        assert_eq!(
            stage.admin("webhooks/raw", body).await["http_statuses"],
            json!([expected]),
            "{signature}"
        );
    }
    let received = stage.receiver.received();
    assert_eq!(
        received
            .iter()
            .map(|r| (r.is_signed, r.has_signature))
            .collect::<Vec<_>>(),
        [(true, true), (false, true), (false, false)]
    );
    assert!(
        received
            .iter()
            .all(|received| &received.body[..] == b"{\"half\":")
    );
    let copies = stage
        .admin("webhooks/raw", json!({"body": {"object": "page"}, "copies": 10}))
        .await;
    assert_eq!(copies["http_statuses"].as_array().unwrap().len(), 10);
    let change = stage
        .admin(
            "webhooks/change",
            json!({"field": "account_review_update", "value": {"decision": "APPROVED"}}),
        )
        .await;
    assert_eq!(change["http_status"], 200);
    assert!(
        matches!(stage.receiver.events().last(), Some(Event::AccountReview(review)) if review.decision == "APPROVED")
    );
}

#[tokio::test]
async fn copies_of_a_message_share_one_id() {
    let stage = Stage::start().await;
    stage
        .admin(
            &format!("customers/{CUSTOMER}/messages"),
            json!({"text": "once", "copies": 10, "wait": true}),
        )
        .await;
    let messages = stage.receiver.messages();
    assert_eq!(messages.len(), 10);
    assert!(
        messages
            .iter()
            .all(|message| message.wa_message_id == messages[0].wa_message_id)
    );
}

#[tokio::test]
async fn statuses_are_put_together_when_asked() {
    let stage = Stage::start().await;
    stage
        .settings(json!({"webhook_batch": 100, "sent_after_ms": 200, "auto_status": true}))
        .await;
    stage.customer_writes(CUSTOMER, "hi").await;
    let mut ids = Vec::new();
    for n in 0..10 {
        ids.push(
            stage
                .send_text(CUSTOMER, &n.to_string())
                .await
                .unwrap()
                .wa_message_id,
        );
    }
    stage
        .receiver
        .until("all sent", |r| ids.iter().all(|id| r.states(id).contains(&Sent)))
        .await;
    let largest = stage
        .receiver
        .received()
        .iter()
        .map(|r| octopush_whatsapp::webhook::parse(&r.body).unwrap().len())
        .max();
    assert!(largest > Some(1), "nothing was put together");
}

#[tokio::test]
async fn nobody_is_told_without_a_subscription() {
    let stage = Stage::start().await;
    stage.api.unsubscribe_app(WABA_ID, TOKEN).await.unwrap();
    assert!(
        stage
            .api
            .subscribed_apps(WABA_ID, TOKEN)
            .await
            .unwrap()
            .is_empty()
    );
    let body = json!({"text": "lost", "wait": true});
    let answer = stage.admin(&format!("customers/{CUSTOMER}/messages"), body).await;
    assert_eq!(answer["http_statuses"], json!([Value::Null]));
    stage.api.subscribe_app(WABA_ID, TOKEN).await.unwrap();
    assert_eq!(stage.api.subscribed_apps(WABA_ID, TOKEN).await.unwrap().len(), 1);
    stage.customer_writes(CUSTOMER, "heard").await;
    assert_eq!(stage.receiver.messages()[0].body.as_deref(), Some("heard"));
}

#[tokio::test]
async fn a_callback_is_only_taken_after_the_handshake() {
    let stage = Stage::start().await;
    let own = Receiver::start().await;
    let subscribe = |token: &'static str| {
        stage
            .api
            .subscribe_app_with_callback(WABA_ID, TOKEN, &own.url, token)
    };
    let refused = subscribe("wrong").await.unwrap_err();
    assert!(
        refused.to_string().contains("Callback verification failed"),
        "{refused}"
    );
    stage.customer_writes(CUSTOMER, "to the app").await;
    assert_eq!((stage.receiver.messages().len(), own.messages().len()), (1, 0));
    subscribe(VERIFY_TOKEN).await.unwrap();
    stage
        .customer_writes(CUSTOMER, "to the account's own callback")
        .await;
    assert_eq!((stage.receiver.messages().len(), own.messages().len()), (1, 1));
    let change = json!({"field": "account_review_update", "value": {"decision": "APPROVED"}});
    stage.admin("webhooks/change", change).await;
    assert_eq!(
        stage.receiver.events().len(),
        2,
        "account events go to the app whatever the override"
    );
    stage.api.subscribe_app(WABA_ID, TOKEN).await.unwrap();
    stage.customer_writes(CUSTOMER, "to the app again").await;
    assert_eq!(stage.receiver.messages().len(), 2);
    assert_eq!(
        stage.admin("webhooks/verify", json!({})).await,
        json!({"verified": true})
    );
    assert_eq!(
        stage.admin("webhooks/verify", json!({"verify_token": "x"})).await["verified"],
        false
    );
}
