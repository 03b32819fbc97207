//! `octopush-faults --rounds N`: kill -9 at random moments while messages flow, then count.

use anyhow::ensure;
use clap::Parser;
use octopush_load::faults::campaigns;
use octopush_load::faults::surroundings::{is_healthy, set};
use octopush_load::faults::traffic::{Traffic, lock};
use octopush_load::faults::verdict::judge;
use octopush_load::faults::victims::Victim;
use octopush_load::organisation::{FAST_PHONE_NUMBER_ID, Organisation};
use octopush_load::stack::Stack;
use octopush_load::wait::until;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use uuid::Uuid;

#[derive(Parser)]
#[command(
    about = "Kills processes of a running copy while messages flow in and out, and proves that none is lost or doubled"
)]
struct Cli {
    #[arg(long, default_value_t = 200)]
    rounds: usize,
    /// The same seed draws the same faults and pauses.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, default_value = ".octopush/faults-stack")]
    state_dir: PathBuf,
    #[arg(long, default_value_t = 15420)]
    port_base: u16,
    /// Campaigns instead of conversations, with two workers, and wrong clocks among the faults.
    #[arg(long)]
    campaign: bool,
}

const CUSTOMERS: usize = 8;
const AGENTS: usize = 4;
const CONVERSATIONS: i32 = 40;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let stack = if cli.campaign {
        campaigns::start(&cli.state_dir, cli.port_base)?
    } else {
        Stack::start(&cli.state_dir, cli.port_base)?
    };
    let outcome = if cli.campaign {
        campaign_rounds(&cli, &stack).await
    } else {
        rounds(&cli, &stack).await
    };
    stack.stop()?;
    outcome
}

async fn campaign_rounds(cli: &Cli, stack: &Stack) -> anyhow::Result<()> {
    let started = Instant::now();
    let verdict = campaigns::run(stack, &cli.state_dir, cli.rounds, cli.seed).await?;
    println!(
        "{} rounds in {:.0} s\n{}",
        cli.rounds,
        started.elapsed().as_secs_f64(),
        serde_json::to_string_pretty(&verdict)?
    );
    ensure!(
        verdict.is_clean(),
        "somebody got a campaign twice or not at all, or a counter is wrong"
    );
    println!("{} passed, 0 failed", cli.rounds);
    Ok(())
}

async fn rounds(cli: &Cli, stack: &Stack) -> anyhow::Result<()> {
    let http = reqwest::Client::new();
    let sandbox = stack.get("OCTOPUSH_SANDBOX_URL").to_owned();
    let database = stack.database("postgres").await?;
    // The customers' 60 a second count against a number's throughput: an ordinary one would have 20 left, less than the agents write.
    let organisation = Organisation::create(&database, Uuid::now_v7(), FAST_PHONE_NUMBER_ID, 1000).await?;
    let conversations = organisation.conversations(&database, CONVERSATIONS).await?;
    drop(database);
    set(
        &http,
        &sandbox,
        "settings",
        &json!({ "pair_rate": false, "window": "off", "webhook_retry_max_ms": 1000 }),
    )
    .await?;
    set(&http, &sandbox, "faults", &json!({ "seed": cli.seed, "drop_reply_probability": 0.1, "drop_request_probability": 0.02,
        "bad_gateway_probability": 0.02, "latency_ms": 20, "latency_jitter_ms": 60, "status_before_reply": cli.seed.is_multiple_of(2),
        "webhooks": { "duplicate_probability": 0.1, "reorder_probability": 0.2, "delay_probability": 0.1, "delay_ms": 300 } })).await?;

    let traffic = Traffic::start(stack, &organisation, &conversations, CUSTOMERS, AGENTS);
    let mut random = StdRng::seed_from_u64(cli.seed);
    let started = Instant::now();
    for round in 1..=cli.rounds {
        tokio::time::sleep(Duration::from_millis(random.random_range(100..1200))).await;
        let victim = Victim::draw(random.random());
        // The one killed last may still be starting: a round counts when something was really killed.
        until("a process to kill", Duration::from_secs(60), async || {
            victim.kill(stack, &cli.state_dir).unwrap_or(false)
        })
        .await?;
        until(
            "everything is healthy again",
            Duration::from_secs(60),
            async || is_healthy(&http, stack).await,
        )
        .await?;
        if round % 10 == 0 || cli.rounds <= 20 {
            let (inbound, outbound) = {
                let promises = lock(&traffic.promises);
                (promises.inbound.len(), promises.outbound.len())
            };
            println!("round {round}: {victim:?} killed; so far {inbound} in, {outbound} out");
        }
    }
    let promises = {
        let promises = traffic.stop().await;
        std::mem::take(&mut *lock(&promises))
    };
    set(&http, &sandbox, "faults", &json!({})).await?;
    let database = stack.database("postgres").await?;
    until("the queues are empty", Duration::from_secs(120), async || {
        database
            .query_one(
                "select (select count(*) from private.webhook_events where state = 'received') + (select count(*) from private.outbox where state <> 'uncertain')",
                &[],
            )
            .await
            .is_ok_and(|row| row.get::<_, i64>(0) == 0)
    })
    .await?;
    // Statuses of the last messages are on their way until the sandbox has nothing left to deliver.
    let mut verdict = judge(&database, &sandbox, &organisation, &promises).await?;
    let patience = Instant::now() + Duration::from_secs(60);
    while !verdict.is_clean() && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let current = judge(&database, &sandbox, &organisation, &promises).await?;
        verdict = current;
    }
    println!(
        "{} rounds in {:.0} s\n{}",
        cli.rounds,
        started.elapsed().as_secs_f64(),
        serde_json::to_string_pretty(&verdict)?
    );
    ensure!(
        verdict.is_clean(),
        "messages were lost or doubled, or a counter is wrong"
    );
    println!("{} passed, 0 failed", cli.rounds);
    Ok(())
}
