//! Campaigns: the pace of numbers, what the ledger costs, audiences of a hundred thousand and a million, and what people wait for meanwhile.

mod arrivals;
mod audience;
pub mod field;
mod links;
mod pace;
mod reading;
mod replies;
mod rivals;
mod statuses;

use crate::report::Row;
use crate::stack::Stack;
use field::post;
use serde_json::json;
use uuid::Uuid;

const AREA: &str = "campaigns";

/// Figures are added one by one: what comes after may fail.
pub async fn run(stack: &Stack, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    // A person gets a message of each of many campaigns within minutes here.
    post(
        stack,
        "settings",
        &json!({ "pair_rate": false, "window": "off", "webhook_batch": 20 }),
    )
    .await?;
    rows.extend(pace::ordinary(stack).await?);
    rows.push(pace::fast(stack).await?);
    rows.extend(rivals::run(stack).await?);
    rows.push(statuses::run(stack).await?);

    let session = crate::organisation::sign_in(stack, "campaigns@load.test").await?;
    let hundred_thousand =
        field::Field::make(stack, "100000000000044", 100_000, 1000, session.user_id).await?;
    rows.push(audience::rehearsal(&hundred_thousand).await?);
    let (row, campaign) = audience::snapshot(&hundred_thousand, "100k", 2000.0).await?;
    rows.push(row);
    rows.push(links::run(stack, &hundred_thousand, campaign).await?);
    rows.push(replies::run(stack, &hundred_thousand, campaign, &session).await?);

    let million = field::Field::make(stack, "100000000000045", 1_000_000, 80, Uuid::now_v7()).await?;
    let (row, campaign) = audience::snapshot(&million, "1M", 20_000.0).await?;
    rows.push(row);
    rows.extend(reading::run(&million, campaign).await?);
    Ok(())
}
