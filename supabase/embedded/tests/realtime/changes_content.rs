use serde_json::{Value, json};

use super::{ANN, BOB, stack};
use crate::support::socket::{Socket, token};
use crate::support::stack::Stack;

/// Subscribes to everything published in `public`.
async fn watching(stack: &Stack, user: &str) -> Socket {
    let mut socket = Socket::open(stack).await;
    let config = json!({ "postgres_changes": [{ "event": "*", "schema": "public" }] });
    socket.joined("t", config, Some(&token(user, 600))).await;
    let system = socket.event("t", "system").await;
    assert_eq!(system["status"], "ok", "{system}");
    socket
}

async fn data(socket: &mut Socket) -> Value {
    socket.event("t", "postgres_changes").await["data"].clone()
}

async fn with_table(sql: &str) -> Stack {
    let stack = stack().await;
    stack.sql(sql).await;
    stack
}

#[tokio::test]
async fn values_have_the_types_of_their_columns() {
    let stack = with_table(
        "set timezone = 'Asia/Kuala_Lumpur';
         create type public.mood as enum ('good', 'bad');
         create table public.kinds (id bigint primary key, b boolean, n numeric, f float8, t text, at timestamptz,
             d date, j jsonb, a text[], ai int[], m public.mood, x bytea, u uuid, i interval);
         grant select on public.kinds to authenticated;
         alter publication supabase_realtime add table public.kinds;
         alter database postgres set datestyle = 'German'; alter database postgres set timezone = 'Asia/Tokyo'",
    )
    .await;
    let mut socket = watching(&stack, ANN).await;
    stack
        .sql(&format!(
            "insert into public.kinds values (9007199254740993, true, 12.50, 'NaN', e'a\"\\n\\\\ü', '2026-11-23 10:00:00.5+08',
             '2026-11-23', '{{\"k\": [1, null]}}', '{{a,\"b c\",NULL}}', '{{1,2}}', 'bad', '\\x00ff', '{ANN}', '1 day 02:00')"
        ))
        .await;
    let record = data(&mut socket).await["record"].clone();
    let text = record.to_string();
    assert!(text.contains("\"id\":9007199254740993"), "{text}");
    assert!(text.contains("\"n\":12.50"), "{text}");
    for (name, value) in [
        ("b", json!(true)),
        ("f", json!("NaN")),
        ("t", json!("a\"\n\\ü")),
        ("at", json!("2026-11-23T02:00:00.5+00:00")),
        ("d", json!("2026-11-23")),
        ("j", json!({ "k": [1, null] })),
        ("a", json!(["a", "b c", null])),
        ("ai", json!([1, 2])),
        ("m", json!("bad")),
        ("x", json!("\\x00ff")),
        ("u", json!(ANN)),
        ("i", json!("1 day 02:00:00")),
    ] {
        assert_eq!(record[name], value, "{name}");
    }
}

#[tokio::test]
async fn an_oversized_change_keeps_its_small_values_only() {
    let stack = with_table(
        "create table public.large (id int primary key, short text, long text);
         grant select on public.large to authenticated;
         alter publication supabase_realtime add table public.large",
    )
    .await;
    let mut socket = watching(&stack, ANN).await;
    stack
        .sql("insert into public.large values (1, 'kept', repeat('x', 1024 * 1024))")
        .await;
    let cut = data(&mut socket).await;
    assert_eq!(cut["errors"], json!(["Error 413: Payload Too Large"]));
    assert_eq!(cut["record"], json!({ "id": 1, "short": "kept" }));
    stack
        .sql("insert into public.large values (2, 'kept', repeat('x', 1000 * 1000))")
        .await;
    let whole = data(&mut socket).await;
    assert_eq!(
        (&whole["errors"], whole["record"]["long"].as_str().map(str::len)),
        (&Value::Null, Some(1_000_000))
    );
    // The long value does not change and is not in the log: it is absent, not null.
    stack
        .sql("alter table public.large alter column long set storage external")
        .await;
    stack
        .sql("insert into public.large values (3, 'a', repeat('x', 5000))")
        .await;
    data(&mut socket).await;
    stack
        .sql("update public.large set short = 'b' where id = 3")
        .await;
    assert_eq!(
        data(&mut socket).await["record"],
        json!({ "id": 3, "short": "b" })
    );
    stack.sql("alter table public.large replica identity full").await;
    stack
        .sql("update public.large set short = 'c' where id = 3")
        .await;
    let full = data(&mut socket).await;
    assert_eq!(full["record"]["long"].as_str().map(str::len), Some(5000));
    assert_eq!(full["old_record"]["short"], "b");
    // Without row level security a delete shows what the identity holds.
    stack.sql("delete from public.large where id = 3").await;
    assert_eq!(data(&mut socket).await["old_record"]["short"], "c");
}

#[tokio::test]
async fn without_a_primary_key_or_the_right_to_it_only_an_error_is_told() {
    let stack = with_table(
        "create table public.keyless (n int);
         create table public.unreadable (id int primary key, n int);
         grant select on public.keyless to authenticated;
         grant select (n) on public.unreadable to authenticated;
         alter publication supabase_realtime add table public.keyless, public.unreadable",
    )
    .await;
    let mut socket = watching(&stack, ANN).await;
    stack.sql("insert into public.keyless values (1)").await;
    let error = data(&mut socket).await;
    assert_eq!(error["errors"], json!(["Error 400: Bad Request, no primary key"]));
    assert_eq!((&error["record"], &error["columns"]), (&json!({}), &json!([])));
    stack.sql("insert into public.unreadable values (1, 2)").await;
    let error = data(&mut socket).await;
    assert_eq!(error["errors"], json!(["Error 401: Unauthorized"]));
    assert_eq!(error["record"], json!({}));
}

#[tokio::test]
async fn select_cuts_the_event_of_its_binding_only() {
    let stack = with_table(
        "create table public.wide (id int primary key, a int, b int);
         grant select on public.wide to authenticated;
         alter publication supabase_realtime add table public.wide",
    )
    .await;
    let mut socket = Socket::open(&stack).await;
    let entries = json!([
        { "event": "*", "schema": "public", "table": "wide", "select": ["id", "b"] },
        { "event": "INSERT", "schema": "public", "table": "wide" },
    ]);
    let response = socket
        .joined(
            "t",
            json!({ "postgres_changes": entries }),
            Some(&token(ANN, 600)),
        )
        .await;
    socket.event("t", "system").await;
    stack.sql("insert into public.wide values (1, 2, 3)").await;
    for _ in 0..2 {
        let event = socket.event("t", "postgres_changes").await;
        let is_cut = event["ids"][0] == response["postgres_changes"][0]["id"];
        let expected = if is_cut {
            json!({ "id": 1, "b": 3 })
        } else {
            json!({ "id": 1, "a": 2, "b": 3 })
        };
        assert_eq!(event["data"]["record"], expected);
        assert_eq!(
            event["data"]["columns"].as_array().unwrap().len(),
            if is_cut { 2 } else { 3 }
        );
    }
}

#[tokio::test]
async fn odd_names_types_and_composite_keys_are_handled() {
    let stack = with_table(
        "create domain public.positive as int check (value > 0);
         create table public.\"Odd \"\"Name'\" (
             \"Key One\" text, \"key'two\" public.positive, \"char\" \"char\", bits bit(3), padded char(5),
             primary key (\"Key One\", \"key'two\"));
         alter table public.\"Odd \"\"Name'\" enable row level security;
         create policy p on public.\"Odd \"\"Name'\" for select to authenticated
             using (\"Key One\" = (select auth.uid())::text);
         grant select on public.\"Odd \"\"Name'\" to authenticated;
         alter publication supabase_realtime add table public.\"Odd \"\"Name'\"",
    )
    .await;
    let (mut ann, mut bob) = (watching(&stack, ANN).await, watching(&stack, BOB).await);
    stack
        .sql(&format!(
            "insert into public.\"Odd \"\"Name'\" values ('{ANN}', 7, 'x', '101', 'ab'), ('{BOB}', 8, null, null, null)"
        ))
        .await;
    let seen = data(&mut ann).await;
    assert_eq!(seen["table"], "Odd \"Name'");
    assert_eq!(
        seen["record"],
        json!({ "Key One": ANN, "key'two": 7, "char": "x", "bits": "101", "padded": "ab   " })
    );
    assert_eq!(data(&mut bob).await["record"]["key'two"], 8);
}

#[tokio::test]
async fn a_policy_that_fails_for_one_subscriber_does_not_silence_the_others() {
    let stack = with_table(&format!(
        "create table public.fragile (id int primary key);
         alter table public.fragile enable row level security;
         create policy p on public.fragile for select to authenticated
             using (case when (select auth.uid()) = '{BOB}' then 1 / (id - id) = 1 else true end);
         grant select on public.fragile to authenticated;
         alter publication supabase_realtime add table public.fragile"
    ))
    .await;
    let mut bob = watching(&stack, BOB).await;
    let mut ann = watching(&stack, ANN).await;
    for id in 1..=3 {
        stack
            .sql(&format!("insert into public.fragile values ({id})"))
            .await;
        assert_eq!(data(&mut ann).await["record"]["id"], id);
    }
    bob.send_text(r#"[null,"h1","phoenix","heartbeat",{}]"#).await;
    bob.reply("h1").await;
    assert!(bob.others("postgres_changes").is_empty());
}

#[tokio::test]
async fn a_large_transaction_arrives_whole_and_in_order() {
    let stack = with_table(
        "create table public.bulk (id int primary key, owner uuid);
         alter table public.bulk enable row level security;
         create policy p on public.bulk for select to authenticated using (owner = (select auth.uid()));
         grant select on public.bulk to authenticated;
         alter publication supabase_realtime add table public.bulk",
    )
    .await;
    let (mut ann, mut bob) = (watching(&stack, ANN).await, watching(&stack, BOB).await);
    stack
        .sql(&format!(
            "insert into public.bulk select n, case n % 2 when 0 then '{ANN}' else '{BOB}' end::uuid
             from generate_series(1, 1000) as n"
        ))
        .await;
    for n in 1..=500 {
        assert_eq!(data(&mut ann).await["record"]["id"], 2 * n);
        assert_eq!(data(&mut bob).await["record"]["id"], 2 * n - 1);
    }
}

#[tokio::test]
async fn tables_published_later_and_columns_added_later_are_seen() {
    let stack = with_table(
        "create table public.first (id int primary key); grant select on public.first to authenticated;
         create table public.second (id int primary key); grant select on public.second to authenticated;
         alter publication supabase_realtime add table public.first",
    )
    .await;
    let mut socket = watching(&stack, ANN).await;
    stack.sql("insert into public.first values (1)").await;
    assert_eq!(data(&mut socket).await["record"], json!({ "id": 1 }));
    stack
        .sql("alter publication supabase_realtime add table public.second")
        .await;
    stack
        .sql("alter table public.first add column note text default 'new'")
        .await;
    stack
        .sql("insert into public.second values (2); insert into public.first values (3)")
        .await;
    assert_eq!(data(&mut socket).await["table"], "second");
    assert_eq!(
        data(&mut socket).await["record"],
        json!({ "id": 3, "note": "new" })
    );
}
