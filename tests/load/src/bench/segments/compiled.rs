//! What the compiler's SQL costs beside SQL that an expert writes for the same question.

use super::AREA;
use crate::audience::{Audience, rules::Rule};
use crate::figures::Times;
use crate::report::{Goal, Row};
use anyhow::ensure;
use std::time::{Instant, SystemTime};
use tokio_postgres::Client;
use tokio_postgres::types::Json;

/// Times each side runs; the two take turns.
const REPETITIONS: usize = 15;

pub async fn measure(
    database: &Client,
    audience: &Audience,
    set: &[Rule],
    now: SystemTime,
) -> anyhow::Result<Vec<Row>> {
    database
        .batch_execute(include_str!("../../../sql/audience/count.sql"))
        .await?;
    let org_id = audience.organisation.org_id;
    let compile = database
        .prepare("select p.predicate, p.params from octopush.compile_segment($1, private.segment_context($2), 1) p")
        .await?;
    let compiled = database
        .prepare("select pg_temp.count_compiled($1, $2, $3, $4)")
        .await?;
    let by_hand = database.prepare("select pg_temp.count_by_hand($1)").await?;
    let mut ratios = Vec::new();
    for rule in set {
        let row = database
            .query_one(&compile, &[&Json(&rule.rules), &org_id])
            .await?;
        let (predicate, params): (String, Vec<String>) = (row.get(0), row.get(1));
        let (mut ours, mut theirs) = (Times::default(), Times::default());
        for _ in 0..REPETITIONS {
            let begin = Instant::now();
            let found: i64 = database
                .query_one(&compiled, &[&predicate, &params, &now, &org_id])
                .await?
                .get(0);
            ours.add(begin.elapsed());
            let begin = Instant::now();
            let expected: i64 = database.query_one(&by_hand, &[&rule.by_hand]).await?.get(0);
            theirs.add(begin.elapsed());
            ensure!(
                found == expected,
                "{}: compiled counts {found}, by hand {expected}",
                rule.name
            );
            ensure!(found > 0, "{}: nobody matches", rule.name);
        }
        let (ours, theirs) = (ours.percentile(0.5), theirs.percentile(0.5));
        ratios.push((ours / theirs, format!("{} {ours:.2}/{theirs:.2}", rule.name)));
    }
    ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
    let median = (ratios[(ratios.len() - 1) / 2].0 + ratios[ratios.len() / 2].0) / 2.0;
    let (worst, _) = ratios[ratios.len() - 1];
    let each: Vec<String> = ratios
        .iter()
        .rev()
        .map(|(ratio, what)| format!("{what} = {ratio:.2}"))
        .collect();
    Ok(vec![
        Row::new(
            AREA,
            "compiled rule ÷ the same by hand, count, median of 20 rules",
            median,
            Goal::AtMost(1.05),
        )
        .against("tests/load/rules/*.sql")
        .note(format!(
            "median of {REPETITIONS} runs of each side in turn; the same counts"
        )),
        Row::new(
            AREA,
            "compiled rule ÷ the same by hand, count, worst of 20 rules",
            worst,
            Goal::AtMost(1.3),
        )
        .against("tests/load/rules/*.sql")
        .note(format!("ms/ms: {}", each.join(", "))),
    ])
}
