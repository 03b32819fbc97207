//! Saved segments: fifty of them, and what reading one costs.

use super::AREA;
use crate::audience::{Audience, member::Member, rules::Rule};
use crate::figures::Times;
use crate::report::{Goal, Row};
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tokio_postgres::types::Json;
use uuid::Uuid;

pub const SEGMENTS: usize = 50;

/// A saved dynamic segment.
#[derive(Clone)]
pub struct Segment {
    pub id: Uuid,
    pub name: String,
    pub rules: Value,
}

pub async fn create(member: &Member, audience: &Audience, name: &str, rules: &Value) -> anyhow::Result<Uuid> {
    let (row, _) = member
        .ask(
            "select to_jsonb(s) from public.create_segment($1, $2, 'dynamic', $3) s",
            &[&audience.organisation.org_id, &name, &Json(rules)],
        )
        .await?;
    Ok(row["id"].as_str().context("a segment has an id")?.parse()?)
}

/// The set's twenty and as many of them narrowed to a consent or a source as make fifty; `customers` is one already.
pub async fn create_all(
    member: &Member,
    audience: &Audience,
    customers: Uuid,
    set: &[Rule],
) -> anyhow::Result<Vec<Segment>> {
    let narrowings = [
        json!({ "field": "opt_in_status", "operator": "is_not", "value": "opted_out" }),
        json!({ "field": "source", "operator": "is", "value": "import" }),
    ];
    let mut segments = vec![Segment {
        id: customers,
        name: "customers".to_owned(),
        rules: serde_json::from_str(crate::audience::rules::CUSTOMERS)?,
    }];
    let plain = set.iter().map(|rule| (rule.name.to_owned(), rule.rules.clone()));
    let narrowed = narrowings.iter().enumerate().flat_map(|(nth, narrowing)| {
        set.iter().map(move |rule| {
            (
                format!("{} {nth}", rule.name),
                json!({ "all": [rule.rules, narrowing] }),
            )
        })
    });
    for (name, rules) in plain.chain(narrowed).take(SEGMENTS - 1) {
        let id = create(member, audience, &name, &rules).await?;
        segments.push(Segment { id, name, rules });
    }
    Ok(segments)
}

/// Users of others first.
pub async fn delete_all(member: &Member, segments: &[Segment]) -> anyhow::Result<()> {
    for segment in segments.iter().rev() {
        member
            .tell("select public.delete_segment($1)", &[&segment.id])
            .await?;
    }
    Ok(())
}

pub async fn measure(member: &Member, segments: &[Segment]) -> anyhow::Result<Vec<Row>> {
    let mut times = Times::default();
    for _ in 0..10 {
        for segment in segments {
            let (answer, took) = member
                .ask(
                    "select jsonb_build_object('count', s.member_count, 'page', (select count(m.full_name) from public.segment_members(s.id, 50) m)) \
                     from public.segments s where s.id = $1",
                    &[&segment.id],
                )
                .await?;
            let (count, page) = (answer["count"].as_i64(), answer["page"].as_i64());
            ensure!(
                count.is_some() && page == count.map(|n| n.min(50)),
                "{}: {answer}",
                segment.name
            );
            times.add(took);
        }
    }
    Ok(vec![
        Row::new(
            AREA,
            "saved dynamic segment: count and first page, p95 (ms)",
            times.percentile(0.95),
            Goal::AtMost(5.0),
        )
        .note(format!(
            "{} readings of {} segments, page of 50; p50 {:.2}, slowest {:.2}",
            times.len(),
            segments.len(),
            times.percentile(0.5),
            times.percentile(1.0)
        )),
    ])
}
