//! Stored private broadcasts, sent again to a client that asks for them when it joins.

use serde_json::Value;

use super::frame;
use super::join::Replay;
use crate::platform::Platform;

/// A stored broadcast: its id and the payload of the text event `broadcast`.
pub struct Stored {
    pub id: String,
    pub payload: String,
}

/// The latest broadcasts of a private topic since the given time, oldest first.
pub async fn stored(platform: &Platform, topic: &str, replay: Replay) -> anyhow::Result<Vec<Stored>> {
    let client = platform.pool.get().await?;
    let rows = client
        .query(
            "select id::text, event, payload
             from realtime.messages
             where topic = $1 and private is true and extension = 'broadcast' and payload is not null
               and event is not null and inserted_at >= to_timestamp($2::double precision / 1000) at time zone 'utc'
             order by inserted_at desc
             limit $3",
            &[&topic, &(replay.since_ms as f64), &replay.limit],
        )
        .await?;
    let stored = rows.iter().rev().map(|row| {
        let (id, event, payload) = (
            row.get::<_, String>(0),
            row.get::<_, &str>(1),
            row.get::<_, Value>(2),
        );
        let meta = format!(r#"{{"replayed":true,"id":"{id}"}}"#);
        let payload = frame::text_broadcast(event, &payload.to_string(), &meta);
        Stored { id, payload }
    });
    Ok(stored.collect())
}
