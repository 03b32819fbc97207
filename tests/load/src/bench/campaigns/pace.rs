//! What a number allows is reached and never exceeded.

use super::AREA;
use super::arrivals::{self, Arrivals};
use super::field::{Field, post};
use crate::report::{Goal, Row};
use crate::stack::Stack;
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

const ORDINARY_SECONDS: u64 = 60;
const FAST: i32 = 30_000;

pub async fn ordinary(stack: &Stack) -> anyhow::Result<Vec<Row>> {
    let people = 80 * (ORDINARY_SECONDS as i32 + 3);
    let field = Field::make(stack, "100000000000041", people, 80, Uuid::now_v7()).await?;
    let arrivals = run(stack, &field, people, Duration::from_secs(90)).await?;
    let arrivals = arrivals.first_seconds(ORDINARY_SECONDS);
    let rate = arrivals.0.len() as f64 / ORDINARY_SECONDS as f64;
    let fullest = arrivals.fullest_second();
    let note = "statuses come back meanwhile, three a message";
    Ok(vec![
        Row::new(
            AREA,
            "one number at 80 per second for 60 s: achieved (per second)",
            rate,
            Goal::AtLeast(79.2),
        )
        .note(note),
        Row::new(
            AREA,
            "the same: the fullest second, wherever it begins (messages)",
            fullest as f64,
            Goal::AtMost(80.0),
        )
        .note(format!("{} messages", arrivals.0.len())),
    ])
}

pub async fn fast(stack: &Stack) -> anyhow::Result<Row> {
    let field = Field::make(stack, "100000000000042", FAST, 1000, Uuid::now_v7()).await?;
    post(stack, "settings", &json!({ "auto_status": false })).await?;
    let arrivals = run(stack, &field, FAST, Duration::from_secs(120)).await;
    post(stack, "settings", &json!({ "auto_status": true })).await?;
    let arrivals = arrivals?;
    Ok(Row::new(
        AREA,
        "one number at 1,000 per second (per second)",
        arrivals.per_second(),
        Goal::AtLeast(950.0),
    )
    .note(format!(
        "{} messages; fullest second {}; database, workers and sandbox on the same two cores; without status webhooks",
        arrivals.0.len(),
        arrivals.fullest_second()
    )))
}

/// A whole campaign, from its launch to its last message.
async fn run(stack: &Stack, field: &Field, people: i32, patience: Duration) -> anyhow::Result<Arrivals> {
    let campaign = field.draft("Pace").await?;
    let mark = arrivals::mark(stack).await?;
    field.call("launch_campaign", campaign).await?;
    arrivals::wait(stack, mark, people as u64, patience).await?;
    field.is(campaign, "completed", Duration::from_secs(60)).await?;
    Arrivals::since(stack, mark, &field.organisation.phone_number_id).await
}
