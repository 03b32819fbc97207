//! Group commit against a plain handler that commits one row a request: same checks, same Postgres, same connections.

use crate::organisation::PHONE_NUMBER_ID;
use crate::report::{Goal, Row};
use crate::stack::Stack;
use crate::wait::until;
use crate::webhooks::{deliver, text_message};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use deadpool_postgres::{Config, Pool, Runtime};
use octopush_whatsapp::signature;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio_postgres::NoTls;

const DATABASE: &str = "bench_ingest";
const DURATION: Duration = Duration::from_secs(10);
/// Meta's deliveries come concurrently; enough to keep either handler busy.
const CONNECTIONS: usize = 64;
const LISTEN: &str = "127.0.0.1:55398";

pub async fn run(stack: &Stack) -> anyhow::Result<Vec<Row>> {
    stack.prepare(DATABASE)?;
    let mut worker = tokio::process::Command::new(stack.program("octopush"))
        .args(["run", "--roles", "webhook"])
        .envs(stack.settings())
        .env("OCTOPUSH_WORKER_DATABASE_URL", stack.worker_url(DATABASE))
        .env("OCTOPUSH_WORKER_LISTEN", LISTEN)
        .env("OCTOPUSH_LOG", "error")
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let http = reqwest::Client::new();
    until("the receiver listens", Duration::from_secs(10), async || {
        http.get(format!("http://{LISTEN}/healthz")).send().await.is_ok()
    })
    .await?;
    let secret = stack.get("WHATSAPP_APP_SECRET").to_owned();
    let ours = saturate(format!("http://{LISTEN}/webhooks/whatsapp"), secret.clone()).await;
    worker.kill().await.ok();

    let admin = stack.database(DATABASE).await?;
    admin.batch_execute("create table public.plain_events (id bigint generated always as identity primary key, body bytea not null, received_at timestamptz not null default clock_timestamp())").await?;
    let plain = plain_handler(stack, secret.clone()).await?;
    let theirs = saturate(plain, secret).await;
    Ok(vec![
        Row::new(
            "webhook",
            "ingest throughput ÷ one commit a request",
            ours / theirs,
            Goal::AtLeast(3.0),
        )
        .against(format!("{theirs:.0}/s"))
        .note(format!(
            "{ours:.0}/s, {CONNECTIONS} connections, {} s each",
            DURATION.as_secs()
        )),
    ])
}

async fn saturate(url: String, secret: String) -> f64 {
    let (url, secret) = (Arc::new(url), Arc::new(secret));
    let done = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for connection in 0..CONNECTIONS {
        let (url, secret, done) = (url.clone(), secret.clone(), done.clone());
        tasks.spawn(async move {
            let http = reqwest::Client::new();
            let mut n = 0;
            while started.elapsed() < DURATION {
                let body = text_message(
                    PHONE_NUMBER_ID,
                    "60111111111",
                    &format!("wamid.{connection}.{n}"),
                    1_700_000_000,
                    "Is it in stock?",
                );
                if deliver(&http, &url, &secret, body).await {
                    done.fetch_add(1, Ordering::Relaxed);
                }
                n += 1;
            }
        });
    }
    while tasks.join_next().await.is_some() {}
    done.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}

struct Plain {
    pool: Pool,
    secret: String,
}

async fn plain_handler(stack: &Stack, secret: String) -> anyhow::Result<String> {
    let mut config = Config::new();
    config.url = Some(stack.database_url(DATABASE));
    // The receiver under test has two connections; the plain one may have all it can use.
    config.pool = Some(deadpool_postgres::PoolConfig::new(16));
    let state = Arc::new(Plain {
        pool: config.create_pool(Some(Runtime::Tokio1), NoTls)?,
        secret,
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/webhooks/whatsapp", listener.local_addr()?);
    let router = Router::new()
        .route("/webhooks/whatsapp", post(keep_one))
        .with_state(state);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

async fn keep_one(State(plain): State<Arc<Plain>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = headers.get("x-hub-signature-256").and_then(|v| v.to_str().ok());
    if !signature::verify(&[plain.secret.as_bytes()], header, &body) {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(client) = plain.pool.get().await else {
        return StatusCode::SERVICE_UNAVAILABLE;
    };
    let Ok(statement) = client
        .prepare_cached("insert into public.plain_events (body) values ($1)")
        .await
    else {
        return StatusCode::SERVICE_UNAVAILABLE;
    };
    match client.execute(&statement, &[&body.as_ref()]).await {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
