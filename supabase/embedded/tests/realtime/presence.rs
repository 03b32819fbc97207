use serde_json::{Value, json};

use super::{ANN, BOB, stack};
use crate::support::socket::{Socket, token};

fn as_key(key: &str) -> Value {
    json!({ "presence": { "key": key, "enabled": true } })
}

fn track(shown: Value) -> Value {
    json!({ "type": "presence", "event": "track", "payload": shown })
}

#[tokio::test]
async fn state_differences_and_the_end_of_a_connection_are_told() {
    let stack = stack().await;
    let (mut ann, mut bob) = (Socket::open(&stack).await, Socket::open(&stack).await);
    ann.joined("hall", as_key("ann"), None).await;
    assert_eq!(ann.event("hall", "presence_state").await, json!({}));
    assert_eq!(
        ann.call("hall", "presence", track(json!({ "typing": false })))
            .await["status"],
        "ok"
    );
    let joined = ann.event("hall", "presence_diff").await;
    assert_eq!(joined["joins"]["ann"]["metas"][0]["typing"], false);

    bob.joined("hall", as_key("bob"), None).await;
    let state = bob.event("hall", "presence_state").await;
    assert_eq!(state["ann"]["metas"], joined["joins"]["ann"]["metas"]);
    bob.call("hall", "presence", track(json!({ "typing": true })))
        .await;
    let diff = ann.event("hall", "presence_diff").await;
    assert_eq!(
        (&diff["joins"]["bob"]["metas"][0]["typing"], &diff["leaves"]),
        (&json!(true), &json!({}))
    );

    bob.call("hall", "presence", track(json!({ "typing": false })))
        .await;
    let changed = ann.event("hall", "presence_diff").await;
    assert_eq!(
        changed["joins"]["bob"]["metas"][0]["phx_ref_prev"],
        diff["joins"]["bob"]["metas"][0]["phx_ref"]
    );
    assert_eq!(
        changed["leaves"]["bob"]["metas"][0]["phx_ref"],
        diff["joins"]["bob"]["metas"][0]["phx_ref"]
    );

    bob.close().await;
    let left = ann.event("hall", "presence_diff").await;
    assert_eq!(
        (&left["joins"], &left["leaves"]["bob"]["metas"][0]["typing"]),
        (&json!({}), &json!(false))
    );
}

#[tokio::test]
async fn untracking_and_leaving_end_presence() {
    let stack = stack().await;
    let (mut ann, mut bob) = (Socket::open(&stack).await, Socket::open(&stack).await);
    ann.joined("hall", as_key("ann"), None).await;
    bob.joined("hall", as_key("bob"), None).await;
    for end in ["untrack", "leave"] {
        bob.call("hall", "presence", track(json!({ "end": end }))).await;
        assert!(ann.event("hall", "presence_diff").await["joins"]["bob"].is_object());
        if end == "untrack" {
            bob.call(
                "hall",
                "presence",
                json!({ "type": "presence", "event": "untrack" }),
            )
            .await;
        } else {
            assert_eq!(bob.call("hall", "phx_leave", json!({})).await["status"], "ok");
            bob.frame(|frame| frame.event == "phx_close").await;
        }
        assert_eq!(
            ann.event("hall", "presence_diff").await["leaves"]["bob"]["metas"][0]["end"],
            end
        );
    }
}

#[tokio::test]
async fn on_a_private_topic_presence_follows_the_policies() {
    let stack = stack().await;
    let (mut ann, mut bob) = (Socket::open(&stack).await, Socket::open(&stack).await);
    let config = |key: &str| json!({ "private": true, "presence": { "key": key, "enabled": true } });
    let room = format!("room:{ANN}");
    ann.joined(&room, config("ann"), Some(&token(ANN, 600))).await;
    // No policy lets anybody be present there.
    assert_eq!(
        ann.call(&room, "presence", track(json!({}))).await["status"],
        "error"
    );
    ann.joined("hall", config("ann"), Some(&token(ANN, 600))).await;
    bob.joined("hall", config("bob"), Some(&token(BOB, 600))).await;
    bob.call("hall", "presence", track(json!({}))).await;
    assert!(ann.event("hall", "presence_diff").await["joins"]["bob"].is_object());
    assert!(ann.others("presence_diff").is_empty());
}

#[tokio::test]
async fn who_did_not_ask_for_presence_gets_none_until_it_shows_itself() {
    let stack = stack().await;
    let (mut ann, mut bob) = (Socket::open(&stack).await, Socket::open(&stack).await);
    ann.joined("hall", as_key("ann"), None).await;
    bob.joined("hall", json!({ "presence": { "key": "bob" } }), None)
        .await;
    ann.call("hall", "presence", track(json!({ "n": 1 }))).await;
    bob.call("hall", "presence", track(json!({ "n": 2 }))).await;
    let state = bob.event("hall", "presence_state").await;
    assert_eq!(
        (&state["ann"]["metas"][0]["n"], &state["bob"]["metas"][0]["n"]),
        (&json!(1), &json!(2))
    );
    assert!(bob.others("presence_diff").is_empty());
}

#[tokio::test]
async fn what_is_no_object_is_refused_and_too_many_calls_end_the_channel() {
    let stack = stack().await;
    let mut socket = Socket::open(&stack).await;
    socket.joined("hall", as_key("ann"), None).await;
    let refused = socket.call("hall", "presence", track(json!("text"))).await;
    assert_eq!(
        refused["response"]["reason"],
        "Presence track payload must be a map"
    );
    for n in 0..4 {
        assert_eq!(
            socket.call("hall", "presence", track(json!({ "n": n }))).await["status"],
            "ok"
        );
    }
    socket.push("hall", "presence", track(json!({ "n": 9 }))).await;
    assert_eq!(
        socket.event("hall", "system").await["message"],
        "Client presence rate limit exceeded"
    );
    socket.frame(|frame| frame.event == "phx_close").await;
}
