//! `./scripts/bench [AREA…] [--json FILE]`: the performance table.

use clap::Parser;
use octopush_load::bench::{apply, campaigns, contacts, inbox, ingest, live, segments, send, webhook};
use octopush_load::report::{self, Row};
use octopush_load::stack::Stack;
use std::path::PathBuf;

#[derive(Parser)]
#[command(about = "Measures every figure the issues name, on a whole running copy of the product")]
struct Cli {
    /// webhook, inbox, send, contacts, segments, campaigns; all without any.
    areas: Vec<String>,
    /// Also write the rows as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Where the copy lives.
    #[arg(long, default_value = ".octopush/bench-stack")]
    state_dir: PathBuf,
    #[arg(long, default_value_t = 15380)]
    port_base: u16,
}

const AREAS: [&str; 6] = ["webhook", "inbox", "send", "contacts", "segments", "campaigns"];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if let Some(unknown) = cli.areas.iter().find(|a| !AREAS.contains(&a.as_str())) {
        anyhow::bail!("there is no area {unknown}; areas are {}", AREAS.join(", "));
    }
    let wanted = |area: &str| cli.areas.is_empty() || cli.areas.iter().any(|a| a == area);
    let stack = Stack::start(&cli.state_dir, cli.port_base)?;
    let mut rows: Vec<Row> = Vec::new();
    let measured = measure(&stack, wanted, &mut rows).await;
    stack.stop()?;
    report::print(&rows);
    if let Some(path) = cli.json {
        std::fs::write(path, serde_json::to_string_pretty(&rows)?)?;
    }
    measured
}

async fn measure(stack: &Stack, wanted: impl Fn(&str) -> bool, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    if wanted("inbox") {
        rows.extend(live::run(stack).await?);
        rows.extend(apply::run(stack).await?);
        rows.extend(inbox::run(stack).await?);
    }
    if wanted("send") {
        rows.extend(send::run(stack).await?);
    }
    if wanted("contacts") {
        contacts::run(stack, rows).await?;
    }
    if wanted("segments") {
        segments::run(stack, rows).await?;
    }
    if wanted("campaigns") {
        campaigns::run(stack, rows).await?;
    }
    if wanted("webhook") {
        rows.extend(ingest::run(stack).await?);
        rows.extend(webhook::run(stack).await?);
    }
    Ok(())
}
