//! The list of contacts and the import: what people wait for who have 100k of them, and a search among a million.

mod import;
mod list;
mod search;

use crate::audience::{Audience, member::Member};
use crate::report::Row;
use crate::stack::Stack;
use uuid::Uuid;

const AREA: &str = "contacts";
const MANY: i64 = 100_000;
const VERY_MANY: i64 = 1_000_000;
const DATABASE: &str = "bench_contacts";
const LARGE_DATABASE: &str = "bench_many_contacts";
/// Sends nothing: no account of the sandbox.
const NUMBER: &str = "100000000000030";

/// Figures are added one by one: what comes after may fail.
pub async fn run(stack: &Stack, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    rows.extend(import::run(stack).await?);
    // Databases of their own, which no worker serves: the figures are of the questions alone.
    for (name, contacts, goal) in [(DATABASE, MANY, 50.0), (LARGE_DATABASE, VERY_MANY, 100.0)] {
        stack.prepare(name)?;
        let database = stack.database(name).await?;
        let person = Uuid::now_v7();
        let audience = Audience::seed(&database, person, NUMBER, contacts, contacts == MANY, false).await?;
        let member = Member::connect(&stack.database_url(name), person).await?;
        rows.extend(search::measure(&member, &audience, contacts, goal).await?);
        if contacts == MANY {
            rows.extend(list::measure(&database, &member, &audience).await?);
        }
        drop((database, member));
        stack.local(&["drop-database", "--database", name])?;
    }
    Ok(())
}
