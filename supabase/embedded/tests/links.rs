use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::stack::{PASSWORD, SITE, Stack, send, text};

const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0123456789";

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

fn link(mail: &Value) -> &str {
    mail["links"][0].as_str().expect("a link")
}

async fn location(stack: &Stack, link: &str) -> String {
    let answer = send(stack.http.get(link)).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.headers["location"].to_str().expect("text").to_owned()
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_through_the_mailed_code() {
    let stack = Stack::start().await;
    let old_session = stack.user("ana@example.com").await;
    let answer = stack
        .post("/auth/v1/recover", json!({"email": "ana@example.com"}))
        .await;
    assert_eq!(answer.expect(200), json!({}));
    let mail = stack.mails("ana@example.com").await.remove(0);
    let body = json!({"type": "recovery", "email": "ana@example.com", "token": text(&mail, "token")});
    let session = stack.post("/auth/v1/verify", body.clone()).await.expect(200);
    let access = text(&session, "access_token");
    let changed = send(
        stack
            .as_user(access, Method::PUT, "/auth/v1/user")
            .json(&json!({"password": "a better horse"})),
    )
    .await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    stack
        .sign_in("ana@example.com", PASSWORD)
        .await
        .refused(400, "invalid_credentials");
    stack
        .sign_in("ana@example.com", "a better horse")
        .await
        .expect(200);
    stack
        .refresh(text(&old_session, "refresh_token"))
        .await
        .refused(400, "refresh_token_not_found");
    stack
        .post("/auth/v1/verify", body)
        .await
        .refused(403, "otp_expired");
}

#[tokio::test]
async fn recovery_of_an_unknown_address_says_nothing_and_sends_nothing() {
    let stack = Stack::start().await;
    let answer = stack
        .post("/auth/v1/recover", json!({"email": "nobody@example.com"}))
        .await;
    assert_eq!(answer.expect(200), json!({}));
    let again = stack
        .post(
            "/auth/v1/resend",
            json!({"type": "signup", "email": "nobody@example.com"}),
        )
        .await;
    assert_eq!(again.expect(200), json!({}));
    assert!(stack.mails("nobody@example.com").await.is_empty());
    stack
        .post("/auth/v1/recover", json!({}))
        .await
        .refused(400, "validation_failed");
}

#[tokio::test]
async fn expired_and_used_links_lead_back_with_the_reason() {
    let stack = Stack::start().await;
    stack.user("ana@example.com").await;
    stack
        .post("/auth/v1/recover", json!({"email": "ana@example.com"}))
        .await
        .expect(200);
    let mail = stack.mails("ana@example.com").await.remove(0);
    stack
        .sql("update auth.one_time_tokens set updated_at = updated_at - interval '3601 s'")
        .await;
    let expired = location(&stack, link(&mail)).await;
    assert!(
        expired.starts_with(&format!(
            "{SITE}/#error=access_denied&error_code=otp_expired&error_description="
        )),
        "{expired}"
    );
    let by_hash = json!({"type": "recovery", "token_hash": text(&mail, "token_hash")});
    stack
        .post("/auth/v1/verify", by_hash)
        .await
        .refused(403, "otp_expired");
    let by_code = json!({"type": "recovery", "email": "ana@example.com", "token": text(&mail, "token")});
    stack
        .post("/auth/v1/verify", by_code)
        .await
        .refused(403, "otp_expired");

    stack
        .sql("update auth.one_time_tokens set updated_at = now()")
        .await;
    assert!(location(&stack, link(&mail)).await.contains("access_token="));
    assert!(
        location(&stack, link(&mail))
            .await
            .contains("error_code=otp_expired")
    );
    assert!(
        location(&stack, &link(&mail).replace("type=recovery", "type=nonsense"))
            .await
            .contains("error=")
    );
}

#[tokio::test]
async fn two_who_follow_one_link_at_once_are_one_who_gets_in() {
    let stack = Stack::start().await;
    stack.user("ana@example.com").await;
    stack
        .post("/auth/v1/recover", json!({"email": "ana@example.com"}))
        .await
        .expect(200);
    let mail = stack.mails("ana@example.com").await.remove(0);
    let results = futures_util::future::join_all((0..8).map(|_| location(&stack, link(&mail)))).await;
    assert_eq!(
        results.iter().filter(|to| to.contains("access_token=")).count(),
        1,
        "{results:?}"
    );
}

#[tokio::test]
async fn links_return_only_to_allowed_origins() {
    let stack =
        Stack::start_with(|args| args.redirect_origins = vec!["https://app.example.com".to_owned()]).await;
    stack.user("ana@example.com").await;
    let cases = [
        (
            "http://127.0.0.1:5999/reset?step=1",
            "http://127.0.0.1:5999/reset?step=1#",
        ),
        ("https://app.example.com/x", "https://app.example.com/x#"),
        ("https://evil.example.com/", "http://127.0.0.1:5999/#"),
        (
            "http://127.0.0.1:5999@evil.example.com/",
            "http://127.0.0.1:5999/#",
        ),
        ("http://127.0.0.1:59990/", "http://127.0.0.1:5999/#"),
        ("//evil.example.com", "http://127.0.0.1:5999/#"),
        ("javascript:alert(1)", "http://127.0.0.1:5999/#"),
    ];
    for (asked, target) in cases {
        let request = stack
            .anon(Method::POST, "/auth/v1/recover")
            .query(&[("redirect_to", asked)]);
        send(request.json(&json!({"email": "ana@example.com"})))
            .await
            .expect(200);
        let mail = stack.mails("ana@example.com").await.remove(0);
        let leads_to = location(&stack, link(&mail)).await;
        assert!(leads_to.starts_with(target), "{asked} leads to {leads_to}");
    }
    // The link itself carries the target, where anyone can put another.
    stack
        .post("/auth/v1/recover", json!({"email": "ana@example.com"}))
        .await
        .expect(200);
    let mail = stack.mails("ana@example.com").await.remove(0);
    let tampered = link(&mail).replace(
        "redirect_to=http%3A%2F%2F127.0.0.1%3A5999",
        "redirect_to=https://evil.example.com",
    );
    assert_ne!(tampered, link(&mail));
    assert!(
        location(&stack, &tampered)
            .await
            .starts_with("http://127.0.0.1:5999/#access_token=")
    );
}

#[tokio::test]
async fn mails_to_one_user_are_spaced() {
    let stack = Stack::start_with(|args| args.limits.mail_interval_seconds = 60).await;
    stack.user("ana@example.com").await;
    stack
        .post("/auth/v1/recover", json!({"email": "ana@example.com"}))
        .await
        .expect(200);
    let soon = stack
        .post("/auth/v1/recover", json!({"email": "ana@example.com"}))
        .await;
    soon.refused(429, "over_email_send_rate_limit");
    assert!(
        text(&soon.body, "message").starts_with("For security purposes, you can only request this after ")
    );
    assert_eq!(stack.mails("ana@example.com").await.len(), 1);
    stack
        .sql("update auth.users set recovery_sent_at = recovery_sent_at - interval '61 s'")
        .await;
    stack
        .post("/auth/v1/recover", json!({"email": "ana@example.com"}))
        .await
        .expect(200);

    let sign_up = json!({"email": "ben@example.com", "password": PASSWORD});
    stack.post("/auth/v1/signup", sign_up.clone()).await.expect(200);
    stack
        .post("/auth/v1/signup", sign_up)
        .await
        .refused(429, "over_email_send_rate_limit");
    let resend = json!({"type": "signup", "email": "ben@example.com"});
    stack
        .post("/auth/v1/resend", resend)
        .await
        .refused(429, "over_email_send_rate_limit");
}

#[tokio::test]
async fn guesses_of_a_code_run_out() {
    let stack = Stack::start_with(|args| args.limits.sign_in_per_email = 5).await;
    let sign_up = json!({"email": "ana@example.com", "password": PASSWORD});
    stack.post("/auth/v1/signup", sign_up).await.expect(200);
    let right = text(&stack.mails("ana@example.com").await[0], "token").to_owned();
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let guess = async |code: &str| {
        stack
            .post(
                "/auth/v1/verify",
                json!({"type": "signup", "email": "ana@example.com", "token": code}),
            )
            .await
    };
    for _ in 0..5 {
        guess(wrong).await.refused(403, "otp_expired");
    }
    guess(&right).await.refused(429, "over_request_rate_limit");
}

#[tokio::test]
async fn with_pkce_the_link_brings_a_code_that_only_its_verifier_opens() {
    let stack = Stack::start().await;
    stack.user("ana@example.com").await;
    let body = json!({
        "email": "ana@example.com", "code_challenge": challenge(), "code_challenge_method": "s256",
    });
    stack.post("/auth/v1/recover", body).await.expect(200);
    let mail = stack.mails("ana@example.com").await.remove(0);
    assert!(text(&mail, "token_hash").starts_with("pkce_"));
    let target = location(&stack, link(&mail)).await;
    let code = target
        .strip_prefix(&format!("{SITE}/?code="))
        .expect("a code in the query")
        .to_owned();
    assert!(!target.contains("access_token"));
    let exchange = async |code: &str, verifier: &str| {
        stack
            .post(
                "/auth/v1/token?grant_type=pkce",
                json!({"auth_code": code, "code_verifier": verifier}),
            )
            .await
    };
    exchange(&code, "another-verifier-of-at-least-forty-three-characters")
        .await
        .refused(400, "bad_code_verifier");
    exchange("no-such-code", VERIFIER)
        .await
        .refused(404, "flow_state_not_found");
    exchange(&code, "").await.refused(400, "validation_failed");
    let session = exchange(&code, VERIFIER).await.expect(200);
    assert_eq!(session["user"]["email"], "ana@example.com");
    exchange(&code, VERIFIER)
        .await
        .refused(404, "flow_state_not_found");

    let used = location(&stack, link(&mail)).await;
    assert!(
        used.contains("?error=access_denied") && used.contains("#error=access_denied"),
        "{used}"
    );
}

#[tokio::test]
async fn a_code_left_too_long_expires() {
    let stack = Stack::start().await;
    let body = json!({
        "email": "ana@example.com", "password": PASSWORD,
        "code_challenge": challenge(), "code_challenge_method": "s256",
    });
    stack.post("/auth/v1/signup", body).await.expect(200);
    let mail = stack.mails("ana@example.com").await.remove(0);
    let target = location(&stack, link(&mail)).await;
    let code = target.split_once("?code=").expect("a code").1.to_owned();
    stack
        .sql("update auth.flow_state set auth_code_issued_at = auth_code_issued_at - interval '301 s'")
        .await;
    let body = json!({"auth_code": code, "code_verifier": VERIFIER});
    stack
        .post("/auth/v1/token?grant_type=pkce", body)
        .await
        .refused(422, "flow_state_expired");
    // The address is confirmed all the same: following the link proved it.
    stack.sign_in("ana@example.com", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_sign_in_link_signs_in_and_respects_the_wish_not_to_create() {
    let stack = Stack::start().await;
    stack.user("ana@example.com").await;
    stack
        .post(
            "/auth/v1/otp",
            json!({"email": "ana@example.com", "create_user": false}),
        )
        .await
        .expect(200);
    let mail = stack.mails("ana@example.com").await.remove(0);
    let body = json!({"type": "email", "email": "ana@example.com", "token": text(&mail, "token")});
    stack.post("/auth/v1/verify", body).await.expect(200);
    let unknown = json!({"email": "ben@example.com", "create_user": false});
    stack
        .post("/auth/v1/otp", unknown)
        .await
        .refused(422, "otp_disabled");
    stack
        .post("/auth/v1/otp", json!({"email": "ben@example.com"}))
        .await
        .expect(200);
    let mail = stack.mails("ben@example.com").await.remove(0);
    let body = json!({"type": "email", "token_hash": text(&mail, "token_hash")});
    let session = stack.post("/auth/v1/verify", body).await.expect(200);
    assert_eq!(session["user"]["email"], "ben@example.com");
}

#[tokio::test]
async fn half_a_verification_is_refused() {
    let stack = Stack::start().await;
    for body in [
        json!({}),
        json!({"type": "signup"}),
        json!({"type": "nonsense", "token_hash": "x"}),
        json!({"type": "signup", "token": "123456"}),
        json!({"type": "signup", "token_hash": "x", "email": "ana@example.com"}),
    ] {
        stack
            .post("/auth/v1/verify", body)
            .await
            .refused(400, "validation_failed");
    }
}
