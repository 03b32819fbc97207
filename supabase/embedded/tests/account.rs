use reqwest::Method;
use serde_json::json;
use supabase_embedded::jwt::{Keys, epoch_seconds};

use crate::support::stack::{Answer, PASSWORD, SECRET, Stack, send, text};

async fn get_user(stack: &Stack, token: &str) -> Answer {
    send(stack.as_user(token, Method::GET, "/auth/v1/user")).await
}

async fn change(stack: &Stack, token: &str, body: serde_json::Value) -> Answer {
    send(stack.as_user(token, Method::PUT, "/auth/v1/user").json(&body)).await
}

#[tokio::test]
async fn tokens_that_do_not_hold_are_refused_by_name() {
    let stack = Stack::start().await;
    let session = stack.user("ana@example.com").await;
    let access = text(&session, "access_token");
    get_user(&stack, access).await.expect(200);
    get_user(&stack, "not.a.token").await.refused(403, "bad_jwt");
    get_user(&stack, &stack.anon_key).await.refused(403, "bad_jwt");

    let mut claims = json!({
        "sub": session["user"]["id"], "role": "authenticated", "exp": epoch_seconds() + 60,
    });
    let forged = Keys::new("another-secret-of-more-than-thirty-two-characters")
        .mint(&claims)
        .unwrap();
    get_user(&stack, &forged).await.refused(403, "bad_jwt");
    claims["exp"] = json!(epoch_seconds() - 1);
    get_user(&stack, &Keys::new(SECRET).mint(&claims).unwrap())
        .await
        .refused(403, "bad_jwt");
    claims["exp"] = json!(epoch_seconds() + 60);
    claims["sub"] = json!(uuid::Uuid::new_v4());
    get_user(&stack, &Keys::new(SECRET).mint(&claims).unwrap())
        .await
        .refused(403, "user_not_found");

    stack.sql("delete from auth.sessions").await;
    get_user(&stack, access).await.refused(403, "session_not_found");
    let no_bearer = stack
        .http
        .get(format!("{}/auth/v1/user", stack.url))
        .header("apikey", &stack.anon_key)
        .header("authorization", "Basic x")
        .header("x-supabase-api-version", "2024-01-01");
    send(no_bearer).await.refused(401, "no_authorization");
}

#[tokio::test]
async fn a_new_password_must_differ_be_long_enough_and_ends_other_sessions() {
    let stack = Stack::start().await;
    let session = stack.user("ana@example.com").await;
    let other = stack.sign_in("ana@example.com", PASSWORD).await.expect(200);
    let access = text(&session, "access_token");
    change(&stack, access, json!({"password": PASSWORD}))
        .await
        .refused(422, "same_password");
    change(&stack, access, json!({"password": "12345"}))
        .await
        .refused(422, "weak_password");
    stack.sign_in("ana@example.com", PASSWORD).await.expect(200);
    change(&stack, access, json!({"password": "a better horse"}))
        .await
        .expect(200);
    stack
        .sign_in("ana@example.com", PASSWORD)
        .await
        .refused(400, "invalid_credentials");
    stack
        .sign_in("ana@example.com", "a better horse")
        .await
        .expect(200);
    stack
        .refresh(text(&other, "refresh_token"))
        .await
        .refused(400, "refresh_token_not_found");
    stack.refresh(text(&session, "refresh_token")).await.expect(200);
}

#[tokio::test]
async fn metadata_is_merged_and_null_removes() {
    let stack = Stack::start().await;
    let session = stack.user("ana@example.com").await;
    let access = text(&session, "access_token");
    change(&stack, access, json!({"data": {"theme": "dark", "city": "Ipoh"}}))
        .await
        .expect(200);
    let user = change(&stack, access, json!({"data": {"city": null, "lang": "ms"}}))
        .await
        .expect(200);
    let metadata = &user["user_metadata"];
    assert_eq!(
        (metadata["theme"].as_str(), metadata["lang"].as_str()),
        (Some("dark"), Some("ms"))
    );
    assert!(metadata.get("city").is_none());
    let refreshed = stack.refresh(text(&session, "refresh_token")).await.expect(200);
    assert_eq!(refreshed["user"]["user_metadata"]["lang"], "ms");
}

#[tokio::test]
async fn what_is_left_out_says_so() {
    let stack = Stack::start().await;
    let session = stack.user("ana@example.com").await;
    let access = text(&session, "access_token");
    let answer = change(&stack, access, json!({"email": "other@example.com"})).await;
    answer.refused(422, "email_change_not_supported");
    change(&stack, access, json!({"email": "ana@example.com"}))
        .await
        .expect(200);
    change(&stack, access, json!({"phone": "+60123456789"}))
        .await
        .refused(422, "phone_provider_disabled");
    let none = send(stack.anon(Method::GET, "/auth/v1/factors")).await;
    none.refused(404, "not_found");
}

#[tokio::test]
async fn sign_out_reaches_as_far_as_its_scope() {
    let stack = Stack::start().await;
    stack.user("ana@example.com").await;
    let sign_in = async || stack.sign_in("ana@example.com", PASSWORD).await.expect(200);
    let out = async |session: &serde_json::Value, scope: &str| {
        let path = format!("/auth/v1/logout?scope={scope}");
        send(stack.as_user(text(session, "access_token"), Method::POST, &path)).await
    };
    let alive = async |session: &serde_json::Value| {
        get_user(&stack, text(session, "access_token")).await.status == 200
    };

    let (here, there) = (sign_in().await, sign_in().await);
    assert_eq!(out(&here, "local").await.status, 204);
    assert!(!alive(&here).await && alive(&there).await);
    out(&here, "local").await.refused(403, "session_not_found");

    let here = sign_in().await;
    assert_eq!(out(&here, "others").await.status, 204);
    assert!(alive(&here).await && !alive(&there).await);

    let there = sign_in().await;
    out(&here, "everywhere").await.refused(400, "validation_failed");
    assert_eq!(out(&here, "global").await.status, 204);
    assert!(!alive(&here).await && !alive(&there).await);
}
