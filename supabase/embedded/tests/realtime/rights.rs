use std::time::Duration;

use serde_json::json;
use supabase_embedded::jwt::Keys;

use super::{ANN, BOB, private, public, send, stack};
use crate::support::socket::{Socket, token};
use crate::support::stack::SECRET;

fn no_right(topic: &str) -> String {
    format!("Unauthorized: You do not have permissions to read from this Channel topic: {topic}")
}

#[tokio::test]
async fn a_private_topic_is_refused_to_whom_no_policy_admits() {
    let stack = stack().await;
    let room = format!("room:{ANN}");
    let mut socket = Socket::open(&stack).await;
    // Bob, and the project key alone.
    for token in [Some(token(BOB, 600)), None] {
        let refused = socket.join(&room, private(), token.as_deref()).await;
        assert_eq!(refused["status"], "error");
        assert_eq!(refused["response"]["reason"], no_right(&room));
    }
    socket.joined(&room, private(), Some(&token(ANN, 600))).await;
    // Probing leaves nothing behind.
    assert_eq!(
        stack.sql_value("select count(*) from realtime.messages").await,
        "0"
    );
}

#[tokio::test]
async fn tokens_that_say_nothing_valid_are_refused_by_name() {
    let stack = stack().await;
    let keys = Keys::new(SECRET);
    let foreign = Keys::new("another-secret-of-at-least-thirty-two-bytes!");
    let later = supabase_embedded::jwt::epoch_seconds() + 600;
    let mut socket = Socket::open(&stack).await;
    for (token, reason) in [
        (token(ANN, -5), "InvalidJWTToken: Token has expired"),
        (
            "nonsense".to_owned(),
            "MalformedJWT: The token provided is not a valid JWT",
        ),
        (
            foreign
                .mint(&json!({ "role": "service_role", "exp": later }))
                .unwrap(),
            "JwtSignatureError: Failed to validate JWT signature",
        ),
        (
            keys.mint(&json!({ "exp": later })).unwrap(),
            "InvalidJWTToken: Fields `role` and `exp` are required in JWT",
        ),
        (
            keys.mint(&json!({ "role": "no_such_role", "exp": later }))
                .unwrap(),
            &no_right("hall"),
        ),
    ] {
        let refused = socket.join("hall", private(), Some(&token)).await;
        assert_eq!(refused["response"]["reason"], reason, "{refused}");
    }
}

#[tokio::test]
async fn only_who_may_write_broadcasts_on_a_private_topic() {
    let stack = stack().await;
    let (mut ann, mut bob) = (Socket::open(&stack).await, Socket::open(&stack).await);
    let room = format!("room:{ANN}");
    let service = stack.service_key.clone();
    ann.joined(&room, private(), Some(&token(ANN, 600))).await;
    ann.joined("hall", private(), Some(&token(ANN, 600))).await;
    bob.joined(&room, private(), Some(&service)).await;
    bob.joined("hall", private(), Some(&token(BOB, 600))).await;

    // Ann may read her room but not speak there; the service role may do both.
    ann.broadcast_binary(&room, "not allowed", 1, b"{}").await;
    ann.broadcast_binary("hall", "allowed", 1, b"{}").await;
    assert_eq!(bob.event("hall", "broadcast").await["event"], "allowed");
    bob.broadcast_binary(&room, "from the service", 1, b"{}").await;
    assert_eq!(ann.event(&room, "broadcast").await["event"], "from the service");
    assert!(
        bob.others("broadcast").is_empty(),
        "{:?}",
        bob.others("broadcast")
    );
}

#[tokio::test]
async fn a_channel_ends_with_its_token_unless_a_new_one_comes() {
    let stack = stack().await;
    let mut socket = Socket::open(&stack).await;
    let room = format!("room:{ANN}");
    socket.joined(&room, private(), Some(&token(ANN, 2))).await;
    socket.joined("hall", private(), Some(&token(ANN, 2))).await;
    socket
        .push("hall", "access_token", json!({ "access_token": token(ANN, 600) }))
        .await;

    let system = socket.event(&room, "system").await;
    assert_eq!(
        system,
        json!({ "extension": "system", "status": "error", "message": "Token has expired", "channel": room })
    );
    let topic = format!("realtime:{room}");
    let closed = socket.frame(|frame| frame.event == "phx_close").await;
    assert_eq!(
        (closed.topic, closed.join_ref.as_deref()),
        (topic, Some(room.as_str()))
    );

    send(&stack, &room, "unheard", &json!({}), true).await;
    send(&stack, "hall", "heard", &json!({}), true).await;
    assert_eq!(socket.event("hall", "broadcast").await["event"], "heard");
    assert!(socket.others("broadcast").is_empty());
}

#[tokio::test]
async fn a_new_token_without_the_right_ends_the_channel() {
    let stack = stack().await;
    let mut socket = Socket::open(&stack).await;
    let room = format!("room:{ANN}");
    socket.joined(&room, private(), Some(&token(ANN, 600))).await;
    for ignored in [
        json!({ "access_token": null }),
        json!({ "access_token": "sb_publishable_x" }),
        json!({}),
    ] {
        socket.push(&room, "access_token", ignored).await;
    }
    send(&stack, &room, "still there", &json!({}), true).await;
    socket.event(&room, "broadcast").await;
    socket
        .push(&room, "access_token", json!({ "access_token": token(BOB, 600) }))
        .await;
    let system = socket.event(&room, "system").await;
    assert_eq!(
        system["message"],
        format!("You do not have permissions to read from this Channel topic: {room}")
    );
    socket.frame(|frame| frame.event == "phx_close").await;
}

#[tokio::test]
async fn what_the_policies_took_back_is_noticed_with_the_next_token() {
    let stack = stack().await;
    let mut socket = Socket::open(&stack).await;
    socket
        .joined(
            "hall",
            json!({ "private": true, "presence": { "enabled": true } }),
            Some(&token(ANN, 600)),
        )
        .await;
    stack
        .sql(
            "drop policy listen on realtime.messages;
             create policy listen on realtime.messages for select to authenticated using (extension = 'presence')",
        )
        .await;
    socket
        .push("hall", "access_token", json!({ "access_token": token(ANN, 601) }))
        .await;
    let system = socket.event("hall", "system").await;
    assert_eq!(
        system["message"],
        "You no longer have permission to read from this Channel topic: hall"
    );
}

#[tokio::test]
async fn policies_see_the_topic_the_claims_and_the_headers() {
    let stack = stack().await;
    stack
        .sql(
            "create policy by_header on realtime.messages for select to authenticated using (
                 realtime.topic() = 'headers'
                 and current_setting('request.headers', true)::jsonb = '{}'
                 and (select auth.jwt()) ->> 'sub' is not null)",
        )
        .await;
    let mut socket = Socket::open(&stack).await;
    socket.joined("headers", private(), Some(&token(ANN, 600))).await;
}

#[tokio::test]
async fn a_failing_policy_refuses_and_the_server_goes_on() {
    let stack = stack().await;
    stack
        .sql(
            "create policy broken on realtime.messages for select to authenticated
             using (realtime.topic() = 'broken' and 1 / (length(topic) - length(topic)) = 1)",
        )
        .await;
    let mut socket = Socket::open(&stack).await;
    let refused = socket.join("broken", private(), Some(&token(ANN, 600))).await;
    assert_eq!(refused["response"]["reason"], no_right("broken"));
    let beat = tokio::time::timeout(Duration::from_secs(20), socket.join("open", public(), None)).await;
    assert_eq!(beat.unwrap()["status"], "ok");
}
