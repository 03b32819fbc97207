//! Reading what is left of a body after an upload was refused. A server that answers and closes while the client still
//! sends breaks the connection, and the client sees a network error instead of the refusal.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use super::Shared;

/// How long a refused client may go on sending.
const PATIENCE: Duration = Duration::from_secs(30);

/// A body that can be read on after the handler has dropped it.
#[derive(Clone)]
struct Rest(Arc<Mutex<BodyDataStream>>);

impl Stream for Rest {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .poll_next_unpin(context)
    }
}

/// Middleware: after a refusal, swallows the rest of the body, within the size a file may have.
pub async fn drain(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut rest = Rest(Arc::new(Mutex::new(body.into_data_stream())));
    let response = next
        .run(Request::from_parts(parts, Body::from_stream(rest.clone())))
        .await;
    if !response.status().is_success() {
        let swallow = async {
            let mut left = shared.max_file_bytes;
            while let Some(Ok(chunk)) = rest.next().await {
                left = left.saturating_sub(chunk.len() as u64);
                if left == 0 {
                    break;
                }
            }
        };
        // Whoever takes longer has to live with the broken connection.
        let _ = tokio::time::timeout(PATIENCE, swallow).await;
    }
    response
}
