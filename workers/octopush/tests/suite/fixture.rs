//! A database of its own for every test, with one organisation whose number is connected, and a worker in this process.

use octopush_whatsapp::signature;
use octopush_worker::config::Config;
use octopush_worker::run;
use serde_json::{Value, json};
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub const APP_SECRET: &str = "test-app-secret";
pub const VERIFY_TOKEN: &str = "test-verify-token";
pub const PHONE_NUMBER_ID: &str = "100000000000001";
pub const WABA_ID: &str = "200000000000001";

fn environment(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run `./scripts/test workers`, or eval \"$(target/release/octopush-local test-env)\""))
}

/// A database made from the migrated template, dropped with the last connection to it.
pub struct Database {
    pub name: String,
    pub admin: Client,
    server: String,
}

impl Database {
    pub async fn create() -> Self {
        let server = environment("OCTOPUSH_TEST_DATABASE_URL");
        let name = format!("workers_{}", Uuid::now_v7().simple());
        let root = connect(&server).await;
        let template = environment("OCTOPUSH_TEST_TEMPLATE");
        root.batch_execute(&format!("create database {name} template {template}"))
            .await
            .unwrap();
        let admin = connect(&with_database(&server, &name)).await;
        Self { name, admin, server }
    }

    /// As the role that workers log in with.
    pub fn worker_url(&self) -> String {
        let mut url = url_parts(&with_database(&self.server, &self.name));
        url.0 = format!("octopush_worker:{}", environment("OCTOPUSH_WORKER_PASSWORD"));
        format!("postgres://{}@{}", url.0, url.1)
    }

    /// A connection to another database of the same server.
    pub async fn root(&self) -> Client {
        connect(&self.server).await
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.admin.query_one(sql, &[]).await.unwrap().get(0)
    }

    pub async fn text(&self, sql: &str) -> Option<String> {
        self.admin
            .query_opt(sql, &[])
            .await
            .unwrap()
            .and_then(|r| r.get(0))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A thread of its own: the test's runtime may be gone already.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let root = connect(&server).await;
                root.batch_execute(&format!("drop database if exists {name} with (force)"))
                    .await
                    .ok();
            });
        });
        dropping.join().ok();
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Credentials, and what comes after the at sign.
fn url_parts(url: &str) -> (String, String) {
    let rest = url.split_once("://").unwrap().1;
    let (credentials, place) = rest.rsplit_once('@').unwrap();
    (credentials.to_owned(), place.to_owned())
}

fn with_database(url: &str, name: &str) -> String {
    let (credentials, place) = url_parts(url);
    let host = place.split('/').next().unwrap();
    format!("postgres://{credentials}@{host}/{name}")
}

/// The organisation every test starts with.
pub struct Organisation {
    pub org_id: Uuid,
    pub account_id: Uuid,
    pub agent_id: Uuid,
}

impl Organisation {
    pub async fn create(database: &Database) -> Self {
        let (org_id, account_id, agent_id) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
        let sql = include_str!("organisation.sql")
            .replace(":org_id", &format!("'{org_id}'"))
            .replace(":account_id", &format!("'{account_id}'"))
            .replace(":agent_id", &format!("'{agent_id}'"));
        database.admin.batch_execute(&sql).await.unwrap();
        Self {
            org_id,
            account_id,
            agent_id,
        }
    }
}

/// A worker of all roles in this process.
pub struct Worker {
    pub url: String,
    stop: CancellationToken,
    running: JoinHandle<anyhow::Result<()>>,
}

impl Worker {
    pub async fn start(database: &Database, extra: &[(&str, &str)]) -> Self {
        let worker_url = database.worker_url();
        let config = Config::load(|name| {
            if let Some((_, value)) = extra.iter().find(|(n, _)| *n == name) {
                return Some((*value).to_owned());
            }
            match name {
                "OCTOPUSH_WORKER_DATABASE_URL" => Some(worker_url.clone()),
                "WHATSAPP_APP_SECRET" => Some(format!("an-older-secret,{APP_SECRET}")),
                "WHATSAPP_VERIFY_TOKEN" => Some(VERIFY_TOKEN.into()),
                // Nothing listens there: tests that send give the sandbox's address.
                "WHATSAPP_GRAPH_URL" => Some("http://127.0.0.1:9".into()),
                "OCTOPUSH_DATABASE_POOL" => Some("4".into()),
                _ => None,
            }
        })
        .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let running = tokio::spawn(run::run(config, listener, stop.clone()));
        let worker = Self { url, stop, running };
        eventually("the worker is ready", || async {
            reqwest::get(format!("{}/readyz", worker.url))
                .await
                .is_ok_and(|r| r.status().is_success())
        })
        .await;
        worker
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
    }

    /// Posts a body as Meta does, rightly signed.
    pub async fn deliver(&self, body: &[u8]) -> reqwest::StatusCode {
        self.deliver_signed(body, Some(&signature::sign(APP_SECRET.as_bytes(), body)))
            .await
    }

    pub async fn deliver_signed(&self, body: &[u8], signature: Option<&str>) -> reqwest::StatusCode {
        let mut request = reqwest::Client::new()
            .post(format!("{}/webhooks/whatsapp", self.url))
            .body(body.to_vec());
        if let Some(signature) = signature {
            request = request.header("x-hub-signature-256", signature);
        }
        request.send().await.unwrap().status()
    }
}

/// Waits for a condition; fails loudly after 20 s.
pub async fn eventually<F, Fut>(what: &str, mut condition: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition().await {
        assert!(Instant::now() < deadline, "not within 20 s: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Meta's envelope around messages of one customer.
pub fn inbound(wa_id: &str, messages: &[Value]) -> Vec<u8> {
    envelope(&json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "60355500001", "phone_number_id": PHONE_NUMBER_ID },
        "contacts": [{ "profile": { "name": "Aina Test" }, "wa_id": wa_id }],
        "messages": messages,
    }))
}

pub fn envelope(value: &Value) -> Vec<u8> {
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": WABA_ID, "changes": [{ "field": "messages", "value": value }] }] })
        .to_string()
        .into_bytes()
}

pub fn text(id: &str, from: &str, at: i64, body: &str) -> Value {
    json!({ "id": id, "from": from, "timestamp": at.to_string(), "type": "text", "text": { "body": body } })
}
