//! The Graph API over HTTP. Every call takes the access token of the account it acts for: one client serves all organisations.

mod accounts;
mod media;
mod messages;
mod numbers;
mod templates;
mod uploads;

use std::fmt;

use reqwest::{Method, RequestBuilder, Response, Url};
use serde_json::Value;

use crate::error::{ApiError, GraphError};

pub use accounts::{AccessToken, BusinessAccount, GranularScope, SubscribedApp, TokenInfo};
pub use media::{DownloadError, MediaDownload, MediaInfo};
pub use messages::{BlockOutcome, HistoryEvent, SendReceipt};
pub use numbers::{BusinessProfile, PhoneNumber};
pub use templates::{CreatedTemplate, NewTemplate, TemplateFilter, TemplateInfo};
pub use uploads::UploadSession;

/// A page of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Give it to the same call to get the next page; `None` on the last.
    pub after: Option<String>,
    /// Items that could not be read and are missing from `items`.
    pub skipped: usize,
}

/// A client of one Graph API server in one version.
#[derive(Clone)]
pub struct CloudApi {
    base: Url,
    version: String,
    http: reqwest::Client,
}

impl fmt::Debug for CloudApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudApi")
            .field("base", &self.base.as_str())
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The address or version given to [`CloudApi::new`] cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("Graph API address is not an http(s) address: {0}")]
    Address(String),
    #[error("Graph API version must look like v25.0, not {0}")]
    Version(String),
}

impl CloudApi {
    /// `base_url` as `https://graph.facebook.com`, `api_version` as `v25.0`. Timeouts and pools are those of `http`.
    ///
    /// # Errors
    /// When either cannot be right.
    pub fn new(base_url: &str, api_version: &str, http: reqwest::Client) -> Result<Self, ConfigError> {
        let base = Url::parse(base_url)
            .ok()
            .filter(|url| {
                matches!(url.scheme(), "http" | "https") && url.has_host() && !url.cannot_be_a_base()
            })
            .ok_or_else(|| ConfigError::Address(base_url.to_owned()))?;
        let is_version = api_version
            .strip_prefix('v')
            .and_then(|version| version.split_once('.'))
            .is_some_and(|(major, minor)| major.parse::<u16>().is_ok() && minor.parse::<u16>().is_ok());
        if !is_version {
            return Err(ConfigError::Version(api_version.to_owned()));
        }
        Ok(Self {
            base,
            version: api_version.to_owned(),
            http,
        })
    }

    /// `{base}/{version}/{segments…}`; segments are escaped, so an id can never climb out of its place.
    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(&self.version).extend(segments);
        }
        url
    }

    fn request(&self, method: Method, segments: &[&str], token: &str) -> RequestBuilder {
        self.http.request(method, self.url(segments)).bearer_auth(token)
    }

    async fn call(&self, request: RequestBuilder) -> Result<Value, ApiError> {
        read_answer(request.send().await?).await
    }

    async fn call_for_success(&self, request: RequestBuilder) -> Result<(), ApiError> {
        let answer = self.call(request).await?;
        if answer.get("success").and_then(Value::as_bool) == Some(true) {
            return Ok(());
        }
        Err(ApiError::Unexpected(format!(
            "no success in {}",
            shortened(&answer)
        )))
    }
}

async fn read_answer(response: Response) -> Result<Value, ApiError> {
    let status = response.status();
    let body = response.bytes().await?;
    if !status.is_success() {
        return Err(GraphError::read(status.as_u16(), &body)
            .unwrap_or_else(|| GraphError::without_body(status.as_u16()))
            .into());
    }
    serde_json::from_slice(&body).map_err(|error| ApiError::Unexpected(format!("not JSON: {error}")))
}

/// Reads a page of `{data: […], paging: {cursors: {after}, next?}}`; items that cannot be read are left out and logged.
fn page<T: serde::de::DeserializeOwned>(answer: Value) -> Result<Page<T>, ApiError> {
    let Some(data) = answer.get("data").and_then(Value::as_array) else {
        return Err(ApiError::Unexpected(format!("no data in {}", shortened(&answer))));
    };
    let items: Vec<T> = data
        .iter()
        .filter_map(|item| {
            serde_json::from_value(item.clone())
                .inspect_err(|error| tracing::warn!(%error, "skipped an item of a listing"))
                .ok()
        })
        .collect();
    let has_next = answer.pointer("/paging/next").is_some_and(Value::is_string);
    let after = answer
        .pointer("/paging/cursors/after")
        .and_then(Value::as_str)
        .filter(|_| has_next);
    Ok(Page {
        skipped: data.len() - items.len(),
        items,
        after: after.map(str::to_owned),
    })
}

/// Enough of an answer to recognise it, never enough to spill it.
fn shortened(value: &Value) -> String {
    let keys: Vec<&str> = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .take(8)
        .collect();
    format!("an answer with keys {keys:?}")
}

#[cfg(test)]
mod tests {
    use super::CloudApi;

    fn api(base: &str) -> CloudApi {
        CloudApi::new(base, "v25.0", reqwest::Client::new()).unwrap()
    }

    #[test]
    fn builds_addresses_that_ids_cannot_escape() {
        assert_eq!(
            api("https://graph.facebook.com").url(&["1", "messages"]).as_str(),
            "https://graph.facebook.com/v25.0/1/messages"
        );
        assert_eq!(
            api("http://h:1/p/").url(&["a/../b?c"]).as_str(),
            "http://h:1/p/v25.0/a%2F..%2Fb%3Fc"
        );
    }

    #[test]
    fn refuses_addresses_and_versions_that_cannot_be_right() {
        for (base, version) in [
            ("graph.facebook.com", "v25.0"),
            ("ftp://graph.facebook.com", "v25.0"),
            ("https://graph.facebook.com", "25.0"),
            ("https://graph.facebook.com", "v25"),
            ("https://graph.facebook.com", "v25.0/../me"),
        ] {
            assert!(
                CloudApi::new(base, version, reqwest::Client::new()).is_err(),
                "{base} {version}"
            );
        }
    }
}
