//! Numbers, tokens, profiles, block lists, read receipts, history.

use octopush_whatsapp::client::BusinessProfile;
use octopush_whatsapp::error::ApiError;
use serde_json::json;
use whatsapp_sandbox::config::default_account::{
    APP_ID, DISPLAY_PHONE_NUMBER, FAST_PHONE_NUMBER_ID, PHONE_NUMBER_ID, TOKEN, WABA_ID,
};

use crate::support::{CUSTOMER, Stage, VERIFY_TOKEN};

const SECRET: &str = "test secret";

fn code<T: std::fmt::Debug>(result: Result<T, ApiError>) -> (u16, i64) {
    match result {
        Err(ApiError::Refused(error)) => (error.http_status, error.code),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn numbers_are_listed_and_described() {
    let stage = Stage::start().await;
    let page = stage.api.phone_numbers(WABA_ID, TOKEN, None).await.unwrap();
    assert_eq!(
        page.items.iter().map(|n| n.id.as_str()).collect::<Vec<_>>(),
        [PHONE_NUMBER_ID, FAST_PHONE_NUMBER_ID]
    );
    assert_eq!(page.after, None);
    let number = stage.api.phone_number(PHONE_NUMBER_ID, TOKEN).await.unwrap();
    assert_eq!(number.display_phone_number.as_deref(), Some(DISPLAY_PHONE_NUMBER));
    assert_eq!(
        (number.throughput_level(), number.status.as_deref()),
        (Some("STANDARD"), Some("CONNECTED"))
    );
    let (_, node) = stage.graph("GET", PHONE_NUMBER_ID, Some(TOKEN), None).await;
    assert_eq!(
        node.as_object().unwrap().len(),
        4,
        "only the default fields: {node}"
    );
    assert_eq!(code(stage.api.phone_number("123", TOKEN).await), (400, 100));
    assert_eq!(
        code(stage.api.phone_numbers("123", TOKEN, None).await),
        (400, 100)
    );
    assert_eq!(
        code(stage.api.phone_number(PHONE_NUMBER_ID, "x").await),
        (401, 190)
    );
}

#[tokio::test]
async fn a_number_is_registered_with_its_own_pin() {
    let stage = Stage::start().await;
    let new = json!({"phone_number_id": "555", "waba_id": WABA_ID, "status": "PENDING", "pin": "111111"});
    stage.admin("accounts", new).await;
    assert_eq!(
        code(stage.api.register("555", TOKEN, "222222").await),
        (400, 133_005)
    );
    assert_eq!(code(stage.api.register("555", TOKEN, "12").await), (400, 100));
    stage.api.register("555", TOKEN, "111111").await.unwrap();
    assert_eq!(
        stage
            .api
            .phone_number("555", TOKEN)
            .await
            .unwrap()
            .status
            .as_deref(),
        Some("CONNECTED")
    );
    stage.api.deregister("555", TOKEN).await.unwrap();
    assert_eq!(
        stage
            .api
            .phone_number("555", TOKEN)
            .await
            .unwrap()
            .status
            .as_deref(),
        Some("PENDING")
    );
}

#[tokio::test]
async fn a_token_says_what_it_is_good_for() {
    let stage = Stage::start().await;
    let info = stage.api.debug_token(TOKEN, TOKEN).await.unwrap();
    assert_eq!(info.app_id.as_deref(), Some(APP_ID));
    assert!(info.grants("whatsapp_business_messaging", WABA_ID));
    assert!(!info.grants("whatsapp_business_messaging", "999"));
    assert!(!info.grants("ads_management", WABA_ID));
    assert!(!stage.api.debug_token(TOKEN, "nonsense").await.unwrap().is_valid);
    stage
        .admin(
            "tokens",
            json!({"token": "short", "waba_id": WABA_ID, "expires_in": 60}),
        )
        .await;
    assert!(stage.api.debug_token(TOKEN, "short").await.unwrap().is_valid);
    stage.admin("clock", json!({"advance_seconds": 61})).await;
    assert!(!stage.api.debug_token(TOKEN, "short").await.unwrap().is_valid);
    stage
        .admin("tokens", json!({"token": TOKEN, "revoke": true}))
        .await;
    assert_eq!(code(stage.api.debug_token(TOKEN, TOKEN).await), (401, 190));
}

#[tokio::test]
async fn a_login_code_works_once_and_for_thirty_seconds() {
    let stage = Stage::start().await;
    let issue = async || {
        stage.admin("codes", json!({})).await["code"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let first = issue().await;
    assert!(stage.api.exchange_code(APP_ID, "wrong", &first).await.is_err());
    let token = stage.api.exchange_code(APP_ID, SECRET, &first).await.unwrap();
    assert!(!format!("{token:?}").contains(&token.0));
    stage.api.phone_numbers(WABA_ID, &token.0, None).await.unwrap();
    assert!(
        stage.api.exchange_code(APP_ID, SECRET, &first).await.is_err(),
        "once"
    );
    let second = issue().await;
    stage.admin("clock", json!({"advance_seconds": 31})).await;
    assert!(
        stage.api.exchange_code(APP_ID, SECRET, &second).await.is_err(),
        "thirty seconds"
    );
}

#[tokio::test]
async fn the_apps_callback_is_set_with_the_apps_token() {
    let stage = Stage::start().await;
    let other = crate::support::Receiver::start().await;
    let body = json!({"object": "whatsapp_business_account", "callback_url": other.url, "verify_token": VERIFY_TOKEN});
    let path = format!("{APP_ID}/subscriptions");
    assert_eq!(stage.graph("POST", &path, Some(TOKEN), Some(&body)).await.0, 403);
    let app_token = format!("{APP_ID}|{SECRET}");
    assert_eq!(
        stage.graph("POST", &path, Some(&app_token), Some(&body)).await.0,
        200
    );
    stage.customer_writes(CUSTOMER, "hi").await;
    assert_eq!((other.messages().len(), stage.receiver.messages().len()), (1, 0));
}

#[tokio::test]
async fn a_number_can_have_a_callback_of_its_own() {
    let stage = Stage::start().await;
    let own = crate::support::Receiver::start().await;
    let configure = |url: &str, token: &str| json!({"webhook_configuration": {"override_callback_uri": url, "verify_token": token}});
    let wrong = stage
        .graph(
            "POST",
            PHONE_NUMBER_ID,
            Some(TOKEN),
            Some(&configure(&own.url, "x")),
        )
        .await;
    assert_eq!((wrong.0, wrong.1["error"]["code"].as_i64()), (400, Some(2_200)));
    assert_eq!(
        stage
            .graph(
                "POST",
                PHONE_NUMBER_ID,
                Some(TOKEN),
                Some(&configure(&own.url, VERIFY_TOKEN))
            )
            .await
            .0,
        200
    );
    stage.customer_writes(CUSTOMER, "to the number").await;
    assert_eq!((own.messages().len(), stage.receiver.messages().len()), (1, 0));
    assert_eq!(
        stage
            .graph("POST", PHONE_NUMBER_ID, Some(TOKEN), Some(&configure("", "")))
            .await
            .0,
        200
    );
    stage.customer_writes(CUSTOMER, "to the app").await;
    assert_eq!((own.messages().len(), stage.receiver.messages().len()), (1, 1));
}

#[tokio::test]
async fn profiles_are_kept_and_limited() {
    let stage = Stage::start().await;
    let about = |about: &str| BusinessProfile {
        about: Some(about.to_owned()),
        ..BusinessProfile::default()
    };
    stage
        .api
        .set_business_profile(PHONE_NUMBER_ID, TOKEN, &about("Open daily"))
        .await
        .unwrap();
    assert_eq!(
        stage.api.business_profile(PHONE_NUMBER_ID, TOKEN).await.unwrap(),
        about("Open daily")
    );
    let long = stage
        .api
        .set_business_profile(PHONE_NUMBER_ID, TOKEN, &about(&"x".repeat(140)))
        .await;
    assert_eq!(code(long), (400, 100));
}

#[tokio::test]
async fn blocking_takes_who_wrote_today_and_names_the_others() {
    let stage = Stage::start().await;
    stage.customer_writes(CUSTOMER, "hi").await;
    let outcome = stage
        .api
        .block_users(PHONE_NUMBER_ID, TOKEN, &[CUSTOMER, "60120000999"])
        .await
        .unwrap();
    assert_eq!(outcome.done, [CUSTOMER]);
    assert_eq!(outcome.failed.len(), 1);
    assert_eq!(outcome.failed[0].0, "60120000999");
    let outcome = stage
        .api
        .unblock_users(PHONE_NUMBER_ID, TOKEN, &[CUSTOMER])
        .await
        .unwrap();
    assert_eq!((outcome.done.len(), outcome.failed.len()), (1, 0));
    stage.send_text(CUSTOMER, "welcome back").await.unwrap();
}

#[tokio::test]
async fn read_receipts_need_a_message_of_the_customer() {
    let stage = Stage::start().await;
    let id = stage.customer_writes(CUSTOMER, "hi").await;
    stage
        .api
        .mark_read(PHONE_NUMBER_ID, TOKEN, &id, true)
        .await
        .unwrap();
    let chat = stage.look(&format!("chat/{PHONE_NUMBER_ID}/{CUSTOMER}")).await;
    assert_eq!(chat["messages"][0]["status"], "read");
    assert_eq!(
        code(
            stage
                .api
                .mark_read(PHONE_NUMBER_ID, TOKEN, "wamid.NOPE", false)
                .await
        ),
        (400, 131_009)
    );
}

#[tokio::test]
async fn history_knows_what_became_of_a_message() {
    let stage = Stage::start().await;
    stage.customer_writes(CUSTOMER, "hi").await;
    let receipt = stage.send_text(CUSTOMER, "hello").await.unwrap();
    let id = &receipt.wa_message_id;
    stage.receiver.until("read", |r| r.states(id).len() == 3).await;
    let history = stage
        .api
        .message_history(PHONE_NUMBER_ID, TOKEN, id)
        .await
        .unwrap();
    let states: Vec<&str> = history
        .iter()
        .map(|event| event.delivery_status.as_str())
        .collect();
    assert_eq!(states, ["SENT", "DELIVERED", "READ"]);
    assert!(
        stage
            .api
            .message_history(PHONE_NUMBER_ID, TOKEN, "wamid.NOPE")
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn unknown_edges_are_refused_as_the_graph_does() {
    let stage = Stage::start().await;
    let (status, answer) = stage
        .graph("POST", &format!("{PHONE_NUMBER_ID}/teleport"), Some(TOKEN), None)
        .await;
    assert_eq!(
        (status, answer["error"]["error_subcode"].as_i64()),
        (400, Some(33))
    );
    assert_eq!(answer["error"]["type"], "GraphMethodException");
}
