use serde_json::{Value, json};

use super::{ANN, BOB, stack};
use crate::support::socket::{Socket, token};
use crate::support::stack::Stack;

/// Tasks belong to their owner; `secret` is nobody's to read; who may see which is up to the policy.
const TASKS: &str = "
    create table public.tasks (
        id int primary key, owner uuid not null, title text, points int, secret text, hidden boolean not null default false
    );
    alter table public.tasks enable row level security;
    create policy own on public.tasks for select to authenticated
        using (owner = (select auth.uid()) and not hidden);
    grant select (id, owner, title, points, hidden) on public.tasks to authenticated;
    alter publication supabase_realtime add table public.tasks;";

async fn stack_with_tasks() -> Stack {
    let stack = stack().await;
    let postgres = stack.cluster.connect("postgres", "postgres").await;
    postgres.batch_execute(TASKS).await.expect("tasks");
    stack
}

fn tasks(event: &str, filter: Option<&str>) -> Value {
    let mut entry = json!({ "event": event, "schema": "public", "table": "tasks" });
    if let Some(filter) = filter {
        entry["filter"] = filter.into();
    }
    entry
}

async fn subscribed(stack: &Stack, user: &str, entries: Value) -> (Socket, Vec<Value>) {
    let mut socket = Socket::open(stack).await;
    let response = socket
        .joined(
            "t",
            json!({ "postgres_changes": entries }),
            Some(&token(user, 600)),
        )
        .await;
    let system = socket.event("t", "system").await;
    assert_eq!(system["message"], "Subscribed to PostgreSQL", "{system}");
    let ids = response["postgres_changes"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| entry["id"].clone());
    (socket, ids.collect())
}

async fn change(socket: &mut Socket) -> Value {
    socket.event("t", "postgres_changes").await
}

#[tokio::test]
async fn rows_go_to_whoever_may_see_them_without_the_columns_they_may_not() {
    let stack = stack_with_tasks().await;
    let (mut ann, ids) = subscribed(&stack, ANN, json!([tasks("*", None)])).await;
    let (mut bob, _) = subscribed(&stack, BOB, json!([tasks("*", None)])).await;
    stack
        .sql(&format!(
            "insert into public.tasks values (1, '{ANN}', 'mine', 3, 'x'), (2, '{BOB}', 'his', 4, 'y')"
        ))
        .await;
    let seen = change(&mut ann).await;
    assert_eq!(seen["ids"], json!(ids));
    let data = &seen["data"];
    assert_eq!(
        (&data["schema"], &data["table"], &data["type"]),
        (&json!("public"), &json!("tasks"), &json!("INSERT"))
    );
    assert_eq!(data["errors"], Value::Null);
    assert_eq!(
        data["record"],
        json!({ "id": 1, "owner": ANN, "title": "mine", "points": 3, "hidden": false })
    );
    assert_eq!(
        data["columns"],
        json!([
            { "name": "id", "type": "int4" }, { "name": "owner", "type": "uuid" }, { "name": "title", "type": "text" },
            { "name": "points", "type": "int4" }, { "name": "hidden", "type": "bool" }
        ])
    );
    assert!(data["commit_timestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!(change(&mut bob).await["data"]["record"]["id"], 2);

    stack
        .sql("update public.tasks set points = points + 1, secret = 'z'")
        .await;
    for (socket, id) in [(&mut ann, 1), (&mut bob, 2)] {
        let data = change(socket).await["data"].clone();
        assert_eq!(
            (&data["type"], &data["record"]["id"]),
            (&json!("UPDATE"), &json!(id))
        );
        assert_eq!(data["old_record"], json!({ "id": id }));
    }
    // The marker shows that nothing of the other's came before it.
    stack
        .sql(&format!(
            "insert into public.tasks values (3, '{ANN}'), (4, '{BOB}')"
        ))
        .await;
    assert_eq!(change(&mut ann).await["data"]["record"]["id"], 3);
    assert_eq!(change(&mut bob).await["data"]["record"]["id"], 4);
    assert!(ann.others("postgres_changes").is_empty() && bob.others("postgres_changes").is_empty());
}

#[tokio::test]
async fn visibility_is_that_of_the_live_row_and_deletes_are_told_to_all_by_key_only() {
    let stack = stack_with_tasks().await;
    stack
        .sql(&format!(
            "insert into public.tasks values (1, '{ANN}', 'a'), (2, '{ANN}', 'b')"
        ))
        .await;
    let (mut ann, _) = subscribed(&stack, ANN, json!([tasks("*", None)])).await;
    let (mut bob, _) = subscribed(&stack, BOB, json!([tasks("*", None)])).await;
    // Out of sight by the change itself.
    stack
        .sql("update public.tasks set hidden = true where id = 1")
        .await;
    stack
        .sql(&format!("update public.tasks set owner = '{BOB}' where id = 2"))
        .await;
    assert_eq!(change(&mut bob).await["data"]["record"]["id"], 2);
    stack.sql("delete from public.tasks where id = 1").await;
    for socket in [&mut ann, &mut bob] {
        let data = change(socket).await["data"].clone();
        assert_eq!(
            (&data["type"], &data["old_record"]),
            (&json!("DELETE"), &json!({ "id": 1 }))
        );
        assert_eq!(data.get("record"), None);
    }
    // Even with the whole old row in the log, row level security keeps all but the key.
    stack.sql("alter table public.tasks replica identity full").await;
    stack.sql("delete from public.tasks where id = 2").await;
    assert_eq!(change(&mut ann).await["data"]["old_record"], json!({ "id": 2 }));
}

#[tokio::test]
async fn filters_and_events_choose_and_ids_tell_which_bindings_matched() {
    let stack = stack_with_tasks().await;
    let entries = json!([
        tasks("INSERT", None),
        tasks("*", Some("points=gte.10")),
        tasks("*", Some("title=in.(\"a, b\",c)")),
        tasks("UPDATE", Some("points=lt.5,title=neq.x")),
        tasks("DELETE", Some("title=eq.c")),
    ]);
    let (mut ann, ids) = subscribed(&stack, ANN, entries).await;
    let mut expected = async |sql: String, bindings: &[usize]| {
        stack.sql(&sql).await;
        let mut seen: Vec<u64> = change(&mut ann).await["ids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_u64().unwrap())
            .collect();
        let mut wanted: Vec<u64> = bindings
            .iter()
            .map(|binding| ids[*binding].as_u64().unwrap())
            .collect();
        seen.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(seen, wanted, "{sql}");
    };
    let insert = |id: i32, title: &str, points: &str| {
        format!("insert into public.tasks values ({id}, '{ANN}', {title}, {points})")
    };
    expected(insert(1, "'x'", "10"), &[0, 1]).await;
    expected(insert(2, "'a, b'", "9"), &[0, 2]).await;
    expected(insert(3, "null", "null"), &[0]).await;
    expected(
        "update public.tasks set points = 4, title = 'c' where id = 2".into(),
        &[2, 3],
    )
    .await;
    // Neither matches any binding; deletes carry no title to compare.
    stack
        .sql("update public.tasks set points = 4, title = 'x' where id = 1")
        .await;
    stack.sql("delete from public.tasks where id = 2").await;
    expected(insert(5, "'y'", "1"), &[0]).await;
    assert!(ann.others("postgres_changes").is_empty());
}

#[tokio::test]
async fn what_cannot_be_subscribed_to_is_said_in_a_system_message() {
    let stack = stack_with_tasks().await;
    let start = "Unable to subscribe to changes with given parameters.";
    for (entry, message) in [
        (
            json!({ "event": "*", "schema": "public", "table": "notes" }),
            format!(
                "{start} Please check Realtime is enabled for the given connect parameters: \
                 [event: *, schema: public, table: notes, filters: []]"
            ),
        ),
        (
            tasks("*", Some("secret=eq.x")),
            "invalid column for filter secret".into(),
        ),
        (
            tasks("*", Some("nope=eq.x")),
            "invalid column for filter nope".into(),
        ),
        (
            tasks("*", Some("id=eq.x")),
            "invalid input syntax for type integer: \"x\"".into(),
        ),
        (
            tasks("*", Some("id=like.x")),
            "Error parsing `filter` params: [\"like\",\"x\"]".into(),
        ),
        (json!({ "event": "*" }), "No subscription params provided.".into()),
    ] {
        let mut socket = Socket::open(&stack).await;
        let config = json!({ "postgres_changes": [entry] });
        socket.joined("t", config, Some(&token(ANN, 600))).await;
        let system = socket.event("t", "system").await;
        assert_eq!(
            (&system["extension"], &system["status"]),
            (&json!("postgres_changes"), &json!("error"))
        );
        assert!(system["message"].as_str().unwrap().contains(&message), "{system}");
    }
}

#[tokio::test]
async fn a_join_can_wait_for_the_subscription() {
    let stack = stack_with_tasks().await;
    let mut socket = Socket::open(&stack).await;
    let config =
        |entry: Value| json!({ "postgres_changes": [entry], "postgres_changes_options": { "wait": true } });
    socket
        .joined("t", config(tasks("*", None)), Some(&token(ANN, 600)))
        .await;
    stack
        .sql(&format!("insert into public.tasks values (1, '{ANN}')"))
        .await;
    assert_eq!(change(&mut socket).await["data"]["record"]["id"], 1);
    assert_eq!(socket.event("t", "system").await["status"], "ok");
    let refused = socket
        .join("u", config(json!({ "schema": "public", "table": "notes" })), None)
        .await;
    let reason = refused["response"]["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("RealtimeDisabledForConfiguration: Unable to subscribe"),
        "{reason}"
    );
}

#[tokio::test]
async fn the_reply_repeats_the_entries_with_an_id_and_equal_ones_share_it() {
    let stack = stack_with_tasks().await;
    let mut socket = Socket::open(&stack).await;
    let entries = json!([
        tasks("*", Some("id=eq.1")),
        tasks("INSERT", None),
        tasks("*", Some("id=eq.1")),
        null
    ]);
    let response = socket
        .joined("t", json!({ "postgres_changes": entries }), None)
        .await;
    let echoed = response["postgres_changes"].as_array().unwrap();
    assert_eq!(echoed.len(), 3);
    for (echo, entry) in echoed.iter().zip(entries.as_array().unwrap()) {
        for name in ["event", "schema", "table", "filter"] {
            assert_eq!(echo[name], entry[name]);
        }
        assert!(echo["id"].as_u64().unwrap() > 0);
    }
    assert_eq!(echoed[0]["id"], echoed[2]["id"]);
    assert_ne!(echoed[0]["id"], echoed[1]["id"]);
    // Channels without changes get an empty list.
    assert_eq!(
        socket.joined("u", json!({}), None).await,
        json!({ "postgres_changes": [] })
    );
}

#[tokio::test]
async fn a_new_token_is_what_later_changes_are_judged_by() {
    let stack = stack_with_tasks().await;
    let (mut socket, _) = subscribed(&stack, ANN, json!([tasks("*", None)])).await;
    socket
        .push("t", "access_token", json!({ "access_token": token(BOB, 600) }))
        .await;
    assert_eq!(
        socket.event("t", "system").await["message"],
        "Subscribed to PostgreSQL"
    );
    stack
        .sql(&format!(
            "insert into public.tasks values (1, '{ANN}'), (2, '{BOB}')"
        ))
        .await;
    assert_eq!(change(&mut socket).await["data"]["record"]["id"], 2);
    assert!(socket.others("postgres_changes").is_empty());
}

#[tokio::test]
async fn leaving_ends_the_subscription() {
    let stack = stack_with_tasks().await;
    let (mut socket, _) = subscribed(&stack, ANN, json!([tasks("*", None)])).await;
    let (mut witness, _) = subscribed(&stack, ANN, json!([tasks("*", None)])).await;
    socket.call("t", "phx_leave", json!({})).await;
    stack
        .sql(&format!("insert into public.tasks values (1, '{ANN}')"))
        .await;
    change(&mut witness).await;
    socket.send_text(r#"[null,"h1","phoenix","heartbeat",{}]"#).await;
    socket.reply("h1").await;
    assert!(socket.others("postgres_changes").is_empty());
}
