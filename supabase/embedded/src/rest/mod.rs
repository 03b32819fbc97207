//! REST: PostgREST's surface, served by `postrust-server`. Nested at `/rest/v1`.

mod backend;
mod counts;
mod incoming;
mod mend;
mod nulls;
mod serving;
mod shape;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use postrust_server::handle_request;

use self::backend::{Backend, MAX_BODY_BYTES};
use self::counts::Counted;
use self::mend::Caller;
use crate::platform::Platform;

/// REST as one running server has it.
#[derive(Clone)]
pub struct Rest {
    backend: Arc<Backend>,
}

impl Rest {
    /// Starts to read the schema in the background; until it has been read, requests are answered 503.
    pub fn start(platform: Arc<Platform>) -> Self {
        let backend = Backend::new(platform);
        tokio::spawn(backend.clone().keep_current());
        Self { backend }
    }

    /// Routes below `/rest/v1`.
    pub fn router(&self) -> Router {
        Router::new().fallback(serve).with_state(self.backend.clone())
    }

    /// Whether requests can be answered at present.
    pub fn is_ready(&self) -> bool {
        self.backend.current().is_some()
    }
}

async fn serve(State(backend): State<Arc<Backend>>, request: Request) -> Response {
    let caller = Caller::of(backend.keys(), &request);
    let Some(current) = backend.current() else {
        return mend::unavailable(&caller);
    };
    let request = incoming::mended(request);
    let counted = Counted::of(&request);
    let taken_out = nulls::taken_out(request, MAX_BODY_BYTES, |nulls| current.takes(nulls));
    let Some((request, nulls)) = taken_out.await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let state = current.for_request(request.method(), request.uri(), nulls);
    let response = tokio::select! {
        response = handle_request(State(state), request) => response,
        // Without this, requests that wait for a connection would only give up at the pool's time limit.
        () = backend.lost() => return mend::unavailable(&caller),
    };
    counted.tell(mend::response(response, &caller).await).await
}
