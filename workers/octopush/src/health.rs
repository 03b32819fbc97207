//! `/healthz`: the process turns. `/readyz`: it can do its work. `/metrics`: figures for Prometheus, queues included.

use crate::runtime::database::DatabaseError;
use crate::runtime::listener::Holder;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use deadpool_postgres::Pool;
use metrics::gauge;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use tokio::sync::watch;

/// What the three routes look at.
#[derive(Clone)]
pub struct Health {
    pub pool: Pool,
    pub holder: watch::Receiver<Option<Holder>>,
    pub metrics: PrometheusHandle,
}

/// The routes.
pub fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
        .with_state(health)
}

async fn ready(State(health): State<Health>) -> (StatusCode, Json<Value>) {
    let listening = health.holder.borrow().is_some();
    match versions(&health.pool).await {
        Ok((schema, code)) => {
            // Another code hash is another build's functions: work would still run, but a person should know before traffic comes.
            let matches =
                schema == expected_schema() && code.as_deref() == Some(crate::migrate::code_hash().as_str());
            let status = if listening && matches {
                StatusCode::OK
            } else {
                StatusCode::SERVICE_UNAVAILABLE
            };
            (
                status,
                Json(
                    json!({ "database": true, "listening": listening, "schema": schema, "schema_matches": matches }),
                ),
            )
        }
        Err(error) => {
            let answer = json!({ "database": false, "listening": listening, "problem": error.to_string() });
            (StatusCode::SERVICE_UNAVAILABLE, Json(answer))
        }
    }
}

/// The newest migration of this build.
pub fn expected_schema() -> Option<i32> {
    crate::migrate::migrations().ok()?.last().map(|m| m.version)
}

/// The database's migration and code hash.
pub async fn versions(pool: &Pool) -> Result<(Option<i32>, Option<String>), DatabaseError> {
    let client = pool.get().await?;
    let row = client
        .query_one(include_str!("database/queries/versions.sql"), &[])
        .await?;
    Ok((row.get(1), row.get(2)))
}

async fn figures(State(health): State<Health>) -> String {
    if let Err(error) = queue_figures(&health.pool).await {
        tracing::warn!(%error, "queue figures not read");
    }
    health.metrics.render()
}

async fn queue_figures(pool: &Pool) -> Result<(), DatabaseError> {
    let client = pool.get().await?;
    let row = client
        .query_one(include_str!("database/queries/queue_figures.sql"), &[])
        .await?;
    let counts = [
        ("octopush_webhooks_waiting", 0),
        ("octopush_webhooks_kept_rejected", 2),
        ("octopush_sends_waiting", 3),
        ("octopush_sends_uncertain", 5),
    ];
    for (name, column) in counts {
        gauge!(name).set(row.get::<_, i64>(column) as f64);
    }
    gauge!("octopush_webhooks_oldest_seconds").set(row.get::<_, f64>(1));
    gauge!("octopush_sends_oldest_seconds").set(row.get::<_, f64>(4));
    Ok(())
}
