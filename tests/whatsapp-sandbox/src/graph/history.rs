//! What became of a message (§1.3): delivery events only, no content.

use serde_json::{Value, json};

use super::params::page;
use super::{Answer, Call, access};

pub fn answer(call: &Call<'_>) -> Answer {
    let state = call.world.state();
    access::number(&state, call.token, call.object, "GET", call.world.now())?;
    let id = call.params.required("message_id")?;
    let entry = state
        .ledger
        .get(id)
        .filter(|entry| entry.phone_number_id == call.object);
    let entries: Vec<Value> = entry
        .map(|entry| {
            let events: Vec<Value> = entry
                .statuses
                .iter()
                .map(|status| {
                    json!({"delivery_status": status.status.to_uppercase(), "timestamp": status.timestamp,
                        "webhook_update_state": if status.is_delivered { "DELIVERED" } else { "PENDING" }})
                })
                .collect();
            json!({"id": format!("{}0", entry.seq), "message_id": entry.wa_message_id, "events": {"data": events}})
        })
        .into_iter()
        .collect();
    page(
        entries,
        &call.params,
        &format!("{}/{}/message_history", call.base_url, call.object),
    )
}
