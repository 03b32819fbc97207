//! What a person waits for: the live count while rules are edited, and why a contact is in a segment.

use super::AREA;
use super::saved::Segment;
use crate::audience::{Audience, member::Member, rules::Rule};
use crate::figures::Times;
use crate::report::{Goal, Row};
use anyhow::ensure;
use serde_json::Value;
use tokio_postgres::Client;
use tokio_postgres::types::Json;
use uuid::Uuid;

const PREVIEWS: usize = 20;
const CONTACTS_EXPLAINED: i64 = 20;

pub async fn previews(member: &Member, audience: &Audience, set: &[Rule]) -> anyhow::Result<Vec<Row>> {
    let mut worst = (0.0, "");
    let mut all = Times::default();
    for rule in set {
        let mut times = Times::default();
        for _ in 0..PREVIEWS {
            let (answer, took) = member
                .ask(
                    "select public.preview_segment($1, $2)",
                    &[&audience.organisation.org_id, &Json(&rule.rules)],
                )
                .await?;
            ensure!(answer["count"].as_i64() > Some(0), "{}: {answer}", rule.name);
            times.add(took);
            all.add(took);
        }
        let p95 = times.percentile(0.95);
        if p95 > worst.0 {
            worst = (p95, rule.name);
        }
    }
    Ok(vec![
        Row::new(AREA, "live count while editing, the slowest rule of the set, p95 (ms)", worst.0, Goal::AtMost(100.0)).note(format!(
            "preview_segment with ten contacts and the sentence; {}; {PREVIEWS} of each rule, all p50 {:.1}, p95 {:.1}",
            worst.1,
            all.percentile(0.5),
            all.percentile(0.95)
        )),
    ])
}

pub async fn explanations(
    database: &Client,
    member: &Member,
    audience: &Audience,
    segments: &[Segment],
) -> anyhow::Result<Vec<Row>> {
    let contacts: Vec<Uuid> = database
        .query(
            "select id from public.contacts where org_id = $1 and deleted_at is null order by hashtext(id::text) limit $2",
            &[&audience.organisation.org_id, &CONTACTS_EXPLAINED],
        )
        .await?
        .iter()
        .map(|row| row.get(0))
        .collect();
    let mut times = Times::default();
    for segment in segments {
        for contact in &contacts {
            let (answer, took) = member
                .ask("select public.explain_segment($1, $2)", &[&segment.id, contact])
                .await?;
            ensure!(
                answer["is_true"].is_boolean()
                    && answer["is_true"] == answer["is_member"]
                    && answer["flip"] != Value::Null,
                "{answer}"
            );
            times.add(took);
        }
    }
    Ok(vec![
        Row::new(
            AREA,
            "explain one contact, p95 (ms)",
            times.percentile(0.95),
            Goal::AtMost(10.0),
        )
        .note(format!(
            "{} explanations with their flips, {} segments; p50 {:.2}, slowest {:.2}",
            times.len(),
            segments.len(),
            times.percentile(0.5),
            times.percentile(1.0)
        )),
    ])
}
