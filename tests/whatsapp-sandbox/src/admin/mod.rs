//! The sandbox's own side: playing the customer, reading the proofs, switching faults. JSON in and out; described in the README.

mod accounts;
mod chat;
mod control;
mod proofs;
mod templates;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tower_http::cors::CorsLayer;

use crate::world::World;

/// A wrong request to the admin side.
#[derive(Debug)]
pub struct Wrong(StatusCode, String);

impl Wrong {
    fn request(why: impl ToString) -> Self {
        Self(StatusCode::BAD_REQUEST, why.to_string())
    }

    fn unknown(what: &str) -> Self {
        Self(StatusCode::NOT_FOUND, format!("no such {what}"))
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        (self.0, axum::Json(json!({"error": self.1}))).into_response()
    }
}

/// Reads a body; field names are checked, so that a misspelt one does not pass for a default.
fn read<T: DeserializeOwned>(body: Value) -> Result<T, Wrong> {
    if !body.is_object() {
        return Err(Wrong::request("the body must be a JSON object"));
    }
    serde_json::from_value(body).map_err(Wrong::request)
}

type Answer = Result<axum::Json<Value>, Wrong>;

/// Bodies carry files as base64.
const MAX_BODY: usize = 150 * 1024 * 1024;

pub fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/admin/accounts", get(accounts::list).post(accounts::add))
        .route(
            "/admin/accounts/{phone_number_id}",
            axum::routing::delete(accounts::remove),
        )
        .route("/admin/tokens", post(accounts::set_token))
        .route("/admin/codes", post(accounts::issue_code))
        .route("/admin/templates", get(templates::list).post(templates::add))
        .route(
            "/admin/templates/{id}",
            post(templates::change).delete(templates::remove),
        )
        .route("/admin/samples", get(templates::samples))
        .route("/admin/customers", get(chat::customers))
        .route(
            "/admin/customers/{phone}",
            get(chat::customer).post(chat::change_customer),
        )
        .route("/admin/customers/{phone}/messages", post(chat::send))
        .route("/admin/customers/{phone}/read", post(chat::read))
        .route("/admin/customers/{phone}/preference", post(chat::preference))
        .route("/admin/windows", post(chat::set_windows))
        .route("/admin/chat/{phone_number_id}", get(chat::threads))
        .route("/admin/chat/{phone_number_id}/{phone}", get(chat::thread))
        .route("/admin/media/{id}", get(chat::media))
        .route("/admin/events", get(chat::events))
        .route("/admin/webhooks/raw", post(webhooks::raw))
        .route("/admin/webhooks/status", post(webhooks::status))
        .route("/admin/webhooks/verify", post(webhooks::verify))
        .route("/admin/webhooks/change", post(webhooks::change))
        .route("/admin/ledger", get(proofs::ledger))
        .route("/admin/requests", get(proofs::requests))
        .route("/admin/deliveries", get(proofs::deliveries))
        .route("/admin/faults", get(control::faults).post(control::set_faults))
        .route(
            "/admin/settings",
            get(control::settings).post(control::set_settings),
        )
        .route("/admin/clock", get(control::clock).post(control::advance_clock))
        .route("/admin/reset", post(control::reset))
        .route("/healthz", get(control::health))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CorsLayer::permissive())
}
