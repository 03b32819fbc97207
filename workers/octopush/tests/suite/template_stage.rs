//! What tests of templates start from: an organisation, a worker that knows Meta's list, and the sandbox in Meta's place.

use super::fixture::{Database, Organisation, Sandbox, Worker, eventually};
use super::storage::{administration, call};
use serde_json::{Value, json};
use uuid::Uuid;

pub const ROLES: (&str, &str) = ("OCTOPUSH_ROLES", "webhook,apply,send,templates");
pub const MAKING: &str = "message_templates";

/// A database, an organisation whose person may do everything, a sandbox, a worker that has already fetched Meta's list.
pub struct Stage {
    pub database: Database,
    pub organisation: Organisation,
    pub sandbox: Sandbox,
    pub worker: Worker,
}

impl Stage {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(extra: &[(&str, &str)]) -> Self {
        let (database, sandbox) = (Database::create().await, Sandbox::start().await);
        let organisation = administration(&database).await;
        sandbox.set("settings", json!({ "template_review_ms": 50 })).await;
        let mut settings = vec![ROLES];
        settings.extend_from_slice(extra);
        let worker = sandbox.worker(&database, &settings).await;
        let stage = Self {
            database,
            organisation,
            sandbox,
            worker,
        };
        eventually("Meta's list was fetched", || async {
            stage
                .database
                .count("select count(*) from private.template_syncs where synced_at is not null")
                .await
                == 1
        })
        .await;
        stage
    }

    pub async fn rpc(&self, call_text: &str) -> Result<Value, String> {
        call(&self.database, &self.organisation, call_text).await
    }

    /// A draft; its id.
    pub async fn draft(&self, name: &str, components: &Value) -> Uuid {
        let fields =
            json!({ "name": name, "language": "en", "category": "utility", "components": components });
        let made = self
            .rpc(&format!(
                "public.create_template('{}', {})",
                self.organisation.org_id,
                quoted(&fields)
            ))
            .await
            .unwrap();
        made["id"].as_str().unwrap().parse().unwrap()
    }

    pub async fn submit(&self, id: Uuid) {
        self.rpc(&format!("public.submit_template('{id}')"))
            .await
            .unwrap();
    }

    /// A template of this name on its way to Meta.
    pub async fn submitted(&self, name: &str) -> Uuid {
        let id = self
            .draft(
                name,
                &parcel("Hi {{1}}, your parcel has arrived at our shop today."),
            )
            .await;
        self.submit(id).await;
        id
    }

    pub async fn approved(&self, name: &str) -> Uuid {
        let id = self.submitted(name).await;
        self.is(id, "status", "approved").await;
        id
    }

    pub async fn column(&self, id: Uuid, column: &str) -> Option<String> {
        let sql = format!("select ({column})::text from public.templates where id = '{id}'");
        self.database.text(&sql).await
    }

    /// Waits until the template's column has this value.
    pub async fn is(&self, id: Uuid, column: &str, value: &str) {
        eventually(&format!("{column} is {value}"), || async {
            self.column(id, column).await.as_deref() == Some(value)
        })
        .await;
    }

    pub async fn id_of(&self, name: &str) -> Option<Uuid> {
        let sql = format!(
            "select id::text from public.templates where name = '{name}' and deleted_at is null limit 1"
        );
        self.database.text(&sql).await.map(|id| id.parse().unwrap())
    }

    /// Everything Meta has under this name.
    pub async fn at_meta(&self, name: &str) -> Vec<Value> {
        let listed = self.sandbox.get("templates").await;
        let all = listed["templates"].as_array().unwrap().iter();
        all.filter(|template| template["name"] == name).cloned().collect()
    }

    /// How often Meta was asked for this.
    pub async fn asked(&self, method: &str, path_part: &str) -> usize {
        let log = self.sandbox.get("requests").await;
        let requests = log["requests"].as_array().unwrap().iter();
        let is_it = |r: &&Value| r["method"] == method && r["path"].as_str().unwrap().contains(path_part);
        requests.filter(is_it).count()
    }

    pub async fn faults(&self, calls: Value) {
        self.sandbox.set("faults", json!({ "calls": calls })).await;
    }

    /// What Meta does to a template on its own.
    pub async fn meta_does(&self, name: &str, change: Value) {
        let id = self.at_meta(name).await[0]["id"].as_str().unwrap().to_owned();
        self.sandbox.set(&format!("templates/{id}"), change).await;
    }

    pub async fn sync(&self) {
        let org_id = self.organisation.org_id;
        self.rpc(&format!("public.sync_templates('{org_id}')"))
            .await
            .unwrap();
    }

    pub async fn work(&self) -> i64 {
        self.database
            .count("select count(*) from private.template_work")
            .await
    }
}

pub fn quoted(value: &Value) -> String {
    format!("'{}'", value.to_string().replace('\'', "''"))
}

pub fn parcel(text: &str) -> Value {
    json!([{ "type": "BODY", "text": text, "example": { "body_text": [["Mei"]] } }])
}
