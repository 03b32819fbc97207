//! Callbacks that report a sale: signed by the organisation's secret, recent, each one once.
//!
//! A wrong signature, an organisation that does not exist and one without a secret answer alike, after the same work.

use super::{Links, LookupError, PATIENCE};
use crate::runtime::database::DatabaseError;
use crate::runtime::metrics as names;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use metrics::counter;
use octopush_rules::error_catalog;
use octopush_whatsapp::signature;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio_postgres::types::Json as Jsonb;
use tracing::warn;
use uuid::Uuid;

const HEADER: &str = "x-octopush-signature";
/// How far the sender's clock and the journey of a callback may be off.
const TOLERANCE_SECONDS: i64 = 300;

/// `POST /conversions/{org_id}`.
pub async fn receive(
    State(links): State<Arc<Links>>,
    Path(org_id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let outcome = match body {
        Ok(body) => links.record(&org_id, headers.get(HEADER), &body).await,
        Err(rejection) => Ok(Some((rejection.status(), "REQUEST_001".to_owned()))),
    };
    let (label, response) = match outcome {
        Ok(None) => (
            "recorded".to_owned(),
            Json(json!({ "recorded": true })).into_response(),
        ),
        Ok(Some((status, code))) => {
            let response = refusal(status, &code);
            (code, response)
        }
        Err(error) => {
            counter!(names::WORKER_ERRORS, "role" => "links").increment(1);
            warn!(%error, "a conversion could not be recorded");
            let answer = json!({ "message": "The callback could not be recorded now", "hint": "Send the same callback again." });
            let again = [(header::RETRY_AFTER, HeaderValue::from_static("5"))];
            (
                "unavailable".to_owned(),
                (StatusCode::SERVICE_UNAVAILABLE, again, Json(answer)).into_response(),
            )
        }
    };
    counter!(names::CONVERSIONS, "outcome" => label).increment(1);
    response
}

/// Why a callback is not taken, with the status to answer.
type Refusal = (StatusCode, String);

impl Links {
    async fn record(
        &self,
        org_id: &str,
        header: Option<&HeaderValue>,
        body: &[u8],
    ) -> Result<Option<Refusal>, LookupError> {
        let signed = Signed::read(header.and_then(|value| value.to_str().ok()));
        // An unknown organisation costs the same question as a known one.
        let org_id = Uuid::parse_str(org_id).unwrap_or_default();
        let (secret, now) = self.conversion_secret(org_id).await?;
        let Some(at) = signed.verify(secret.as_deref(), body) else {
            return Ok(Some(by_catalogue("CONVERSION_001")));
        };
        if now.abs_diff(at) > TOLERANCE_SECONDS.unsigned_abs() {
            return Ok(Some(by_catalogue("CONVERSION_002")));
        }
        // A NUL is valid in JSON and cannot be stored as text.
        let Some(fields) = serde_json::from_slice::<Value>(body)
            .ok()
            .filter(|fields| fields.is_object() && !body.windows(6).any(|w| w == br"\u0000"))
        else {
            return Ok(Some(by_catalogue("REQUEST_001")));
        };
        let recording = async {
            let client = self.pool.get().await?;
            let statement = client
                .prepare_cached(include_str!("../../database/queries/record_conversion.sql"))
                .await?;
            let row = client.query_one(&statement, &[&org_id, &Jsonb(&fields)]).await?;
            Ok::<Option<String>, DatabaseError>(row.get(0))
        };
        let code = tokio::time::timeout(PATIENCE, recording).await??;
        Ok(code.map(|code| by_catalogue(&code)))
    }

    /// With the time by the database's clock: ours may be wrong, and every callback would look too old.
    async fn conversion_secret(&self, org_id: Uuid) -> Result<(Option<String>, i64), LookupError> {
        let asking = async {
            let client = self.pool.get().await?;
            let statement = client
                .prepare_cached(include_str!("../../database/queries/conversion_secret.sql"))
                .await?;
            let row = client.query_one(&statement, &[&org_id]).await?;
            Ok::<_, DatabaseError>((row.get("secret"), row.get("now")))
        };
        Ok(tokio::time::timeout(PATIENCE, asking).await??)
    }
}

fn by_catalogue(code: &str) -> Refusal {
    let status = error_catalog::find(code).and_then(|entry| StatusCode::from_u16(entry.http_status).ok());
    (
        status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY),
        code.to_owned(),
    )
}

fn refusal(status: StatusCode, code: &str) -> Response {
    let entry = error_catalog::find(code);
    let answer = json!({ "code": code, "message": entry.map(|e| e.message), "hint": entry.map(|e| e.hint) });
    (status, Json(answer)).into_response()
}

/// The header `t=<unix seconds>,v1=<hex>`; several v1 while the sender changes secrets.
struct Signed<'a> {
    time: &'a str,
    signatures: Vec<&'a str>,
}

impl<'a> Signed<'a> {
    fn read(header: Option<&'a str>) -> Self {
        let pairs = header
            .unwrap_or_default()
            .split(',')
            .filter_map(|pair| pair.trim().split_once('='));
        let mut read = Self {
            time: "",
            signatures: Vec::new(),
        };
        for (name, value) in pairs {
            match name {
                "t" => read.time = value,
                "v1" if read.signatures.len() < 4 => read.signatures.push(value),
                _ => {}
            }
        }
        read
    }

    /// When it was signed; `None` unless one of the signatures is that of the time and the body.
    fn verify(&self, secret: Option<&str>, body: &[u8]) -> Option<i64> {
        let mut message = Vec::with_capacity(self.time.len() + 1 + body.len());
        message.extend_from_slice(self.time.as_bytes());
        message.push(b'.');
        message.extend_from_slice(body);
        // Without a secret the same is computed with another one, and is wrong whatever it says.
        let key = secret.filter(|secret| !secret.is_empty()).unwrap_or("none");
        let mut is_right = false;
        for given in &self.signatures {
            is_right |= signature::verify(&[key.as_bytes()], Some(&format!("sha256={given}")), &message);
        }
        if !is_right || secret.is_none_or(str::is_empty) {
            return None;
        }
        self.time.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(secret: &str, time: &str, body: &[u8]) -> String {
        let message = [time.as_bytes(), b".", body].concat();
        let digest = signature::sign(secret.as_bytes(), &message);
        format!("t={time},v1={}", digest.trim_start_matches("sha256="))
    }

    #[test]
    fn time_and_body_are_signed_together() {
        let good = header("secret", "1700000000", b"{}");
        let verify =
            |header: &str, secret: Option<&str>, body: &[u8]| Signed::read(Some(header)).verify(secret, body);
        assert_eq!(verify(&good, Some("secret"), b"{}"), Some(1_700_000_000));
        assert_eq!(verify(&good, Some("another"), b"{}"), None);
        assert_eq!(verify(&good, Some("secret"), b"{ }"), None);
        assert_eq!(verify(&good.replace("t=17", "t=18"), Some("secret"), b"{}"), None);
        assert_eq!(verify(&good.replace("v1=", "v0="), Some("secret"), b"{}"), None);
        assert_eq!(verify("", Some("secret"), b"{}"), None);
        let rotating = good.replace(",v1=", &format!(",v1={},v1=", "0".repeat(64)));
        assert_eq!(verify(&rotating, Some("secret"), b"{}"), Some(1_700_000_000));
    }

    #[test]
    fn nothing_is_right_without_a_secret() {
        for key in ["none", ""] {
            let signed = header(key, "1700000000", b"{}");
            assert_eq!(Signed::read(Some(&signed)).verify(None, b"{}"), None);
            assert_eq!(Signed::read(Some(&signed)).verify(Some(""), b"{}"), None);
        }
    }
}
