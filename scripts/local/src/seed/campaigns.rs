//! Segments and campaigns of the demo, made and sent as its owner would: one that has gone out, one that is scheduled, one half written.

use super::{ORGANISATION, api::Api};
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

/// The offer of templates.json that is sent.
const OFFER: &str = "weekend_kopi_offer";

/// How long the sandbox may take to review it.
const REVIEW_LIMIT: Duration = Duration::from_secs(30);

/// Makes them all; without an approved offer there is nothing a campaign could send.
pub async fn make(api: &Api, database: &Client) -> Result<()> {
    let owner = &Owner {
        token: api.sign_in("owner").await?,
        api,
    };
    let parts = parts(database).await?;
    let gold = owner
        .segment(
            "Gold members",
            json!({ "field": "custom.membership", "operator": "is_one_of", "value": ["Gold"] }),
        )
        .await?;
    let catering = owner
        .segment(
            "Catering customers",
            json!({ "field": "tags", "operator": "has_any_of", "value": [parts.catering] }),
        )
        .await?;
    let variants = json!([{
        "template_id": parts.offer,
        "variables": { "body.1": { "source": "contact", "field": "first_name", "default": "there" } },
        "links": {},
        "share": 1,
    }]);
    let sent = owner
        .campaign(json!({ "name": "Weekend kopi for gold members", "audience": { "segment_id": gold }, "variants": variants }))
        .await?;
    owner
        .call(
            "launch_campaign",
            json!({ "p_id": sent["id"], "p_expected_updated_at": sent["updated_at"] }),
        )
        .await?;
    let later = owner
        .campaign(json!({
            "name": "Kopi and catering menu",
            "description": "Before the school holidays.",
            "audience": { "segment_id": catering },
            "variants": variants,
            "quiet_hours": { "from": "21:00", "to": "09:00" },
        }))
        .await?;
    owner
        .call(
            "schedule_campaign",
            json!({ "p_id": later["id"], "p_at": parts.later, "p_expected_updated_at": later["updated_at"] }),
        )
        .await?;
    owner
        .campaign(
            json!({ "name": "Year-end gift boxes", "description": "Ask Nadia for the price list first." }),
        )
        .await?;
    Ok(())
}

/// Ids and a moment the database knows.
struct Parts {
    offer: String,
    catering: String,
    later: String,
}

async fn parts(database: &Client) -> Result<Parts> {
    let deadline = Instant::now() + REVIEW_LIMIT;
    loop {
        let row = database
            .query_one(
                include_str!("../../seed/60_campaign_parts.sql"),
                &[&ORGANISATION, &OFFER],
            )
            .await?;
        match row.get::<_, Option<&str>>("offer_status") {
            Some("approved") => {
                return Ok(Parts {
                    offer: row.get("offer"),
                    catering: row.get("catering"),
                    later: row.get("later"),
                });
            }
            Some("pending") if Instant::now() < deadline => sleep(Duration::from_millis(50)).await,
            Some(status) => bail!("the template {OFFER} is {status}"),
            None => bail!("there is no template {OFFER}"),
        }
    }
}

struct Owner<'a> {
    api: &'a Api,
    token: String,
}

impl Owner<'_> {
    async fn call(&self, function: &str, arguments: Value) -> Result<Value> {
        self.api.call(function, &self.token, &arguments).await
    }

    async fn segment(&self, name: &str, rule: Value) -> Result<Value> {
        let arguments = json!({ "p_org_id": ORGANISATION, "p_name": name, "p_kind": "dynamic", "p_rules": { "all": [rule] } });
        Ok(self.call("create_segment", arguments).await?["id"].take())
    }

    async fn campaign(&self, fields: Value) -> Result<Value> {
        let arguments = json!({ "p_org_id": ORGANISATION, "p_fields": fields });
        self.call("create_campaign", arguments).await
    }
}
