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

    /// Another connection as the superuser.
    pub async fn connect(&self) -> Client {
        connect(&with_database(&self.server, &self.name)).await
    }

    /// One column of a message.
    pub async fn message(&self, id: Uuid, column: &str) -> Option<String> {
        let sql = format!("select {column}::text from public.messages where id = $1");
        self.admin.query_one(&sql, &[&id]).await.unwrap().get(0)
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

impl Organisation {
    /// Another organisation in the same database, with nobody in it; its id.
    pub async fn create_beside(database: &Database) -> Uuid {
        let org_id = Uuid::now_v7();
        database
            .admin
            .execute(
                "insert into public.organizations (id, name) values ($1, 'Beside')",
                &[&org_id],
            )
            .await
            .unwrap();
        org_id
    }

    /// A customer's conversation with an open window.
    pub async fn conversation(&self, database: &Database, wa_id: &str) -> Uuid {
        database
            .admin
            .query_one(
                include_str!("conversation.sql"),
                &[&self.org_id, &self.account_id, &wa_id],
            )
            .await
            .unwrap()
            .get(0)
    }

    /// `rpc/send_message` as the agent, as PostgREST would call it.
    pub async fn say(&self, database: &Database, conversation: Uuid, body: &str) -> Uuid {
        let mut client = database.connect().await;
        let transaction = client.transaction().await.unwrap();
        let claims = json!({ "sub": self.agent_id, "role": "authenticated" }).to_string();
        transaction
            .execute("select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)", &[&claims])
            .await
            .unwrap();
        let row = transaction
            .query_one(
                "select (public.send_message($1, $2, 'text', $3)).id",
                &[&conversation, &Uuid::now_v7().to_string(), &body],
            )
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        row.get(0)
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

/// The WhatsApp sandbox in this process, telling `worker` what happens.
pub struct Sandbox {
    handle: whatsapp_sandbox::Handle,
    http: reqwest::Client,
}

impl Sandbox {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = whatsapp_sandbox::Config {
            app_secret: APP_SECRET.into(),
            verify_token: VERIFY_TOKEN.into(),
            webhook_url: None,
        };
        Self {
            handle: whatsapp_sandbox::serve(listener, config).unwrap(),
            http: reqwest::Client::new(),
        }
    }

    pub fn url(&self) -> String {
        self.handle.url()
    }

    pub async fn set(&self, what: &str, value: Value) {
        let url = format!("{}/admin/{what}", self.url());
        self.http
            .post(url)
            .json(&value)
            .send()
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
    }

    pub async fn get(&self, what: &str) -> Value {
        self.http
            .get(format!("{}/admin/{what}", self.url()))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// How often Meta accepted the message.
    pub async fn accepted(&self, message_id: Uuid) -> u64 {
        self.get("ledger").await["per_callback_data"][message_id.to_string()]
            .as_u64()
            .unwrap_or(0)
    }

    /// How often it was asked to send it.
    pub async fn asked(&self, message_id: Uuid) -> usize {
        let requests = self.get("requests").await;
        let is_ours = |r: &&Value| r["body"]["biz_opaque_callback_data"] == message_id.to_string();
        requests["requests"]
            .as_array()
            .unwrap()
            .iter()
            .filter(is_ours)
            .count()
    }

    /// A worker that sends to this sandbox and is told by it.
    pub async fn worker(&self, database: &Database, extra: &[(&str, &str)]) -> Worker {
        let url = self.url();
        let mut settings = vec![("WHATSAPP_GRAPH_URL", url.as_str())];
        settings.extend_from_slice(extra);
        let worker = Worker::start(database, &settings).await;
        let callback = format!("{}/webhooks/whatsapp", worker.url);
        self.set(
            "settings",
            json!({ "webhook_url": callback, "window": "off", "read_after_ms": null }),
        )
        .await;
        worker
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
