//! An organisation that sends campaigns: a number of its own in the sandbox, people, an approved template, a person who launches.

use crate::audience::member::Member;
use crate::organisation::Organisation;
use crate::stack::Stack;
use crate::wait::until;
use anyhow::Context;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_postgres::Client;
use tokio_postgres::types::Json;
use uuid::Uuid;

/// Everything a campaign needs.
pub struct Field {
    pub organisation: Organisation,
    pub database: Client,
    pub member: Member,
    template_id: Uuid,
}

impl Field {
    /// In the served database, with `people` customers; the sandbox holds the number to `per_second`, 0: to nothing.
    pub async fn make(
        stack: &Stack,
        phone_number_id: &str,
        people: i32,
        per_second: u32,
        person: Uuid,
    ) -> anyhow::Result<Self> {
        post(
            stack,
            "accounts",
            &json!({ "phone_number_id": phone_number_id, "waba_id": "200000000000001", "throughput_mps": per_second,
                "display_phone_number": format!("+60 3-{phone_number_id}") }),
        )
        .await?;
        let url = stack.database_url("postgres");
        Self::in_database(&url, phone_number_id, people, per_second, person).await
    }

    /// In any migrated database.
    pub async fn in_database(
        url: &str,
        phone_number_id: &str,
        people: i32,
        per_second: u32,
        person: Uuid,
    ) -> anyhow::Result<Self> {
        let database = crate::stack::connect(url).await?;
        // Meta allows a number at most 1,000; 5,000 is as good as no limit here.
        let ours = if per_second == 0 { 5000 } else { per_second as i32 };
        let organisation = Organisation::create(&database, person, phone_number_id, ours).await?;
        database
            .execute(
                "update public.org_memberships set role = 'owner' where org_id = $1",
                &[&organisation.org_id],
            )
            .await?;
        database
            .execute(
                include_str!("../../../sql/campaigns/people.sql"),
                &[&organisation.org_id, &people],
            )
            .await
            .context("people.sql")?;
        let template_id = database
            .query_one(
                include_str!("../../../sql/campaigns/template.sql"),
                &[&organisation.org_id],
            )
            .await
            .context("template.sql")?
            .get(0);
        database.batch_execute("analyze").await?;
        let member = Member::connect(url, person).await?;
        Ok(Self {
            organisation,
            database,
            member,
            template_id,
        })
    }

    /// Of a campaign to everybody.
    pub fn fields(&self, name: &str) -> Value {
        json!({
            "name": name,
            "whatsapp_account_id": self.organisation.account_id,
            "audience": {},
            "variants": [{ "template_id": self.template_id, "variables": {
                "body.1": { "source": "contact", "field": "full_name", "default": "there" },
                "body.2": { "source": "static", "value": "A-100" },
                "body.3": { "source": "static", "value": "ready" },
            } }],
        })
    }

    /// A draft to everybody.
    pub async fn draft(&self, name: &str) -> anyhow::Result<Uuid> {
        let sql = "select to_jsonb(public.create_campaign($1, $2))";
        let (made, _) = self
            .member
            .ask(sql, &[&self.organisation.org_id, &Json(self.fields(name))])
            .await?;
        made["id"]
            .as_str()
            .and_then(|id| id.parse().ok())
            .context("no campaign")
    }

    /// One of `launch_campaign`, `pause_campaign`, …; how long it took.
    pub async fn call(&self, rpc: &str, campaign: Uuid) -> anyhow::Result<Duration> {
        let sql = format!("select to_jsonb(public.{rpc}($1))");
        let (_, took) = self
            .member
            .ask(&sql, &[&campaign])
            .await
            .with_context(|| rpc.to_owned())?;
        Ok(took)
    }

    pub async fn status(&self, campaign: Uuid) -> anyhow::Result<String> {
        let row = self
            .database
            .query_one("select status from public.campaigns where id = $1", &[&campaign])
            .await?;
        Ok(row.get(0))
    }

    pub async fn is(&self, campaign: Uuid, status: &str, patience: Duration) -> anyhow::Result<()> {
        until(&format!("the campaign is {status}"), patience, async || {
            self.status(campaign).await.is_ok_and(|now| now == status)
        })
        .await
    }
}

/// Changes something of the sandbox.
pub async fn post(stack: &Stack, what: &str, value: &Value) -> anyhow::Result<()> {
    let url = format!("{}/admin/{what}", stack.get("OCTOPUSH_SANDBOX_URL"));
    let answer = reqwest::Client::new().post(url).json(value).send().await?;
    anyhow::ensure!(
        answer.status().is_success(),
        "sandbox, {what}: {}",
        answer.text().await?
    );
    Ok(())
}
