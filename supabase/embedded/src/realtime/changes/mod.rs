//! `postgres_changes`: committed changes of published tables, judged for each subscriber under row level security.

mod binding;
mod channel;
mod feed;
mod filter;
mod judge;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use binding::Binding;
pub use channel::ChannelChanges;
pub use feed::follow;

use super::frame::{self, Vsn};
use super::outbox::Outbox;
use super::status::StreamStatus;
use crate::platform::Platform;

/// Everybody who is subscribed to changes.
#[derive(Default)]
pub struct Changes {
    last_id: AtomicU64,
    subscribers: Mutex<HashMap<u64, Arc<Subscriber>>>,
    /// How many there are: the log is followed only while somebody is.
    demand: watch::Sender<usize>,
    status: StreamStatus,
}

/// One channel with its bindings and the claims it is judged by.
struct Subscriber {
    id: u64,
    outbox: Outbox,
    vsn: Vsn,
    /// With its `realtime:` prefix.
    topic: String,
    role: String,
    /// JSON text.
    claims: String,
    bindings: Vec<Binding>,
}

/// Ends the subscription when dropped.
struct Subscription {
    changes: Arc<Changes>,
    id: u64,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.changes.edit(|subscribers| {
            subscribers.remove(&self.id);
        });
    }
}

impl Changes {
    /// Adds a channel. It gets changes once [`Changes::status`] says that the log is followed.
    fn subscribe(
        self: &Arc<Self>,
        outbox: Outbox,
        vsn: Vsn,
        topic: String,
        (role, claims): (String, String),
        bindings: Vec<Binding>,
    ) -> Subscription {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed);
        let subscriber = Arc::new(Subscriber {
            id,
            outbox,
            vsn,
            topic,
            role,
            claims,
            bindings,
        });
        self.edit(|subscribers| {
            subscribers.insert(id, subscriber);
        });
        Subscription {
            changes: self.clone(),
            id,
        }
    }

    /// Whether the log is followed, and for which time.
    pub fn status(&self) -> &StreamStatus {
        &self.status
    }

    fn edit(&self, change: impl FnOnce(&mut HashMap<u64, Arc<Subscriber>>)) {
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut subscribers);
        self.demand.send_replace(subscribers.len());
    }

    /// Everybody with a binding that covers such a change, with the position of that binding.
    fn covering(&self, schema: &str, table: &str, action: &str) -> Vec<(Arc<Subscriber>, usize)> {
        let subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        for subscriber in subscribers.values() {
            for (position, binding) in subscriber.bindings.iter().enumerate() {
                if binding.covers(schema, table, action) {
                    found.push((subscriber.clone(), position));
                }
            }
        }
        found
    }
}

impl Subscriber {
    fn send(&self, payload: &str) {
        self.outbox.send(frame::encode(
            self.vsn,
            None,
            None,
            &self.topic,
            "postgres_changes",
            payload,
        ));
    }
}

/// Why a subscription cannot be made.
#[derive(Debug, PartialEq, Eq)]
enum SubscribeError {
    /// The client asked for something that will never work.
    Refused(String),
    /// The database could not be asked.
    Unavailable,
}

/// Checks bindings against the database, as a caller of `role`.
async fn check(platform: &Platform, role: &str, bindings: &[Binding]) -> Result<(), SubscribeError> {
    let client = platform
        .pool
        .get()
        .await
        .map_err(|_| SubscribeError::Unavailable)?;
    for binding in bindings {
        let row = client
            .query_one(
                "select realtime.check_subscription($1, $2, $3, $4)",
                &[&binding.schema, &binding.table, &role, &binding.filters_json()],
            )
            .await
            .map_err(|_| SubscribeError::Unavailable)?;
        let start = "Unable to subscribe to changes with given parameters.";
        let described = binding.describe();
        match row.get::<_, Option<&str>>(0) {
            None => {}
            Some("") => {
                return Err(SubscribeError::Refused(format!(
                    "{start} Please check Realtime is enabled for the given connect parameters: [{described}]"
                )));
            }
            Some(reason) => {
                return Err(SubscribeError::Refused(format!(
                    "{start} An exception happened so please check your connect parameters: [{described}]. \
                     Exception: {reason}"
                )));
            }
        }
    }
    Ok(())
}
