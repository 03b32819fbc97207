//! What happened: accepted messages, calls in order, deliveries.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::Answer;
use crate::directory::digits;
use crate::ledger::LedgerQuery;
use crate::world::World;

#[derive(Deserialize)]
pub struct LedgerParams {
    phone_number_id: Option<String>,
    /// The recipient's number.
    to: Option<String>,
    callback_data: Option<String>,
    #[serde(default)]
    since: u64,
    limit: Option<usize>,
    #[serde(default)]
    summary: bool,
}

pub async fn ledger(State(world): State<Arc<World>>, Query(params): Query<LedgerParams>) -> Response {
    let query = LedgerQuery {
        phone_number_id: params.phone_number_id,
        wa_id: params.to.map(|to| digits(&to)),
        callback_data: params.callback_data,
        since: params.since,
        limit: params.limit,
        is_summary: params.summary,
    };
    // Written straight from the ledger: it can hold hundreds of thousands of messages.
    match serde_json::to_vec(&world.state().ledger.view(&query)) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => super::Wrong::request(error).into_response(),
    }
}

#[derive(Deserialize)]
pub struct Since {
    #[serde(default)]
    since: u64,
    #[serde(default = "many")]
    limit: usize,
}

fn many() -> usize {
    10_000
}

/// Calls to the Graph API after `since`; `next` is the value to ask with next time.
pub async fn requests(State(world): State<Arc<World>>, Query(params): Query<Since>) -> Response {
    let state = world.state();
    let (records, last_seq) = state.requests.since(params.since, params.limit);
    let next = records
        .last()
        .map_or(params.since.min(last_seq), |record| record.seq);
    match serde_json::to_vec(&json!({"requests": records, "next": next, "last_seq": last_seq})) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => super::Wrong::request(error).into_response(),
    }
}

/// Attempts to deliver notifications, and how many still wait.
pub async fn deliveries(State(world): State<Arc<World>>, Query(params): Query<Since>) -> Answer {
    Ok(Json(
        json!({"deliveries": world.post.deliveries_since(params.since), "pending": world.post.pending()}),
    ))
}
