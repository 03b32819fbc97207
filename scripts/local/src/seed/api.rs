//! The embedded Supabase as a client sees it.

use super::{PASSWORD, email};
use crate::health;
use crate::settings::Settings;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// One copy's Auth and REST APIs.
pub struct Api {
    client: reqwest::Client,
    base: String,
    anon_key: String,
    service_key: String,
}

impl Api {
    /// With the keys and addresses of this copy.
    pub fn new(settings: &Settings) -> Self {
        Self {
            client: health::client(),
            base: format!("http://{}", settings.get("SUPABASE_LISTEN")),
            anon_key: settings.get("SUPABASE_ANON_KEY").to_owned(),
            service_key: settings.get("SUPABASE_SERVICE_ROLE_KEY").to_owned(),
        }
    }

    /// Makes an account whose address needs no proof; fine when it is there.
    pub async fn make_person(&self, mailbox: &str, id: &str, full_name: &str) -> Result<()> {
        let body = json!({
            "id": format!("0192de30-0000-7000-8000-0000000000{id}"),
            "email": email(mailbox),
            "password": PASSWORD,
            "email_confirm": true,
            "user_metadata": { "full_name": full_name },
        });
        match self
            .post(
                "/auth/v1/admin/users",
                &self.service_key,
                &self.service_key,
                &body,
            )
            .await?
        {
            (true, _) => Ok(()),
            (false, answer) if answer["error_code"] == "email_exists" => Ok(()),
            (false, answer) => bail!("cannot make {}: {answer}", email(mailbox)),
        }
    }

    /// The access token of one of the demo's people.
    pub async fn sign_in(&self, mailbox: &str) -> Result<String> {
        let body = json!({ "email": email(mailbox), "password": PASSWORD });
        let (_, answer) = self
            .post(
                "/auth/v1/token?grant_type=password",
                &self.anon_key,
                &self.anon_key,
                &body,
            )
            .await?;
        answer["access_token"]
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("cannot sign in as {}: {}", email(mailbox), answer["error_code"]))
    }

    /// A function of the database, as the page calls it.
    pub async fn call(&self, function: &str, token: &str, arguments: &Value) -> Result<Value> {
        match self
            .post(
                &format!("/rest/v1/rpc/{function}"),
                &self.anon_key,
                token,
                arguments,
            )
            .await?
        {
            (true, answer) => Ok(answer),
            (false, answer) => bail!("{function} answered {answer}"),
        }
    }

    /// Whether it went well, and the answer.
    async fn post(&self, path: &str, api_key: &str, token: &str, body: &Value) -> Result<(bool, Value)> {
        let answer = self
            .client
            .post(format!("{}{path}", self.base))
            .header("apikey", api_key)
            .bearer_auth(token)
            .json(body)
            .send()
            .await
            .with_context(|| format!("{path} cannot be reached"))?;
        let is_good = answer.status().is_success();
        let text = answer.text().await?;
        Ok((
            is_good,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        ))
    }
}
