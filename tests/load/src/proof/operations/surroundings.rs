//! What moves contacts without touching them: segments, pins, definitions, the time zone, the clock, campaigns.

use super::{Actor, DAY, TIME_ZONES};
use octopush_rules::segment::evaluate::moment::write_time;
use serde_json::json;
use tokio_postgres::types::Json;
use uuid::Uuid;

impl Actor {
    pub(super) async fn pin(&mut self) -> anyhow::Result<bool> {
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

    pub(super) async fn edit_rules(&mut self) -> anyhow::Result<bool> {
        let segment = self.segment(Some("dynamic")).await?;
        let rules = self.house.generator.rules(&self.house.world);
        self.run(
            true,
            "select public.update_segment($1, null, $2, null, (select updated_at from public.segments where id = $1))",
            &[&segment, &Json(rules)],
        )
        .await
    }

    pub(super) async fn segments(&mut self) -> anyhow::Result<bool> {
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

    pub(super) async fn definition(&mut self) -> anyhow::Result<bool> {
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

    pub(super) async fn time_zone(&mut self) -> anyhow::Result<bool> {
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
    pub(super) async fn clock(&mut self) -> anyhow::Result<bool> {
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
    pub(super) async fn campaign(&mut self) -> anyhow::Result<bool> {
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
