//! Random sequences of everything that can move a contact into or out of a segment, with the maintenance between, and no difference after any.

use super::house::{House, Server};
use super::judge::{Verdict, judge};
use anyhow::{Context as _, ensure};
use octopush_rules::segment::evaluate::moment::write_time;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio_postgres::types::{Json, ToSql};
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

    async fn edit(&mut self) -> anyhow::Result<bool> {
        let (id, version) = self.contact(false).await?;
        let contact = self.random_contact(true);
        let mut fields = serde_json::Map::new();
        for name in [
            "full_name",
            "company",
            "job_title",
            "notes",
            "lifecycle_stage",
            "birthday",
            "address",
            "custom_fields",
        ] {
            if self.house.generator.chance(30) {
                fields.insert(name.to_owned(), contact[name].clone());
            }
        }
        self.run(
            true,
            "select public.update_contact($1, $2, $3::text::timestamptz)",
            &[&id, &Json(fields), &version],
        )
        .await
    }

    /// As only a direct write can: wrong types, counters, times, in many rows at once.
    async fn write_columns(&mut self) -> anyhow::Result<bool> {
        let ids = self.contacts(6).await?;
        let contact = self.random_contact(false);
        self.run(
            false,
            "update public.contacts c set custom_fields = r.custom_fields, address = r.address, messages_sent = r.messages_sent, \
                messages_received = least(r.messages_received, 1000), created_at = r.created_at, last_message_at = r.last_message_at, \
                last_inbound_at = r.last_inbound_at, opt_in_at = r.opt_in_at, source = r.source, opt_in_status = r.opt_in_status, username = r.username \
             from jsonb_populate_record(null::public.contacts, $2) r where c.id = any ($1)",
            &[&ids, &Json(contact)],
        )
        .await
    }

    async fn tags(&mut self) -> anyhow::Result<bool> {
        let (id, _) = self.contact(false).await?;
        let tags = self.some_tags();
        self.run(true, "select public.set_contact_tags($1, $2)", &[&id, &tags])
            .await
    }

    async fn inbound(&mut self) -> anyhow::Result<bool> {
        let mut events = Vec::new();
        for _ in 0..1 + self.house.generator.below(4) {
            let (id, _) = self.contact(true).await?;
            let row = self
                .house
                .database
                .query_one("select wa_id, (private.clock() - make_interval(hours => $2))::text from public.contacts where id = $1", &[&id, &(self.house.generator.below(100) as i32)])
                .await?;
            let stranger = format!("{}", 60_120_000_000_u64 + self.house.generator.below(40) as u64);
            let (wa_id, at): (Option<String>, String) = (row.get(0), row.get(1));
            events.push(json!({ "webhook_event_id": 1, "phone_number_id": self.house.organisation.phone_number_id, "wa_id": wa_id.unwrap_or(stranger),
                "profile_name": "Customer", "wa_message_id": format!("wamid.{}", Uuid::now_v7()), "occurred_at": at, "type": "text",
                "body": *self.house.generator.pick(&["Hello", "STOP", "start"]), "payload": {}, "is_placeholder": false, "opens_window": true }));
        }
        self.run(false, "select * from worker.apply_messages($1)", &[&Json(events)])
            .await
    }

    async fn conversation(&mut self) -> anyhow::Result<bool> {
        let rows = self
            .house
            .database
            .query(
                "select id from public.conversations where org_id = $1 order by id",
                &[&self.house.organisation.org_id],
            )
            .await?;
        let (contact, _) = self.contact(false).await?;
        let account = self.house.organisation.account_id;
        let id: Uuid = if rows.is_empty() {
            Uuid::nil()
        } else {
            self.house.generator.pick(&rows).get(0)
        };
        let key = Uuid::now_v7().to_string();
        match self.house.generator.below(5) {
            0 => {
                self.run(true, "select public.resolve_conversation($1)", &[&id])
                    .await
            }
            1 => {
                self.run(true, "select public.reopen_conversation($1)", &[&id])
                    .await
            }
            2 => {
                self.run(
                    true,
                    "select public.start_conversation($1, $2)",
                    &[&contact, &account],
                )
                .await
            }
            3 => {
                self.run(
                    true,
                    "select public.send_message($1, $2, 'text', 'Hello')",
                    &[&id, &key],
                )
                .await
            }
            _ => {
                self.run(false, "select private.fold_sent_messages(100)", &[])
                    .await
            }
        }
    }

    async fn import(&mut self) -> anyhow::Result<bool> {
        let mut lines = Vec::new();
        let mut phones = std::collections::BTreeSet::new();
        for nth in 1..=1 + self.house.generator.below(8) {
            let contact = self.random_contact(true);
            if let Some(phone) = contact["phone"]
                .as_str()
                .filter(|phone| phones.insert((*phone).to_owned()))
            {
                let tag = format!("Tag {}", 1 + self.house.generator.below(6));
                lines.push(json!({ "line": nth, "cells": [phone], "phone": phone, "full_name": contact["full_name"], "company": contact["company"],
                    "birthday": contact["birthday"], "lifecycle_stage": contact["lifecycle_stage"], "address": contact["address"],
                    "custom_fields": contact["custom_fields"], "tags": [tag] }));
            }
        }
        let duplicates = *self.house.generator.pick(&["skip", "update", "update"]);
        let organisation = self.house.organisation.clone();
        self.run(
            false,
            "select private.proof_import($1, $2, $3, $4)",
            &[
                &organisation.org_id,
                &organisation.agent_id,
                &Json(lines),
                &duplicates,
            ],
        )
        .await
    }

    async fn bulk(&mut self) -> anyhow::Result<bool> {
        let selection = match self.house.generator.below(3) {
            0 => json!({ "ids": self.contacts(8).await? }),
            1 => json!({ "search": "a" }),
            _ => json!({ "rules": self.house.generator.rules(&self.house.world) }),
        };
        let tags = self.some_tags();
        let change = match self.house.generator.below(6) {
            0 => json!({ "action": "add_tags", "tag_ids": tags }),
            1 => json!({ "action": "remove_tags", "tag_ids": tags }),
            2 => {
                json!({ "action": "set_lifecycle_stage", "stage": *self.house.generator.pick(&["lead", "customer"]) })
            }
            3 => {
                json!({ "action": "set_consent", "status": *self.house.generator.pick(&["opted_in", "opted_out"]), "source": "manual" })
            }
            // A selection of a few, or everybody would soon be in the trash.
            4 => {
                let ids = self.contacts(2).await?;
                return self
                    .change(json!({ "ids": ids }), json!({ "action": "delete" }))
                    .await;
            }
            _ => {
                return self
                    .change(json!({ "trash": true }), json!({ "action": "restore" }))
                    .await;
            }
        };
        self.change(selection, change).await
    }

    async fn change(&mut self, selection: Value, change: Value) -> anyhow::Result<bool> {
        let org_id = self.house.organisation.org_id;
        self.run(
            true,
            "select public.change_contacts($1, $2, $3)",
            &[&org_id, &Json(selection), &Json(change)],
        )
        .await
    }

    async fn merge(&mut self) -> anyhow::Result<bool> {
        let ids = self.contacts(2).await?;
        let refused = self
            .run(true, "select public.merge_contacts($1, $2)", &[&ids[0], &ids[1]])
            .await?;
        self.replace_if_few().await?;
        Ok(refused)
    }

    async fn erase(&mut self) -> anyhow::Result<bool> {
        let (id, _) = self.contact(true).await?;
        let refused = self
            .run(true, "select public.erase_contact($1, 'ERASE')", &[&id])
            .await?;
        self.replace_if_few().await?;
        Ok(refused)
    }

    /// Somebody new for whoever is gone.
    async fn replace_if_few(&mut self) -> anyhow::Result<()> {
        let (org_id, account_id) = (self.house.organisation.org_id, self.house.organisation.account_id);
        let mut facts = self.house.generator.facts(&self.house.world);
        facts["contact"]["phone"] = Value::Null;
        facts["contact"]["email"] = Value::Null;
        facts["contact"]["messages_received"] = json!(3);
        let people = json!([{ "id": Uuid::now_v7(), "facts": facts }]);
        self.run(
            false,
            include_str!("../../sql/proof/people.sql"),
            &[&org_id, &account_id, &Json(people)],
        )
        .await?;
        Ok(())
    }

    async fn trash(&mut self) -> anyhow::Result<bool> {
        let (id, _) = self.contact(true).await?;
        let what = if self.house.generator.chance(60) {
            "delete"
        } else {
            "restore"
        };
        self.run(true, &format!("select public.{what}_contact($1)"), &[&id])
            .await
    }

    async fn pin(&mut self) -> anyhow::Result<bool> {
        let segment = self.segment(None).await?;
        let ids = self.contacts(3).await?;
        let kind = *self
            .house
            .generator
            .pick(&[Some("include"), Some("exclude"), None]);
        self.run(
            true,
            "select public.pin_segment_contacts($1, $2, $3)",
            &[&segment, &ids, &kind],
        )
        .await
    }

    async fn edit_rules(&mut self) -> anyhow::Result<bool> {
        let segment = self.segment(Some("dynamic")).await?;
        let rules = self.house.generator.rules(&self.house.world);
        self.run(
            true,
            "select public.update_segment($1, null, $2, null, (select updated_at from public.segments where id = $1))",
            &[&segment, &Json(rules)],
        )
        .await
    }

    async fn segments(&mut self) -> anyhow::Result<bool> {
        let (org_id, segment) = (
            self.house.organisation.org_id,
            self.segment(Some("dynamic")).await?,
        );
        if self.house.generator.chance(40) {
            return self
                .run(true, "select public.delete_segment($1)", &[&segment])
                .await;
        }
        self.named += 1;
        let name = format!("Later {}", self.named);
        if self.house.generator.chance(30) {
            let selection = json!({ "rules": self.house.generator.rules(&self.house.world) });
            return self
                .run(
                    true,
                    "select public.create_segment($1, $2, 'static', null, $3)",
                    &[&org_id, &name, &Json(selection)],
                )
                .await;
        }
        let rules = self.house.generator.rules(&self.house.world);
        self.run(
            true,
            "select public.create_segment($1, $2, 'dynamic', $3)",
            &[&org_id, &name, &Json(rules)],
        )
        .await
    }

    async fn definition(&mut self) -> anyhow::Result<bool> {
        let rows = self
            .house
            .database
            .query(
                "select id, key from public.custom_field_definitions where org_id = $1 order by key",
                &[&self.house.organisation.org_id],
            )
            .await?;
        let row = self.house.generator.pick(&rows);
        let (id, key): (Uuid, String) = (row.get(0), row.get(1));
        let options = [
            "gold".to_owned(),
            "Silver".to_owned(),
            format!("new {}", self.house.generator.below(9)),
        ];
        match self.house.generator.below(4) {
            0 => {
                self.run(true, "select public.archive_custom_field($1)", &[&id])
                    .await
            }
            1 => {
                self.run(true, "select public.restore_custom_field($1)", &[&id])
                    .await
            }
            2 if key == "tier" || key == "likes" => {
                self.run(
                    true,
                    "select public.update_custom_field($1, p_options => $2)",
                    &[&id, &&options[..]],
                )
                .await
            }
            // No RPC changes a type; the rules that ask such a field must then match nobody, or read it anew.
            _ => {
                let kind = *self.house.generator.pick(&["text", "number", "date", "boolean"]);
                self.run(
                    false,
                    "update public.custom_field_definitions set type = case when cardinality(options) = 0 then $2 else type end where id = $1",
                    &[&id, &kind],
                )
                .await
            }
        }
    }

    async fn time_zone(&mut self) -> anyhow::Result<bool> {
        let zone = *self.house.generator.pick(&TIME_ZONES);
        let org_id = self.house.organisation.org_id;
        self.run(
            true,
            "select public.update_organization($1, 'Proof', 'MY', $2)",
            &[&org_id, &zone],
        )
        .await
    }

    /// Forwards by seconds, hours and days, backwards more rarely; now and then exactly onto a boundary of a rule.
    async fn clock(&mut self) -> anyhow::Result<bool> {
        let (_, moment) = self.house.context().await?;
        let generator = &mut self.house.generator;
        let unit = *generator.pick(&[1_000_000, 3_600_000_000, DAY, 7 * DAY]);
        let distance = unit * (1 + generator.below(9) as i64) + *generator.pick(&[0, 0, 1, -1]);
        let to = if generator.chance(70) {
            moment.now + distance
        } else {
            moment.now - distance
        };
        if generator.chance(40) {
            let (id, _) = self.contact(false).await?;
            let hours = *self.house.generator.pick(&[1, 24, 72, 168, 720]);
            return self
                .run(
                    false,
                    "update private.proof_clock set now = coalesce((select last_inbound_at + make_interval(hours => $2) from public.contacts where id = $1), now)",
                    &[&id, &hours],
                )
                .await;
        }
        let to = write_time(to);
        self.run(
            false,
            "update private.proof_clock set now = $1::text::timestamptz",
            &[&to],
        )
        .await
    }

    /// As the rooms of campaigns and flows will: what happened, and the contact into the queue.
    async fn campaign(&mut self) -> anyhow::Result<bool> {
        let (contact, _) = self.contact(true).await?;
        let org_id = self.house.organisation.org_id;
        let (campaigns, flows) = (self.house.world.campaigns.clone(), self.house.world.flows.clone());
        let campaign = *self.house.generator.pick(&campaigns);
        let flow = *self.house.generator.pick(&flows);
        self.run(
            false,
            "with reaction as (insert into private.proof_reactions values ($1, $2, $3, now(), now(), null, now())), \
                run as (insert into private.proof_runs values ($1, $2, $4, 'completed')) \
             insert into private.contact_changes (org_id, contact_id) values ($1, $2)",
            &[&org_id, &contact, &campaign, &flow],
        )
        .await
    }
}
