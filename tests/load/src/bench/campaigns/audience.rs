//! Taking the audience of a campaign, and what a launch would do.

use super::AREA;
use super::field::Field;
use crate::report::{Goal, Row};
use anyhow::ensure;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// From the launch to a campaign that sends; it is paused at once. Returns the campaign too.
pub async fn snapshot(field: &Field, size: &str, most_ms: f64) -> anyhow::Result<(Row, Uuid)> {
    let campaign = field.draft(&format!("To {size}")).await?;
    let begin = Instant::now();
    field.call("launch_campaign", campaign).await?;
    // Audiences too large for a request are taken by a worker, within a second of the launch.
    field.is(campaign, "sending", Duration::from_secs(120)).await?;
    let took = begin.elapsed();
    field.call("pause_campaign", campaign).await?;
    let recipients: i64 = field
        .database
        .query_one("select count(*) from public.campaign_recipients where campaign_id = $1 and exclusion_reason is null", &[&campaign])
        .await?
        .get(0);
    let row = Row::new(
        AREA,
        format!("audience snapshot of {size} recipients (ms)"),
        took.as_secs_f64() * 1000.0,
        Goal::AtMost(most_ms),
    )
    .note(format!(
        "{recipients} recipients, from the launch to status sending"
    ));
    Ok((row, campaign))
}

/// The same audience, rehearsed.
pub async fn rehearsal(field: &Field) -> anyhow::Result<Row> {
    let campaign = field.draft("Rehearsed").await?;
    let sql = "select public.rehearse_campaign($1)";
    let mut worst = Duration::ZERO;
    let mut recipients = 0;
    for _ in 0..3 {
        let (answer, took) = field.member.ask(sql, &[&campaign]).await?;
        worst = worst.max(took);
        recipients = answer["recipients"].as_i64().unwrap_or(0);
        ensure!(recipients > 99_000, "{recipients} recipients");
    }
    ensure!(
        field.status(campaign).await? == "draft",
        "the rehearsal left something behind"
    );
    Ok(Row::new(
        AREA,
        "rehearsal of 100k (ms)",
        worst.as_secs_f64() * 1000.0,
        Goal::AtMost(3000.0),
    )
    .note(format!(
        "{recipients} recipients, twenty of them rendered; the slowest of three"
    )))
}
