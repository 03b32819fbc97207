//! The sandbox forgets everything when it stops, the database does not: after a start it is told what it once knew.

use crate::database;
use crate::health;
use crate::settings::Settings;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// More than a demo has; what a load test left behind need not be known by name.
const MOST_CUSTOMERS: i64 = 500;
/// As many as a portfolio may have.
const MOST_TEMPLATES: i64 = 6000;

/// Tells the sandbox which templates Meta has: before the workers ask it for its list, and take away what they do not find there.
pub async fn remember_templates(settings: &Settings) -> Result<()> {
    let sandbox = Sandbox::of(settings);
    let database = database::connect(&settings.migrate_url("postgres")).await?;
    let known = database
        .query(
            "select jsonb_build_object('id', t.wa_template_id, 'waba_id', t.waba_id, 'name', t.name, 'language', t.language,
                 'category', upper(t.category), 'parameter_format', upper(t.parameter_format), 'quality', t.quality,
                 'components', private.components_for_meta(t.components, '{}'), 'status', t.meta_status,
                 'rejected_reason', t.rejected_reason)::text
             from public.templates t
             where t.wa_template_id is not null and t.deleted_at is null and t.meta_status is not null
             order by t.created_at limit $1",
            &[&MOST_TEMPLATES],
        )
        .await?;
    for row in known {
        let template: Value = serde_json::from_str(row.get(0))?;
        if let Err(error) = sandbox.post("/admin/templates", &template).await {
            println!(
                "  the sandbox does not take the template {}: {error:#}",
                template["name"]
            );
        }
    }
    Ok(())
}

/// Tells the sandbox who wrote when, so that a window that is open in the inbox is open there too.
pub async fn remember_customers(settings: &Settings) -> Result<()> {
    let sandbox = Sandbox::of(settings);
    let numbers = sandbox.numbers().await?;
    let database = database::connect(&settings.migrate_url("postgres")).await?;
    let open = database
        .query(
            "select a.phone_number_id, p.wa_id, coalesce(p.full_name, ''), extract(epoch from c.last_inbound_at)::bigint
             from public.conversations c
             join public.contacts p on p.id = c.contact_id
             join public.whatsapp_accounts a on a.id = c.whatsapp_account_id
             where c.window_expires_at > now() and p.wa_id is not null and a.phone_number_id = any ($1)
             order by c.last_inbound_at desc limit $2",
            &[&numbers, &MOST_CUSTOMERS],
        )
        .await?;
    let mut windows = Vec::new();
    for row in open {
        let (number, phone, name, wrote_at): (String, String, String, i64) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        if !name.is_empty() {
            sandbox
                .post(&format!("/admin/customers/{phone}"), &json!({ "name": name }))
                .await?;
        }
        windows
            .push(json!({ "phone_number_id": number, "phone": phone, "last_customer_message_at": wrote_at }));
    }
    sandbox.post("/admin/windows", &Value::Array(windows)).await
}

struct Sandbox {
    client: reqwest::Client,
    base: String,
}

impl Sandbox {
    fn of(settings: &Settings) -> Self {
        Self {
            client: health::client(),
            base: format!("http://{}", settings.get("SANDBOX_LISTEN")),
        }
    }

    async fn numbers(&self) -> Result<Vec<String>> {
        let answer: Value = self
            .client
            .get(format!("{}/admin/accounts", self.base))
            .send()
            .await?
            .json()
            .await?;
        let accounts = answer["accounts"]
            .as_array()
            .context("the sandbox lists no accounts")?;
        Ok(accounts
            .iter()
            .filter_map(|account| account["phone_number_id"].as_str().map(str::to_owned))
            .collect())
    }

    async fn post(&self, path: &str, body: &Value) -> Result<()> {
        let answer = self
            .client
            .post(format!("{}{path}", self.base))
            .json(body)
            .send()
            .await?;
        if answer.status().is_success() {
            return Ok(());
        }
        bail!(
            "the sandbox answered {} to {path}: {}",
            answer.status(),
            answer.text().await.unwrap_or_default()
        )
    }
}
