//! The product as a browser reaches it: REST and Storage under a session.

use crate::organisation::Session;
use crate::stack::Stack;
use anyhow::ensure;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

/// A signed-in person.
pub struct Api {
    http: reqwest::Client,
    url: String,
    anon_key: String,
    access_token: String,
}

impl Api {
    pub fn new(stack: &Stack, session: &Session) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: stack.get("SUPABASE_URL").to_owned(),
            anon_key: stack.get("SUPABASE_ANON_KEY").to_owned(),
            access_token: session.access_token.clone(),
        }
    }

    pub async fn rpc(&self, name: &str, arguments: Value) -> anyhow::Result<Value> {
        self.answer(
            self.http
                .post(format!("{}/rest/v1/rpc/{name}", self.url))
                .json(&arguments),
        )
        .await
    }

    /// One row by its id.
    pub async fn row(&self, table: &str, id: &str) -> anyhow::Result<Value> {
        let request = self
            .http
            .get(format!("{}/rest/v1/{table}", self.url))
            .query(&[("id", format!("eq.{id}"))]);
        Ok(self.answer(request).await?[0].take())
    }

    pub async fn upload(&self, bucket: &str, path: &str, body: Vec<u8>) -> anyhow::Result<()> {
        let request = self
            .http
            .post(format!("{}/storage/v1/object/{bucket}/{path}", self.url))
            .header("content-type", "text/csv")
            .body(body);
        self.answer(request).await.map(|_: Value| ())
    }

    async fn answer(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let response = request
            .header("apikey", &self.anon_key)
            .bearer_auth(&self.access_token)
            .send()
            .await?;
        let status = response.status();
        let text = response.text().await?;
        ensure!(status.is_success(), "{status}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or_else(|_| json!(text)))
    }
}
