//! Pages of the list: filters of the twenty rules, every sort, first and later pages, always with the exact total.

use super::AREA;
use crate::audience::{Audience, member::Member, rules};
use crate::figures::Times;
use crate::report::{Goal, Row};
use anyhow::ensure;
use serde_json::Value;
use tokio_postgres::Client;
use tokio_postgres::types::Json;

const SORTS: [(&str, bool); 5] = [
    ("created_at", true),
    ("name", false),
    ("last_message_at", true),
    ("phone", false),
    ("name", true),
];
const OFFSETS: [i32; 2] = [0, 100];

pub async fn measure(database: &Client, member: &Member, audience: &Audience) -> anyhow::Result<Vec<Row>> {
    let (set, _) = rules::set(database, audience).await?;
    // Filters of the list's own menus: what a segment asks of other segments is not among them.
    let filters: Vec<(&str, Option<Value>)> = std::iter::once(("none", None))
        .chain(
            set.into_iter()
                .filter(|rule| !rule.rules.to_string().contains("\"segment\""))
                .map(|rule| (rule.name, Some(rule.rules))),
        )
        .collect();
    let mut all = Times::default();
    let mut slowest: Vec<(f64, String)> = Vec::new();
    for (name, filter) in &filters {
        for (sort, is_descending) in SORTS {
            let mut times = Times::default();
            for offset in OFFSETS.iter().cycle().take(6) {
                let (answer, took) = member
                    .ask(
                        "select public.list_contacts($1, null, $2, $3, $4, 50, $5)",
                        &[
                            &audience.organisation.org_id,
                            &filter.as_ref().map(Json),
                            &sort,
                            &is_descending,
                            offset,
                        ],
                    )
                    .await?;
                let total = answer["total"].as_i64().unwrap_or_default();
                let page = answer["contacts"].as_array().map_or(0, Vec::len) as i64;
                ensure!(
                    total > 0 && page == (total - i64::from(*offset)).clamp(0, 50),
                    "{name}, {sort}: {page} of {total}"
                );
                times.add(took);
                all.add(took);
            }
            slowest.push((times.percentile(0.5), format!("{name} by {sort}")));
        }
    }
    slowest.sort_by(|a, b| b.0.total_cmp(&a.0));
    let worst: Vec<String> = slowest
        .iter()
        .take(4)
        .map(|(ms, what)| format!("{what} {ms:.0}"))
        .collect();
    Ok(vec![
        Row::new(
            AREA,
            "list page with filters, sort and exact total, 100k contacts, p95 (ms)",
            all.percentile(0.95),
            Goal::AtMost(50.0),
        )
        .note(format!(
            "{} pages of 50: {} filters × {} sorts × first and third page; p50 {:.1}, slowest p50s: {}",
            all.len(),
            filters.len(),
            SORTS.len(),
            all.percentile(0.5),
            worst.join(", ")
        )),
    ])
}
