//! Samples for templates' headers (§7): the app's resumable uploads. Their handles are not the ids of [`super::media`].

use std::time::Duration;

use reqwest::header::AUTHORIZATION;
use reqwest::{Body, Method, RequestBuilder, Url};
use serde_json::Value;

use super::CloudApi;
use crate::error::ApiError;

/// 100 MB, the largest document Meta takes, over a line of 7 Mbit/s.
const PATIENCE: Duration = Duration::from_secs(120);

/// An upload that was begun. It can be gone on with after a broken connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadSession(String);

impl CloudApi {
    /// Announces a file to the app `app_id`.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn begin_upload(
        &self,
        app_id: &str,
        token: &str,
        file_name: &str,
        mime_type: &str,
        length: u64,
    ) -> Result<UploadSession, ApiError> {
        let request = self.request(Method::POST, &[app_id, "uploads"], token).query(&[
            ("file_name", file_name),
            ("file_type", mime_type),
            ("file_length", &length.to_string()),
        ]);
        let answer = self.call(request).await?;
        match answer.get("id").and_then(Value::as_str) {
            Some(id) if id.starts_with("upload:") => Ok(UploadSession(id.to_owned())),
            _ => Err(ApiError::Unexpected("no upload session in the answer".to_owned())),
        }
    }

    /// How many bytes of the file Meta has: where to go on.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn upload_offset(&self, session: &UploadSession, token: &str) -> Result<u64, ApiError> {
        let answer = self.call(self.upload(Method::GET, session, token)).await?;
        let offset = answer.get("file_offset");
        offset
            .and_then(|offset| offset.as_u64().or_else(|| offset.as_str()?.parse().ok()))
            .ok_or_else(|| ApiError::Unexpected("no offset in the answer".to_owned()))
    }

    /// Sends the bytes from `offset` to the file's end, `length` of them; answers the handle for `example.header_handle`.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn finish_upload(
        &self,
        session: &UploadSession,
        token: &str,
        offset: u64,
        length: u64,
        bytes: impl Into<Body>,
    ) -> Result<String, ApiError> {
        let request = self
            .upload(Method::POST, session, token)
            .timeout(PATIENCE)
            .header("file_offset", offset)
            .header(reqwest::header::CONTENT_LENGTH, length)
            .header(reqwest::header::CONTENT_TYPE, "application/octet-stream")
            .body(bytes);
        let answer = self.call(request).await?;
        match answer.get("h").and_then(Value::as_str) {
            Some(handle) if !handle.is_empty() => Ok(handle.to_owned()),
            _ => Err(ApiError::Unexpected(
                "upload answered without a handle".to_owned(),
            )),
        }
    }

    /// Uploads know the scheme `OAuth` only.
    fn upload(&self, method: Method, session: &UploadSession, token: &str) -> RequestBuilder {
        self.http
            .request(method, self.upload_url(session))
            .header(AUTHORIZATION, format!("OAuth {token}"))
    }

    /// A session's id carries a signature as a query: `upload:…?sig=…`.
    fn upload_url(&self, session: &UploadSession) -> Url {
        let (path, query) = match session.0.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (session.0.as_str(), None),
        };
        let mut url = self.url(&[path]);
        url.set_query(query);
        url
    }
}

#[cfg(test)]
mod tests {
    use super::{CloudApi, UploadSession};

    #[test]
    fn the_signature_of_a_session_stays_a_query() {
        let api = CloudApi::new("https://graph.facebook.com", "v25.0", reqwest::Client::new()).unwrap();
        let url = |id: &str| api.upload_url(&UploadSession(id.to_owned())).to_string();
        assert_eq!(
            url("upload:MTphdHRh==?sig=ARZqkGCA_uQMxC8nHKI"),
            "https://graph.facebook.com/v25.0/upload:MTphdHRh==?sig=ARZqkGCA_uQMxC8nHKI"
        );
        assert_eq!(
            url("upload:x/../y"),
            "https://graph.facebook.com/v25.0/upload:x%2F..%2Fy"
        );
    }
}
