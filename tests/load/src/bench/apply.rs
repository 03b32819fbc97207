//! What telling browsers costs the applier: the same batches with broadcasts, and with `private.broadcast` made empty.

use crate::organisation::{Organisation, PHONE_NUMBER_ID};
use crate::report::{Goal, Row};
use crate::stack::Stack;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio_postgres::types::Json;
use uuid::Uuid;

const ON: &str = "bench_apply_on";
const OFF: &str = "bench_apply_off";
const WRITERS: usize = 4;
/// Messages in a commit: what one look at the queue finds at some hundred webhooks a second.
const BATCH: usize = 20;
const ROUND: Duration = Duration::from_secs(5);
const ROUNDS: usize = 4;

pub async fn run(stack: &Stack) -> anyhow::Result<Vec<Row>> {
    for name in [ON, OFF] {
        stack.prepare(name)?;
        let database = stack.database(name).await?;
        Organisation::create(&database, Uuid::now_v7(), PHONE_NUMBER_ID, 80).await?;
    }
    stack
        .database(OFF)
        .await?
        .batch_execute("create or replace function private.broadcast(p_topic text, p_event text, p_payload jsonb) returns void language sql volatile set search_path = '' as 'select'")
        .await?;
    // In turns, so that neither side has the warmer machine.
    let (mut on, mut off) = (0.0, 0.0);
    for _ in 0..ROUNDS {
        on += commits(stack, ON).await?;
        off += commits(stack, OFF).await?;
    }
    let (on, off) = (on / ROUNDS as f64, off / ROUNDS as f64);
    Ok(vec![
        Row::new(
            "inbox",
            "commit rate of inbound apply, notifications on ÷ off",
            on / off,
            Goal::AtLeast(0.9),
        )
        .against(format!("{off:.0} commits/s"))
        .note(format!(
            "{on:.0} commits/s of {BATCH} messages each, {WRITERS} writers, other customers in each batch"
        )),
    ])
}

async fn commits(stack: &Stack, name: &str) -> anyhow::Result<f64> {
    let done = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let database = stack.database(name).await?;
        let done = done.clone();
        tasks.spawn(async move {
            let mut n = 0;
            while started.elapsed() < ROUND {
                let events: Vec<Value> = (0..BATCH)
                    .map(|i| {
                        json!({ "webhook_event_id": 1, "phone_number_id": PHONE_NUMBER_ID, "wa_id": Organisation::customer(writer * 1000 + (n * BATCH + i) % 1000),
                            "profile_name": "Customer", "wa_message_id": format!("wamid.{}", Uuid::now_v7()), "occurred_at": "2026-01-01T00:00:00Z",
                            "type": "text", "body": "Is it in stock?", "payload": {}, "is_placeholder": false, "opens_window": true })
                    })
                    .collect();
                database.query("select * from worker.apply_messages($1)", &[&Json(&events)]).await?;
                done.fetch_add(1, Ordering::Relaxed);
                n += 1;
            }
            anyhow::Ok(())
        });
    }
    while let Some(outcome) = tasks.join_next().await {
        outcome??;
    }
    Ok(done.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64())
}
