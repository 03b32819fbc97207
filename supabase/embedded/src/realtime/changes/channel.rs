//! The subscription of one channel: made after the join, kept up over outages and renewed tokens.

use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{Binding, SubscribeError, Subscription, binding, check};
use crate::jwt::Claims;
use crate::realtime::status::StreamWatch;
use crate::realtime::wire::Wire;

/// How long to wait before asking an unreachable database again.
const RETRY: Duration = Duration::from_secs(5);
/// The same while the client waits for the answer to its join.
const RETRY_IN_JOIN: Duration = Duration::from_millis(500);

/// What one channel wants to know of changes.
pub struct ChannelChanges {
    wire: Wire,
    entries: Vec<Map<String, Value>>,
    claims: Claims,
    subscription: Option<Subscription>,
    /// When to subscribe.
    due: Option<Instant>,
    stream: StreamWatch,
}

impl ChannelChanges {
    /// `entries` are those of `config.postgres_changes`; none is a channel without changes.
    pub fn new(wire: Wire, entries: Vec<Map<String, Value>>, claims: Claims) -> Self {
        let stream = wire.context.platform.realtime.changes().status().watch();
        let due = (!entries.is_empty()).then(Instant::now);
        Self {
            wire,
            entries,
            claims,
            subscription: None,
            due,
            stream,
        }
    }

    /// The entries with their ids, as the answer to the join repeats them.
    pub fn echo(&self) -> Value {
        let echoed = self.entries.iter().map(|entry| {
            let mut entry = entry.clone();
            let id = binding::id(&entry);
            entry.insert("id".into(), Value::from(id));
            Value::Object(entry)
        });
        Value::Array(echoed.collect())
    }

    /// Subscribes anew, to be judged by other claims.
    pub fn renew(&mut self, claims: Claims) {
        self.claims = claims;
        self.subscription = None;
        self.due = (!self.entries.is_empty()).then(Instant::now);
    }

    /// Does the next thing that is due and tells the client; waits when nothing is. May be dropped and called again.
    pub async fn step(&mut self) {
        if let Some(due) = self.due {
            tokio::time::sleep_until(due).await;
            let outcome = self.subscribe().await;
            self.due = None;
            match outcome {
                Ok(()) => {}
                Err(SubscribeError::Refused(reason)) => {
                    self.wire.system("postgres_changes", "error", &reason)
                }
                Err(SubscribeError::Unavailable) => {
                    let reason = "Realtime was unable to connect to the project database";
                    self.wire.system("postgres_changes", "error", reason);
                    self.due = Some(Instant::now() + RETRY);
                }
            }
        } else if self.subscription.is_some() {
            self.stream.established().await;
            self.wire
                .system("postgres_changes", "ok", "Subscribed to PostgreSQL");
        } else {
            std::future::pending::<()>().await;
        }
    }

    async fn subscribe(&mut self) -> Result<(), SubscribeError> {
        let bindings: Result<Vec<_>, _> = self.entries.iter().map(Binding::parse).collect();
        let bindings = bindings.map_err(SubscribeError::Refused)?;
        let context = &self.wire.context;
        let role = self.claims.role().unwrap_or_default().to_owned();
        check(&context.platform, &role, &bindings).await?;
        let changes = context.platform.realtime.changes();
        // A new subscription is announced even on a stream that the client was told of before.
        self.stream = changes.status().watch();
        self.subscription = Some(changes.subscribe(
            context.outbox.clone(),
            context.vsn,
            self.wire.topic.clone(),
            (role, self.claims.as_json().to_string()),
            bindings,
        ));
        Ok(())
    }

    /// For clients that want the answer to their join only when the subscription stands; the error is the reason they are
    /// told.
    pub async fn settle(&mut self, wait_ms: u64) -> Result<(), String> {
        if self.entries.is_empty() {
            return Ok(());
        }
        let deadline = Instant::now() + Duration::from_millis(wait_ms);
        let timed_out = || {
            format!(
                "PostgresChangesSubscribeTimeout: Timed out after {wait_ms}ms waiting for the postgres_changes \
                 subscription"
            )
        };
        while let Err(error) = self.subscribe().await {
            let again = Instant::now() + RETRY_IN_JOIN;
            match error {
                SubscribeError::Refused(reason) => {
                    return Err(format!("RealtimeDisabledForConfiguration: {reason}"));
                }
                SubscribeError::Unavailable if again > deadline => return Err(timed_out()),
                SubscribeError::Unavailable => tokio::time::sleep_until(again).await,
            }
        }
        self.due = None;
        // Another watch, so that the client still gets the system message after the answer.
        let mut stream = self.wire.context.platform.realtime.changes().status().watch();
        tokio::time::timeout_at(deadline, stream.established())
            .await
            .map_err(|_| timed_out())
    }
}
