use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::support::stack::{PASSWORD, Stack, send, text};

#[tokio::test]
async fn while_postgres_is_gone_the_answer_is_503_and_afterwards_all_is_as_before() {
    let mut stack = Stack::start().await;
    let session = stack.user("ana@example.com").await;
    let (access, refresh) = (text(&session, "access_token"), text(&session, "refresh_token"));
    for round in 0..2 {
        stack.cluster.crash();
        let started = Instant::now();
        let attempts = [
            stack.as_user(access, Method::GET, "/rest/v1/notes"),
            stack
                .as_user(access, Method::POST, "/rest/v1/notes")
                .json(&json!({"body": "lost"})),
            stack.anon(Method::POST, "/rest/v1/rpc/caller").json(&json!({})),
            stack.as_user(access, Method::GET, "/auth/v1/user"),
            stack
                .anon(Method::POST, "/auth/v1/token?grant_type=refresh_token")
                .json(&json!({"refresh_token": refresh})),
            stack
                .anon(Method::POST, "/auth/v1/token?grant_type=password")
                .json(&json!({"email": "ana@example.com", "password": PASSWORD})),
            stack
                .anon(Method::POST, "/auth/v1/recover")
                .json(&json!({"email": "ana@example.com"})),
            stack.http.get(format!("{}/health", stack.url)),
        ];
        let answers = futures_util::future::join_all(attempts.map(send)).await;
        for answer in &answers {
            assert_eq!(answer.status, 503, "round {round}: {}", answer.body);
        }
        assert!(
            started.elapsed() < Duration::from_secs(8),
            "took {:?}",
            started.elapsed()
        );
        // A link followed now must not look used up.
        let link = format!("{}/auth/v1/verify?token=x&type=signup", stack.url);
        let followed = send(stack.http.get(link)).await;
        assert!(
            followed.headers["location"]
                .to_str()
                .unwrap()
                .contains("error=server_error")
        );

        stack.cluster.start_again().await;
        stack.until_healthy().await;
        let read = send(stack.as_user(access, Method::GET, "/rest/v1/notes?select=body")).await;
        assert_eq!(read.expect(200), json!([]));
        send(stack.as_user(access, Method::GET, "/auth/v1/user"))
            .await
            .expect(200);
    }
    stack.refresh(refresh).await.expect(200);
    stack
        .sql("create table public.later (id int); grant select on public.later to anon")
        .await;
    let deadline = Instant::now() + Duration::from_secs(20);
    while send(stack.anon(Method::GET, "/rest/v1/later")).await.status != 200 {
        assert!(Instant::now() < deadline, "schema changes are no longer heard");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn connections_cut_one_by_one_are_not_felt() {
    let stack = Stack::start().await;
    let session = stack.user("ana@example.com").await;
    let access = text(&session, "access_token");
    for _ in 0..5 {
        stack
            .sql(
                "select pg_terminate_backend(pid) from pg_stat_activity \
                 where pid <> pg_backend_pid() and backend_type = 'client backend'",
            )
            .await;
        let answers = [
            send(stack.as_user(access, Method::GET, "/rest/v1/notes")).await,
            send(stack.as_user(access, Method::GET, "/auth/v1/user")).await,
        ];
        for answer in answers {
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    }
}
