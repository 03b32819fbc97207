//! What is done to contacts, one or many, by people, customers and imports.

use super::Actor;
use serde_json::{Value, json};
use tokio_postgres::types::Json;
use uuid::Uuid;

impl Actor {
    pub(super) async fn edit(&mut self) -> anyhow::Result<bool> {
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
    pub(super) async fn write_columns(&mut self) -> anyhow::Result<bool> {
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

    pub(super) async fn tags(&mut self) -> anyhow::Result<bool> {
        let (id, _) = self.contact(false).await?;
        let tags = self.some_tags();
        self.run(true, "select public.set_contact_tags($1, $2)", &[&id, &tags])
            .await
    }

    pub(super) async fn inbound(&mut self) -> anyhow::Result<bool> {
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

    pub(super) async fn conversation(&mut self) -> anyhow::Result<bool> {
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
                self.run(false, "select worker.fold_sent_messages(100)", &[])
                    .await
            }
        }
    }

    pub(super) async fn import(&mut self) -> anyhow::Result<bool> {
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

    pub(super) async fn bulk(&mut self) -> anyhow::Result<bool> {
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

    pub(super) async fn change(&mut self, selection: Value, change: Value) -> anyhow::Result<bool> {
        let org_id = self.house.organisation.org_id;
        self.run(
            true,
            "select public.change_contacts($1, $2, $3)",
            &[&org_id, &Json(selection), &Json(change)],
        )
        .await
    }

    pub(super) async fn merge(&mut self) -> anyhow::Result<bool> {
        let ids = self.contacts(2).await?;
        let refused = self
            .run(true, "select public.merge_contacts($1, $2)", &[&ids[0], &ids[1]])
            .await?;
        self.replace_if_few().await?;
        Ok(refused)
    }

    pub(super) async fn erase(&mut self) -> anyhow::Result<bool> {
        let (id, _) = self.contact(true).await?;
        let refused = self
            .run(true, "select public.erase_contact($1, 'ERASE')", &[&id])
            .await?;
        self.replace_if_few().await?;
        Ok(refused)
    }

    /// Somebody new for whoever is gone.
    pub(super) async fn replace_if_few(&mut self) -> anyhow::Result<()> {
        let (org_id, account_id) = (self.house.organisation.org_id, self.house.organisation.account_id);
        let mut facts = self.house.generator.facts(&self.house.world);
        facts["contact"]["phone"] = Value::Null;
        facts["contact"]["email"] = Value::Null;
        facts["contact"]["messages_received"] = json!(3);
        let people = json!([{ "id": Uuid::now_v7(), "facts": facts }]);
        self.run(
            false,
            include_str!("../../../sql/proof/people.sql"),
            &[&org_id, &account_id, &Json(people)],
        )
        .await?;
        Ok(())
    }

    pub(super) async fn trash(&mut self) -> anyhow::Result<bool> {
        let (id, _) = self.contact(true).await?;
        let what = if self.house.generator.chance(60) {
            "delete"
        } else {
            "restore"
        };
        self.run(true, &format!("select public.{what}_contact($1)"), &[&id])
            .await
    }
}
