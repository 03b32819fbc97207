//! From the commit of an edit to the membership that follows from it, while others edit too.

use super::AREA;
use super::writing::{Writer, pace};
use crate::audience::{Audience, member::Member, settle};
use crate::figures::Times;
use crate::report::{Goal, Row};
use crate::stack::Stack;
use anyhow::{Context, ensure};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio_postgres::Client;
use tokio_postgres::types::Json;
use uuid::Uuid;

const EDITS: usize = 400;
/// What the others do meanwhile, a second.
const OTHERS: u32 = 60;

pub async fn measure(
    stack: &Stack,
    database: &Client,
    audience: &Audience,
    customers: Uuid,
) -> anyhow::Result<Vec<Row>> {
    let is_over = Arc::new(AtomicBool::new(false));
    let others = {
        let writer = Writer::new(stack, audience, 0).await?;
        let is_over = is_over.clone();
        tokio::spawn(async move { pace(writer, OTHERS, &is_over).await })
    };
    let member = Member::connect(&stack.database_url("postgres"), audience.organisation.agent_id).await?;
    // Everybody with consent is in or out by the stage alone. Not of those the others edit.
    let contacts = database
        .query(
            "select id, to_jsonb(updated_at) #>> '{}' from public.contacts \
             where org_id = $1 and opt_in_status = 'opted_in' and lifecycle_stage = 'lead' and deleted_at is null order by id desc limit $2",
            &[&audience.organisation.org_id, &(EDITS as i64 / 2)],
        )
        .await?;
    let seen = database
        .prepare(
            "select exists (select from public.segment_members where segment_id = $1 and contact_id = $2)",
        )
        .await?;
    let mut times = Times::default();
    for row in &contacts {
        let (id, mut version): (Uuid, String) = (row.get(0), row.get(1));
        for (stage, expected) in [("customer", true), ("lead", false)] {
            let (answer, _) = member
                .ask(
                    "select to_jsonb(u) from public.update_contact($1, $2, $3::text::timestamptz) u",
                    &[&id, &Json(json!({ "lifecycle_stage": stage })), &version],
                )
                .await?;
            let committed = Instant::now();
            version = answer["updated_at"].as_str().context("updated_at")?.to_owned();
            while database
                .query_one(&seen, &[&customers, &id])
                .await?
                .get::<_, bool>(0)
                != expected
            {
                ensure!(
                    committed.elapsed() < Duration::from_secs(30),
                    "a membership is wrong for 30 s"
                );
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            times.add(committed.elapsed());
        }
    }
    is_over.store(true, Ordering::Relaxed);
    let written = others.await??;
    settle(database, true).await?;
    let differences = database
        .query(
            "select * from private.segment_differences($1)",
            &[&audience.organisation.org_id],
        )
        .await?;
    ensure!(
        differences.is_empty(),
        "{} memberships are wrong",
        differences.len()
    );
    Ok(vec![
        Row::new(AREA, "commit → membership correct, p99 (ms)", times.percentile(0.99), Goal::AtMost(1000.0)).note(format!(
            "{} edits beside {written} writes of others ({OTHERS}/s), 50 segments; p50 {:.0}, slowest {:.0}; no difference at the end",
            times.len(),
            times.percentile(0.5),
            times.percentile(1.0)
        )),
    ])
}
