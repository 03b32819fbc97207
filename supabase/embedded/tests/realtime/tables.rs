use serde_json::json;

use super::{ANN, public, send, stack};
use crate::support::socket::Socket;

const PARTITIONS: &str =
    "select string_agg(inhrelid::regclass::text, ' ' order by 1) from (select inhrelid from pg_inherits
     where inhparent = 'realtime.messages'::regclass order by inhrelid::regclass::text) as p";

#[tokio::test]
async fn partitions_are_made_ahead_and_dropped_after_three_days() {
    let stack = stack().await;
    let made = stack.sql_value(PARTITIONS).await;
    assert_eq!(made.split(' ').count(), 5, "{made}");
    stack
        .sql("select realtime.maintain_message_partitions((timezone('utc', now()))::date + 10)")
        .await;
    let later = stack.sql_value(PARTITIONS).await;
    assert_eq!(later.split(' ').count(), 5, "{later}");
    assert!(made.split(' ').all(|partition| !later.contains(partition)));
    // Running it again changes nothing.
    stack
        .sql("select realtime.maintain_message_partitions((timezone('utc', now()))::date + 10)")
        .await;
    assert_eq!(stack.sql_value(PARTITIONS).await, later);
}

#[tokio::test]
async fn messages_reach_clients_from_every_partition_made_later() {
    let stack = stack().await;
    let mut socket = Socket::open(&stack).await;
    socket.joined("t", public(), None).await;
    stack
        .sql("select realtime.maintain_message_partitions((timezone('utc', now()))::date + 10)")
        .await;
    stack
        .sql(
            "insert into realtime.messages (topic, extension, event, payload, private, inserted_at)
             values ('t', 'broadcast', 'e', '{\"n\": 1}', false, timezone('utc', now()) + interval '10 days')",
        )
        .await;
    assert_eq!(socket.event("t", "broadcast").await["payload"]["n"], 1);
}

#[tokio::test]
async fn sending_never_fails_its_caller() {
    let stack = stack().await;
    let postgres = stack.cluster.connect("postgres", "postgres").await;
    // No partition, no right, no payload: each is a warning.
    stack
        .sql(
            "do $$ declare p text; begin
               for p in select inhrelid::regclass::text from pg_inherits where inhparent = 'realtime.messages'::regclass
               loop execute 'drop table ' || p; end loop; end $$",
        )
        .await;
    postgres
        .batch_execute(
            "select realtime.send('{}', 'e', 't', false); select realtime.send(null, 'e', 't', false)",
        )
        .await
        .expect("no error");
    postgres
        .batch_execute(
            "begin; set local role authenticated; select realtime.send('{}', 'e', 't', true); commit",
        )
        .await
        .expect("no error");
    assert_eq!(
        stack.sql_value("select count(*) from realtime.messages").await,
        "0"
    );
}

#[tokio::test]
async fn broadcast_changes_tells_the_row_and_refuses_what_is_no_row_change() {
    let stack = stack().await;
    stack
        .sql(
            "create function public.tell() returns trigger language plpgsql security definer set search_path = '' as $$
             begin
               perform realtime.broadcast_changes('notes', tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
               return null;
             end $$;
             alter function public.tell() owner to postgres;
             create trigger tell after insert or update or delete on public.notes
               for each row execute function public.tell();
             drop policy listen on realtime.messages;
             create policy listen on realtime.messages for select to anon using (realtime.topic() = 'notes')",
        )
        .await;
    let mut socket = Socket::open(&stack).await;
    socket.joined("notes", super::private(), None).await;
    stack
        .sql(&format!(
            "insert into public.notes (owner, body) values ('{ANN}', 'a')"
        ))
        .await;
    stack.sql("update public.notes set body = 'b'").await;
    stack.sql("delete from public.notes").await;
    for (operation, new, old) in [
        ("INSERT", Some("a"), None),
        ("UPDATE", Some("b"), Some("a")),
        ("DELETE", None, Some("b")),
    ] {
        let payload = socket.event("notes", "broadcast").await;
        assert_eq!(payload["event"], operation);
        let payload = &payload["payload"];
        assert_eq!(
            (&payload["schema"], &payload["table"]),
            (&json!("public"), &json!("notes"))
        );
        assert_eq!(payload["operation"], operation);
        assert_eq!(payload["record"]["body"].as_str(), new);
        assert_eq!(payload["old_record"]["body"].as_str(), old);
    }
    let client = stack.cluster.connect("postgres", "postgres").await;
    for (operation, level) in [("TRUNCATE", "ROW"), ("INSERT", "STATEMENT")] {
        let refused = client
            .execute(
                "select realtime.broadcast_changes('t', 'e', $1, 'n', 'public', null::record, null::record, $2)",
                &[&operation, &level],
            )
            .await;
        assert!(refused.is_err(), "{operation} {level}");
    }
}

#[tokio::test]
async fn api_roles_may_neither_read_partitions_nor_call_the_servers_own_functions() {
    let stack = stack().await;
    send(&stack, "t", "e", &json!({}), true).await;
    let open = stack
        .sql_value(
            "select count(*) from pg_class as c, unnest(array['anon', 'authenticated', 'service_role']) as r
             where c.relnamespace = 'realtime'::regnamespace and c.relname ~ '^messages_2'
               and has_table_privilege(r, c.oid, 'select, insert, update, delete')",
        )
        .await;
    assert_eq!(open, "0");
    let callable = stack
        .sql_value(
            "select string_agg(distinct p.proname, ' ' order by p.proname) from pg_proc as p
             where p.pronamespace = 'realtime'::regnamespace and has_function_privilege('authenticated', p.oid, 'execute')",
        )
        .await;
    assert_eq!(callable, "broadcast_changes send topic");
}
