//! An agent answers while a campaign to 100,000 leaves by the same number.

use super::AREA;
use super::arrivals::{self, Arrivals};
use super::field::Field;
use crate::figures::Times;
use crate::organisation::Session;
use crate::report::{Goal, Row};
use crate::stack::Stack;
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

const REPLIES: i64 = 200;
/// Four agents' pace.
const EVERY: Duration = Duration::from_millis(200);

/// `campaign` is paused and has its audience.
pub async fn run(stack: &Stack, field: &Field, campaign: Uuid, session: &Session) -> anyhow::Result<Row> {
    let conversations: Vec<Uuid> = field
        .database
        .query(
            include_str!("../../../sql/campaigns/talking.sql"),
            &[
                &field.organisation.org_id,
                &field.organisation.account_id,
                &REPLIES,
            ],
        )
        .await?
        .iter()
        .map(|row| row.get(0))
        .collect();
    let mark = arrivals::mark(stack).await?;
    field.call("resume_campaign", campaign).await?;
    arrivals::wait(stack, mark, 2000, Duration::from_secs(30)).await?;

    let http = reqwest::Client::new();
    let rpc = format!("{}/rest/v1/rpc/send_message", stack.get("SUPABASE_URL"));
    let mut begun: Vec<(String, f64)> = Vec::new();
    let mut ticks = tokio::time::interval(EVERY);
    for conversation in &conversations {
        ticks.tick().await;
        let begin = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() * 1000.0;
        let answer: Value = http
            .post(&rpc)
            .header("apikey", stack.get("SUPABASE_ANON_KEY"))
            .bearer_auth(&session.access_token)
            .json(&json!({ "p_conversation_id": conversation, "p_client_key": Uuid::now_v7(), "p_body": "Yes, we do!" }))
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        begun.push((answer["id"].as_str().context("no message")?.to_owned(), begin));
    }
    let still_sending = field.status(campaign).await? == "sending";
    let seen = seen(stack, mark, field, &begun).await?;
    field.call("pause_campaign", campaign).await.ok();
    ensure!(
        still_sending,
        "the campaign was over before the last reply was written"
    );
    let times: Times = begun
        .iter()
        .filter_map(|(id, begin)| Some(Duration::from_secs_f64((seen.get(id)? - begin).max(0.0) / 1000.0)))
        .collect();
    ensure!(times.len() == begun.len(), "some replies never arrived");
    Ok(Row::new(
        AREA,
        "reply sent while a 100k campaign runs → at the Graph API, p99 (ms)",
        times.percentile(0.99),
        Goal::AtMost(1000.0),
    )
    .note(format!(
        "{} replies by RPC, five a second, beside 1,000 a second of the campaign; p50 {:.1}, worst {:.1}",
        times.len(),
        times.percentile(0.5),
        times.percentile(1.0)
    )))
}

/// When each of these reached the sandbox.
async fn seen(
    stack: &Stack,
    mark: u64,
    field: &Field,
    begun: &[(String, f64)],
) -> anyhow::Result<HashMap<String, f64>> {
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        let arrivals = Arrivals::since(stack, mark, &field.organisation.phone_number_id).await?;
        let seen: HashMap<String, f64> = arrivals
            .0
            .into_iter()
            .filter_map(|arrival| Some((arrival.callback_data?, arrival.at_ms as f64)))
            .collect();
        if begun.iter().all(|(id, _)| seen.contains_key(id)) || std::time::Instant::now() > deadline {
            return Ok(seen);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
