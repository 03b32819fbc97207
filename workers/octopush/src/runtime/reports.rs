//! Errors and panics to Sentry where `SENTRY_DSN` is set. Logs carry neither phone numbers nor message texts, so reports do not either.

use crate::config::Secret;
use anyhow::Context;
use sentry::protocol::Envelope;
use sentry::types::Dsn;
use sentry::{ClientInitGuard, ClientOptions, Transport};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// Reports that may wait to be posted; more are dropped: a storm of errors must not become one of memory.
const MOST_WAITING: usize = 100;
const PATIENCE: Duration = Duration::from_secs(5);

/// Starts reporting. What waits is posted when the guard is dropped, for two seconds at most.
pub fn start(dsn: Option<&Secret>) -> anyhow::Result<Option<ClientInitGuard>> {
    let Some(dsn) = dsn else { return Ok(None) };
    let dsn: Dsn = dsn.0.parse().context("SENTRY_DSN is not valid")?;
    let transport = Arc::new(Posting::start(&dsn)?);
    let mut options = ClientOptions::new();
    options.dsn = Some(dsn);
    options.release = Some(concat!("octopush@", env!("CARGO_PKG_VERSION")).into());
    options.transport = Some(Arc::new(transport));
    Ok(Some(sentry::init(options)))
}

/// Posts envelopes with the HTTP client everything here uses.
struct Posting {
    queue: mpsc::Sender<Envelope>,
    waiting: Arc<Waiting>,
}

#[derive(Default)]
struct Waiting {
    count: Mutex<usize>,
    is_done: Condvar,
}

impl Waiting {
    fn change(&self, change: impl FnOnce(&mut usize)) {
        change(&mut self.count.lock().unwrap_or_else(PoisonError::into_inner));
        self.is_done.notify_all();
    }
}

impl Posting {
    fn start(dsn: &Dsn) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let url = dsn.envelope_api_url();
        let key = dsn
            .to_auth(Some(concat!("octopush/", env!("CARGO_PKG_VERSION"))))
            .to_string();
        let (queue, mut envelopes) = mpsc::channel::<Envelope>(MOST_WAITING);
        let waiting = Arc::new(Waiting::default());
        let posted = waiting.clone();
        tokio::spawn(async move {
            while let Some(envelope) = envelopes.recv().await {
                let mut body = Vec::new();
                if envelope.to_writer(&mut body).is_ok() {
                    // A report that cannot be posted must not cause another one.
                    http.post(url.clone())
                        .header("x-sentry-auth", &key)
                        .header("content-type", "application/x-sentry-envelope")
                        .body(body)
                        .send()
                        .await
                        .ok();
                }
                posted.change(|count| *count -= 1);
            }
        });
        Ok(Self { queue, waiting })
    }
}

impl Transport for Posting {
    fn send_envelope(&self, envelope: Envelope) {
        self.waiting.change(|count| *count += 1);
        if self.queue.try_send(envelope).is_err() {
            self.waiting.change(|count| *count -= 1);
        }
    }

    fn flush(&self, timeout: Duration) -> bool {
        let count = self.waiting.count.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, _) = self
            .waiting
            .is_done
            .wait_timeout_while(count, timeout, |count| *count > 0)
            .unwrap_or_else(PoisonError::into_inner);
        *count == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::http::HeaderMap;
    use axum::routing::post;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn errors_reach_the_server_of_the_dsn() {
        let (seen, mut reports) = mpsc::unbounded_channel();
        let router = Router::new().route(
            "/api/7/envelope/",
            post(move |headers: HeaderMap, body: String| async move {
                seen.send((headers, body)).ok();
            }),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let guard = start(Some(&Secret(format!("http://abc123@{address}/7")))).unwrap();
        sentry::capture_message("the outbox is on fire", sentry::Level::Error);
        drop(guard);
        let (headers, body) = reports.recv().await.unwrap();
        assert!(headers["x-sentry-auth"].to_str().unwrap().contains("abc123"));
        assert!(body.contains("the outbox is on fire") && body.contains("octopush@"));
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        assert!(start(Some(&Secret("nonsense".into()))).is_err());
        assert!(start(None).unwrap().is_none());
    }
}
