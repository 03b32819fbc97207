//! How the stand-in behaves when nothing is wrong. Changed over `/admin/settings`; faults are apart, in [`crate::faults`].

use serde::{Deserialize, Serialize};

/// What happens to free-form messages outside the 24-hour window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowPolicy {
    /// Accepted, then `failed` with 131047: what Meta mostly does.
    Async,
    /// Refused with HTTP 400 and 131047.
    Sync,
    /// Not looked at.
    Off,
}

/// Changeable behaviour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The app's callback; empty for none.
    pub webhook_url: String,
    /// The API version of webhook payloads: `v23.0` and earlier carry a `conversation` in statuses.
    pub webhook_version: String,
    /// Whether messages move through sent, delivered and read by themselves.
    pub auto_status: bool,
    /// Delays after acceptance.
    pub sent_after_ms: u64,
    pub delivered_after_ms: u64,
    /// `null`: read only when the customer opens the chat on the page.
    pub read_after_ms: Option<u64>,
    pub window: WindowPolicy,
    /// One message per person in six seconds, with a reserve of 45.
    pub pair_rate: bool,
    /// Statuses put into one notification at most (Meta: up to 1,000, in practice one).
    pub webhook_batch: usize,
    /// Notifications on their way at a time.
    pub webhook_concurrency: usize,
    /// A receiver that has not answered by then has failed.
    pub webhook_timeout_ms: u64,
    /// The first retry is immediate, the second waits this long, each later one twice as long as the one before …
    pub webhook_retry_ms: u64,
    /// … up to this.
    pub webhook_retry_max_ms: u64,
    /// Write characters beyond ASCII as `\uXXXX`, as Meta does.
    pub escape_unicode: bool,
    /// How long a template stays in review.
    pub template_review_ms: u64,
    pub media_url_ttl_seconds: i64,
    pub uploaded_media_ttl_seconds: i64,
    pub inbound_media_ttl_seconds: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            webhook_url: String::new(),
            webhook_version: "v25.0".to_owned(),
            auto_status: true,
            sent_after_ms: 30,
            delivered_after_ms: 150,
            read_after_ms: Some(900),
            window: WindowPolicy::Async,
            pair_rate: true,
            webhook_batch: 1,
            webhook_concurrency: 16,
            webhook_timeout_ms: 10_000,
            webhook_retry_ms: 200,
            webhook_retry_max_ms: 10_000,
            escape_unicode: true,
            template_review_ms: 3_000,
            media_url_ttl_seconds: 300,
            uploaded_media_ttl_seconds: 30 * 86_400,
            inbound_media_ttl_seconds: 7 * 86_400,
        }
    }
}

impl Settings {
    /// Whether statuses have the `conversation` object (dropped with v24).
    pub fn has_conversation(&self) -> bool {
        let major = self.webhook_version.trim_start_matches('v').split('.').next();
        major
            .and_then(|major| major.parse::<u32>().ok())
            .is_some_and(|major| major < 24)
    }
}
