//! Broadcasts from the database: rows inserted into `realtime.messages` go to the sockets on their topic.

use std::sync::Arc;

use bytes::Bytes;

use super::connection::OwnConnection;
use super::frame::{self, Encoding, UserBroadcast};
use super::hub::{Broadcast, Topic};
use super::pgoutput::{Cell, Change};
use super::replication::{Backoff, Committed, Stream};
use super::visibility::Visibility;
use crate::platform::Platform;

const PUBLICATION: &str = "supabase_realtime_messages_publication";
const SLOT: &str = "supabase_realtime_messages_replication_slot";
const STATEMENT_TIMEOUT_MS: u32 = 5_000;

/// Follows the messages until shutdown, over restarts of the database.
pub async fn follow(platform: Arc<Platform>) {
    let ready = platform.realtime.messages_stream();
    let mut backoff = Backoff::new();
    loop {
        let outcome = tokio::select! {
            outcome = relay(&platform, &mut backoff) => outcome,
            () = platform.shutdown.cancelled() => return,
        };
        ready.lost();
        if let Err(error) = outcome {
            tracing::warn!("broadcasts from the database are interrupted: {error:#}");
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.delay()) => {}
            () = platform.shutdown.cancelled() => return,
        }
    }
}

async fn relay(platform: &Platform, backoff: &mut Backoff) -> anyhow::Result<()> {
    let db = &platform.config.db;
    let mut eyes = Eyes { db, open: None };
    let mut stream = Stream::open(db, PUBLICATION, SLOT).await?;
    platform.realtime.messages_stream().established();
    backoff.reset();
    loop {
        let committed = stream.next().await?;
        let xid = committed.xid;
        let Some((topic, broadcast)) = message(committed) else {
            continue;
        };
        if platform.realtime.hub().has(&topic) {
            eyes.await_commit(xid).await;
            platform.realtime.hub().broadcast(&topic, &broadcast, None);
        }
    }
}

/// Sees whether clients, who answer a broadcast by reading what it is about, would find it.
struct Eyes<'a> {
    db: &'a tokio_postgres::Config,
    open: Option<(OwnConnection, Visibility)>,
}

impl Eyes<'_> {
    /// Waits until the transaction is visible. A lost connection is opened again once; without one nothing is waited for.
    async fn await_commit(&mut self, xid: u32) {
        for _ in 0..2 {
            if self.open.is_none() {
                self.open = self.connect().await.ok();
            }
            if let Some((connection, visibility)) = &self.open
                && visibility.of(&connection.client, xid).await.is_ok()
            {
                return;
            }
            self.open = None;
        }
    }

    async fn connect(&self) -> anyhow::Result<(OwnConnection, Visibility)> {
        let connection = OwnConnection::open(self.db, "realtime_broadcasts", STATEMENT_TIMEOUT_MS).await?;
        let visibility = Visibility::prepare(&connection.client).await?;
        Ok((connection, visibility))
    }
}

/// What a row of `realtime.messages` says, if it is a broadcast.
fn message(committed: Committed) -> Option<(Topic, Broadcast)> {
    let Change::Insert { new } = committed.change else {
        return None;
    };
    let cell = |name: &str| {
        let index = committed
            .relation
            .columns
            .iter()
            .position(|column| column.name == name)?;
        match new.get(index)? {
            Cell::Text(text) => Some(text.as_str()),
            Cell::Null | Cell::Unchanged => None,
        }
    };
    let (Some(topic), Some(event), Some("broadcast")) = (cell("topic"), cell("event"), cell("extension"))
    else {
        return None;
    };
    let id = cell("id").unwrap_or_default();
    let meta = format!(r#"{{"id":"{id}"}}"#);
    let broadcast = if let Some(payload) = cell("payload") {
        Broadcast::Text {
            payload: frame::text_broadcast(event, payload, &meta),
            id: Some(id.to_owned()),
        }
    } else if let Some(body) =
        cell("binary_payload").and_then(|text| hex::decode(text.strip_prefix("\\x")?).ok())
    {
        let (event, body) = (event.to_owned(), Bytes::from(body));
        Broadcast::User(UserBroadcast {
            event,
            encoding: Encoding::Binary,
            body,
            meta,
        })
    } else {
        return None;
    };
    Some((Topic::new(topic, cell("private") == Some("t")), broadcast))
}
