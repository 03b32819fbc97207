//! Meta's error answers (§6.1, §11): which HTTP status and title each code has, and the object they come in.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// A refusal on its way to becoming an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub code: i64,
    pub http_status: u16,
    pub title: String,
    pub details: Option<String>,
    pub subcode: Option<i64>,
    /// The text Meta means for users; template errors have it.
    pub user_message: Option<String>,
    /// Fields that stand beside `error` (block lists).
    pub beside: Option<Box<Map<String, Value>>>,
}

impl Refusal {
    /// The refusal of a code, as Meta documents it.
    pub fn new(code: i64, details: impl Into<String>) -> Self {
        let (http_status, title) = documented(code);
        Self {
            code,
            http_status,
            title: title.to_owned(),
            details: Some(details.into()).filter(|details: &String| !details.is_empty()),
            subcode: None,
            user_message: None,
            beside: None,
        }
    }

    /// Error 100 as the Graph API words it for one parameter.
    pub fn parameter(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ..Self::new(100, "")
        }
    }

    /// An id that leads nowhere.
    pub fn no_such_object(method: &str, id: &str) -> Self {
        let title = format!(
            "Unsupported {} request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, or does not \
             support this operation",
            method.to_lowercase()
        );
        Self::parameter(title).with_subcode(33)
    }

    pub fn token(title: &str, subcode: Option<i64>) -> Self {
        Self {
            title: title.to_owned(),
            subcode,
            ..Self::new(190, "")
        }
    }

    #[must_use]
    pub fn with_subcode(mut self, subcode: i64) -> Self {
        self.subcode = Some(subcode);
        self
    }

    #[must_use]
    pub fn with_http_status(mut self, http_status: Option<u16>) -> Self {
        self.http_status = http_status.unwrap_or(self.http_status);
        self
    }

    /// How the same error is reported inside a webhook.
    pub fn reported(code: i64, details: &str) -> Value {
        let (_, title) = documented(code);
        json!({"code": code, "title": title, "message": title, "error_data": {"details": details},
            "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"})
    }

    fn body(&self) -> Value {
        // Token and object errors are the Graph API's own and carry no code in their text.
        let is_graphs_own = matches!(self.code, 190) || self.subcode == Some(33);
        let message = if is_graphs_own {
            self.title.clone()
        } else {
            format!("(#{}) {}", self.code, self.title)
        };
        let kind = if self.subcode == Some(33) {
            "GraphMethodException"
        } else {
            "OAuthException"
        };
        let mut error = Map::new();
        error.insert("message".into(), message.into());
        error.insert("type".into(), kind.into());
        error.insert("code".into(), self.code.into());
        if let Some(details) = &self.details {
            error.insert(
                "error_data".into(),
                json!({"messaging_product": "whatsapp", "details": details}),
            );
        }
        if let Some(subcode) = self.subcode {
            error.insert("error_subcode".into(), subcode.into());
        }
        if let Some(message) = &self.user_message {
            error.insert("is_transient".into(), false.into());
            error.insert("error_user_title".into(), self.title.as_str().into());
            error.insert("error_user_msg".into(), message.as_str().into());
        }
        error.insert("fbtrace_id".into(), crate::ids::trace_id().into());
        let mut body = self.beside.as_deref().cloned().unwrap_or_default();
        body.insert("error".into(), Value::Object(error));
        Value::Object(body)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.http_status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, axum::Json(self.body())).into_response()
    }
}

/// HTTP status and title by code; where Meta documents no status it is 400.
fn documented(code: i64) -> (u16, &'static str) {
    match code {
        0 => (401, "AuthException"),
        1 => (400, "API Unknown"),
        2 => (503, "API Service"),
        3 => (500, "API Method"),
        4 => (400, "API Too Many Calls"),
        10 => (403, "Permission Denied"),
        33 => (400, "Parameter value is not valid"),
        100 => (400, "Invalid parameter"),
        190 => (401, "Access token has expired"),
        200..=299 => (403, "API Permission"),
        368 => (403, "Temporarily blocked for policies violations"),
        803 => (404, "Some of the aliases you requested do not exist"),
        80_007 => (400, "Rate limit issues"),
        130_403 => (400, "User is blocked"),
        130_429 => (400, "Rate limit hit"),
        130_472 => (400, "User's number is part of an experiment"),
        130_497 => (
            403,
            "Business account is restricted from messaging users in this country.",
        ),
        131_000 => (500, "Something went wrong"),
        131_005 => (403, "Access denied"),
        131_008 => (400, "Required parameter is missing"),
        131_009 => (400, "Parameter value is not valid"),
        131_016 => (500, "Service unavailable"),
        131_021 => (400, "Recipient cannot be sender"),
        131_026 => (400, "Message undeliverable"),
        131_030 => (400, "Recipient phone number not in allowed list"),
        131_031 => (403, "Account has been locked"),
        131_037 => (
            400,
            "WhatsApp provided number needs display name approval before message can be sent.",
        ),
        131_042 => (400, "Business eligibility payment issue"),
        131_045 => (500, "Incorrect certificate"),
        131_047 => (400, "Re-engagement message"),
        131_048 => (400, "Spam rate limit hit"),
        131_049 => (400, "Meta chose not to deliver."),
        131_050 => (400, "User has stopped marketing messages"),
        131_051 => (400, "Unsupported message type"),
        131_052 => (400, "Media download error"),
        131_053 => (400, "Media upload error"),
        131_056 => (400, "(Business Account, Consumer Account) pair rate limit hit"),
        131_057 => (500, "Account in maintenance mode"),
        131_059 => (400, "Invalid cursor"),
        131_060 => (400, "This message is unavailable"),
        131_062 => (
            400,
            "Business-scoped User ID (BSUID) recipients are not supported for this message.",
        ),
        132_000 => (
            400,
            "Number of parameters does not match the expected number of params",
        ),
        132_001 => (404, "Template name does not exist in the translation"),
        132_005 => (400, "Translated text too long"),
        132_007 => (400, "Template format character policy violated"),
        132_012 => (
            400,
            "Parameter format does not match format in the created template",
        ),
        132_015 => (400, "Template is paused"),
        132_016 => (400, "Template is disabled"),
        132_018 => (400, "Invalid template parameter"),
        133_000 => (500, "Incomplete deregistration"),
        133_004 => (503, "Server temporarily unavailable"),
        133_005 => (400, "Two-step verification PIN mismatch"),
        133_006 => (400, "Phone number re-verification needed"),
        133_010 => (400, "Phone number not registered"),
        133_016 => (400, "Account register deregister rate limit exceeded"),
        135_000 => (400, "Generic user error"),
        137_000 => (400, "Recipient identity key hash mismatch"),
        139_100 => (400, "Failed to block/unblock some users"),
        2_200 => (400, "Callback verification failed"),
        _ => (400, "Something went wrong"),
    }
}
