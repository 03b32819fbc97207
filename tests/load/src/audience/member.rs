//! Questions of a member, as REST would ask them: one transaction each, under the role and the claims of the person.

use crate::stack::connect;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio_postgres::Client;
use tokio_postgres::types::{Json, ToSql};
use uuid::Uuid;

/// A person with a connection of their own.
pub struct Member {
    database: Client,
}

impl Member {
    pub async fn connect(url: &str, user_id: Uuid) -> anyhow::Result<Self> {
        let database = connect(url).await?;
        let claims = json!({ "sub": user_id, "role": "authenticated" }).to_string();
        database
            .execute("select set_config('request.jwt.claims', $1, false), set_config('role', 'authenticated', false)", &[&claims])
            .await?;
        Ok(Self { database })
    }

    /// The answer of a query with one JSON value, and how long it took.
    pub async fn ask(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> anyhow::Result<(Value, Duration)> {
        let statement = self.database.prepare(sql).await?;
        let begin = Instant::now();
        let row = self.database.query_one(&statement, values).await?;
        let took = begin.elapsed();
        let Json(answer) = row.get(0);
        Ok((answer, took))
    }

    /// Runs something whose answer does not matter.
    pub async fn tell(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> anyhow::Result<()> {
        let statement = self.database.prepare(sql).await?;
        self.database.query(&statement, values).await?;
        Ok(())
    }

    /// The connection, for questions of another shape.
    pub fn database(&self) -> &Client {
        &self.database
    }
}
