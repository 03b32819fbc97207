//! Group commit against a plain handler that commits one row a request: same checks, same Postgres, same connections.

use crate::organisation::PHONE_NUMBER_ID;
use crate::report::{Goal, Row};
use crate::stack::Stack;
use crate::wait::until;
use crate::webhooks::text_message;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::post;
use deadpool_postgres::{Config, Pool, Runtime};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use octopush_whatsapp::signature;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_postgres::NoTls;

const DATABASE: &str = "bench_ingest";
const DURATION: Duration = Duration::from_secs(10);
/// Meta's deliveries come concurrently; enough to keep either handler busy.
const CONNECTIONS: usize = 64;
const LISTEN: &str = "127.0.0.1:15398";

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
    let ours = saturate(LISTEN, &secret).await?;
    worker.kill().await.ok();

    let admin = stack.database(DATABASE).await?;
    admin.batch_execute("create table public.plain_events (id bigint generated always as identity primary key, body bytea not null, received_at timestamptz not null default clock_timestamp())").await?;
    let plain = plain_handler(stack, secret.clone()).await?;
    let theirs = saturate(&plain, &secret).await?;
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

/// Deliveries of each connection, made and signed before the clock starts: the generator shares two cores with what it measures.
const PREPARED: usize = 200;

async fn saturate(listen: &str, secret: &str) -> anyhow::Result<f64> {
    let mut tasks = tokio::task::JoinSet::new();
    let mut connections = Vec::new();
    for connection in 0..CONNECTIONS {
        let requests: Vec<_> = (0..PREPARED)
            .map(|n| prepare(&format!("wamid.{connection}.{n}"), secret))
            .collect::<Result<_, _>>()?;
        let stream = TcpStream::connect(listen).await?;
        stream.set_nodelay(true)?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(driver);
        connections.push((sender, requests));
    }
    let started = Instant::now();
    for (mut sender, requests) in connections {
        tasks.spawn(async move {
            let mut done = 0_usize;
            for request in requests.iter().cycle() {
                if started.elapsed() >= DURATION {
                    break;
                }
                sender.ready().await?;
                let response = sender.send_request(request.clone()).await?;
                done += usize::from(response.status() == StatusCode::OK);
                response.into_body().collect().await?;
            }
            anyhow::Ok(done)
        });
    }
    let mut done = 0;
    while let Some(outcome) = tasks.join_next().await {
        done += outcome??;
    }
    Ok(done as f64 / started.elapsed().as_secs_f64())
}

fn prepare(wa_message_id: &str, secret: &str) -> anyhow::Result<Request<Full<Bytes>>> {
    let body = text_message(
        PHONE_NUMBER_ID,
        "60111111111",
        wa_message_id,
        1_700_000_000,
        "Is it in stock?",
    );
    Ok(Request::post("/webhooks/whatsapp")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("x-hub-signature-256", signature::sign(secret.as_bytes(), &body))
        .body(Full::new(Bytes::from(body)))?)
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
    let address = listener.local_addr()?.to_string();
    let router = Router::new()
        .route("/webhooks/whatsapp", post(keep_one))
        .with_state(state);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
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
