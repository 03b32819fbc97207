//! What clients can see differing between `postrust-server` and PostgREST, put right on the way out.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::response::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::jwt::Keys;

/// Error bodies are small; a larger one is passed on as it is.
const MAX_ERROR_BYTES: usize = 1024 * 1024;

/// What the mending needs to know of the request.
pub struct Caller {
    is_anonymous: bool,
}

impl Caller {
    /// Reads the role of the bearer; whether the token is good was decided elsewhere.
    pub fn of(keys: &Keys, request: &Request) -> Self {
        let role = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .and_then(|(_, token)| keys.verify(token.trim()).ok())
            .and_then(|claims| claims.role().map(str::to_owned));
        Self {
            is_anonymous: role.is_none_or(|role| role == "anon"),
        }
    }
}

/// 503 with PostgREST's code for a schema that has not been read, which clients retry.
pub fn unavailable(caller: &Caller) -> Response {
    let problem = json!({
        "code": "PGRST002",
        "message": "Could not query the database for the schema cache. Retrying.",
        "details": null,
        "hint": null,
    });
    let mut response = rendered(
        HeaderMap::new(),
        mended(StatusCode::SERVICE_UNAVAILABLE, problem, caller),
    );
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// Passes successes on and puts errors right.
pub async fn response(response: Response, caller: &Caller) -> Response {
    let status = response.status();
    let (mut parts, body) = response.into_parts();
    with_charset(&mut parts.headers);
    if !(status.is_client_error() || status.is_server_error()) {
        return without_last_line_break(parts, body).await;
    }
    let Ok(bytes) = to_bytes(body, MAX_ERROR_BYTES).await else {
        return Response::from_parts(parts, Body::empty());
    };
    match serde_json::from_slice::<Value>(&bytes) {
        Ok(problem) if problem.get("code").is_some() => {
            rendered(parts.headers, mended(status, problem, caller))
        }
        _ => Response::from_parts(parts, Body::from(bytes)),
    }
}

/// PostgREST ends CSV with its last row; clients that split lines would see an empty row behind it.
async fn without_last_line_break(mut parts: Parts, body: Body) -> Response {
    let is_csv = parts
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/csv"));
    if !is_csv {
        return Response::from_parts(parts, body);
    }
    // Held in memory already: no more than the rows of one answer.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Response::from_parts(parts, Body::empty());
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    let end = bytes.len() - usize::from(bytes.ends_with(b"\n"));
    Response::from_parts(parts, Body::from(bytes.slice(..end)))
}

/// Status and body as PostgREST would answer.
fn mended(status: StatusCode, problem: Value, caller: &Caller) -> (StatusCode, Value) {
    let code = problem["code"].as_str().unwrap_or_default();
    match code {
        // Permission denied tells a stranger to sign in, and a known caller that signing in will not help.
        "42501" if status == StatusCode::UNAUTHORIZED && !caller.is_anonymous => {
            (StatusCode::FORBIDDEN, problem)
        }
        // Failures to reach the database, which are faults of the moment and must look so.
        "PGRST500" => (
            StatusCode::SERVICE_UNAVAILABLE,
            json!({
                "code": "PGRST001",
                "message": "Could not connect with the database due to an internal error.",
                "details": null,
                "hint": null,
            }),
        ),
        "57P01" | "57P02" | "57P03" => (StatusCode::SERVICE_UNAVAILABLE, problem),
        _ if is_malformed_raise(&problem) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            json!({
                "code": "PGRST121",
                "message": "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error",
                "details": format!("Invalid JSON value for MESSAGE: '{problem}'"),
                "hint": "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: \
                         'details', 'hint'.",
            }),
        ),
        _ => (status, problem),
    }
}

/// PostgREST reads the message of a raised response into text fields; anything else in them is the raiser's mistake.
/// Its own errors, whose details may be a list, all have codes of the form `PGRST…`.
fn is_malformed_raise(problem: &Value) -> bool {
    let text_or_null = |name: &str| {
        problem
            .get(name)
            .is_none_or(|field| field.is_null() || field.is_string())
    };
    let own = problem["code"]
        .as_str()
        .is_some_and(|code| code.starts_with("PGRST"));
    let well_formed = problem["code"].is_string()
        && problem["message"].is_string()
        && text_or_null("details")
        && text_or_null("hint");
    !own && !well_formed
}

fn rendered(mut headers: HeaderMap, (status, problem): (StatusCode, Value)) -> Response {
    if status != StatusCode::UNAUTHORIZED {
        headers.remove(header::WWW_AUTHENTICATE);
    }
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    // The only place a HEAD request can read the code from.
    let code = problem["code"].as_str().unwrap_or_default();
    if let Ok(value) = HeaderValue::from_str(&format!("PostgREST; error={code}")) {
        headers.insert("proxy-status", value);
    }
    let mut response = (status, problem.to_string()).into_response();
    *response.headers_mut() = headers;
    response
}

fn with_charset(headers: &mut HeaderMap) {
    if headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value == "application/json")
    {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANON: Caller = Caller { is_anonymous: true };
    const KNOWN: Caller = Caller { is_anonymous: false };

    fn problem(code: &str, details: Value) -> Value {
        json!({"code": code, "message": "m", "details": details, "hint": null})
    }

    #[test]
    fn permission_denied_is_401_for_strangers_and_403_for_the_rest() {
        let denied = || problem("42501", Value::Null);
        assert_eq!(mended(StatusCode::UNAUTHORIZED, denied(), &ANON).0, 401);
        assert_eq!(mended(StatusCode::UNAUTHORIZED, denied(), &KNOWN).0, 403);
    }

    #[test]
    fn structured_details_of_a_raise_are_refused_as_postgrest_does() {
        let (status, body) = mended(
            StatusCode::CONFLICT,
            problem("CONTACT_002", json!({"id": 1})),
            &KNOWN,
        );
        assert_eq!((status.as_u16(), body["code"].as_str()), (500, Some("PGRST121")));
        let (status, body) = mended(StatusCode::CONFLICT, problem("CONTACT_002", json!("{}")), &KNOWN);
        assert_eq!(
            (status.as_u16(), body["code"].as_str()),
            (409, Some("CONTACT_002"))
        );
        let (status, _) = mended(
            StatusCode::MULTIPLE_CHOICES,
            problem("PGRST201", json!([{}])),
            &KNOWN,
        );
        assert_eq!(status, 300);
    }

    #[test]
    fn a_lost_database_is_503() {
        for code in ["PGRST500", "57P01", "57P03"] {
            assert_eq!(
                mended(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    problem(code, Value::Null),
                    &KNOWN
                )
                .0,
                503,
                "{code}"
            );
        }
    }
}
