//! Broadcasts from the database: rows inserted into `realtime.messages` go to the sockets on their topic.

use std::sync::Arc;

use bytes::Bytes;

use super::frame::{self, Encoding, UserBroadcast};
use super::hub::{Broadcast, Hub, Topic};
use super::pgoutput::{Cell, Change};
use super::replication::{Backoff, Committed, Stream};
use crate::platform::Platform;

const PUBLICATION: &str = "supabase_realtime_messages_publication";
const SLOT: &str = "supabase_realtime_messages_replication_slot";

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
    let mut stream = Stream::open(&platform.config.db, PUBLICATION, SLOT).await?;
    platform.realtime.messages_stream().established();
    backoff.reset();
    loop {
        deliver(platform.realtime.hub(), stream.next().await?);
    }
}

fn deliver(hub: &Hub, committed: Committed) {
    let Change::Insert { new } = committed.change else {
        return;
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
        return;
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
        return;
    };
    hub.broadcast(&Topic::new(topic, cell("private") == Some("t")), &broadcast, None);
}
