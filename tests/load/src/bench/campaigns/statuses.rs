//! What the ledger's counters cost the applier: the same statuses with them, and with their triggers switched off.

use super::AREA;
use super::field::Field;
use crate::report::{Goal, Row};
use crate::stack::{Stack, connect};
use anyhow::ensure;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio_postgres::types::Json;
use uuid::Uuid;

const ON: &str = "bench_statuses_on";
const OFF: &str = "bench_statuses_off";
const NUMBER: &str = "100000000000046";
const PEOPLE: i32 = 20_000;
const WRITERS: usize = 4;
/// Statuses in a commit: what one look at the queue finds at some thousand a second.
const BATCH: usize = 100;

pub async fn run(stack: &Stack) -> anyhow::Result<Row> {
    let mut sent = Vec::new();
    for name in [ON, OFF] {
        stack.prepare(name)?;
        sent.push(campaign_under_way(stack, name).await?);
    }
    stack
        .database(OFF)
        .await?
        .batch_execute(include_str!("../../../sql/campaigns/without_counters.sql"))
        .await?;
    // In turns, one kind of status after the other.
    let (mut with, mut without) = (Duration::ZERO, Duration::ZERO);
    for status in ["sent", "delivered", "read"] {
        with += apply(stack, ON, &sent[0], status).await?;
        without += apply(stack, OFF, &sent[1], status).await?;
    }
    let row = stack
        .database(ON)
        .await?
        .query_one("select sent, delivered, read from private.campaign_stats", &[])
        .await?;
    let counted: (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    let all = i64::from(PEOPLE);
    ensure!(
        counted == (all, all, all),
        "the counters say {counted:?} of {all}"
    );
    let per_second = |took: Duration| 3.0 * f64::from(PEOPLE) / took.as_secs_f64();
    let (with, without) = (per_second(with), per_second(without));
    Ok(Row::new(
        AREA,
        "status webhooks of one campaign, applied per second ÷ without counters",
        with / without,
        Goal::AtLeast(0.8),
    )
    .against(format!(
        "{without:.0} statuses/s with the counters' triggers switched off"
    ))
    .note(format!(
        "{with:.0} statuses/s; sent, delivered and read of {PEOPLE} recipients, {BATCH} a transaction, {WRITERS} writers"
    )))
}

struct Sent {
    message_id: Uuid,
    wa_message_id: String,
}

/// Every message of a campaign made and taken by Meta, without HTTP.
async fn campaign_under_way(stack: &Stack, name: &str) -> anyhow::Result<Vec<Sent>> {
    let field = Field::in_database(&stack.database_url(name), NUMBER, PEOPLE, 0, Uuid::now_v7()).await?;
    let campaign = field.draft("Statuses").await?;
    field.call("launch_campaign", campaign).await?;
    let worker = connect(&stack.worker_url(name)).await?;
    let holder = Uuid::now_v7();
    worker.query("select worker.announce_sender(1)", &[]).await?;
    let mut sent = Vec::new();
    loop {
        worker
            .query("select * from worker.feed_campaigns(1000)", &[])
            .await?;
        worker
            .query("select * from worker.lease_numbers($1, 1, 600, 1)", &[&holder])
            .await?;
        let claimed = worker
            .query(
                "select message_id, send_try, attempt from worker.claim_sends($1, $2, 1000)",
                &[&holder, &field.organisation.account_id],
            )
            .await?;
        if claimed.is_empty() {
            break;
        }
        let mut outcomes = Vec::new();
        for row in &claimed {
            let message_id: Uuid = row.get(0);
            let wa_message_id = format!("wamid.{message_id}");
            outcomes.push(json!({ "message_id": message_id, "send_try": row.get::<_, i32>(1), "attempt": row.get::<_, i32>(2),
                "outcome": "accepted", "wa_message_id": wa_message_id }));
            sent.push(Sent {
                message_id,
                wa_message_id,
            });
        }
        worker
            .query("select worker.record_sends($1)", &[&Json(outcomes)])
            .await?;
    }
    ensure!(sent.len() == PEOPLE as usize, "{} messages were made", sent.len());
    field.database.batch_execute("vacuum analyze").await?;
    Ok(sent)
}

async fn apply(stack: &Stack, name: &str, sent: &[Sent], status: &'static str) -> anyhow::Result<Duration> {
    let mut writers = tokio::task::JoinSet::new();
    let mut shares = Vec::new();
    for share in sent.chunks(sent.len().div_ceil(WRITERS)) {
        let batches: Vec<Value> = share
            .chunks(BATCH)
            .map(|batch| batch.iter().map(|sent| event(sent, status)).collect())
            .collect();
        shares.push((connect(&stack.worker_url(name)).await?, batches));
    }
    let begin = Instant::now();
    for (database, batches) in shares {
        writers.spawn(async move {
            let statement = database
                .prepare("select * from worker.apply_statuses($1)")
                .await?;
            for batch in &batches {
                database.query(&statement, &[batch]).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(outcome) = writers.join_next().await {
        outcome??;
    }
    Ok(begin.elapsed())
}

fn event(sent: &Sent, status: &str) -> Value {
    json!({ "webhook_event_id": 1, "phone_number_id": NUMBER, "wa_message_id": sent.wa_message_id, "message_id": sent.message_id,
        "send_try": 0, "status": status, "occurred_at": "2026-01-01T00:00:00Z", "error_code": null, "error_message": null })
}
