use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use supabase_embedded::jwt::{Keys, epoch_seconds};

use crate::support::stack::{PUBLISHABLE, SECRET, SECRET_KEY, Stack, send, text};

#[tokio::test]
async fn rows_belong_to_whom_the_token_names() {
    let stack = Stack::start().await;
    let (ana, ben) = (
        stack.user("ana@example.com").await,
        stack.user("ben@example.com").await,
    );
    let (ana_token, ben_token) = (text(&ana, "access_token"), text(&ben, "access_token"));
    let insert = stack
        .as_user(ana_token, Method::POST, "/rest/v1/notes")
        .header("prefer", "return=representation")
        .json(&json!({"body": "of Ana"}));
    let inserted = send(insert).await.expect(201);
    assert_eq!(inserted[0]["owner"], ana["user"]["id"]);

    let read =
        async |token: &str| send(stack.as_user(token, Method::GET, "/rest/v1/notes?select=body")).await;
    assert_eq!(read(ana_token).await.expect(200), json!([{"body": "of Ana"}]));
    assert_eq!(read(ben_token).await.expect(200), json!([]));
    let stolen = stack.as_user(ben_token, Method::PATCH, "/rest/v1/notes?id=gt.0");
    let stolen = stolen
        .header("prefer", "return=representation")
        .json(&json!({"body": "of Ben"}));
    assert_eq!(send(stolen).await.expect(200), json!([]));
    let forged = json!({"owner": ana["user"]["id"], "body": "slipped in"});
    let refused = send(
        stack
            .as_user(ben_token, Method::POST, "/rest/v1/notes")
            .json(&forged),
    )
    .await;
    assert_eq!(
        (refused.status, refused.body["code"].as_str()),
        (403, Some("42501"))
    );
    assert_eq!(
        stack
            .sql_value("select string_agg(body, ',') from public.notes")
            .await,
        "of Ana"
    );
}

#[tokio::test]
async fn permission_denied_is_401_for_nobody_and_403_for_somebody() {
    let stack = Stack::start().await;
    let ana = stack.user("ana@example.com").await;
    let nobody = send(stack.anon(Method::GET, "/rest/v1/closed")).await;
    assert_eq!(
        (nobody.status, nobody.body["code"].as_str()),
        (401, Some("42501"))
    );
    assert_eq!(nobody.headers["www-authenticate"], "Bearer");
    let somebody = send(stack.as_user(text(&ana, "access_token"), Method::GET, "/rest/v1/closed")).await;
    assert_eq!(
        (somebody.status, somebody.body["code"].as_str()),
        (403, Some("42501"))
    );
    assert!(somebody.headers.get("www-authenticate").is_none());
    assert_eq!(somebody.body["message"], "permission denied for table closed");
}

#[tokio::test]
async fn tokens_are_checked() {
    let stack = Stack::start().await;
    let keys = Keys::new(SECRET);
    let read = async |token: &str| send(stack.as_user(token, Method::GET, "/rest/v1/notes")).await;
    let expired = keys
        .mint(&json!({"role": "authenticated", "exp": epoch_seconds() - 60}))
        .unwrap();
    let answer = read(&expired).await;
    assert_eq!(
        (answer.status, answer.body["code"].as_str()),
        (401, Some("PGRST303")),
        "{}",
        answer.body
    );
    let forged = Keys::new("another-secret-of-more-than-thirty-two-characters")
        .mint(&json!({"role": "service_role", "exp": epoch_seconds() + 60}))
        .unwrap();
    let answer = read(&forged).await;
    assert_eq!(
        (answer.status, answer.body["code"].as_str()),
        (401, Some("PGRST301")),
        "{}",
        answer.body
    );
    // A role the login was not granted must not be reachable even with the right signature.
    let superuser = keys
        .mint(&json!({"role": "supabase_admin", "exp": epoch_seconds() + 60}))
        .unwrap();
    assert_eq!(read(&superuser).await.status, 403);
}

#[tokio::test]
async fn functions_run_as_the_caller_with_the_time_the_role_has() {
    let stack = Stack::start().await;
    let ana = stack.user("ana@example.com").await;
    let anon = send(stack.anon(Method::POST, "/rest/v1/rpc/caller").json(&json!({})))
        .await
        .expect(200);
    assert_eq!(
        (&anon["user"], &anon["uid"], &anon["statement_timeout"]),
        (&json!("anon"), &json!(null), &json!("3s"))
    );
    assert_eq!(anon["path"], "/rpc/caller");
    let request = stack.as_user(text(&ana, "access_token"), Method::GET, "/rest/v1/rpc/caller");
    let ana_seen = send(request).await.expect(200);
    assert_eq!(ana_seen["user"], "authenticated");
    assert_eq!(ana_seen["uid"], ana["user"]["id"]);
    assert_eq!(ana_seen["email"], "ana@example.com");
    assert_eq!(ana_seen["statement_timeout"], "8s");
    let slow = send(stack.anon(Method::POST, "/rest/v1/rpc/slow").json(&json!({}))).await;
    assert_eq!((slow.status, slow.body["code"].as_str()), (500, Some("57014")));
    let written = send(stack.as_user(
        text(&ana, "access_token"),
        Method::GET,
        "/rest/v1/rpc/write_under_get",
    ))
    .await;
    assert_eq!(
        (written.status, written.body["code"].as_str()),
        (405, Some("25006"))
    );
}

#[tokio::test]
async fn raised_errors_keep_code_status_and_headers_and_objects_in_them_are_a_fault() {
    let stack = Stack::start().await;
    let refuse = async |details: serde_json::Value| {
        let body = json!({"details": details, "status": 409});
        send(stack.anon(Method::POST, "/rest/v1/rpc/refuse").json(&body)).await
    };
    let good = refuse(json!("{\"contact_id\": 1}")).await;
    assert_eq!(good.status, 409);
    assert_eq!(
        good.body,
        json!({
            "code": "CONTACT_002", "message": "already there", "details": "{\"contact_id\": 1}", "hint": null,
        })
    );
    assert_eq!(good.headers["x-reason"], "duplicate");
    assert_eq!(good.headers["proxy-status"], "PostgREST; error=CONTACT_002");
    let bad = refuse(json!({"contact_id": 1})).await;
    assert_eq!((bad.status, bad.body["code"].as_str()), (500, Some("PGRST121")));
}

#[tokio::test]
async fn one_row_or_an_error_and_heads_tell_the_code_in_a_header() {
    let stack = Stack::start().await;
    let one = |path: &str, method: Method| {
        stack
            .anon(method, path)
            .header("accept", "application/vnd.pgrst.object+json")
    };
    let found = send(one("/rest/v1/many?id=eq.7", Method::GET)).await.expect(200);
    assert_eq!(found, json!({"id": 7}));
    let none = send(one("/rest/v1/many?id=eq.-7", Method::GET)).await;
    assert_eq!((none.status, none.body["code"].as_str()), (406, Some("PGRST116")));
    let head = send(one("/rest/v1/many?id=eq.-7", Method::HEAD)).await;
    assert_eq!(head.status, 406);
    assert_eq!(head.headers["proxy-status"], "PostgREST; error=PGRST116");
    assert_eq!(head.body, json!(""));
    let missing = send(stack.anon(Method::GET, "/rest/v1/no_such_table")).await;
    assert_eq!(
        (missing.status, missing.body["code"].as_str()),
        (404, Some("PGRST205"))
    );
    let missing = send(
        stack
            .anon(Method::POST, "/rest/v1/rpc/no_such_function")
            .json(&json!({})),
    )
    .await;
    assert_eq!(
        (missing.status, missing.body["code"].as_str()),
        (404, Some("PGRST202"))
    );
}

#[tokio::test]
async fn reads_are_capped_and_counts_are_not() {
    let stack = Stack::start().await;
    let answer = send(
        stack
            .anon(Method::GET, "/rest/v1/many")
            .header("prefer", "count=exact"),
    )
    .await;
    assert_eq!(answer.headers["content-range"], "0-999/1200");
    assert_eq!(answer.status, 206);
    assert_eq!(answer.body.as_array().map(Vec::len), Some(1000));
}

#[tokio::test]
async fn a_migration_is_seen_without_a_restart() {
    let stack = Stack::start().await;
    assert_eq!(send(stack.anon(Method::GET, "/rest/v1/fresh")).await.status, 404);
    let postgres = stack.cluster.connect("postgres", "postgres").await;
    postgres
        .batch_execute(
            "create table public.fresh (id int primary key); alter table public.fresh enable row level security; \
             create policy r on public.fresh for select to anon using (true); grant select on public.fresh to anon; \
             insert into public.fresh values (1)",
        )
        .await
        .expect("as postgres");
    until(async || send(stack.anon(Method::GET, "/rest/v1/fresh")).await.body == json!([{"id": 1}])).await;
    postgres
        .batch_execute("alter table public.fresh add column name text not null default 'x'")
        .await
        .unwrap();
    until(async || {
        send(stack.anon(Method::GET, "/rest/v1/fresh")).await.body == json!([{"id": 1, "name": "x"}])
    })
    .await;
    postgres.batch_execute("drop table public.fresh").await.unwrap();
    until(async || send(stack.anon(Method::GET, "/rest/v1/fresh")).await.status == 404).await;
}

#[tokio::test]
async fn opaque_keys_stand_for_their_roles() {
    let stack = Stack::start().await;
    let ana = stack.user("ana@example.com").await;
    let who = async |key: &str, bearer: Option<&str>| {
        let request = stack
            .http
            .get(format!("{}/rest/v1/rpc/caller", stack.url))
            .header("apikey", key);
        send(match bearer {
            Some(bearer) => request.bearer_auth(bearer),
            None => request,
        })
        .await
        .expect(200)["user"]
            .clone()
    };
    assert_eq!(who(PUBLISHABLE, Some(PUBLISHABLE)).await, "anon");
    assert_eq!(who(PUBLISHABLE, None).await, "anon");
    assert_eq!(who(SECRET_KEY, Some(SECRET_KEY)).await, "service_role");
    assert_eq!(
        who(PUBLISHABLE, Some(text(&ana, "access_token"))).await,
        "authenticated"
    );
    // The key decides, not what a caller writes into Authorization in the shape of the stronger key.
    assert_eq!(who(PUBLISHABLE, Some(SECRET_KEY)).await, "anon");
}

/// Waits for a condition that something in the background brings about.
async fn until(condition: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition().await {
        assert!(
            Instant::now() < deadline,
            "the condition did not come about in time"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
