//! What people look at while a campaign to a million runs.

use super::AREA;
use super::field::Field;
use crate::figures::Times;
use crate::report::{Goal, Row};
use anyhow::ensure;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

const TIMES: usize = 100;
const OTHERS: i32 = 60;

pub async fn run(field: &Field, campaign: Uuid) -> anyhow::Result<Vec<Row>> {
    for n in 0..OTHERS {
        field.draft(&format!("Draft {n}")).await?;
    }
    field
        .database
        .execute(include_str!("../../../sql/campaigns/progress.sql"), &[&campaign])
        .await?;
    field.database.batch_execute("vacuum analyze").await?;
    let list = times(
        field,
        "select public.list_campaigns($1)",
        &[&field.organisation.org_id],
    )
    .await?;
    let detail = times(field, "select public.campaign_detail($1)", &[&campaign]).await?;
    let row = |what: &str, times: &Times| {
        Row::new(
            AREA,
            format!("campaign {what}, 1M recipients, p95 (ms)"),
            times.percentile(0.95),
            Goal::AtMost(50.0),
        )
        .note(format!(
            "{} calls by a member; p50 {:.1}, worst {:.1}; 300,000 read, 10,000 failed",
            times.len(),
            times.percentile(0.5),
            times.percentile(1.0)
        ))
    };
    Ok(vec![row("list", &list), row("detail", &detail)])
}

async fn times(field: &Field, sql: &str, values: &[&(dyn ToSql + Sync)]) -> anyhow::Result<Times> {
    let mut times = Times::default();
    for _ in 0..TIMES {
        let (answer, took) = field.member.ask(sql, values).await?;
        ensure!(answer.is_object(), "{sql}: {answer}");
        times.add(took);
    }
    Ok(times)
}
