//! The list an agent looks at all day, in an organisation with half a million conversations.

use crate::figures::Times;
use crate::report::{Goal, Row};
use crate::stack::Stack;
use serde_json::json;
use std::time::Instant;
use uuid::Uuid;

const DATABASE: &str = "bench_inbox";
const CONVERSATIONS: i32 = 500_000;

pub async fn run(stack: &Stack) -> anyhow::Result<Vec<Row>> {
    stack.prepare(DATABASE)?;
    let mut database = stack.database(DATABASE).await?;
    let agent_id = Uuid::now_v7();
    let organisation =
        crate::organisation::Organisation::create(&database, agent_id, "100000000000009", 80).await?;
    database
        .execute(
            include_str!("../../sql/many_conversations.sql"),
            &[
                &organisation.org_id,
                &organisation.account_id,
                &agent_id,
                &CONVERSATIONS,
            ],
        )
        .await?;
    database.batch_execute("vacuum analyze").await?;

    let claims = json!({ "sub": agent_id, "role": "authenticated" }).to_string();
    let mut rows = Vec::new();
    for (name, filter) in [
        ("all", "folder = 'active'"),
        ("mine", "folder = 'active' and assigned_to = $2"),
        ("unassigned", "folder = 'active' and assigned_to is null"),
        ("resolved", "folder = 'resolved'"),
    ] {
        let sql = format!(
            "select * from public.conversation_list where org_id = $1 and {filter} and ($2::uuid is not null) and last_message_at < $3 order by last_message_at desc, id desc limit 50"
        );
        let mut times = Times::default();
        for n in 0..200_i64 {
            // Every page starts somewhere else, so that the cache is not measured alone.
            let transaction = database.transaction().await?;
            transaction.execute("select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)", &[&claims]).await?;
            let statement = transaction.prepare(&sql).await?;
            let before: std::time::SystemTime =
                std::time::SystemTime::now() - std::time::Duration::from_secs((n as u64 * 7919) % 2_000_000);
            let begin = Instant::now();
            let found = transaction
                .query(&statement, &[&organisation.org_id, &agent_id, &before])
                .await?;
            times.add(begin.elapsed());
            anyhow::ensure!(
                found.len() == 50 || n > 190,
                "the page of {name} has {} rows",
                found.len()
            );
            transaction.rollback().await?;
        }
        rows.push(
            Row::new(
                "inbox",
                format!("conversation list, 500k conversations, {name}, under RLS, p95 (ms)"),
                times.percentile(0.95),
                Goal::AtMost(20.0),
            )
            .note(format!(
                "one query, 50 rows, any page; p50 {:.2}, p99 {:.2}",
                times.percentile(0.5),
                times.percentile(0.99)
            )),
        );
    }
    Ok(rows)
}
