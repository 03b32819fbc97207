//! How long somebody who taps a button waits for the redirect.

use super::AREA;
use super::field::Field;
use crate::figures::Times;
use crate::report::{Goal, Row};
use crate::stack::Stack;
use anyhow::ensure;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use uuid::Uuid;

const PER_SECOND: u32 = 500;
const SECONDS: u64 = 20;
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile Safari/604.1";

pub async fn run(stack: &Stack, field: &Field, campaign: Uuid) -> anyhow::Result<Row> {
    let count = i64::from(PER_SECOND) * SECONDS as i64;
    let tokens: Vec<String> = field
        .database
        .query(
            include_str!("../../../sql/campaigns/links.sql"),
            &[&campaign, &count],
        )
        .await?
        .iter()
        .map(|row| row.get(0))
        .collect();
    field.database.batch_execute("analyze private.links").await?;
    let (times, redirected) = follow(stack, &tokens).await?;
    ensure!(
        redirected == tokens.len(),
        "{redirected} of {} were redirected",
        tokens.len()
    );
    let clicked: i64 = field
        .database
        .query_one(
            "select count(*) from public.campaign_recipients where campaign_id = $1 and clicked_at is not null",
            &[&campaign],
        )
        .await?
        .get(0);
    ensure!(clicked == count, "{clicked} recipients are marked");
    Ok(Row::new(
        AREA,
        "redirect /t/{token} at 500 per second, p99 (ms)",
        times.percentile(0.99),
        Goal::AtMost(20.0),
    )
    .note(format!(
        "{} first clicks, each marked in the ledger; p50 {:.1}, worst {:.1}",
        times.len(),
        times.percentile(0.5),
        times.percentile(1.0)
    )))
}

/// Open loop: requests start on time, however long earlier ones take.
async fn follow(stack: &Stack, tokens: &[String]) -> anyhow::Result<(Times, usize)> {
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(256)
        .user_agent(PHONE)
        .build()?;
    let times = Arc::new(Mutex::new(Times::default()));
    let started = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(4));
    let mut tasks = tokio::task::JoinSet::new();
    let mut begun = 0;
    while begun < tokens.len() {
        ticks.tick().await;
        let due = ((started.elapsed().as_secs_f64() * f64::from(PER_SECOND)) as usize).min(tokens.len());
        for token in &tokens[begun..due] {
            let url = format!("{}/t/{token}", stack.get("OCTOPUSH_WORKER_URL"));
            let (http, times) = (http.clone(), times.clone());
            tasks.spawn(async move {
                let begin = Instant::now();
                let is_redirected = http.get(url).send().await.is_ok_and(|r| r.status() == 302);
                times.lock().await.add(begin.elapsed());
                is_redirected
            });
        }
        begun = due;
    }
    let mut redirected = 0;
    while let Some(outcome) = tasks.join_next().await {
        redirected += usize::from(outcome?);
    }
    let times = times.lock().await.clone();
    Ok((times, redirected))
}
