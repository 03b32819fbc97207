//! Files (§7): uploaded ids live 30 days, ids from webhooks 7, addresses five minutes.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::Value;

use super::CloudApi;
use crate::error::{ApiError, GraphError};

/// Where Meta serves the bytes; the access token goes nowhere else but there and to the Graph API itself.
const MEDIA_HOST: &str = "lookaside.fbsbx.com";

/// What Meta knows of a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MediaInfo {
    pub id: String,
    /// Valid for five minutes, and only with the access token.
    pub url: String,
    /// May carry parameters: `audio/ogg; codecs=opus`.
    pub mime_type: Option<String>,
    /// Base64 or hexadecimal, of the plain file as far as is known: check softly.
    pub sha256: Option<String>,
    #[serde(default, deserialize_with = "size")]
    pub file_size: Option<u64>,
}

fn size<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value
        .as_u64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok())))
}

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The address is not Meta's: following it would hand the access token to a stranger.
    #[error("media address is not on a host of Meta")]
    ForeignHost,
    /// The address expired: ask for a new one by id.
    #[error("media address expired")]
    Expired,
    #[error("media is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error(transparent)]
    Api(#[from] ApiError),
}

/// A file on its way.
pub struct MediaDownload {
    pub mime_type: Option<String>,
    pub content_length: Option<u64>,
    response: reqwest::Response,
}

impl MediaDownload {
    /// The bytes as they come.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, ApiError>> {
        self.response
            .bytes_stream()
            .map(|chunk| chunk.map_err(ApiError::from))
    }

    /// All bytes, unless there are more than `limit`.
    ///
    /// # Errors
    /// [`DownloadError::TooLarge`], or a lost connection.
    pub async fn into_bytes(self, limit: u64) -> Result<Bytes, DownloadError> {
        if self.content_length.is_some_and(|length| length > limit) {
            return Err(DownloadError::TooLarge { limit });
        }
        let mut bytes = BytesMut::new();
        let mut stream = std::pin::pin!(self.into_stream());
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk?);
            if bytes.len() as u64 > limit {
                return Err(DownloadError::TooLarge { limit });
            }
        }
        Ok(bytes.freeze())
    }
}

impl CloudApi {
    /// Uploads a file for sending from this number; answers its id.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn upload_media(
        &self,
        phone_number_id: &str,
        token: &str,
        filename: &str,
        mime_type: &str,
        content: impl Into<Bytes>,
    ) -> Result<String, ApiError> {
        let content: Bytes = content.into();
        let length = content.len() as u64;
        let part = Part::stream_with_length(content, length)
            .file_name(filename.to_owned())
            .mime_str(mime_type)?;
        let form = Form::new()
            .text("messaging_product", "whatsapp")
            .text("type", mime_type.to_owned())
            .part("file", part);
        let answer = self
            .call(
                self.request(Method::POST, &[phone_number_id, "media"], token)
                    .multipart(form),
            )
            .await?;
        match answer.get("id").and_then(Value::as_str) {
            Some(id) => Ok(id.to_owned()),
            None => Err(ApiError::Unexpected("upload answered without an id".to_owned())),
        }
    }

    /// Address and facts of a file. With `phone_number_id` only if it belongs to that number.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn media_info(
        &self,
        media_id: &str,
        token: &str,
        phone_number_id: Option<&str>,
    ) -> Result<MediaInfo, ApiError> {
        let request = self.request(Method::GET, &[media_id], token);
        let request = match phone_number_id {
            Some(id) => request.query(&[("phone_number_id", id)]),
            None => request,
        };
        let answer = self.call(request).await?;
        serde_json::from_value(answer).map_err(|error| ApiError::Unexpected(error.to_string()))
    }

    /// Starts fetching from an address given by [`CloudApi::media_info`] or by a webhook.
    ///
    /// # Errors
    /// See [`DownloadError`].
    pub async fn download_media(&self, url: &str, token: &str) -> Result<MediaDownload, DownloadError> {
        let url = Url::parse(url).map_err(|_| DownloadError::ForeignHost)?;
        if !self.is_metas(&url) {
            return Err(DownloadError::ForeignHost);
        }
        let request = self
            .http
            .get(url)
            .bearer_auth(token)
            // Some of Meta's servers refuse a request without one.
            .header(USER_AGENT, concat!("octopush/", env!("CARGO_PKG_VERSION")));
        let response = request.send().await.map_err(ApiError::from)?;
        let status = response.status();
        if status.as_u16() == 404 {
            return Err(DownloadError::Expired);
        }
        if !status.is_success() {
            let body = response.bytes().await.map_err(ApiError::from)?;
            let error = GraphError::read(status.as_u16(), &body);
            return Err(
                ApiError::from(error.unwrap_or_else(|| GraphError::without_body(status.as_u16()))).into(),
            );
        }
        Ok(MediaDownload {
            mime_type: response
                .headers()
                .get(CONTENT_TYPE)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
            content_length: response.content_length(),
            response,
        })
    }

    /// Deletes an uploaded file.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn delete_media(&self, media_id: &str, token: &str) -> Result<(), ApiError> {
        self.call_for_success(self.request(Method::DELETE, &[media_id], token))
            .await
    }

    fn is_metas(&self, url: &Url) -> bool {
        let same_origin = url.origin() == self.base.origin();
        same_origin || (url.scheme() == "https" && url.host_str() == Some(MEDIA_HOST))
    }
}

#[cfg(test)]
mod tests {
    use super::{CloudApi, DownloadError, MediaInfo};

    #[tokio::test]
    async fn never_shows_the_token_to_a_foreign_host() {
        let api = CloudApi::new("https://graph.facebook.com", "v25.0", reqwest::Client::new()).unwrap();
        for url in [
            "https://evil.example/x",
            "http://lookaside.fbsbx.com/x",
            "https://lookaside.fbsbx.com.evil.example/x",
            "https://graph.facebook.com@evil.example/x",
            "http://graph.facebook.com/x",
            "file:///etc/passwd",
            "nonsense",
        ] {
            let result = api.download_media(url, "token").await;
            assert!(matches!(result, Err(DownloadError::ForeignHost)), "{url}");
        }
    }

    #[test]
    fn reads_sizes_given_as_text_or_number() {
        for size in ["\"12\"", "12"] {
            let info: MediaInfo =
                serde_json::from_str(&format!(r#"{{"id":"1","url":"u","file_size":{size}}}"#)).unwrap();
            assert_eq!(info.file_size, Some(12));
        }
    }
}
