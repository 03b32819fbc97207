//! The server: all services behind the gateway on one listener, until it is asked to stop.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::ListenerExt;
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;
use tower::{Service, ServiceBuilder};

use crate::config::Config;
use crate::gateway::{self, KeyCheck};
use crate::platform::Platform;
use crate::rest::Rest;
use crate::{auth, realtime, storage};

/// How long open requests may take after the stop signal; sockets end at once.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves on `listener` until `stop` completes, then lets open requests finish.
pub async fn run(
    config: Config,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let platform = Platform::new(config)?;
    let app = app(platform.clone());
    realtime::start(platform.clone()).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");

    let shutdown = platform.shutdown.clone();
    tokio::spawn(async move {
        stop.await;
        shutdown.cancel();
    });
    let ended = platform.shutdown.clone();
    // Small frames must not wait for the acknowledgement of the one before.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let server = axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(ended.clone().cancelled_owned());
    tokio::select! {
        done = server => done?,
        () = async { ended.cancelled().await; tokio::time::sleep(DRAIN).await } => {
            tracing::warn!("requests still open at the end of the drain time were cut");
        }
    }
    platform.shutdown.cancel();
    platform.pool.close();
    Ok(())
}

/// The whole origin as one router.
fn app(platform: Arc<Platform>) -> Router {
    let keyed = |router: Router, check: KeyCheck| {
        router.layer(middleware::from_fn_with_state(
            (platform.clone(), check),
            gateway::project_key,
        ))
    };
    let rest = Rest::start(platform.clone());
    let rest_routes = keyed(rest.router(), KeyCheck::RequiredAndServiceForRoot);
    let mailbox = auth::mailbox::router(platform.clone());
    Router::new()
        .nest(
            "/auth/v1",
            keyed(auth::router(platform.clone()), KeyCheck::RequiredExceptAuthLinks),
        )
        .nest("/rest/v1", rest_routes.clone())
        .route_service("/rest/v1/", at_root(rest_routes))
        .nest(
            "/realtime/v1",
            keyed(realtime::router(platform.clone()), KeyCheck::Required),
        )
        .nest(
            "/storage/v1",
            keyed(storage::router(platform.clone()), KeyCheck::Unchecked),
        )
        .route("/health", get(health).with_state((platform.clone(), rest)))
        .fallback(gateway::no_route)
        .layer(gateway::cors())
        // Outside the CORS layer: what it holds must stay unreadable to pages of other origins.
        .nest("/mailbox", mailbox.clone())
        .route_service("/mailbox/", at_root(mailbox))
        .layer(middleware::from_fn(log_request))
}

/// A nested router does not match its own prefix with a slash at the end: this answers there as at `/`.
fn at_root(
    router: Router,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync {
    ServiceBuilder::new()
        .map_request(|mut request: Request| {
            let query = request
                .uri()
                .query()
                .map(|query| format!("/?{query}"))
                .unwrap_or_else(|| "/".to_owned());
            if let Ok(uri) = query.parse() {
                *request.uri_mut() = uri;
            }
            request
        })
        .service(router)
}

/// 200 when the database answers and REST has read its schema, 503 otherwise.
async fn health(State((platform, rest)): State<(Arc<Platform>, Rest)>) -> Response {
    let alive = async {
        let client = platform.pool.get().await.ok()?;
        client.simple_query("select 1").await.ok()
    };
    match tokio::time::timeout(Duration::from_secs(3), alive).await {
        Ok(Some(_)) if rest.is_ready() => Json(json!({"status": "ok"})).into_response(),
        Ok(Some(_)) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({"status": "reading the schema"})),
        )
            .into_response(),
        _ => (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({"status": "database unreachable"})),
        )
            .into_response(),
    }
}

/// One line per request. Never the query string: links and sockets carry tokens in it.
async fn log_request(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let started = std::time::Instant::now();
    let response = next.run(request).await;
    let (status, elapsed_ms) = (response.status().as_u16(), started.elapsed().as_millis() as u64);
    if status >= 500 {
        tracing::warn!(%method, path, status, elapsed_ms, "request");
    } else {
        tracing::debug!(%method, path, status, elapsed_ms, "request");
    }
    response
}
