//! Asks all four about every segment and contact of a house.

use super::house::House;
use anyhow::{Context as _, bail};
use octopush_rules::segment::context::Context;
use octopush_rules::segment::evaluate::evaluate;
use octopush_rules::segment::evaluate::facts::Facts;
use octopush_rules::segment::evaluate::moment::Moment;
use octopush_rules::segment::explain::explain;
use octopush_rules::segment::flip::change::apply_changes;
use octopush_rules::segment::rules::Rules;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::types::Json;
use uuid::Uuid;

/// What was asked, all of it answered alike.
#[derive(Debug, Default, Clone, Copy)]
pub struct Verdict {
    pub pairs: usize,
    pub members: usize,
    pub explained: usize,
    pub flipped: usize,
    /// Pairs for which no set of changes was found.
    pub without_flip: usize,
    /// Of those, pairs with rules that say otherwise of another contact.
    pub missed_flips: usize,
}

impl Verdict {
    pub fn add(&mut self, other: Verdict) {
        self.pairs += other.pairs;
        self.members += other.members;
        self.explained += other.explained;
        self.flipped += other.flipped;
        self.without_flip += other.without_flip;
        self.missed_flips += other.missed_flips;
    }
}

/// Everything of a house at one moment.
struct Scene {
    context: Context,
    moment: Moment,
    facts: BTreeMap<Uuid, Value>,
}

/// Every `explain_every`th pair is explained (0: none), and the proposed flip applied to its facts.
pub async fn judge(house: &House, explain_every: usize) -> anyhow::Result<Verdict> {
    let differences = house
        .database
        .query(
            "select * from private.segment_differences($1)",
            &[&house.organisation.org_id],
        )
        .await
        .context("segment_differences")?;
    if let Some(first) = differences.first() {
        let (segment, contact, problem): (Uuid, Option<Uuid>, String) =
            (first.get(0), first.get(1), first.get(2));
        bail!(
            "{} differences, the first: segment {segment}, contact {contact:?}: {problem}\n{}",
            differences.len(),
            evidence(house, segment, contact).await?
        );
    }
    let (context, moment) = house.context().await?;
    let facts = house.database.query(FACTS, &[&house.organisation.org_id]).await?;
    let scene = Scene {
        context,
        moment,
        facts: facts
            .iter()
            .map(|row| {
                let Json(facts) = row.get(1);
                (row.get(0), facts)
            })
            .collect(),
    };
    let segments = house
        .database
        .query(SEGMENTS, &[&house.organisation.org_id])
        .await?;
    let mut verdict = Verdict::default();
    for segment in &segments {
        let id: Uuid = segment.get("id");
        let Json(rules): Json<Value> = segment.get("rules");
        // Rules whose field is gone match nobody; segment_differences and the members' pins have been looked at.
        let Ok(rules) = Rules::parse(&rules, &scene.context) else {
            continue;
        };
        let compiled = ids(house, MATCHING, id).await?;
        let members = ids(house, MEMBERS, id).await?;
        let pins: BTreeMap<Uuid, String> = house
            .database
            .query(
                "select contact_id, kind from public.segment_pins where segment_id = $1",
                &[&id],
            )
            .await?
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect();
        let mut without_flip = 0;
        let mut truths = BTreeSet::new();
        for (contact, facts) in &scene.facts {
            let is_true = evaluate(&rules, &Facts(facts), &scene.moment);
            let is_member = match pins.get(contact).map(String::as_str) {
                Some("include") => true,
                Some(_) => false,
                None => is_true,
            };
            if compiled.contains(contact) != is_true || members.contains(contact) != is_member {
                bail!(
                    "segment {id}, contact {contact}: evaluator {is_true}, compiled {}, member {} (pin {:?})\n{}",
                    compiled.contains(contact),
                    members.contains(contact),
                    pins.get(contact),
                    evidence(house, id, Some(*contact)).await?
                );
            }
            verdict.pairs += 1;
            verdict.members += usize::from(is_member);
            if explain_every > 0 && verdict.pairs.is_multiple_of(explain_every) {
                let explained = explained(&scene, &rules, facts, is_true).with_context(|| {
                    format!("segment {id}, contact {contact}: {}\n{facts}", rules.to_json())
                })?;
                verdict.add(explained);
                without_flip += explained.without_flip;
            }
            truths.insert(is_true);
        }
        if truths.len() > 1 {
            verdict.missed_flips += without_flip;
        }
        if let Some(strange) = compiled
            .iter()
            .chain(&members)
            .find(|id| !scene.facts.contains_key(id))
        {
            bail!("segment {id} has contact {strange}, who is in the trash or erased");
        }
    }
    Ok(verdict)
}

/// The root and the flip of one pair.
fn explained(scene: &Scene, rules: &Rules, facts: &Value, is_true: bool) -> anyhow::Result<Verdict> {
    let explanation = explain(rules, facts, &scene.context, &scene.moment);
    anyhow::ensure!(
        explanation["is_true"] == is_true,
        "the explanation's root is not {is_true}: {explanation}"
    );
    let mut verdict = Verdict {
        explained: 1,
        ..Verdict::default()
    };
    let changes = &explanation["flip"]["changes"];
    if changes.is_null() {
        verdict.without_flip = 1;
        return Ok(verdict);
    }
    let flipped = apply_changes(facts, changes).map_err(anyhow::Error::msg)?;
    anyhow::ensure!(
        evaluate(rules, &Facts(&flipped), &scene.moment) != is_true,
        "the flip does not flip: {changes}"
    );
    verdict.flipped = 1;
    Ok(verdict)
}

const FACTS: &str = "select f.contact_id, f.facts from private.segment_facts(array(select c.id from public.contacts c \
    where c.org_id = $1 and c.deleted_at is null and c.erased_at is null)) f";
const SEGMENTS: &str =
    "select s.id, s.rules from public.segments s where s.org_id = $1 and s.kind = 'dynamic' order by s.id";
const MATCHING: &str = "select m from public.segments s, \
    lateral (select * from octopush.compile_segment(s.rules, private.segment_context(s.org_id), 1)) p, \
    private.matching_contacts(s.org_id, p.predicate, p.params, private.clock()) m where s.id = $1";
const MEMBERS: &str = "select contact_id from public.segment_members where segment_id = $1";

async fn ids(house: &House, sql: &str, segment: Uuid) -> anyhow::Result<BTreeSet<Uuid>> {
    let rows = house.database.query(sql, &[&segment]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// All that somebody needs who wants to see a difference again.
async fn evidence(house: &House, segment: Uuid, contact: Option<Uuid>) -> anyhow::Result<String> {
    let row = house
        .database
        .query_one(
            "select (select jsonb_pretty(s.rules) from public.segments s where s.id = $1), \
                (select string_agg(f.facts::text, '') from private.segment_facts(array[$2::uuid]) f), \
                (select p.predicate || ' ' || p.params::text from private.segment_programs p where p.segment_id = $1), \
                private.segment_context_with_names($3)::text",
            &[&segment, &contact, &house.organisation.org_id],
        )
        .await?;
    let text = |nth: usize| row.get::<_, Option<String>>(nth).unwrap_or_default();
    Ok(format!(
        "database {} is left as it is\nrules {}\nfacts {}\nprogram {}\ncontext {}",
        house.name(),
        text(0),
        text(1),
        text(2),
        text(3)
    ))
}
