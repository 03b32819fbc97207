//! Refusals in GoTrue's words: the body's shape depends on the API version the client asks for.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio_postgres::error::SqlState;

/// The version in which `code` became the name of the error; clients send it and look for its echo.
const NAMED_CODES_VERSION: &str = "2024-01-01";
const VERSION_HEADER: &str = "x-supabase-api-version";

/// A refusal or failure of an Auth endpoint.
#[derive(Debug, Clone)]
pub struct AuthError {
    status: StatusCode,
    code: &'static str,
    message: String,
    weak_password_reasons: Option<Vec<&'static str>>,
}

/// What every Auth operation returns.
pub type Result<T> = std::result::Result<T, AuthError>;

impl AuthError {
    /// A refusal with GoTrue's code.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self {
            status,
            code,
            message: message.into(),
            weak_password_reasons: None,
        }
    }

    /// 400 for input that is understood but not acceptable.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "validation_failed", message)
    }

    /// 422 for a password that breaks the rules named in `reasons`.
    pub fn weak_password(message: impl Into<String>, reasons: Vec<&'static str>) -> Self {
        Self {
            weak_password_reasons: Some(reasons),
            ..Self::new(422, "weak_password", message)
        }
    }

    /// 500 for what should not happen; the cause goes to the log only.
    pub fn unexpected(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "auth request failed");
        Self::new(500, "unexpected_failure", "Unable to process request")
    }

    /// 503, so that clients keep their session and try again.
    pub fn unavailable(cause: impl std::fmt::Display) -> Self {
        tracing::warn!(%cause, "auth database unavailable");
        Self::new(
            503,
            "unexpected_failure",
            "The database is unavailable, try again",
        )
    }

    /// The refusal's name, for redirects that carry it in the address.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The refusal's words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether trying again later may succeed.
    pub fn is_server_fault(&self) -> bool {
        self.status.is_server_error()
    }

    /// Whether the database could not be reached, as opposed to having refused.
    pub fn is_unavailable(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
    }

    /// Other words for the same refusal.
    pub fn saying(mut self, message: &str) -> Self {
        self.message = message.to_owned();
        self
    }

    fn body(&self, named_codes: bool) -> Value {
        let mut body = if named_codes {
            json!({"code": self.code, "message": self.message})
        } else {
            json!({"code": self.status.as_u16(), "error_code": self.code, "msg": self.message})
        };
        if let Some(reasons) = &self.weak_password_reasons {
            body["weak_password"] = json!({"reasons": reasons});
        }
        body
    }
}

impl From<tokio_postgres::Error> for AuthError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            return Self::unavailable(error);
        };
        let state = db.code();
        let gone = ["08", "53"].iter().any(|class| state.code().starts_with(class))
            || [
                SqlState::ADMIN_SHUTDOWN,
                SqlState::CRASH_SHUTDOWN,
                SqlState::CANNOT_CONNECT_NOW,
            ]
            .contains(state);
        if gone {
            Self::unavailable(&error)
        } else {
            Self::unexpected(format!("{error}: {}", db.message()))
        }
    }
}

impl From<deadpool_postgres::PoolError> for AuthError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        Self::unavailable(error)
    }
}

impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.body(false))).into_response();
        response
            .headers_mut()
            .insert("x-sb-error-code", HeaderValue::from_static(self.code));
        response.extensions_mut().insert(self);
        response
    }
}

/// Middleware: echoes the API version and gives errors the shape it stands for.
pub async fn shape_errors(request: Request, next: Next) -> Response {
    let named_codes = request
        .headers()
        .get(VERSION_HEADER)
        .and_then(|value| value.to_str().ok())
        // Versions are dates, so text order is time order.
        .is_some_and(|version| version >= NAMED_CODES_VERSION);
    let mut response = next.run(request).await;
    if named_codes {
        if let Some(error) = response.extensions_mut().remove::<AuthError>() {
            let shaped = axum::Json(error.body(true)).into_response();
            *response.body_mut() = shaped.into_body();
            response.headers_mut().remove(header::CONTENT_LENGTH);
        }
        response
            .headers_mut()
            .insert(VERSION_HEADER, HeaderValue::from_static(NAMED_CODES_VERSION));
    }
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
