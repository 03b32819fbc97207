//! Connecting a number: Meta decides, the reason is shown.

use super::fixture::{Database, Organisation, Sandbox, WABA_ID, Worker, eventually};
use serde_json::json;
use uuid::Uuid;

/// A second number of the organisation, waiting to be checked.
async fn connecting(
    database: &Database,
    organisation: &Organisation,
    waba_id: &str,
    phone_number_id: &str,
    token: &str,
) -> Uuid {
    let account = Uuid::now_v7();
    database
        .admin
        .execute(
            "insert into public.whatsapp_accounts (id, org_id, waba_id, phone_number_id) values ($1, $2, $3, $4)",
            &[&account, &organisation.org_id, &waba_id, &phone_number_id],
        )
        .await
        .unwrap();
    database
        .admin
        .execute(
            "insert into private.whatsapp_credentials (whatsapp_account_id, waba_id, secret_id) values ($1, $4, vault.create_secret($2, $3, ''))",
            &[&account, &token, &account.to_string(), &waba_id],
        )
        .await
        .unwrap();
    database
        .admin
        .batch_execute("notify octopush_maintenance")
        .await
        .unwrap();
    account
}

async fn state(database: &Database, account: Uuid) -> (String, String) {
    let row = database
        .admin
        .query_one(
            "select status, coalesce(status_reason, '') from public.whatsapp_accounts where id = $1",
            &[&account],
        )
        .await
        .unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn a_right_token_connects_the_number_with_what_meta_knows_of_it() {
    let (database, sandbox) = (Database::create().await, Sandbox::start().await);
    let organisation = Organisation::create(&database).await;
    let worker = sandbox.worker(&database, &[]).await;
    let account = connecting(
        &database,
        &organisation,
        WABA_ID,
        "100000000000002",
        "sandbox-token",
    )
    .await;
    eventually("it is connected", || async {
        state(&database, account).await.0 == "connected"
    })
    .await;
    let shown = database
        .text(&format!(
            "select display_phone_number from public.whatsapp_accounts where id = '{account}'"
        ))
        .await;
    assert!(shown.is_some_and(|number| number.contains("5550 0002")));
    let portfolio = format!("select business_id from public.whatsapp_accounts where id = '{account}'");
    assert_eq!(
        database.text(&portfolio).await.as_deref(),
        Some("600000000000001")
    );
    worker.stop().await;
}

#[tokio::test]
async fn a_wrong_token_is_an_error_with_metas_reason() {
    let (database, sandbox) = (Database::create().await, Sandbox::start().await);
    let organisation = Organisation::create(&database).await;
    let worker = sandbox.worker(&database, &[]).await;
    let account = connecting(
        &database,
        &organisation,
        WABA_ID,
        "100000000000002",
        "not-the-token",
    )
    .await;
    eventually("it is an error", || async {
        state(&database, account).await.0 == "error"
    })
    .await;
    assert!(state(&database, account).await.1.starts_with("190"));
    worker.stop().await;
}

#[tokio::test]
async fn a_number_of_another_account_is_refused() {
    let (database, sandbox) = (Database::create().await, Sandbox::start().await);
    let organisation = Organisation::create(&database).await;
    let worker = sandbox.worker(&database, &[]).await;
    sandbox
        .set("accounts", json!({ "waba_id": "200000000000077", "phone_number_id": "100000000000077", "token": "sandbox-token" }))
        .await;
    let account = connecting(
        &database,
        &organisation,
        "200000000000077",
        "100000000000002",
        "sandbox-token",
    )
    .await;
    eventually("it is an error", || async {
        state(&database, account).await.0 == "error"
    })
    .await;
    worker.stop().await;
}

#[tokio::test]
async fn without_meta_it_keeps_trying_and_says_why() {
    let database = Database::create().await;
    let organisation = Organisation::create(&database).await;
    let worker = Worker::start(&database, &[]).await;
    let account = connecting(
        &database,
        &organisation,
        WABA_ID,
        "100000000000002",
        "sandbox-token",
    )
    .await;
    eventually("the reason is shown", || async {
        !state(&database, account).await.1.is_empty()
    })
    .await;
    assert_eq!(state(&database, account).await.0, "connecting");
    worker.stop().await;
}
