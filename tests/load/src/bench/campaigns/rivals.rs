//! The same messages by a campaign with its ledger, by graphile-worker, and by a bare loop around pgmq, none held to a rate.

use super::AREA;
use super::arrivals::{self, Arrivals};
use super::field::{Field, post};
use crate::organisation::Organisation;
use crate::report::{Goal, Row};
use crate::stack::{Stack, connect};
use anyhow::{Context, ensure};
use octopush_whatsapp::{CloudApi, OutboundMessage, Recipient};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::Command;
use uuid::Uuid;

const MESSAGES: i32 = 20_000;
/// Requests at once, on every side.
const CONCURRENCY: i32 = 64;
const NUMBER: &str = "100000000000043";
const PATIENCE: Duration = Duration::from_secs(180);

pub async fn run(stack: &Stack) -> anyhow::Result<Vec<Row>> {
    let field = Field::make(stack, NUMBER, MESSAGES, 0, Uuid::now_v7()).await?;
    post(stack, "settings", &json!({ "auto_status": false })).await?;
    let measured = measure(stack, &field).await;
    post(stack, "settings", &json!({ "auto_status": true })).await?;
    let Rates {
        ours,
        graphile,
        batching,
        pgmq,
    } = measured?;
    let note = format!(
        "{ours:.0}/s; {MESSAGES} messages each, {CONCURRENCY} requests at once, statuses off, everything on the same two cores"
    );
    Ok(vec![
        Row::new(
            AREA,
            "sends per second with no limit, ledger and all ÷ graphile-worker",
            ours / graphile,
            Goal::AtLeast(3.0),
        )
        .against(format!("{graphile:.0}/s, graphile-worker 0.17.3 as it comes; {batching:.0}/s with its batching switched on"))
        .note(note.clone()),
        Row::new(
            AREA,
            "the same ÷ a bare pgmq read–send–archive loop",
            ours / pgmq,
            Goal::AtLeast(0.9),
        )
        .against(format!(
            "{pgmq:.0}/s, pgmq's own SQL, our HTTP client, no ledger, no intent, no rate"
        ))
        .note(note),
    ])
}

/// Messages a second.
struct Rates {
    ours: f64,
    graphile: f64,
    batching: f64,
    pgmq: f64,
}

/// In turns, the middle of three: neither side has the warmer machine.
async fn measure(stack: &Stack, field: &Field) -> anyhow::Result<Rates> {
    let (mut ours, mut graphile, mut batching, mut pgmq) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        ours.push(campaign(stack, field).await.context("campaign")?);
        graphile.push(graphile_worker(stack, false).await.context("graphile-worker")?);
        batching.push(graphile_worker(stack, true).await.context("graphile-worker")?);
        pgmq.push(pgmq_loop(stack).await.context("pgmq")?);
    }
    Ok(Rates {
        ours: middle(ours),
        graphile: middle(graphile),
        batching: middle(batching),
        pgmq: middle(pgmq),
    })
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn campaign(stack: &Stack, field: &Field) -> anyhow::Result<f64> {
    let campaign = field.draft("No limit").await?;
    let mark = arrivals::mark(stack).await?;
    field.call("launch_campaign", campaign).await?;
    arrivals::wait(stack, mark, MESSAGES as u64, PATIENCE).await?;
    field.is(campaign, "completed", PATIENCE).await?;
    rate(stack, mark).await
}

async fn rate(stack: &Stack, mark: u64) -> anyhow::Result<f64> {
    let arrivals = Arrivals::since(stack, mark, NUMBER).await?;
    ensure!(
        arrivals.0.len() == MESSAGES as usize,
        "{} messages were taken",
        arrivals.0.len()
    );
    Ok(arrivals.per_second())
}

/// What every message says, as a campaign's does.
fn template(index: usize) -> Value {
    json!({ "name": "order_update", "language": { "code": "en" }, "components": [{ "type": "body", "parameters": [
        { "type": "text", "text": format!("Customer {index}") }, { "type": "text", "text": "A-100" }, { "type": "text", "text": "ready" } ] }] })
}

async fn fresh_database(stack: &Stack, name: &str) -> anyhow::Result<String> {
    let root = stack.database("postgres").await?;
    root.batch_execute(&format!("drop database if exists {name} with (force)"))
        .await?;
    root.batch_execute(&format!("create database {name} template template0"))
        .await?;
    Ok(stack.database_url(name))
}

async fn graphile_worker(stack: &Stack, is_batching: bool) -> anyhow::Result<f64> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bench-baselines/graphile-worker");
    if !folder.join("node_modules").is_dir() {
        let installed = Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .status()
            .await?;
        ensure!(installed.success(), "npm ci failed in {}", folder.display());
    }
    let url = fresh_database(stack, "bench_graphile").await?;
    let migrated = Command::new("npx")
        .args(["graphile-worker", "--schema-only", "-c", &url])
        .current_dir(&folder)
        .output()
        .await?;
    ensure!(
        migrated.status.success(),
        "{}",
        String::from_utf8_lossy(&migrated.stderr)
    );
    let database = connect(&url).await?;
    let jobs: Vec<Value> = (0..MESSAGES as usize)
        .map(|n| {
            json!({ "identifier": "send", "payload": {
                "messaging_product": "whatsapp", "recipient_type": "individual", "to": format!("+{}", Organisation::customer(n)),
                "type": "template", "template": template(n), "biz_opaque_callback_data": Uuid::now_v7() } })
        })
        .collect();
    let add = "select count(*) from graphile_worker.add_jobs(array(
        select json_populate_record(null::graphile_worker.job_spec, j) from json_array_elements($1) j))";
    database
        .query_one(add, &[&tokio_postgres::types::Json(&jobs)])
        .await
        .context("add_jobs")?;
    database.batch_execute("vacuum analyze").await?;
    let mark = arrivals::mark(stack).await?;
    let sent = Command::new("node")
        .arg("send.mjs")
        .current_dir(&folder)
        .env("DATABASE_URL", &url)
        .env(
            "GRAPH_URL",
            format!(
                "{}/{}/{NUMBER}/messages",
                stack.get("WHATSAPP_GRAPH_URL"),
                stack.get("WHATSAPP_API_VERSION")
            ),
        )
        .env("TOKEN", "sandbox-token")
        .env("JOBS", MESSAGES.to_string())
        .env("CONCURRENCY", CONCURRENCY.to_string())
        .env("BATCHING", if is_batching { "on" } else { "off" })
        .output()
        .await?;
    ensure!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    rate(stack, mark).await
}

async fn pgmq_loop(stack: &Stack) -> anyhow::Result<f64> {
    let url = fresh_database(stack, "bench_pgmq").await?;
    let database = connect(&url).await?;
    database
        .batch_execute(include_str!("../../../../bench-baselines/pgmq/pgmq.sql"))
        .await
        .context("pgmq.sql")?;
    database.batch_execute("select pgmq.create('sends')").await?;
    let messages: Vec<Value> = (0..MESSAGES as usize)
        .map(|n| json!({ "id": Uuid::now_v7(), "to": Organisation::customer(n), "template": template(n) }))
        .collect();
    database
        .query("select pgmq.send_batch('sends', $1)", &[&messages])
        .await
        .context("send_batch")?;
    database.batch_execute("vacuum analyze").await?;
    let http = reqwest::Client::builder()
        .pool_max_idle_per_host(CONCURRENCY as usize)
        .build()?;
    let graph = Arc::new(CloudApi::new(
        stack.get("WHATSAPP_GRAPH_URL"),
        stack.get("WHATSAPP_API_VERSION"),
        http,
    )?);
    let mark = arrivals::mark(stack).await?;
    // Two consumers, so that one reads and archives while the other's requests are under way.
    let mut consumers = tokio::task::JoinSet::new();
    for _ in 0..2 {
        consumers.spawn(consume(connect(&url).await?, graph.clone()));
    }
    while let Some(outcome) = consumers.join_next().await {
        outcome??;
    }
    rate(stack, mark).await
}

async fn consume(database: tokio_postgres::Client, graph: Arc<CloudApi>) -> anyhow::Result<()> {
    let read = database
        .prepare("select msg_id, message from pgmq.read('sends', 30, $1)")
        .await?;
    let archive = database
        .prepare("select pgmq.archive('sends', $1::bigint[])")
        .await?;
    loop {
        let batch = database.query(&read, &[&(CONCURRENCY / 2)]).await?;
        if batch.is_empty() {
            return Ok(());
        }
        let sends = batch.iter().map(|row| {
            let (id, message): (i64, Value) = (row.get(0), row.get(1));
            let graph = graph.clone();
            async move {
                let to = Recipient::phone(message["to"].as_str().unwrap_or_default());
                let message = OutboundMessage::from_stored(to, "template", None, Some(&message["template"]))?
                    .with_callback_data(message["id"].as_str().unwrap_or_default().to_owned());
                graph.send_message(NUMBER, "sandbox-token", &message).await?;
                anyhow::Ok(id)
            }
        });
        let sent = futures_util::future::try_join_all(sends).await?;
        database.query(&archive, &[&sent]).await?;
    }
}
