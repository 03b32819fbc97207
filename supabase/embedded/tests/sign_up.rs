use reqwest::Method;
use serde_json::json;

use crate::support::stack::{PASSWORD, SITE, Stack, send, text};

#[tokio::test]
async fn a_new_user_confirms_by_mail_and_signs_in() {
    let stack = Stack::start().await;
    let user = stack
        .post(
            "/auth/v1/signup?redirect_to=http://127.0.0.1:5999/welcome",
            json!({"email": "Ana@Example.com", "password": PASSWORD, "data": {"full_name": "Ana"}}),
        )
        .await
        .expect(200);
    assert_eq!(user["email"], "ana@example.com");
    assert_eq!(user["role"], "authenticated");
    assert_eq!(user["user_metadata"]["full_name"], "Ana");
    assert_eq!(
        user["app_metadata"],
        json!({"provider": "email", "providers": ["email"]})
    );
    assert_eq!(user["identities"][0]["provider"], "email");
    assert!(user.get("email_confirmed_at").is_none() && user.get("access_token").is_none());
    stack
        .sign_in("ana@example.com", PASSWORD)
        .await
        .refused(400, "email_not_confirmed");

    let mails = stack.mails("ana@example.com").await;
    assert_eq!(mails.len(), 1);
    let link = mails[0]["links"][0].as_str().expect("a link").to_owned();
    let followed = send(stack.http.get(&link)).await;
    assert_eq!(followed.status, 303);
    let location = followed.headers["location"].to_str().unwrap();
    let (target, fragment) = location.split_once('#').expect("a fragment");
    assert_eq!(target, format!("{SITE}/welcome"));
    for name in [
        "access_token=",
        "refresh_token=",
        "expires_in=3600",
        "token_type=bearer",
        "type=signup",
    ] {
        assert!(fragment.contains(name), "{name} in {fragment}");
    }

    let session = stack.sign_in("ANA@example.com", PASSWORD).await.expect(200);
    assert_eq!(session["token_type"], "bearer");
    assert_eq!(session["expires_in"], 3600);
    assert!(session["user"]["email_confirmed_at"].is_string());
    assert_eq!(
        session["user"]["identities"][0]["identity_data"]["email_verified"],
        true
    );
    let seen = send(stack.as_user(text(&session, "access_token"), Method::GET, "/auth/v1/user"))
        .await
        .expect(200);
    assert_eq!(seen["id"], user["id"]);
    let hash = stack.sql_value("select encrypted_password from auth.users").await;
    assert!(hash.starts_with("$2a$10$"), "{hash}");
}

#[tokio::test]
async fn an_address_that_is_taken_is_answered_as_a_new_one_and_changes_nothing() {
    let stack = Stack::start().await;
    stack.user("ana@example.com").await;
    let before = stack
        .sql_value("select jsonb_agg(to_jsonb(u) order by id) from auth.users as u")
        .await;
    let body = json!({"email": "ana@example.com", "password": "another password", "data": {"x": 1}});
    let made_up = stack.post("/auth/v1/signup", body).await.expect(200);
    assert_eq!(made_up["email"], "ana@example.com");
    assert_eq!(
        (made_up["role"].as_str(), &made_up["identities"]),
        (Some(""), &json!([]))
    );
    assert!(made_up["confirmation_sent_at"].is_string());
    assert_ne!(
        text(&made_up, "id"),
        stack.sql_value("select id from auth.users").await
    );
    assert_eq!(
        stack
            .sql_value("select jsonb_agg(to_jsonb(u) order by id) from auth.users as u")
            .await,
        before
    );
    assert!(stack.mails("ana@example.com").await.is_empty());
    stack
        .sign_in("ana@example.com", "another password")
        .await
        .refused(400, "invalid_credentials");
}

#[tokio::test]
async fn sign_up_again_before_confirming_sends_another_mail_and_keeps_the_first_password() {
    let stack = Stack::start().await;
    for password in [PASSWORD, "of somebody else"] {
        stack
            .post(
                "/auth/v1/signup",
                json!({"email": "ana@example.com", "password": password}),
            )
            .await
            .expect(200);
    }
    let mails = stack.mails("ana@example.com").await;
    assert_eq!(mails.len(), 2);
    let verify = |hash: &str| json!({"type": "signup", "token_hash": hash});
    let old = stack
        .post("/auth/v1/verify", verify(text(&mails[1], "token_hash")))
        .await;
    old.refused(403, "otp_expired");
    stack
        .post("/auth/v1/verify", verify(text(&mails[0], "token_hash")))
        .await
        .expect(200);
    stack
        .sign_in("ana@example.com", "of somebody else")
        .await
        .refused(400, "invalid_credentials");
    stack.sign_in("ana@example.com", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn bad_input_is_refused_and_nothing_is_stored() {
    let stack = Stack::start().await;
    let cases = [
        (
            json!({"email": "ana@example.com", "password": "short"}),
            422,
            "weak_password",
        ),
        (
            json!({"email": "ana@example.com", "password": "x".repeat(73)}),
            400,
            "validation_failed",
        ),
        (json!({"email": "ana@example.com"}), 400, "validation_failed"),
        (
            json!({"email": "no address", "password": PASSWORD}),
            400,
            "validation_failed",
        ),
        (json!({"password": PASSWORD}), 422, "anonymous_provider_disabled"),
        (
            json!({"phone": "+60123456789", "password": PASSWORD}),
            400,
            "phone_provider_disabled",
        ),
        (json!({"email": 1, "password": PASSWORD}), 400, "bad_json"),
        (
            json!({"email": "ana@example.com", "password": PASSWORD, "code_challenge": "x"}),
            400,
            "validation_failed",
        ),
    ];
    for (body, status, code) in cases {
        stack.post("/auth/v1/signup", body).await.refused(status, code);
    }
    let weak = stack
        .post(
            "/auth/v1/signup",
            json!({"email": "a@example.com", "password": "123"}),
        )
        .await;
    assert_eq!(weak.body["weak_password"]["reasons"], json!(["length"]));
    let not_json = stack
        .anon(Method::POST, "/auth/v1/signup")
        .body("{")
        .header("content-type", "application/json");
    send(not_json).await.refused(400, "bad_json");
    assert_eq!(stack.sql_value("select count(*) from auth.users").await, "0");
}

#[tokio::test]
async fn a_trigger_that_fails_turns_sign_up_into_a_500_and_leaves_nothing() {
    let stack = Stack::start().await;
    stack
        .sql(
            "create function public.fail() returns trigger language plpgsql security definer set search_path = '' \
             as $$ begin raise exception 'no room'; end $$; \
             create trigger fail after insert on auth.users for each row execute function public.fail();",
        )
        .await;
    let answer = stack
        .post(
            "/auth/v1/signup",
            json!({"email": "ana@example.com", "password": PASSWORD}),
        )
        .await;
    answer.refused(500, "unexpected_failure");
    assert_eq!(answer.body["message"], "Database error saving new user");
    assert_eq!(stack.sql_value("select count(*) from auth.users").await, "0");
    assert!(stack.mails("ana@example.com").await.is_empty());
}

#[tokio::test]
async fn triggers_run_as_the_auth_role_with_its_search_path() {
    let stack = Stack::start().await;
    stack
        .sql(
            "create table public.seen (who text, path text); grant insert on public.seen to supabase_auth_admin; \
             grant usage on schema public to supabase_auth_admin; \
             create function public.note() returns trigger language plpgsql as $$ begin \
             insert into public.seen values (current_user, current_setting('search_path')); return new; end $$; \
             create trigger note after insert on auth.users for each row execute function public.note();",
        )
        .await;
    stack
        .post(
            "/auth/v1/signup",
            json!({"email": "ana@example.com", "password": PASSWORD}),
        )
        .await
        .expect(200);
    assert_eq!(
        stack
            .sql_value("select who || ' ' || path from public.seen")
            .await,
        "supabase_auth_admin auth"
    );
}

#[tokio::test]
async fn with_autoconfirm_sign_up_answers_a_session_and_names_a_taken_address() {
    let stack = Stack::start_with(|args| args.autoconfirm = true).await;
    let body = json!({"email": "ana@example.com", "password": PASSWORD});
    let session = stack.post("/auth/v1/signup", body.clone()).await.expect(200);
    assert!(session["access_token"].is_string() && session["refresh_token"].is_string());
    stack
        .post("/auth/v1/signup", body)
        .await
        .refused(422, "user_already_exists");
    assert!(stack.mails("ana@example.com").await.is_empty());
}

#[tokio::test]
async fn one_address_signed_up_twenty_times_at_once_is_one_user() {
    let stack = Stack::start().await;
    let body = json!({"email": "ana@example.com", "password": PASSWORD});
    let answers = futures_util::future::join_all(
        (0..20).map(|_| async { stack.post("/auth/v1/signup", body.clone()).await.status }),
    )
    .await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    assert_eq!(stack.sql_value("select count(*) from auth.users").await, "1");
    assert_eq!(stack.sql_value("select count(*) from auth.identities").await, "1");
}
