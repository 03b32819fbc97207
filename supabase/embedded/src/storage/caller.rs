//! Who calls, and transactions in which the database judges them.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use deadpool_postgres::{Client, Transaction};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Shared;
use super::error::StorageError;
use crate::jwt::Claims;

/// Longest statement in a caller's transaction; policies are customers' code.
const STATEMENT_TIMEOUT: &str = "10s";

/// A caller with a valid token.
pub struct Caller {
    claims: Claims,
    method: String,
    path: String,
    headers: Value,
}

impl Caller {
    /// The role the database sees.
    fn role(&self) -> &str {
        self.claims.role().unwrap_or("anon")
    }

    /// Owner of what the caller stores.
    pub fn owner(&self) -> Option<&str> {
        self.claims.subject()
    }

    /// Opens a transaction in which the caller's policies apply. Rolled back unless committed.
    pub async fn begin<'a>(
        &self,
        client: &'a mut Client,
        operation: &str,
    ) -> Result<Transaction<'a>, StorageError> {
        let transaction = client.transaction().await?;
        let statement = transaction
            .prepare_cached(
                "select set_config('statement_timeout', $1, true), set_config('search_path', 'public, extensions', true),
                        set_config('storage.operation', $2, true), set_config('storage.allow_delete_query', 'true', true),
                        set_config('request.jwt.claims', $3, true), set_config('request.headers', $4, true),
                        set_config('request.method', $5, true), set_config('request.path', $6, true),
                        set_config('role', $7, true)",
            )
            .await?;
        transaction
            .execute(
                &statement,
                &[
                    &STATEMENT_TIMEOUT,
                    &operation,
                    &self.claims.as_json().to_string(),
                    &self.headers.to_string(),
                    &self.method,
                    &self.path,
                    &self.role(),
                ],
            )
            .await?;
        Ok(transaction)
    }
}

/// `owner` columns hold a uuid; subjects that are none are kept in `owner_id` only.
pub fn owner_uuid(owner: Option<&str>) -> Option<Uuid> {
    owner.and_then(|owner| Uuid::parse_str(owner).ok())
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = StorageError;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, StorageError> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .map(|value| value.strip_prefix("Bearer ").unwrap_or(value))
            .ok_or_else(|| {
                StorageError::InvalidRequest("headers must have required property 'authorization'".into())
            })?;
        let claims = shared.platform.jwt.verify(token)?;
        let headers = parts
            .headers
            .iter()
            // Policies may look at headers, but have no use for what proves an identity.
            .filter(|(name, _)| !["authorization", "apikey", "x-api-key", "cookie"].contains(&name.as_str()))
            .filter_map(|(name, value)| Some((name.to_string(), Value::from(value.to_str().ok()?))));
        Ok(Self {
            claims,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            headers: Value::Object(headers.collect::<Map<_, _>>()),
        })
    }
}
