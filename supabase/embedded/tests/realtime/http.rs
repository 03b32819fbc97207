use reqwest::Method;
use serde_json::{Value, json};

use super::{ANN, private, public, stack};
use crate::support::socket::{Socket, token};
use crate::support::stack::Stack;

async fn post(stack: &Stack, token: &str, path: &str, body: Value) -> u16 {
    let request = stack.as_user(token, Method::POST, &format!("/realtime/v1/api/broadcast{path}"));
    request
        .json(&body)
        .send()
        .await
        .expect("answer")
        .status()
        .as_u16()
}

fn batch(topic: &str, private: bool) -> Value {
    json!({ "messages": [{ "topic": topic, "event": "e", "payload": { "n": 1 }, "private": private }] })
}

#[tokio::test]
async fn both_routes_reach_the_topic() {
    let stack = stack().await;
    let mut socket = Socket::open(&stack).await;
    socket.joined("a/b c", public(), None).await;
    let token = token(ANN, 600);
    assert_eq!(post(&stack, &token, "", batch("a/b c", false)).await, 202);
    assert_eq!(
        socket.event("a/b c", "broadcast").await["payload"],
        json!({ "n": 1 })
    );
    assert_eq!(
        post(&stack, &token, "/a%2Fb%20c/events/x%3Fy", json!([2])).await,
        202
    );
    let payload = socket.event("a/b c", "broadcast").await;
    assert_eq!(
        (&payload["event"], &payload["payload"]),
        (&json!("x?y"), &json!([2]))
    );
    let raw = stack
        .as_user(
            &token,
            Method::POST,
            "/realtime/v1/api/broadcast/a%2Fb%20c/events/raw",
        )
        .header("content-type", "application/octet-stream")
        .body(vec![1_u8, 0])
        .send()
        .await
        .unwrap();
    assert_eq!(raw.status(), 202);
    assert_eq!(socket.event("a/b c", "broadcast").await["payload"], json!([1, 0]));
}

#[tokio::test]
async fn private_topics_need_the_right_to_write_and_nobody_is_told() {
    let stack = stack().await;
    let (mut ann, room) = (Socket::open(&stack).await, format!("room:{ANN}"));
    ann.joined(&room, private(), Some(&token(ANN, 600))).await;
    ann.joined("hall", private(), Some(&token(ANN, 600))).await;
    let token = token(ANN, 600);
    assert_eq!(post(&stack, &token, "", batch(&room, true)).await, 202);
    assert_eq!(
        post(&stack, &token, "/hall/events/one?private=true", json!({})).await,
        202
    );
    // Without `private` it goes to the public topic, where nobody is.
    assert_eq!(post(&stack, &token, "/hall/events/two", json!({})).await, 202);
    assert_eq!(
        post(&stack, &stack.service_key, "", batch(&room, true)).await,
        202
    );
    assert_eq!(ann.event("hall", "broadcast").await["event"], "one");
    assert_eq!(ann.event(&room, "broadcast").await["event"], "e");
    assert!(ann.others("broadcast").is_empty());
}

#[tokio::test]
async fn what_is_no_message_is_unprocessable_and_strangers_are_unauthorised() {
    let stack = stack().await;
    let user = token(ANN, 600);
    for body in [
        json!({}),
        json!({ "messages": {} }),
        json!({ "messages": [{ "topic": "t", "event": "e" }] }),
        json!({ "messages": [{ "topic": "", "event": "e", "payload": {} }] }),
        json!({ "messages": [{ "topic": "t", "event": "e", "payload": "text" }] }),
    ] {
        assert_eq!(post(&stack, &user, "", body.clone()).await, 422, "{body}");
    }
    assert_eq!(post(&stack, &token(ANN, -5), "", batch("t", false)).await, 401);
    let keyless = stack
        .http
        .post(format!("{}/realtime/v1/api/broadcast", stack.url));
    assert_eq!(
        keyless.json(&batch("t", false)).send().await.unwrap().status(),
        401
    );
}
