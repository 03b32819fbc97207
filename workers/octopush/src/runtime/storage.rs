//! Files in Supabase Storage, by HTTP and piece by piece: no file is ever in memory as a whole.

use crate::config::Secret;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::{Body, Client, Method, RequestBuilder, Response, StatusCode, Url, header};
use std::time::Duration;

/// Why a file could not be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("Storage could not be reached: {0}")]
    Http(#[from] reqwest::Error),
    #[error("Storage answered {0}")]
    Status(StatusCode),
    #[error("there is no such file")]
    Missing,
}

impl StorageError {
    /// True when the same request may work later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Http(_) => true,
            Self::Status(status) => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Missing => false,
        }
    }
}

/// Storage, as service_role.
#[derive(Clone)]
pub struct Storage {
    http: Client,
    base: Url,
    key: Secret,
}

impl Storage {
    pub fn new(url: &str, key: Secret) -> anyhow::Result<Self> {
        let http = Client::builder()
            .connect_timeout(Duration::from_secs(5))
            // Between two pieces of an answer; a file may take as long as it likes.
            .read_timeout(Duration::from_secs(60))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            http,
            base: Url::parse(url)?,
            key,
        })
    }

    /// The first bytes of a file, at most `count`, and its size.
    pub async fn head(&self, bucket: &str, path: &str, count: u64) -> Result<(Vec<u8>, u64), StorageError> {
        let range = format!("bytes=0-{}", count - 1);
        let request = self.request(Method::GET, &["object", bucket], path);
        let answer = request.header(header::RANGE, range).send().await?;
        // An empty file has no byte to give.
        if answer.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            return Ok((Vec::new(), 0));
        }
        let answer = checked(answer)?;
        let of = answer
            .headers()
            .get(header::CONTENT_RANGE)
            .and_then(|range| range.to_str().ok()?.rsplit_once('/')?.1.parse().ok());
        let size = of.or(answer.content_length());
        let mut head = Vec::new();
        let mut stream = answer.bytes_stream();
        while let Some(chunk) = stream.next().await {
            head.extend_from_slice(&chunk?);
            if head.len() as u64 >= count {
                head.truncate(count as usize);
                break;
            }
        }
        let size = size.unwrap_or(head.len() as u64);
        Ok((head, size))
    }

    /// A file from its beginning.
    pub async fn read(
        &self,
        bucket: &str,
        path: &str,
    ) -> Result<impl Stream<Item = reqwest::Result<Bytes>> + Unpin + use<>, StorageError> {
        let answer = self
            .request(Method::GET, &["object", bucket], path)
            .send()
            .await?;
        Ok(checked(answer)?.bytes_stream())
    }

    /// Writes a CSV file, over one of the same name.
    pub async fn write_csv(&self, bucket: &str, path: &str, body: Body) -> Result<(), StorageError> {
        let request = self
            .request(Method::POST, &["object", bucket], path)
            .header(header::CONTENT_TYPE, "text/csv; charset=utf-8")
            .header("x-upsert", "true")
            .body(body);
        checked(request.send().await?)?;
        Ok(())
    }

    /// Removes files; those that are gone already are no matter.
    pub async fn remove(&self, bucket: &str, paths: &[String]) -> Result<(), StorageError> {
        let request = self
            .request(Method::DELETE, &["object", bucket], "")
            .json(&serde_json::json!({ "prefixes": paths }));
        checked(request.send().await?)?;
        Ok(())
    }

    fn request(&self, method: Method, place: &[&str], path: &str) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["storage", "v1"]).extend(place);
            segments.extend(path.split('/').filter(|part| !part.is_empty()));
        }
        self.http
            .request(method, url)
            .bearer_auth(&self.key.0)
            .header("apikey", &self.key.0)
    }
}

fn checked(answer: Response) -> Result<Response, StorageError> {
    match answer.status() {
        status if status.is_success() => Ok(answer),
        // Storage says 400 for what is not there, with 404 in the body.
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => Err(StorageError::Missing),
        status => Err(StorageError::Status(status)),
    }
}
