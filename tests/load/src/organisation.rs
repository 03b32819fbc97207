//! Organisations to measure with: made by SQL as onboarding and the check with Meta would leave them, their people by the Auth API.

use crate::stack::Stack;
use anyhow::Context;
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

/// The sandbox's account that may send 1,000 a second.
pub const FAST_PHONE_NUMBER_ID: &str = "100000000000002";
/// The sandbox's ordinary account.
pub const PHONE_NUMBER_ID: &str = "100000000000001";

/// An organisation with one agent and one connected number.
#[derive(Debug, Clone)]
pub struct Organisation {
    pub org_id: Uuid,
    pub account_id: Uuid,
    pub agent_id: Uuid,
    pub phone_number_id: String,
}

impl Organisation {
    /// In any migrated database; the agent exists only as a row.
    pub async fn create(
        database: &Client,
        agent_id: Uuid,
        phone_number_id: &str,
        messages_per_second: i32,
    ) -> anyhow::Result<Self> {
        let made = Self {
            org_id: Uuid::now_v7(),
            account_id: Uuid::now_v7(),
            agent_id,
            phone_number_id: phone_number_id.to_owned(),
        };
        let statements = include_str!("../sql/organisation.sql")
            .replace(":agent_id", &format!("'{agent_id}'"))
            .replace(":org_id", &format!("'{}'", made.org_id))
            .replace(":account_id", &format!("'{}'", made.account_id))
            .replace(":phone_number_id", &format!("'{phone_number_id}'"))
            .replace(":messages_per_second", &messages_per_second.to_string());
        database.batch_execute(&statements).await?;
        Ok(made)
    }

    /// One conversation for each customer, window open; returns their ids.
    pub async fn conversations(&self, database: &Client, count: i32) -> anyhow::Result<Vec<Uuid>> {
        let rows = database
            .query(
                include_str!("../sql/conversations.sql"),
                &[&self.org_id, &self.account_id, &count],
            )
            .await?;
        Ok(rows.iter().map(|r| r.get(0)).collect())
    }

    /// `worker.apply_messages` and friends know a customer of `conversations` by this number.
    pub fn customer(index: usize) -> String {
        format!("6015{:08}", index + 1)
    }
}

/// A person who signed in through the Auth API of the copy.
pub struct Session {
    pub user_id: Uuid,
    pub access_token: String,
}

/// Creates a verified user and signs in.
pub async fn sign_in(stack: &Stack, email: &str) -> anyhow::Result<Session> {
    let http = reqwest::Client::new();
    let url = stack.get("SUPABASE_URL");
    let service_key = stack.get("SUPABASE_SERVICE_ROLE_KEY");
    let password = "load-test-password-1";
    http.post(format!("{url}/auth/v1/admin/users"))
        .header("apikey", service_key)
        .bearer_auth(service_key)
        .json(&json!({ "email": email, "password": password, "email_confirm": true }))
        .send()
        .await?;
    let answer: Value = http
        .post(format!("{url}/auth/v1/token?grant_type=password"))
        .header("apikey", stack.get("SUPABASE_ANON_KEY"))
        .json(&json!({ "email": email, "password": password }))
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    Ok(Session {
        user_id: answer["user"]["id"]
            .as_str()
            .context("no user in the session")?
            .parse()?,
        access_token: answer["access_token"]
            .as_str()
            .context("no token in the session")?
            .to_owned(),
    })
}
