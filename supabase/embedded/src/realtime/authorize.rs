//! What a caller may do on a private topic, found out by asking the policies on `realtime.messages` in transactions that
//! are rolled back: for reading, whether probe rows of the topic are visible; for writing, whether one can be inserted.

use deadpool_postgres::Transaction;
use serde_json::Value;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::jwt::Claims;
use crate::platform::Platform;

/// Runs the statements of one probe for at most this long.
const STATEMENT_TIMEOUT: &str = "5s";

/// Who asks.
#[derive(Clone)]
pub struct Caller {
    pub claims: Claims,
    /// JSON object of the request's headers, for policies that read `request.headers`.
    pub headers: Value,
}

/// What may be done on a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    Broadcast,
    Presence,
}

impl Extension {
    fn as_str(self) -> &'static str {
        match self {
            Self::Broadcast => "broadcast",
            Self::Presence => "presence",
        }
    }
}

/// What a caller may read on a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reads {
    pub broadcasts: bool,
    pub presence: bool,
}

impl Reads {
    pub const EVERYTHING: Self = Self {
        broadcasts: true,
        presence: true,
    };
}

/// The policies could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// A policy or the role itself failed.
    #[error("{0}")]
    Policy(String),
    #[error("Realtime was unable to connect to the project database")]
    Unavailable,
}

impl From<tokio_postgres::Error> for ProbeError {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(db) => Self::Policy(db.message().to_owned()),
            None => Self::Unavailable,
        }
    }
}

/// What `caller` may read on the private topic `topic`.
pub async fn reads(platform: &Platform, caller: &Caller, topic: &str) -> Result<Reads, ProbeError> {
    let _place = platform.realtime.probe_place().await;
    let mut client = platform.pool.get().await.map_err(|_| ProbeError::Unavailable)?;
    let transaction = client.transaction().await?;
    let rows = transaction
        .query(
"insert into realtime.messages (topic, extension) values ($1, 'broadcast'), ($1, 'presence') returning id",
            &[&topic],
        )
        .await?;
    let probes: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();
    let select = transaction
        .prepare_cached("select extension from realtime.messages where topic = $1 and id = any ($2)")
        .await?;
    become_caller(&transaction, caller, topic).await?;
    let rows = transaction.query(&select, &[&topic, &probes]).await?;
    transaction.rollback().await?;
    let sees = |extension: Extension| rows.iter().any(|row| row.get::<_, &str>(0) == extension.as_str());
    Ok(Reads {
        broadcasts: sees(Extension::Broadcast),
        presence: sees(Extension::Presence),
    })
}

/// Whether `caller` may send on the private topic `topic`.
pub async fn may_write(
    platform: &Platform,
    caller: &Caller,
    topic: &str,
    extension: Extension,
) -> Result<bool, ProbeError> {
    let _place = platform.realtime.probe_place().await;
    let mut client = platform.pool.get().await.map_err(|_| ProbeError::Unavailable)?;
    let transaction = client.transaction().await?;
    let insert = transaction
        .prepare_cached("insert into realtime.messages (topic, extension) values ($1, $2)")
        .await?;
    become_caller(&transaction, caller, topic).await?;
    let inserted = transaction.execute(&insert, &[&topic, &extension.as_str()]).await;
    transaction.rollback().await?;
    match inserted {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Turns the rest of the transaction into the caller's.
async fn become_caller(
    transaction: &Transaction<'_>,
    caller: &Caller,
    topic: &str,
) -> Result<(), ProbeError> {
    let role = caller.claims.role().unwrap_or_default();
    let settings = transaction
        .prepare_cached(
            "select set_config('statement_timeout', $1, true), set_config('search_path', 'public, extensions', true),
                    set_config('realtime.topic', $2, true), set_config('request.jwt.claims', $3, true),
                    set_config('request.headers', $4, true), set_config('role', $5, true)",
        )
        .await?;
    transaction
        .execute(
            &settings,
            &[
                &STATEMENT_TIMEOUT,
                &topic,
                &caller.claims.as_json().to_string(),
                &caller.headers.to_string(),
                &role,
            ],
        )
        .await?;
    Ok(())
}
