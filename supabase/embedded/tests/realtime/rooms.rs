use serde_json::{Value, json};

use super::{ANN, private, public, send, stack};
use crate::support::socket::{Socket, token};

#[tokio::test]
async fn a_broadcast_from_the_database_reaches_both_protocol_versions() {
    let stack = stack().await;
    let (mut new, mut old) = (
        Socket::open(&stack).await,
        Socket::open_version(&stack, "1.0.0").await,
    );
    let room = format!("room:{ANN}");
    for socket in [&mut new, &mut old] {
        socket.joined(&room, private(), Some(&token(ANN, 600))).await;
    }
    send(&stack, &room, "messages", &json!({ "message_ids": [1, 2] }), true).await;
    for socket in [&mut new, &mut old] {
        let payload = socket.event(&room, "broadcast").await;
        assert_eq!(payload["type"], "broadcast");
        assert_eq!(payload["event"], "messages");
        assert_eq!(payload["payload"]["message_ids"], json!([1, 2]));
        assert_eq!(payload["payload"]["id"], payload["meta"]["id"]);
    }
}

#[tokio::test]
async fn messages_of_one_transaction_arrive_in_their_order_and_rolled_back_ones_never() {
    let stack = stack().await;
    let mut socket = Socket::open(&stack).await;
    socket.joined("news", public(), None).await;
    stack
        .sql("begin; select realtime.send('{\"n\": -1}', 'n', 'news', false); rollback")
        .await;
    stack
        .sql("select realtime.send(jsonb_build_object('n', n), 'n', 'news', false) from generate_series(1, 50) as n")
        .await;
    for expected in 1..=50 {
        assert_eq!(socket.event("news", "broadcast").await["payload"]["n"], expected);
    }
}

#[tokio::test]
async fn public_and_private_topics_of_one_name_are_two() {
    let stack = stack().await;
    let (mut inside, mut outside) = (Socket::open(&stack).await, Socket::open(&stack).await);
    inside.joined("hall", private(), Some(&token(ANN, 600))).await;
    outside.joined("hall", public(), None).await;
    send(&stack, "hall", "secret", &json!({}), true).await;
    send(&stack, "hall", "open", &json!({}), false).await;
    assert_eq!(inside.event("hall", "broadcast").await["event"], "secret");
    assert_eq!(outside.event("hall", "broadcast").await["event"], "open");
    assert!(outside.others("broadcast").is_empty());
    // Whatever came for the inner room before this marker would be waiting.
    send(&stack, "hall", "last", &json!({}), true).await;
    assert_eq!(inside.event("hall", "broadcast").await["event"], "last");
}

#[tokio::test]
async fn clients_broadcast_to_each_other_in_either_version() {
    let stack = stack().await;
    let config = json!({ "broadcast": { "ack": true } });
    let (mut ann, mut bob) = (Socket::open(&stack).await, Socket::open(&stack).await);
    let mut old = Socket::open_version(&stack, "1.0.0").await;
    ann.joined("chat", config.clone(), None).await;
    bob.joined("chat", public(), None).await;
    old.joined("chat", json!({ "broadcast": { "self": true } }), None)
        .await;

    let reference = ann
        .broadcast_binary("chat", "hi", 1, "{\"text\":\"grüß\"}".as_bytes())
        .await;
    assert_eq!(ann.reply(&reference).await["status"], "ok");
    let frame = bob.frame(|frame| frame.event == "broadcast").await;
    assert!(frame.binary);
    assert_eq!(frame.payload["event"], "hi");
    assert_eq!(frame.payload["payload"], json!({ "text": "grüß" }));
    assert_eq!(old.event("chat", "broadcast").await["payload"]["text"], "grüß");

    ann.broadcast_binary("chat", "raw", 0, &[0, 255, 7]).await;
    let frame = bob.frame(|frame| frame.event == "broadcast").await;
    assert_eq!(frame.payload["payload"], json!([0, 255, 7]));

    let text = json!({ "type": "broadcast", "event": "old", "payload": { "n": 12345678901234567890_u64 } });
    old.push("chat", "broadcast", text.clone()).await;
    for socket in [&mut bob, &mut ann, &mut old] {
        assert_eq!(socket.event("chat", "broadcast").await, text);
    }
    // The sender of the first two has them not: only what came from the old client.
    assert!(ann.others("broadcast").is_empty());
    // Raw bytes cannot be told to version 1.
    assert!(old.others("broadcast").is_empty());
}

#[tokio::test]
async fn a_payload_above_the_limit_is_refused_when_acknowledged() {
    let stack = stack().await;
    let mut socket = Socket::open(&stack).await;
    socket
        .joined("chat", json!({ "broadcast": { "ack": true } }), None)
        .await;
    let large = json!({ "type": "broadcast", "event": "e", "payload": { "x": "y".repeat(3_000_001) } });
    let reply = socket.call("chat", "broadcast", large).await;
    assert_eq!(reply["status"], "error");
}

#[tokio::test]
async fn replay_gives_what_was_stored_once_and_marks_it() {
    let stack = stack().await;
    let room = format!("room:{ANN}");
    for n in 1..=3 {
        send(&stack, &room, "n", &json!({ "n": n }), true).await;
    }
    let mut socket = Socket::open(&stack).await;
    let config = json!({ "private": true, "broadcast": { "replay": { "since": 0, "limit": 2 } } });
    socket.joined(&room, config.clone(), Some(&token(ANN, 600))).await;
    for n in [2, 3] {
        let payload = socket.event(&room, "broadcast").await;
        assert_eq!(
            (&payload["payload"]["n"], &payload["meta"]["replayed"]),
            (&json!(n), &Value::Bool(true))
        );
    }
    let open = json!({ "broadcast": { "replay": { "since": 0 } } });
    let refused = socket.join("hall", open, None).await;
    assert_eq!(
        refused["response"]["reason"],
        "UnableToReplayMessages: Replay is not allowed for public channels"
    );
}

#[tokio::test]
async fn a_client_is_told_when_broadcasts_from_the_database_flow() {
    let stack = stack().await;
    let mut socket = Socket::open(&stack).await;
    socket
        .joined(
            "news",
            json!({ "broadcast": { "replication_ready": true } }),
            None,
        )
        .await;
    let system = socket.event("news", "system").await;
    assert_eq!(
        system,
        json!({ "extension": "system", "status": "ok", "message": "Replication connection established", "channel": "news" })
    );
}

/// Postgres hands out the log of a transaction a moment before other sessions see its rows.
#[tokio::test]
async fn what_a_broadcast_is_about_can_be_read_when_it_arrives() {
    let stack = stack().await;
    stack
        .sql(
            "create table public.events (n int primary key);
             create function public.tell() returns trigger language plpgsql security definer set search_path = '' as $$
             begin perform realtime.send(to_jsonb(new), 'event', 'events', false); return null; end $$;
             create trigger tell after insert on public.events for each row execute function public.tell()",
        )
        .await;
    let mut socket = Socket::open(&stack).await;
    socket.joined("events", public(), None).await;
    let writer = stack.cluster.connect("supabase_admin", "postgres").await;
    // As in production: the log is flushed, and so sent, before the transaction ends for others.
    writer.batch_execute("set synchronous_commit = on").await.unwrap();
    let reader = stack.cluster.connect("supabase_admin", "postgres").await;
    let find = reader
        .prepare("select exists (select from public.events where n = $1)")
        .await
        .unwrap();
    for n in 0..500_i32 {
        let write = async {
            writer
                .execute("insert into public.events values ($1)", &[&n])
                .await
        };
        let read = async {
            let payload = socket.event("events", "broadcast").await;
            assert_eq!(payload["payload"]["n"], n);
            reader.query_one(&find, &[&n]).await.unwrap().get::<_, bool>(0)
        };
        let (written, found) = tokio::join!(write, read);
        written.unwrap();
        assert!(found, "row {n} was announced before it could be read");
    }
}
