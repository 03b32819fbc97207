use reqwest::Method;
use serde_json::json;

use crate::support::stack::{Stack, send, text};

#[tokio::test]
async fn each_refresh_brings_a_new_token_and_the_session_stays() {
    let stack = Stack::start().await;
    let first = stack.user("ana@example.com").await;
    let second = stack.refresh(text(&first, "refresh_token")).await.expect(200);
    let third = stack.refresh(text(&second, "refresh_token")).await.expect(200);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_ne!(second["refresh_token"], third["refresh_token"]);
    assert_eq!(stack.sql_value("select count(*) from auth.sessions").await, "1");
    assert_eq!(
        stack
            .sql_value("select count(*) from auth.refresh_tokens where not revoked")
            .await,
        "1"
    );
    assert_eq!(third["user"]["id"], first["user"]["id"]);
}

#[tokio::test]
async fn a_client_that_lost_the_answer_gets_the_active_token_again() {
    let stack = Stack::start().await;
    let first = stack.user("ana@example.com").await;
    let second = stack.refresh(text(&first, "refresh_token")).await.expect(200);
    let again = stack.refresh(text(&first, "refresh_token")).await.expect(200);
    assert_eq!(again["refresh_token"], second["refresh_token"]);
    stack.refresh(text(&second, "refresh_token")).await.expect(200);
}

#[tokio::test]
async fn any_other_reuse_ends_the_family() {
    let stack = Stack::start().await;
    let stolen = stack.user("ana@example.com").await;
    let second = stack.refresh(text(&stolen, "refresh_token")).await.expect(200);
    let third = stack.refresh(text(&second, "refresh_token")).await.expect(200);
    let other_device = stack
        .sign_in("ana@example.com", crate::support::stack::PASSWORD)
        .await
        .expect(200);
    let reused = stack.refresh(text(&stolen, "refresh_token")).await;
    reused.refused(400, "refresh_token_already_used");
    assert_eq!(reused.body["message"], "Invalid Refresh Token: Already Used");
    stack
        .refresh(text(&third, "refresh_token"))
        .await
        .refused(400, "refresh_token_already_used");
    stack
        .refresh(text(&other_device, "refresh_token"))
        .await
        .expect(200);
}

#[tokio::test]
async fn within_the_reuse_interval_an_older_token_still_works() {
    let stack = Stack::start_with(|args| args.refresh_token_reuse_interval = 600).await;
    let first = stack.user("ana@example.com").await;
    let second = stack.refresh(text(&first, "refresh_token")).await.expect(200);
    stack.refresh(text(&second, "refresh_token")).await.expect(200);
    stack.refresh(text(&first, "refresh_token")).await.expect(200);
    stack
        .sql("update auth.refresh_tokens set updated_at = updated_at - interval '601 s' where revoked")
        .await;
    stack
        .refresh(text(&second, "refresh_token"))
        .await
        .refused(400, "refresh_token_already_used");
}

#[tokio::test]
async fn tabs_that_refresh_at_once_agree_on_one_token() {
    let stack = Stack::start().await;
    let session = stack.user("ana@example.com").await;
    let token = text(&session, "refresh_token");
    let answers = futures_util::future::join_all((0..10).map(|_| stack.refresh(token))).await;
    let tokens: std::collections::BTreeSet<String> = answers
        .into_iter()
        .map(|answer| text(&answer.expect(200), "refresh_token").to_owned())
        .collect();
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    assert_eq!(
        stack.sql_value("select count(*) from auth.refresh_tokens").await,
        "2"
    );
}

#[tokio::test]
async fn unknown_missing_and_signed_out_tokens_are_refused() {
    let stack = Stack::start().await;
    stack
        .refresh("no such token")
        .await
        .refused(400, "refresh_token_not_found");
    stack.refresh("").await.refused(400, "validation_failed");
    let session = stack.user("ana@example.com").await;
    let access = text(&session, "access_token");
    let out = send(stack.as_user(access, Method::POST, "/auth/v1/logout?scope=local")).await;
    assert_eq!(out.status, 204);
    stack
        .refresh(text(&session, "refresh_token"))
        .await
        .refused(400, "refresh_token_not_found");
}

#[tokio::test]
async fn a_session_past_its_end_cannot_be_refreshed() {
    let stack = Stack::start().await;
    let session = stack.user("ana@example.com").await;
    stack
        .sql("update auth.sessions set not_after = now() - interval '1 s'")
        .await;
    stack
        .refresh(text(&session, "refresh_token"))
        .await
        .refused(400, "session_expired");
}

#[tokio::test]
async fn grants_that_do_not_exist_are_refused() {
    let stack = Stack::start().await;
    for grant in ["", "?grant_type=magic", "?grant_type=id_token"] {
        let answer = stack.post(&format!("/auth/v1/token{grant}"), json!({})).await;
        assert_eq!(answer.status, 400, "{grant}: {}", answer.body);
    }
}
