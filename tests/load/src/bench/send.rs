//! From an agent's click to Meta, and how much of plain HTTP's speed the ledger leaves.

use crate::figures::Times;
use crate::organisation::{FAST_PHONE_NUMBER_ID, Organisation, sign_in};
use crate::report::{Goal, Row};
use crate::stack::Stack;
use crate::wait::until;
use anyhow::Context;
use governor::{Quota, RateLimiter};
use octopush_whatsapp::{CloudApi, OutboundMessage, Recipient};
use serde_json::{Value, json};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::Semaphore;
use uuid::Uuid;

const REPLIES: usize = 200;
const MESSAGES: i32 = 8000;
const CONCURRENCY: usize = 64;

pub async fn run(stack: &Stack) -> anyhow::Result<Vec<Row>> {
    let session = sign_in(stack, "send@load.test").await?;
    let database = stack.database("postgres").await?;
    let organisation = Organisation::create(&database, session.user_id, FAST_PHONE_NUMBER_ID, 1000).await?;
    let conversations = organisation.conversations(&database, MESSAGES).await?;
    let http = reqwest::Client::new();
    let sandbox = stack.get("OCTOPUSH_SANDBOX_URL");
    let mut rows = vec![replies(stack, &http, sandbox, &session.access_token, &conversations).await?];

    // The pair limit and the statuses are the same for both sides: off, so that the calls alone are compared.
    http.post(format!("{sandbox}/admin/settings"))
        .json(&json!({ "auto_status": false, "pair_rate": false, "window": "off" }))
        .send()
        .await?
        .error_for_status()
        .context("sandbox settings")?;
    let plain_limited = plain(stack, Some(1000)).await?;
    let ours_limited = queued(&database, &organisation, 1000).await?;
    // Held to a thousand by the sandbox, neither side would be measured.
    throughput(stack, 0).await?;
    let plain_free = plain(stack, None).await?;
    let ours_free = queued(&database, &organisation, 5000).await?;
    throughput(stack, 1000).await?;
    rows.push(
        Row::new(
            "send",
            "throughput of a 1,000-per-second number ÷ the same calls without a database",
            ours_limited / plain_limited,
            Goal::AtLeast(0.5),
        )
        .against(format!("{plain_limited:.0}/s, held to 1,000/s"))
        .note(format!("{ours_limited:.0}/s")),
    );
    rows.push(
        Row::new(
            "send",
            "the same with no limit on either side",
            ours_free / plain_free,
            Goal::AtLeast(0.5),
        )
        .against(format!("{plain_free:.0}/s, {CONCURRENCY} at once"))
        .note(format!(
            "{ours_free:.0}/s; both client and sandbox share the two cores"
        )),
    );
    http.post(format!("{sandbox}/admin/settings"))
        .json(&json!({ "auto_status": true, "pair_rate": true, "window": "async" }))
        .send()
        .await?;
    Ok(rows)
}

async fn replies(
    stack: &Stack,
    http: &reqwest::Client,
    sandbox: &str,
    token: &str,
    conversations: &[Uuid],
) -> anyhow::Result<Row> {
    let rpc = format!("{}/rest/v1/rpc/send_message", stack.get("SUPABASE_URL"));
    let mut begun = Vec::new();
    let since = arrivals(http, sandbox, 0)
        .await?
        .iter()
        .map(|a| a.0)
        .max()
        .unwrap_or(0);
    for conversation in conversations.iter().take(REPLIES) {
        let begin = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() * 1000.0;
        let answer: Value = http
            .post(&rpc)
            .header("apikey", stack.get("SUPABASE_ANON_KEY"))
            .bearer_auth(token)
            .json(&json!({ "p_conversation_id": conversation, "p_client_key": Uuid::now_v7(), "p_body": "Yes, we do!" }))
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        begun.push((answer["id"].as_str().context("no message")?.to_owned(), begin));
    }
    let mut times = Times::default();
    until(
        "every reply is at the Graph API",
        Duration::from_secs(30),
        async || {
            arrivals(http, sandbox, since).await.is_ok_and(|seen| {
                begun
                    .iter()
                    .all(|(id, _)| seen.iter().any(|(_, callback, _)| callback == id))
            })
        },
    )
    .await?;
    let seen = arrivals(http, sandbox, since).await?;
    for (id, begin) in &begun {
        let at = seen
            .iter()
            .find(|(_, callback, _)| callback == id)
            .map_or(f64::NAN, |(_, _, at)| *at);
        times.add(Duration::from_secs_f64((at - begin).max(0.0) / 1000.0));
    }
    Ok(Row::new(
        "send",
        "agent's send_message → request at the Graph API, p95 (ms)",
        times.percentile(0.95),
        Goal::AtMost(100.0),
    )
    .note(format!(
        "{} replies by RPC; p50 {:.1}, p99 {:.1}",
        times.len(),
        times.percentile(0.5),
        times.percentile(0.99)
    )))
}

/// (sequence, callback data, arrival in epoch milliseconds) of the sends the sandbox saw.
async fn arrivals(
    http: &reqwest::Client,
    sandbox: &str,
    since: u64,
) -> anyhow::Result<Vec<(u64, String, f64)>> {
    let answer: Value = http
        .get(format!("{sandbox}/admin/requests?since={since}"))
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    let list = answer["requests"].as_array().context("no list of requests")?;
    Ok(list
        .iter()
        .map(|r| {
            (
                r["seq"].as_u64().unwrap_or(0),
                r["body"]["biz_opaque_callback_data"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                r["arrived_at_ms"].as_f64().unwrap_or(f64::NAN),
            )
        })
        .collect())
}

/// What the sandbox allows the fast number; 0: anything.
async fn throughput(stack: &Stack, per_second: u32) -> anyhow::Result<()> {
    reqwest::Client::new()
        .post(format!("{}/admin/accounts", stack.get("OCTOPUSH_SANDBOX_URL")))
        .json(&json!({ "phone_number_id": FAST_PHONE_NUMBER_ID, "throughput_mps": per_second }))
        .send()
        .await?
        .error_for_status()
        .context("sandbox throughput")?;
    Ok(())
}

/// Queues one message for every conversation and times the worker until the last was accepted.
async fn queued(
    database: &tokio_postgres::Client,
    organisation: &Organisation,
    messages_per_second: i32,
) -> anyhow::Result<f64> {
    database
        .execute(
            "update public.whatsapp_accounts set messages_per_second = $2 where id = $1",
            &[&organisation.account_id, &messages_per_second],
        )
        .await?;
    let tag = Uuid::now_v7().to_string();
    database
        .query(
            include_str!("../../sql/queue_messages.sql"),
            &[&organisation.org_id, &tag],
        )
        .await?;
    let started = Instant::now();
    database.batch_execute("notify octopush_send").await?;
    until(
        "every message is accepted",
        Duration::from_secs(120),
        async || {
            database
                .query_one(
                    "select count(*) from private.outbox where whatsapp_account_id = $1",
                    &[&organisation.account_id],
                )
                .await
                .is_ok_and(|row| row.get::<_, i64>(0) == 0)
        },
    )
    .await?;
    let took = started.elapsed();
    let accepted: i64 = database
        .query_one("select count(*) from public.messages where org_id = $1 and client_key like $2 || '%' and wa_message_id is not null", &[&organisation.org_id, &tag])
        .await?
        .get(0);
    Ok(accepted as f64 / took.as_secs_f64())
}

/// The same calls by the same client, nothing else.
async fn plain(stack: &Stack, per_second: Option<u32>) -> anyhow::Result<f64> {
    let http = reqwest::Client::builder()
        .pool_max_idle_per_host(CONCURRENCY)
        .build()?;
    let graph = Arc::new(CloudApi::new(
        stack.get("WHATSAPP_GRAPH_URL"),
        stack.get("WHATSAPP_API_VERSION"),
        http,
    )?);
    let slots = Arc::new(Semaphore::new(CONCURRENCY));
    let limiter = per_second
        .and_then(NonZeroU32::new)
        .map(|n| RateLimiter::direct(Quota::per_second(n).allow_burst(NonZeroU32::MIN)));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..MESSAGES as usize {
        if let Some(limiter) = &limiter {
            limiter.until_ready().await;
        }
        let slot = slots.clone().acquire_owned().await?;
        let graph = graph.clone();
        tasks.spawn(async move {
            let message = OutboundMessage::text(Recipient::phone(&Organisation::customer(n)), "Yes, we do!")
                .with_callback_data(Uuid::now_v7().to_string());
            let sent = graph
                .send_message(FAST_PHONE_NUMBER_ID, "sandbox-token", &message)
                .await
                .is_ok();
            drop(slot);
            sent
        });
    }
    let mut sent = 0;
    while let Some(outcome) = tasks.join_next().await {
        sent += usize::from(outcome?);
    }
    Ok(sent as f64 / started.elapsed().as_secs_f64())
}
