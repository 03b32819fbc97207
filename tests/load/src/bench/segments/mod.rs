//! Segments over 100k contacts and a million messages, with the workers running.

mod asking;
mod compiled;
mod freshness;
mod saved;
mod writing;

use crate::audience::{Audience, member::Member, rules, served_database, settle};
use crate::report::Row;
use crate::stack::Stack;
use uuid::Uuid;

const AREA: &str = "segments";
const CONTACTS: i64 = 100_000;
/// Sends nothing: no account of the sandbox.
const NUMBER: &str = "100000000000031";

/// Figures are added one by one: what comes after may fail.
pub async fn run(stack: &Stack, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let database = served_database(stack).await?;
    let person = Uuid::now_v7();
    let mut audience = Audience::seed(&database, person, NUMBER, CONTACTS, true, true).await?;
    let member = Member::connect(&stack.database_url("postgres"), person).await?;
    let customers = saved::create(
        &member,
        &audience,
        "customers",
        &serde_json::from_str(rules::CUSTOMERS)?,
    )
    .await?;
    audience.name_segment("customers", customers);
    let (set, now) = rules::set(&database, &audience).await?;

    rows.extend(compiled::measure(&database, &audience, &set, now).await?);
    rows.extend(asking::previews(&member, &audience, &set).await?);
    let segments = saved::create_all(&member, &audience, customers, &set).await?;
    settle(&database, true).await?;
    database.batch_execute("vacuum analyze").await?;
    rows.extend(saved::measure(&member, &segments).await?);
    rows.extend(asking::explanations(&database, &member, &audience, &segments).await?);
    rows.extend(freshness::measure(stack, &database, &audience, customers).await?);
    rows.extend(writing::measure(stack, &database, &member, &mut audience, segments).await?);
    Ok(())
}
