use reqwest::Method;
use serde_json::{Value, json};

use crate::support::stack::{Answer, PASSWORD, Stack, send, text};

#[tokio::test]
async fn wrong_password_and_unknown_address_are_answered_alike() {
    let stack = Stack::start().await;
    stack.user("ana@example.com").await;
    let wrong = stack.sign_in("ana@example.com", "wrong horse").await;
    let unknown = stack.sign_in("nobody@example.com", PASSWORD).await;
    for answer in [&wrong, &unknown] {
        answer.refused(400, "invalid_credentials");
        assert_eq!(answer.body["message"], "Invalid login credentials");
    }
    assert_eq!(wrong.body, unknown.body);
    stack
        .sign_in("ana@example.com", "")
        .await
        .refused(400, "invalid_credentials");
    stack
        .sign_in("", PASSWORD)
        .await
        .refused(400, "validation_failed");
}

#[tokio::test]
async fn an_unknown_address_costs_the_time_of_a_password_check() {
    let stack = Stack::start().await;
    stack.user("ana@example.com").await;
    let mut times = [Vec::new(), Vec::new()];
    // In turns, so that a busy machine slows both alike.
    for _ in 0..9 {
        for (email, times) in ["ana@example.com", "nobody@example.com"].iter().zip(&mut times) {
            let started = std::time::Instant::now();
            stack
                .sign_in(email, "wrong horse")
                .await
                .refused(400, "invalid_credentials");
            times.push(started.elapsed());
        }
    }
    let [known, unknown] = times.map(|mut times| {
        times.sort();
        times[4]
    });
    // Without the decoy hash the ratio is above twenty.
    assert!(
        known < unknown * 3 && unknown < known * 3,
        "known {known:?}, unknown {unknown:?}"
    );
}

#[tokio::test]
async fn a_banned_user_cannot_sign_in_until_the_ban_is_lifted() {
    let stack = Stack::start().await;
    let session = stack.user("ana@example.com").await;
    let path = format!("/auth/v1/admin/users/{}", text(&session["user"], "id"));
    let ban = async |duration: &str| {
        send(
            stack
                .service(Method::PUT, &path)
                .json(&json!({"ban_duration": duration})),
        )
        .await
        .expect(200)
    };
    assert!(ban("24h").await["banned_until"].is_string());
    stack
        .sign_in("ana@example.com", PASSWORD)
        .await
        .refused(400, "user_banned");
    stack
        .refresh(text(&session, "refresh_token"))
        .await
        .refused(400, "user_banned");
    ban("none").await;
    stack.sign_in("ana@example.com", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn attempts_on_one_address_run_out_and_even_the_right_password_waits() {
    let stack = Stack::start_with(|args| args.limits.sign_in_per_email = 3).await;
    for _ in 0..3 {
        stack
            .sign_in("ana@example.com", "wrong horse")
            .await
            .refused(400, "invalid_credentials");
    }
    stack
        .sign_in("ANA@example.com ", PASSWORD)
        .await
        .refused(429, "over_request_rate_limit");
    stack
        .sign_in("ben@example.com", PASSWORD)
        .await
        .refused(400, "invalid_credentials");
}

#[tokio::test]
async fn attempts_from_one_client_address_run_out() {
    let stack = Stack::start_with(|args| {
        args.limits.sign_in_per_ip = 3;
        args.client_ip_header = Some("x-forwarded-for".to_owned());
    })
    .await;
    let attempt = async |email: String, forwarded: &str| -> Answer {
        let request = stack.anon(Method::POST, "/auth/v1/token?grant_type=password");
        send(
            request
                .header("x-forwarded-for", forwarded)
                .json(&json!({"email": email, "password": "x"})),
        )
        .await
    };
    for n in 0..3 {
        attempt(format!("u{n}@example.com"), "9.9.9.9, 10.0.0.1")
            .await
            .refused(400, "invalid_credentials");
    }
    // Only what the nearest proxy wrote counts: a client cannot get a fresh allowance by inventing earlier entries.
    attempt("u4@example.com".into(), "8.8.8.8, 10.0.0.1")
        .await
        .refused(429, "over_request_rate_limit");
    attempt("u5@example.com".into(), "10.0.0.2")
        .await
        .refused(400, "invalid_credentials");
}

#[tokio::test]
async fn without_the_version_header_errors_have_the_older_shape() {
    let stack = Stack::start().await;
    let request = stack
        .http
        .post(format!("{}/auth/v1/token?grant_type=password", stack.url))
        .header("apikey", &stack.anon_key)
        .json(&json!({"email": "ana@example.com", "password": "x"}));
    let answer = send(request).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.body,
        json!({"code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials"})
    );
    assert_eq!(answer.headers["x-sb-error-code"], "invalid_credentials");
    assert!(answer.headers.get("x-supabase-api-version").is_none());
}

#[tokio::test]
async fn the_access_token_says_who_and_how() {
    use base64::Engine;
    let stack = Stack::start().await;
    let session = stack.user("ana@example.com").await;
    let payload = text(&session, "access_token")
        .split('.')
        .nth(1)
        .expect("three parts")
        .to_owned();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .expect("base64");
    let claims: Value = serde_json::from_slice(&bytes).expect("claims");
    assert_eq!(claims["iss"], format!("{}/auth/v1", stack.url));
    assert_eq!(claims["sub"], session["user"]["id"]);
    assert_eq!(claims["role"], "authenticated");
    assert_eq!(claims["aud"], "authenticated");
    assert_eq!(claims["aal"], "aal1");
    assert_eq!(claims["amr"][0]["method"], "password");
    assert_eq!(claims["is_anonymous"], false);
    assert_eq!(claims["exp"], session["expires_at"]);
    let session_id = text(&claims, "session_id");
    assert_eq!(stack.sql_value("select id from auth.sessions").await, session_id);
}
