use reqwest::Method;
use serde_json::{Value, json};

use crate::support::stack::{Answer, PASSWORD, Stack, send, text};

async fn create(stack: &Stack, body: Value) -> Answer {
    send(stack.service(Method::POST, "/auth/v1/admin/users").json(&body)).await
}

#[tokio::test]
async fn only_the_service_key_administers() {
    let stack = Stack::start().await;
    let session = stack.user("ana@example.com").await;
    let access = text(&session, "access_token");
    let id = text(&session["user"], "id");
    for (method, path) in [
        (Method::GET, "/auth/v1/admin/users".to_owned()),
        (Method::POST, "/auth/v1/admin/users".to_owned()),
        (Method::GET, format!("/auth/v1/admin/users/{id}")),
        (Method::PUT, format!("/auth/v1/admin/users/{id}")),
        (Method::DELETE, format!("/auth/v1/admin/users/{id}")),
        (Method::POST, "/auth/v1/admin/generate_link".to_owned()),
        (Method::POST, "/auth/v1/invite".to_owned()),
    ] {
        send(stack.as_user(access, method.clone(), &path).json(&json!({})))
            .await
            .refused(403, "not_admin");
        send(stack.anon(method, &path).json(&json!({})))
            .await
            .refused(403, "not_admin");
    }
    assert_eq!(stack.sql_value("select count(*) from auth.users").await, "1");
}

#[tokio::test]
async fn users_are_created_read_changed_and_deleted() {
    let stack = Stack::start().await;
    let body = json!({
        "email": "Ana@example.com", "password": PASSWORD, "email_confirm": true,
        "user_metadata": {"full_name": "Ana"}, "app_metadata": {"plan": "pro"},
    });
    let user = create(&stack, body.clone()).await.expect(200);
    let path = format!("/auth/v1/admin/users/{}", text(&user, "id"));
    assert_eq!(user["app_metadata"]["plan"], "pro");
    create(&stack, body).await.refused(422, "email_exists");
    create(&stack, json!({"password": PASSWORD}))
        .await
        .refused(400, "validation_failed");

    let changes = json!({
        "email": "anna@example.com", "password": "a better horse",
        "user_metadata": {"full_name": null, "city": "Ipoh"}, "app_metadata": {"plan": "free"},
    });
    let changed = send(stack.service(Method::PUT, &path).json(&changes))
        .await
        .expect(200);
    assert_eq!(changed["email"], "anna@example.com");
    assert_eq!(changed["app_metadata"]["plan"], "free");
    assert_eq!(changed["user_metadata"]["city"], "Ipoh");
    assert!(changed["user_metadata"].get("full_name").is_none());
    assert_eq!(changed["identities"][0]["email"], "anna@example.com");
    stack
        .sign_in("anna@example.com", "a better horse")
        .await
        .expect(200);
    let read = send(stack.service(Method::GET, &path)).await.expect(200);
    assert_eq!(read["email"], "anna@example.com");

    create(&stack, json!({"email": "ben@example.com"}))
        .await
        .expect(200);
    let taken = json!({"email": "ben@example.com"});
    send(stack.service(Method::PUT, &path).json(&taken))
        .await
        .refused(422, "email_exists");

    send(stack.service(Method::DELETE, &path)).await.expect(200);
    send(stack.service(Method::GET, &path))
        .await
        .refused(404, "user_not_found");
    send(stack.service(Method::GET, "/auth/v1/admin/users/42"))
        .await
        .refused(404, "validation_failed");
    stack
        .sign_in("anna@example.com", "a better horse")
        .await
        .refused(400, "invalid_credentials");
    assert_eq!(stack.sql_value("select count(*) from auth.sessions").await, "0");
}

#[tokio::test]
async fn the_list_is_paged_and_counted() {
    let stack = Stack::start().await;
    for n in 0..5 {
        create(&stack, json!({"email": format!("u{n}@example.com")}))
            .await
            .expect(200);
    }
    let page = send(stack.service(Method::GET, "/auth/v1/admin/users?page=2&per_page=2")).await;
    assert_eq!(page.headers["x-total-count"], "5");
    assert_eq!(
        page.headers["link"],
        "</admin/users?page=3&per_page=2>; rel=\"next\", </admin/users?page=3&per_page=2>; rel=\"last\""
    );
    let users = page.expect(200);
    assert_eq!(users["users"].as_array().map(Vec::len), Some(2));
    let all = send(stack.service(Method::GET, "/auth/v1/admin/users?page=&per_page="))
        .await
        .expect(200);
    assert_eq!(all["users"].as_array().map(Vec::len), Some(5));
    let bad = send(stack.service(Method::GET, "/auth/v1/admin/users?page=0")).await;
    bad.refused(400, "validation_failed");
}

#[tokio::test]
async fn generated_links_work_and_send_no_mail() {
    let stack = Stack::start().await;
    stack.user("ana@example.com").await;
    let generate = async |body: Value| {
        send(
            stack
                .service(Method::POST, "/auth/v1/admin/generate_link")
                .json(&body),
        )
        .await
    };
    let link = generate(json!({"type": "recovery", "email": "ana@example.com"}))
        .await
        .expect(200);
    assert_eq!(link["verification_type"], "recovery");
    let followed = send(stack.http.get(text(&link, "action_link"))).await;
    assert!(
        followed.headers["location"]
            .to_str()
            .unwrap()
            .contains("#access_token=")
    );

    let link = generate(json!({"type": "magiclink", "email": "ana@example.com"}))
        .await
        .expect(200);
    let body = json!({"type": "magiclink", "email": "ana@example.com", "token": text(&link, "email_otp")});
    stack.post("/auth/v1/verify", body).await.expect(200);

    let sign_up = json!({"type": "signup", "email": "ben@example.com", "password": PASSWORD});
    let link = generate(sign_up.clone()).await.expect(200);
    stack
        .sign_in("ben@example.com", PASSWORD)
        .await
        .refused(400, "email_not_confirmed");
    let body = json!({"type": "signup", "token_hash": text(&link, "hashed_token")});
    stack.post("/auth/v1/verify", body).await.expect(200);
    stack.sign_in("ben@example.com", PASSWORD).await.expect(200);
    generate(sign_up).await.refused(422, "email_exists");
    generate(json!({"type": "recovery", "email": "nobody@example.com"}))
        .await
        .refused(404, "user_not_found");
    assert_eq!(
        stack
            .sql_value("select count(*) from supabase_embedded.mailbox")
            .await,
        "0"
    );
}

#[tokio::test]
async fn an_invitation_is_mailed_and_lets_the_invited_in() {
    let stack = Stack::start().await;
    let invite = async || {
        let body = json!({"email": "ana@example.com", "data": {"team": "sales"}});
        send(stack.service(Method::POST, "/auth/v1/invite").json(&body)).await
    };
    let user = invite().await.expect(200);
    assert!(user["invited_at"].is_string());
    let mail = stack.mails("ana@example.com").await.remove(0);
    let body = json!({"type": "invite", "token_hash": text(&mail, "token_hash")});
    let session = stack.post("/auth/v1/verify", body).await.expect(200);
    assert_eq!(session["user"]["user_metadata"]["team"], "sales");
    invite().await.refused(422, "email_exists");
}
