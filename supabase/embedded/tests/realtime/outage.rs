use std::time::{Duration, Instant};

use serde_json::json;

use super::{ANN, private, public, send, stack};
use crate::support::socket::{Socket, token};

#[tokio::test]
async fn sockets_outlive_a_crash_of_postgres_and_hear_again() {
    let mut stack = stack().await;
    stack
        .sql("alter publication supabase_realtime add table public.notes")
        .await;
    let room = format!("room:{ANN}");
    let mut socket = Socket::open(&stack).await;
    socket.joined(&room, private(), Some(&token(ANN, 600))).await;
    let changes = json!({ "postgres_changes": [{ "event": "*", "schema": "public", "table": "notes" }] });
    socket.joined("notes", changes, Some(&token(ANN, 600))).await;
    socket
        .joined(
            "news",
            json!({ "broadcast": { "replication_ready": true } }),
            None,
        )
        .await;
    for round in 0..2 {
        assert_eq!(
            socket.event("notes", "system").await["message"],
            "Subscribed to PostgreSQL",
            "round {round}"
        );
        assert_eq!(
            socket.event("news", "system").await["status"],
            "ok",
            "round {round}"
        );
        send(&stack, &room, "hello", &json!({ "round": round }), true).await;
        assert_eq!(socket.event(&room, "broadcast").await["payload"]["round"], round);
        stack
            .sql(&format!(
                "insert into public.notes (owner, body) values ('{ANN}', 'round {round}')"
            ))
            .await;
        let change = socket.event("notes", "postgres_changes").await;
        assert_eq!(change["data"]["record"]["body"], format!("round {round}"));

        stack.cluster.crash();
        // Private joins cannot be judged now; everything else goes on.
        let refused = socket.join("room:other", private(), Some(&token(ANN, 600))).await;
        assert_eq!(
            refused["response"]["reason"],
            "UnableToConnectToProject: Realtime was unable to connect to the project database"
        );
        socket.joined("open", public(), None).await;
        stack.cluster.start_again().await;
    }
}

#[tokio::test]
async fn slots_are_temporary_and_that_of_changes_exists_only_on_demand() {
    let stack = stack().await;
    stack
        .sql("alter publication supabase_realtime add table public.notes")
        .await;
    let slots = "select count(*) filter (where temporary) || '/' || count(*) from pg_replication_slots";
    let mut socket = Socket::open(&stack).await;
    socket
        .joined(
            "news",
            json!({ "broadcast": { "replication_ready": true } }),
            None,
        )
        .await;
    socket.event("news", "system").await;
    assert_eq!(stack.sql_value(slots).await, "1/1");
    let changes = json!({ "postgres_changes": [{ "event": "*", "schema": "public", "table": "notes" }] });
    socket.joined("notes", changes, None).await;
    socket.event("notes", "system").await;
    assert_eq!(stack.sql_value(slots).await, "2/2");
}

/// The log of other tables must be released although nobody writes messages.
#[tokio::test]
async fn the_slot_moves_on_while_other_tables_are_written() {
    let stack = stack().await;
    let mut socket = Socket::open(&stack).await;
    socket
        .joined(
            "news",
            json!({ "broadcast": { "replication_ready": true } }),
            None,
        )
        .await;
    socket.event("news", "system").await;
    let confirmed = "select confirmed_flush_lsn from pg_replication_slots";
    let before = stack.sql_value(confirmed).await;
    stack
        .sql("insert into public.many select generate_series(100000, 120000)")
        .await;
    let written = stack.sql_value("select pg_current_wal_lsn()").await;
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        let reached = stack
            .sql_value(&format!(
                "select confirmed_flush_lsn >= '{written}'::pg_lsn from pg_replication_slots"
            ))
            .await;
        if reached == "true" {
            break;
        }
        assert!(Instant::now() < deadline, "the slot stays at {before}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
