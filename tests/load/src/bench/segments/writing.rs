//! What fifty segments cost those who write: edits, tags and customers' messages through the functions the product uses, and the time
//! until the last change is judged.

use super::AREA;
use super::saved::{self, Segment};
use crate::audience::{Audience, member::Member, settle};
use crate::report::{Goal, Row};
use crate::stack::{Stack, connect};
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio_postgres::Client;
use tokio_postgres::types::Json;
use uuid::Uuid;

const WRITERS: usize = 4;
const WRITES: usize = 1500;
const ROUNDS: usize = 3;
/// What the applier does with a message that came just now.
const APPLY: &str = "select * from worker.apply_messages(jsonb_set($1::jsonb, '{0,occurred_at}', to_jsonb(clock_timestamp())))";

/// Somebody who writes, with a quarter of the contacts.
pub struct Writer {
    member: Member,
    worker: Client,
    phone_number_id: String,
    /// Id, version and number on WhatsApp.
    contacts: Vec<(Uuid, String, Option<String>)>,
    tags: Vec<Uuid>,
    nth: usize,
}

impl Writer {
    pub async fn new(stack: &Stack, audience: &Audience, slice: usize) -> anyhow::Result<Self> {
        let organisation = &audience.organisation;
        let worker = connect(&stack.database_url("postgres")).await?;
        let contacts = worker
            .query(
                "select id, to_jsonb(updated_at) #>> '{}', wa_id from public.contacts \
                 where org_id = $1 and deleted_at is null and id < (select id from public.contacts where org_id = $1 order by id desc offset 1000 limit 1) \
                     and (hashtext(id::text) & 3) = $2 order by hashtext(id::text) limit 10000",
                &[&organisation.org_id, &(slice as i32)],
            )
            .await?
            .iter()
            .map(|row| (row.get(0), row.get(1), row.get(2)))
            .collect();
        let tags = ["Newcomer", "VIP", "Webinar", "Refund", "Partner"];
        Ok(Self {
            member: Member::connect(&stack.database_url("postgres"), organisation.agent_id).await?,
            worker,
            phone_number_id: organisation.phone_number_id.clone(),
            contacts,
            tags: tags.iter().filter_map(|name| audience.tag(name)).collect(),
            nth: 0,
        })
    }

    /// One of four edits, three sets of tags and three messages in ten; every one changes what rules read.
    pub async fn write(&mut self) -> anyhow::Result<()> {
        self.nth += 1;
        let nth = self.nth;
        let count = self.contacts.len();
        let (id, version, wa_id) = &mut self.contacts[nth * 7 % count];
        match (nth % 10, wa_id) {
            (0..4, _) => {
                let stage = ["lead", "prospect", "customer", "churned"][nth / 10 % 4];
                let fields = json!({ "lifecycle_stage": stage, "company": format!("Company {nth}"), "custom_fields": { "spend": nth % 3000 } });
                let (row, _) = self
                    .member
                    .ask(
                        "select to_jsonb(u) from public.update_contact($1, $2, $3::text::timestamptz) u",
                        &[&*id, &Json(fields), &*version],
                    )
                    .await?;
                *version = row["updated_at"].as_str().context("updated_at")?.to_owned();
            }
            (7.., Some(wa_id)) => {
                let event = json!([{ "webhook_event_id": 1, "phone_number_id": self.phone_number_id, "wa_id": wa_id, "profile_name": "Customer",
                    "wa_message_id": format!("wamid.{}", Uuid::now_v7()), "type": "text", "body": "Is it in stock?",
                    "payload": {}, "is_placeholder": false, "opens_window": true }]);
                let applied = self.worker.query(APPLY, &[&Json(event)]).await?;
                ensure!(applied.is_empty(), "a message names no connected number");
            }
            _ => {
                let some: Vec<Uuid> = self
                    .tags
                    .iter()
                    .skip(nth % 4)
                    .take(1 + nth % 2)
                    .copied()
                    .collect();
                self.member
                    .tell("select public.set_contact_tags($1, $2)", &[&*id, &some])
                    .await?;
            }
        }
        Ok(())
    }
}

/// Writes at a pace until it is over; returns how often.
pub async fn pace(mut writer: Writer, per_second: u32, is_over: &AtomicBool) -> anyhow::Result<usize> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second);
    let mut written = 0;
    while !is_over.load(Ordering::Relaxed) {
        ticks.tick().await;
        writer.write().await?;
        written += 1;
    }
    Ok(written)
}

pub async fn measure(
    stack: &Stack,
    database: &Client,
    member: &Member,
    audience: &mut Audience,
    segments: Vec<Segment>,
) -> anyhow::Result<Vec<Row>> {
    let mut segments = segments;
    let (mut with, mut without) = (Duration::ZERO, Duration::ZERO);
    for round in 0..ROUNDS {
        if round > 0 {
            segments = restore(member, audience, &segments).await?;
        }
        settle(database, true).await?;
        with += write_all(stack, database, audience).await?;
        saved::delete_all(member, &segments).await?;
        settle(database, true).await?;
        without += write_all(stack, database, audience).await?;
    }
    let rate = |took: Duration| (ROUNDS * WRITERS * WRITES) as f64 / took.as_secs_f64();
    Ok(vec![
        Row::new(
            AREA,
            "write cost with 50 segments ÷ with none",
            with.as_secs_f64() / without.as_secs_f64(),
            Goal::AtMost(2.0),
        )
        .against(format!("{:.0} writes/s with none", rate(without)))
        .note(format!(
            "{:.0} writes/s with 50, until the last change is judged; {WRITERS} writers: edits, tags, messages of customers",
            rate(with)
        )),
    ])
}

/// The same segments again; `{segment:customers}` of the rules is another one now.
async fn restore(
    member: &Member,
    audience: &mut Audience,
    segments: &[Segment],
) -> anyhow::Result<Vec<Segment>> {
    let mut made = Vec::new();
    let mut renamed: Option<(String, String)> = None;
    for segment in segments {
        let mut text = segment.rules.to_string();
        if let Some((old, new)) = &renamed {
            text = text.replace(old, new);
        }
        let rules: Value = serde_json::from_str(&text)?;
        let id = saved::create(member, audience, &segment.name, &rules).await?;
        renamed.get_or_insert_with(|| (segment.id.to_string(), id.to_string()));
        made.push(Segment {
            id,
            name: segment.name.clone(),
            rules,
        });
    }
    Ok(made)
}

async fn write_all(stack: &Stack, database: &Client, audience: &Audience) -> anyhow::Result<Duration> {
    let mut writers = Vec::new();
    for slice in 0..WRITERS {
        writers.push(Writer::new(stack, audience, slice).await?);
    }
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for mut writer in writers {
        tasks.spawn(async move {
            for _ in 0..WRITES {
                writer.write().await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(outcome) = tasks.join_next().await {
        outcome??;
    }
    settle(database, true).await?;
    Ok(started.elapsed())
}
