//! A team that sends campaigns through the sandbox: people, an approved marketing template with a tracked button, calls, and what Meta counted.

use super::fixture::{Database, Organisation, Sandbox, WABA_ID, eventually};
use super::storage::{administration, call};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Everything a campaign needs.
pub struct Team {
    pub database: Database,
    pub sandbox: Sandbox,
    pub organisation: Organisation,
    template_id: Uuid,
}

impl Team {
    /// With `people` customers, of whom `recipients_of(people)` may get marketing.
    pub async fn create(people: i32) -> Self {
        let database = Database::create().await;
        let sandbox = Sandbox::start().await;
        let organisation = administration(&database).await;
        sandbox
            .set(
                "settings",
                json!({ "template_review_ms": 0, "pair_rate": false, "read_after_ms": null }),
            )
            .await;
        let components = json!([
            { "type": "BODY", "text": "Hi {{1}}, our spring sale has started: a fifth off everything.", "example": { "body_text": [["Aina"]] } },
            { "type": "FOOTER", "text": "Reply STOP to opt out" },
            { "type": "BUTTONS", "buttons": [
                { "type": "QUICK_REPLY", "text": "Tell me more" },
                { "type": "URL", "text": "See offers", "url": "https://links.example.com/t/{{1}}", "example": ["https://links.example.com/t/AbCdEfGhIjKlMnOpQrStUv"] },
            ] },
        ]);
        let wa_template_id = approved(&sandbox, &components).await;
        let people_sql = include_str!("campaign_people.sql");
        let made = [
            &organisation.org_id as &(dyn tokio_postgres::types::ToSql + Sync),
            &people,
        ];
        database.admin.execute(people_sql, &made).await.unwrap();
        let template_id = database
            .admin
            .query_one(
                include_str!("campaign_template.sql"),
                &[&organisation.org_id, &wa_template_id, &components],
            )
            .await
            .unwrap()
            .get(0);
        Self {
            database,
            sandbox,
            organisation,
            template_id,
        }
    }

    /// Holds number and sandbox to a rate.
    pub async fn hold_to(&self, per_second: i32) {
        self.database
            .admin
            .execute(
                "update public.whatsapp_accounts set messages_per_second = $1",
                &[&per_second],
            )
            .await
            .unwrap();
        self.sandbox
            .set(
                "accounts",
                json!({ "phone_number_id": super::fixture::PHONE_NUMBER_ID, "throughput_mps": per_second }),
            )
            .await;
    }

    /// A draft to everybody.
    pub async fn draft(&self, changes: Value) -> Uuid {
        let mut fields = json!({
            "name": "Spring sale",
            "audience": {},
            "variants": [{
                "template_id": self.template_id,
                "variables": { "body.1": { "source": "contact", "field": "full_name", "default": "there" } },
                "links": { "1": "https://shop.example.com/spring" },
            }],
        });
        fields
            .as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        let fields = fields.to_string().replace('\'', "''");
        let sql = format!(
            "public.create_campaign('{}', '{fields}')",
            self.organisation.org_id
        );
        let made = call(&self.database, &self.organisation, &sql).await.unwrap();
        made["id"].as_str().unwrap().parse().unwrap()
    }

    pub async fn launched(&self) -> Uuid {
        let campaign = self.draft(json!({})).await;
        self.call("launch_campaign", campaign).await.unwrap();
        campaign
    }

    /// An RPC that takes the campaign alone.
    pub async fn call(&self, rpc: &str, campaign: Uuid) -> Result<Value, String> {
        call(
            &self.database,
            &self.organisation,
            &format!("public.{rpc}('{campaign}')"),
        )
        .await
    }

    pub async fn status(&self, campaign: Uuid) -> String {
        let sql = format!("select status from public.campaigns where id = '{campaign}'");
        self.database.text(&sql).await.unwrap()
    }

    pub async fn is(&self, campaign: Uuid, status: &str) {
        eventually(&format!("the campaign is {status}"), || async {
            self.status(campaign).await == status
        })
        .await;
    }

    /// A column of the recipient with this number.
    pub async fn recipient(&self, campaign: Uuid, phone: &str, column: &str) -> Option<String> {
        let sql = format!(
            "select r.{column}::text from public.campaign_recipients r join public.contacts c on c.id = r.contact_id
             where r.campaign_id = '{campaign}' and c.phone = '{phone}'"
        );
        self.database.text(&sql).await
    }

    /// The campaign's row of `campaign_stats`.
    pub async fn stats(&self, campaign: Uuid) -> Value {
        let sql = format!(
            "select to_jsonb(s)::text from private.campaign_stats s where s.campaign_id = '{campaign}'"
        );
        serde_json::from_str(&self.database.text(&sql).await.unwrap()).unwrap()
    }

    /// How often Meta took a message for each number.
    pub async fn taken(&self) -> BTreeMap<String, u64> {
        let ledger = self.sandbox.get("ledger?limit=0").await;
        let counts = ledger["per_recipient"].as_object().cloned().unwrap_or_default();
        counts
            .into_iter()
            .map(|(wa_id, count)| (wa_id, count.as_u64().unwrap_or(0)))
            .collect()
    }

    /// Everybody who may get marketing got exactly one message, nobody else any, and the counters say so.
    pub async fn everybody_got_it_once(&self, campaign: Uuid) {
        let eligible = "select coalesce(jsonb_agg(ltrim(phone, '+') order by phone), '[]')::text from public.contacts where opt_in_status = 'opted_in'";
        let expected: Vec<String> =
            serde_json::from_str(&self.database.text(eligible).await.unwrap()).unwrap();
        let taken = self.taken().await;
        let stats = self.stats(campaign).await;
        assert_eq!(taken.len(), expected.len(), "{stats}");
        let doubled: Vec<_> = taken.iter().filter(|(_, count)| **count != 1).collect();
        assert!(doubled.is_empty(), "got it more than once: {doubled:?}");
        assert_eq!(taken.into_keys().collect::<Vec<_>>(), expected);
        assert_eq!(stats["sent"], expected.len(), "{stats}");
        for none in ["waiting", "queued", "uncertain", "failed"] {
            assert_eq!(stats[none], 0, "{none}: {stats}");
        }
        let recount = format!(
            "select count(*) from public.campaign_recipients where campaign_id = '{campaign}' and status in ('sent', 'delivered', 'read')"
        );
        assert_eq!(self.database.count(&recount).await, expected.len() as i64);
    }
}

/// Submits the template to the sandbox and waits for its approval; Meta's id.
async fn approved(sandbox: &Sandbox, components: &Value) -> String {
    let url = format!("{}/v25.0/{WABA_ID}/message_templates", sandbox.url());
    let body =
        json!({ "name": "spring_sale", "language": "en", "category": "MARKETING", "components": components });
    let answer: Value = reqwest::Client::new()
        .post(url)
        .bearer_auth("sandbox-token")
        .json(&body)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let id = answer["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
        .to_owned();
    let approve = json!({ "status": "APPROVED" });
    sandbox.set(&format!("templates/{id}"), approve).await;
    id
}
