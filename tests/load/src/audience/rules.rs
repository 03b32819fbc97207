//! Twenty rules as marketers write them, each with the same question in SQL as somebody would write it by hand who knows the tables, their
//! indexes and this organisation's data: typed columns without guards, joins from the smaller side, bounds worked out beforehand.
//! Placeholders beside the ids of [`super::Audience::fill`]: `{day:N}` the day N days from today in Kuala Lumpur, `{ago:N}` the moment
//! N × 24 h ago, `{anniversaries:N}` month × 100 + day of the next N days.

use serde_json::Value;
use tokio_postgres::Client;
use tokio_postgres::types::Json;

/// One rule of the set, ready to run for an audience.
pub struct Rule {
    pub name: &'static str,
    pub rules: Value,
    pub by_hand: String,
}

macro_rules! written {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../rules/", $name, ".json")), include_str!(concat!("../../rules/", $name, ".sql")))),*]
    };
}

const WRITTEN: [(&str, &str, &str); 20] = written![
    "01-vip",
    "02-vip-wrote-in-30-days",
    "03-customers-with-consent",
    "04-named-tan",
    "05-gmail",
    "06-one-company",
    "07-two-cities",
    "08-birthday-this-week",
    "09-silent-customers",
    "10-new-and-never-spoken-to",
    "11-talking-now",
    "12-gold-spenders",
    "13-travellers",
    "14-renewal-next-month",
    "15-may-be-written-to",
    "16-fair-and-webinar",
    "17-worth-a-call",
    "18-talkative",
    "19-win-back",
    "20-of-a-segment-this-fortnight",
];

/// The rule that `{segment:customers}` of the set stands for.
pub const CUSTOMERS: &str = WRITTEN[2].1;

/// The set, as of one moment of the database; returned too, because a count at another moment may be another count.
pub async fn set(
    database: &Client,
    audience: &super::Audience,
) -> anyhow::Result<(Vec<Rule>, std::time::SystemTime)> {
    let row = database
        .query_one(include_str!("../../sql/audience/placeholders.sql"), &[])
        .await?;
    let now = row.get(0);
    let Json(placeholders): Json<std::collections::BTreeMap<String, String>> = row.get(1);
    let fill = |text: &str| {
        let text = audience.fill(text);
        placeholders.iter().fold(text, |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    };
    let mut rules = Vec::new();
    for (name, json, sql) in WRITTEN {
        rules.push(Rule {
            name,
            rules: serde_json::from_str(&fill(json))?,
            by_hand: fill(sql),
        });
    }
    Ok((rules, now))
}
