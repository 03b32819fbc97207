//! Meta's error object, as an HTTP answer and as it is reported inside webhooks.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::retry::{RetryClass, classify};

/// A refusal by the Graph API (§6.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GraphError {
    pub http_status: u16,
    /// [`GraphError::NO_CODE`] when the answer carried no error object.
    pub code: i64,
    pub subcode: Option<i64>,
    /// Without the leading `(#code)`.
    pub title: String,
    /// What exactly was wrong: `error_data.details`, or the text Meta means for users.
    pub details: Option<String>,
    /// What Meta's support asks for.
    pub fbtrace_id: Option<String>,
    pub is_transient: bool,
}

impl GraphError {
    /// The code of a refusal that is not Meta's (a proxy, a wrong address). Not 0: that is a real code.
    pub const NO_CODE: i64 = -1;

    /// Reads the error object of an answer; `None` when there is none.
    #[must_use]
    pub fn read(http_status: u16, body: &[u8]) -> Option<Self> {
        let document: Value = serde_json::from_slice(body).ok()?;
        let error = document.get("error")?;
        let code = number(error.get("code")?)?;
        let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
        Some(Self {
            http_status,
            code,
            subcode: error.get("error_subcode").and_then(number),
            title: without_code(message, code),
            details: text(error.pointer("/error_data/details"))
                .or_else(|| text(error.get("error_user_msg")))
                .or_else(|| text(error.get("error_user_title"))),
            fbtrace_id: text(error.get("fbtrace_id")),
            is_transient: error
                .get("is_transient")
                .and_then(Value::as_bool)
                .unwrap_or(false),
        })
    }

    /// A refusal that carried no error object.
    #[must_use]
    pub fn without_body(http_status: u16) -> Self {
        Self {
            http_status,
            code: Self::NO_CODE,
            subcode: None,
            title: format!("HTTP {http_status} without an error object"),
            details: None,
            fbtrace_id: None,
            is_transient: false,
        }
    }

    /// What to do with the message, the number or the account.
    #[must_use]
    pub fn retry_class(&self) -> RetryClass {
        classify(self.code, self.subcode, Some(self.http_status), self.is_transient)
    }
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (code {}, HTTP {})",
            self.title, self.code, self.http_status
        )?;
        if let Some(details) = &self.details {
            write!(f, ": {details}")?;
        }
        Ok(())
    }
}

impl std::error::Error for GraphError {}

/// An error reported inside a webhook, where there is no HTTP status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportedError {
    /// [`GraphError::NO_CODE`] when the report had none.
    pub code: i64,
    pub title: Option<String>,
    pub details: Option<String>,
}

impl ReportedError {
    pub(crate) fn read(error: &Value) -> Self {
        Self {
            code: error.get("code").and_then(number).unwrap_or(GraphError::NO_CODE),
            title: text(error.get("title")).or_else(|| text(error.get("message"))),
            details: text(error.pointer("/error_data/details")).or_else(|| text(error.get("details"))),
        }
    }

    /// What to do next. A failed message is never tried again by itself; the class tells what the failure says about the number, the
    /// contact or the account.
    #[must_use]
    pub fn retry_class(&self) -> RetryClass {
        classify(self.code, None, None, false)
    }
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    value
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn without_code(message: &str, code: i64) -> String {
    message
        .trim_start_matches(&format!("(#{code})"))
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::GraphError;

    #[test]
    fn reads_the_whole_error_object() {
        let body =
            br#"{"error":{"message":"(#131047) Re-engagement message","type":"OAuthException","code":131047,
            "error_data":{"messaging_product":"whatsapp","details":"More than 24 hours have passed"},
            "error_subcode":2494010,"fbtrace_id":"Az8or2yhqkZ","is_transient":true}}"#;
        let error = GraphError::read(400, body).unwrap();
        assert_eq!(error.title, "Re-engagement message");
        assert_eq!(error.details.as_deref(), Some("More than 24 hours have passed"));
        assert_eq!(
            (error.code, error.subcode, error.is_transient),
            (131_047, Some(2_494_010), true)
        );
        assert_eq!(error.fbtrace_id.as_deref(), Some("Az8or2yhqkZ"));
    }

    #[test]
    fn does_not_invent_an_error_object() {
        for body in [
            "",
            "<html>502</html>",
            "{}",
            r#"{"error":"no"}"#,
            r#"{"error":{"message":"x"}}"#,
        ] {
            assert_eq!(GraphError::read(502, body.as_bytes()), None, "{body}");
        }
    }
}
