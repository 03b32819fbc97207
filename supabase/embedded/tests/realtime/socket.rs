use std::time::{Duration, Instant};

use serde_json::json;
use supabase_embedded::jwt::{Keys, epoch_seconds};

use super::{public, stack};
use crate::support::socket::Socket;
use crate::support::stack::{PUBLISHABLE, SECRET, SECRET_KEY};

#[tokio::test]
async fn the_handshake_wants_a_project_key_and_a_known_version() {
    let stack = stack().await;
    assert_eq!(
        Socket::try_open(&stack, "nonsense", "2.0.0").await.err(),
        Some(401)
    );
    let forged = Keys::new(SECRET)
        .mint(&json!({ "role": "anon", "exp": epoch_seconds() + 60 }))
        .unwrap();
    assert_eq!(Socket::try_open(&stack, &forged, "2.0.0").await.err(), Some(401));
    assert_eq!(
        Socket::try_open(&stack, &stack.anon_key, "3.0.0").await.err(),
        Some(400)
    );
    for key in [PUBLISHABLE, SECRET_KEY] {
        let mut socket = Socket::try_open(&stack, key, "2.0.0")
            .await
            .expect("opaque keys stand for a JWT");
        socket.joined("t", public(), Some(key)).await;
    }
}

#[tokio::test]
async fn heartbeats_and_unknown_topics_are_answered() {
    let stack = stack().await;
    let mut socket = Socket::open(&stack).await;
    socket.send_text(r#"[null,"h1","phoenix","heartbeat",{}]"#).await;
    assert_eq!(
        socket.reply("h1").await,
        json!({ "status": "ok", "response": {} })
    );
    let unjoined = socket.call("nowhere", "broadcast", json!({})).await;
    assert_eq!(unjoined["response"]["reason"], "unmatched topic");
    assert_eq!(
        socket.join("", public(), None).await["response"]["reason"],
        "TopicNameRequired: You must provide a topic name"
    );
}

#[tokio::test]
async fn joining_again_replaces_the_channel_and_old_frames_are_dropped() {
    let stack = stack().await;
    let (mut socket, mut other) = (Socket::open(&stack).await, Socket::open(&stack).await);
    other.joined("t", public(), None).await;
    socket.joined("t", public(), None).await;
    socket
        .send_text(r#"["second","j2","realtime:t","phx_join",{"config":{}}]"#)
        .await;
    assert_eq!(socket.reply("j2").await["status"], "ok");
    let closed = socket.frame(|frame| frame.event == "phx_close").await;
    assert_eq!(closed.join_ref.as_deref(), Some("t"));
    let broadcast = |event: &str| json!({ "type": "broadcast", "event": event, "payload": {} });
    // The helper still uses the first join's reference.
    socket.push("t", "broadcast", broadcast("stale")).await;
    let fresh = json!(["second", "b2", "realtime:t", "broadcast", broadcast("fresh")]);
    socket.send_text(&fresh.to_string()).await;
    assert_eq!(other.event("t", "broadcast").await["event"], "fresh");
    assert!(other.others("broadcast").is_empty());
}

#[tokio::test]
async fn a_hundred_channels_fit_and_no_more() {
    let stack = stack().await;
    let mut socket = Socket::open(&stack).await;
    let mut joined = 0;
    for n in 0..100 {
        joined += usize::from(socket.join(&format!("t{n}"), public(), None).await["status"] == "ok");
    }
    assert_eq!(joined, 100);
    // Joins earn their allowance back within a second.
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(1) {
        socket.send_text(r#"[null,"h1","phoenix","heartbeat",{}]"#).await;
        socket.reply("h1").await;
    }
    let refused = socket.join("one too many", public(), None).await;
    assert_eq!(
        refused["response"]["reason"],
        "ChannelRateLimitReached: Too many channels"
    );
}

#[tokio::test]
async fn what_is_no_frame_ends_the_socket_and_only_that() {
    let stack = stack().await;
    let mut good = Socket::open(&stack).await;
    good.joined("t", public(), None).await;
    for text in ["", "not json", "{}", r#"[null,null,1,"phx_join",{}]"#] {
        let mut bad = Socket::open(&stack).await;
        bad.send_text(text).await;
        bad.until_closed().await;
    }
    let mut large = Socket::open(&stack).await;
    large.send_text_to_a_deaf_server(&"x".repeat(5_000_001)).await;
    large.until_closed().await;
    good.broadcast_binary("t", "e", 1, b"{}").await;
    good.send_text(r#"[null,"h1","phoenix","heartbeat",{}]"#).await;
    good.reply("h1").await;
}

#[tokio::test]
async fn too_many_messages_end_the_channel() {
    let stack = stack().await;
    let mut socket = Socket::open(&stack).await;
    socket.joined("t", public(), None).await;
    // A hundred a second over a minute; the burst may take a few seconds and earn a few more.
    for _ in 0..8000 {
        socket.push("t", "unknown", json!({})).await;
    }
    assert_eq!(
        socket.event("t", "system").await["message"],
        "Too many messages per second"
    );
    socket.frame(|frame| frame.event == "phx_close").await;
}
