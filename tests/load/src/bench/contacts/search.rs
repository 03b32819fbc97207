//! Searches as people type them, each letter a request.

use super::AREA;
use crate::audience::{Audience, member::Member};
use crate::figures::Times;
use crate::report::{Goal, Row};
use anyhow::ensure;

/// Kind and text; somebody is found by each but those of the kinds "nobody…". People of people.sql.
const SEARCHES: [(&str, &str); 30] = [
    ("one letter", "t"),
    ("one letter", "z"),
    ("two letters", "ta"),
    ("two letters", "xi"),
    ("three letters", "tan"),
    ("three letters", "gra"),
    ("common name", "Tan"),
    ("common name", "siti"),
    ("two words", "grace tan"),
    ("two words", "zulkifli krishnan"),
    ("three words", "chee keong salleh"),
    ("part of a name", "kifl"),
    ("part of a name", "ishna"),
    ("whole e-mail", "person54322@gmail.com"),
    ("part of an e-mail", "person777"),
    ("common part of an e-mail", "gmail"),
    ("common part of an e-mail", "@yahoo.com"),
    ("company", "orchid trading 64"),
    ("common company", "sdn bhd"),
    ("part of a company", "logis"),
    ("whole phone", "+601110054321"),
    ("phone as people write it", "011-1005 4321"),
    ("end of a phone", "54321"),
    ("middle of a phone", "0005"),
    ("beginning of every phone", "+601"),
    ("three digits", "777"),
    ("name and phone", "lim 4321"),
    ("nobody", "qqqzzz"),
    ("nobody, common words", "tan xylophone"),
    ("long", "amirah bin yusof wong company.com.my"),
];
const REPETITIONS: usize = 8;

pub async fn measure(
    member: &Member,
    audience: &Audience,
    contacts: i64,
    goal: f64,
) -> anyhow::Result<Vec<Row>> {
    let mut all = Times::default();
    let mut slowest: Vec<(f64, String)> = Vec::new();
    for (kind, text) in SEARCHES {
        let mut times = Times::default();
        for _ in 0..REPETITIONS {
            let (answer, took) = member
                .ask(
                    "select public.list_contacts($1, $2)",
                    &[&audience.organisation.org_id, &text],
                )
                .await?;
            let total = answer["total"].as_i64();
            ensure!(
                (total == Some(0)) == kind.starts_with("nobody"),
                "{kind} {text}: {total:?} found"
            );
            times.add(took);
            all.add(took);
        }
        slowest.push((times.percentile(0.5), text.to_owned()));
    }
    slowest.sort_by(|a, b| b.0.total_cmp(&a.0));
    let worst: Vec<String> = slowest
        .iter()
        .take(4)
        .map(|(ms, text)| format!("“{text}” {ms:.0}"))
        .collect();
    Ok(vec![
        Row::new(AREA, format!("contact search, {}k contacts, p95 (ms)", contacts / 1000), all.percentile(0.95), Goal::AtMost(goal)).note(format!(
            "list_contacts: {} searches of {} kinds with 25 contacts and the total (exact up to 50,000); p50 {:.1}, slowest p50s: {}",
            all.len(),
            SEARCHES.len(),
            all.percentile(0.5),
            worst.join(", ")
        )),
    ])
}
