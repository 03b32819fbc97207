//! Campaigns one after the other while workers, Postgres and the gateway are killed, answers get lost, webhooks come twice and in the wrong
//! order, the clocks of the workers and of Meta are minutes off and jump, and somebody keeps pausing and resuming. Two workers do everything
//! at once.

mod clocks;
mod director;
mod fault;
mod second_worker;
mod verdict;

use super::surroundings::{is_healthy, set};
use crate::bench::campaigns::field::Field;
use crate::organisation::FAST_PHONE_NUMBER_ID;
use crate::stack::Stack;
use crate::wait::until;
use director::Director;
use fault::Faults;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};
use uuid::Uuid;

pub use fault::start;
pub use verdict::Verdict;

/// Recipients of every campaign; with `PER_SECOND` each lasts some seconds, a few rounds.
const PEOPLE: i32 = 500;
const PER_SECOND: u32 = 200;

/// As many faults as `rounds` in a copy of [`start`], then the campaigns are let finish and everything is counted.
pub async fn run(stack: &Stack, state: &Path, rounds: usize, seed: u64) -> anyhow::Result<Verdict> {
    let http = reqwest::Client::new();
    let sandbox = stack.get("OCTOPUSH_SANDBOX_URL");
    let field = Field::make(stack, FAST_PHONE_NUMBER_ID, PEOPLE, PER_SECOND, Uuid::now_v7()).await?;
    set(
        &http,
        sandbox,
        "settings",
        &json!({ "pair_rate": false, "window": "off", "read_after_ms": 300, "webhook_retry_max_ms": 1000 }),
    )
    .await?;
    set(&http, sandbox, "faults", &json!({ "seed": seed, "drop_reply_probability": 0.05, "drop_request_probability": 0.01,
        "bad_gateway_probability": 0.01, "latency_ms": 20, "latency_jitter_ms": 60, "status_before_reply": seed.is_multiple_of(2),
        "errors": [{ "code": 131_000, "http_status": 500, "probability": 0.02 }, { "code": 130_429, "probability": 0.005 }],
        "webhooks": { "duplicate_probability": 0.1, "reorder_probability": 0.2, "delay_probability": 0.1, "delay_ms": 300 } })).await?;

    let mut faults = Faults::begin(stack, state, &http, StdRng::seed_from_u64(seed)).await?;
    let director = Director::start(&field, stack.database_url("postgres"), seed);
    for round in 1..=rounds {
        let what = faults.round().await?;
        until(
            "everything is healthy again",
            Duration::from_secs(60),
            async || is_healthy(&http, stack).await,
        )
        .await?;
        if round % 10 == 0 || rounds <= 20 {
            println!("round {round}: {what}; {} campaigns so far", director.launched());
        }
    }
    let campaigns = director.stop().await;
    set(&http, sandbox, "faults", &json!({})).await?;
    let database = stack.database("postgres").await?;
    director::let_finish(
        &database,
        &stack.database_url("postgres"),
        field.organisation.agent_id,
        &campaigns,
    )
    .await?;
    let tally = faults.end()?;
    // Statuses of the last messages are on their way until the sandbox has nothing left to deliver.
    let mut verdict = verdict::judge(&database, sandbox, &campaigns).await?;
    let patience = Instant::now() + Duration::from_secs(60);
    while !verdict.is_clean() && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(500)).await;
        verdict = verdict::judge(&database, sandbox, &campaigns).await?;
    }
    verdict.faults = tally;
    Ok(verdict)
}
