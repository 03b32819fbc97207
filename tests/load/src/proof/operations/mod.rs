//! Random sequences of everything that can move a contact into or out of a segment, with the maintenance between, and no difference after any.

mod contacts;
mod surroundings;

use super::house::{House, Server};
use super::judge::{Verdict, judge};
use anyhow::{Context as _, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// What a sequence did.
#[derive(Debug, Default)]
pub struct Sequence {
    pub verdict: Verdict,
    /// Kind of operation: done, and refused with a code of ours.
    pub operations: BTreeMap<&'static str, (usize, usize)>,
}

const CONTACTS: usize = 60;
const SEGMENTS: usize = 24;
const TIME_ZONES: [&str; 5] = [
    "Asia/Kuala_Lumpur",
    "UTC",
    "America/New_York",
    "Pacific/Kiritimati",
    "Asia/Kathmandu",
];
const DAY: i64 = 86_400_000_000;

/// `length` operations in the world of this seed, one to three between two maintenances; judged after each of those.
pub async fn prove(server: &Server, seed: u64, length: usize) -> anyhow::Result<Sequence> {
    prove_with(server, seed, length, "").await
}

/// The same with a fault planted by `planted` SQL: what shows that a difference would be found.
pub async fn prove_with(
    server: &Server,
    seed: u64,
    length: usize,
    planted: &str,
) -> anyhow::Result<Sequence> {
    let mut house = House::build(server, seed).await?;
    house.database.batch_execute(planted).await?;
    house.people(CONTACTS).await?;
    // What update_contact would refuse to keep, and counters that can count no further.
    house
        .database
        .batch_execute(
            "update public.contacts set email = case when email ~ '^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$' then email end, \
                messages_received = least(messages_received, 1000)",
        )
        .await?;
    let mut actor = Actor {
        house,
        named: 0,
        log: Vec::new(),
    };
    for nth in 0..SEGMENTS {
        actor
            .house
            .segment(&format!("Segment {nth}"), nth % 8 == 0)
            .await?;
    }
    let mut sequence = Sequence::default();
    let mut done = 0;
    while done < length {
        actor.log.clear();
        for _ in 0..1 + actor.house.generator.below(3) {
            let (kind, refused) = actor
                .act()
                .await
                .with_context(|| format!("seed {seed}, operation {done}: {:?}", actor.log))?;
            let count = sequence.operations.entry(kind).or_default();
            if refused {
                count.1 += 1
            } else {
                count.0 += 1
            }
            done += 1;
        }
        actor
            .house
            .maintain()
            .await
            .with_context(|| format!("seed {seed}, after {:?}", actor.log))?;
        let verdict = judge(&actor.house, 97).await.with_context(|| {
            format!(
                "seed {seed}, operation {done}, since the last agreement: {:#?}",
                actor.log
            )
        })?;
        sequence.verdict.add(verdict);
    }
    actor.house.demolish().await?;
    Ok(sequence)
}

struct Actor {
    house: House,
    /// Segments made so far in the sequence, for names.
    named: usize,
    /// Since the last agreement.
    log: Vec<String>,
}

type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Actor {
    /// One operation; its kind, and whether it was refused.
    async fn act(&mut self) -> anyhow::Result<(&'static str, bool)> {
        Ok(match self.house.generator.below(21) {
            0 | 1 => ("edit", self.edit().await?),
            2 => ("write of a column", self.write_columns().await?),
            3 => ("tags", self.tags().await?),
            4 | 5 => ("message of a customer", self.inbound().await?),
            6 => ("conversation", self.conversation().await?),
            7 => ("import", self.import().await?),
            8 => ("bulk change", self.bulk().await?),
            9 => ("merge", self.merge().await?),
            10 => ("erasure", self.erase().await?),
            11 => ("trash", self.trash().await?),
            12 | 13 => ("pin", self.pin().await?),
            14 => ("edit of rules", self.edit_rules().await?),
            15 => ("segment", self.segments().await?),
            16 => ("custom field", self.definition().await?),
            17 => ("time zone", self.time_zone().await?),
            18 | 19 => ("clock", self.clock().await?),
            _ => ("campaign", self.campaign().await?),
        })
    }

    /// True when the database refused with a code of ours; anything else it says is a failure.
    async fn run(&mut self, as_member: bool, sql: &str, values: Values<'_>) -> anyhow::Result<bool> {
        self.log.push(format!("{sql} {values:?}"));
        let database = if as_member {
            self.house.member.database()
        } else {
            &self.house.database
        };
        match database.query(sql, values).await {
            Ok(_) => Ok(false),
            Err(problem) if problem.code().is_some_and(|code| code.code() == "PGRST") => Ok(true),
            Err(problem) => Err(problem).with_context(|| self.log.last().cloned().unwrap_or_default()),
        }
    }

    /// Some contact, with its version; any state when `any`.
    async fn contact(&mut self, any: bool) -> anyhow::Result<(Uuid, String)> {
        let rows = self
            .house
            .database
            .query(
                "select id, updated_at::text from public.contacts where org_id = $1 and erased_at is null and (deleted_at is null or $2) order by id",
                &[&self.house.organisation.org_id, &any],
            )
            .await?;
        ensure!(rows.len() > 2, "nobody is left");
        let row = self.house.generator.pick(&rows);
        Ok((row.get(0), row.get(1)))
    }

    async fn contacts(&mut self, count: usize) -> anyhow::Result<Vec<Uuid>> {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(self.contact(true).await?.0);
        }
        Ok(ids)
    }

    /// One of the dynamic segments or lists.
    async fn segment(&mut self, kind: Option<&str>) -> anyhow::Result<Uuid> {
        let rows = self
            .house
            .database
            .query("select id from public.segments where org_id = $1 and ($2::text is null or kind = $2) order by id", &[&self.house.organisation.org_id, &kind])
            .await?;
        Ok(self.house.generator.pick(&rows).get(0))
    }

    fn some_tags(&mut self) -> Vec<Uuid> {
        let tags = self.house.world.tags.clone();
        tags.into_iter()
            .filter(|_| self.house.generator.chance(40))
            .collect()
    }

    /// A contact of the generator, only with values the RPCs let in when `is_valid`.
    fn random_contact(&mut self, is_valid: bool) -> Value {
        self.house.generator.with_wrong_types = !is_valid;
        let mut facts = self.house.generator.facts(&self.house.world);
        facts["contact"].take()
    }
}
