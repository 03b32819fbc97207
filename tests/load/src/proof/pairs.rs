//! Random rules over random contacts.

use super::house::{House, Server};
use super::judge::{Verdict, judge};
use anyhow::{Context, ensure};
use tokio_postgres::types::Json;

/// How much one world holds.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub contacts: usize,
    /// At most 197 beside the three lists.
    pub rules: usize,
}

/// One world: its contacts, its rules saved as segments, every pair judged and explained.
pub async fn prove(server: &Server, seed: u64, size: Size) -> anyhow::Result<Verdict> {
    let mut house = House::build(server, seed).await?;
    let verdict = in_house(&mut house, size)
        .await
        .with_context(|| format!("seed {seed}, {} contacts, {} rules", size.contacts, size.rules))?;
    house.demolish().await?;
    Ok(verdict)
}

async fn in_house(house: &mut House, size: Size) -> anyhow::Result<Verdict> {
    house.people(size.contacts).await?;
    for nth in 0..size.rules {
        // Some in each third become what the next third asks about: segments in segments, three levels deep.
        let is_named = nth % (size.rules / 3).max(1) == 0 && nth < size.rules * 2 / 3;
        house.segment(&format!("Segment {nth}"), is_named).await?;
    }
    house.maintain().await?;
    let verdict = judge(house, 1).await?;
    ensure!(
        verdict.members > 0 && verdict.members < verdict.pairs && verdict.flipped > 0,
        "rules that all say the same prove nothing: {verdict:?}"
    );
    asked_in_sql(house).await?;
    Ok(verdict)
}

/// The same library inside the database, by the function people call.
async fn asked_in_sql(house: &House) -> anyhow::Result<()> {
    let wrong = house
        .database
        .query(
            "select s.name, c.id, e from (select * from public.segments where org_id = $1 and kind = 'dynamic' order by md5(id::text) limit 5) s, \
                (select id from public.contacts where org_id = $1 order by md5(id::text) limit 5) c, \
                lateral public.explain_segment(s.id, c.id) e \
             where (e -> 'is_true') is distinct from (e -> 'is_member')",
            &[&house.organisation.org_id],
        )
        .await
        .context("explain_segment")?;
    ensure!(
        wrong.is_empty(),
        "explain_segment and the members differ: {:?}",
        wrong
            .iter()
            .map(|row| row.get::<_, Json<serde_json::Value>>(2).0)
            .next()
    );
    Ok(())
}
