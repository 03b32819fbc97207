//! A bootstrapped database with the whole stack served over it in this process.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use supabase_embedded::bootstrap::{self, BootstrapArgs};
use supabase_embedded::config::{Config, Limits, ServeArgs};
use supabase_embedded::jwt::{self, Keys};
use supabase_embedded::serve;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::cluster::Cluster;

pub const SECRET: &str = "a-secret-for-tests-of-more-than-thirty-two-characters";
pub const SITE: &str = "http://127.0.0.1:5999";
pub const PUBLISHABLE: &str = "sb_publishable_0123456789abcdef";
pub const SECRET_KEY: &str = "sb_secret_0123456789abcdef";
pub const PASSWORD: &str = "correct horse";

const FIXTURES: &str = include_str!("../fixtures.sql");

pub struct Stack {
    pub cluster: Cluster,
    pub url: String,
    pub anon_key: String,
    pub service_key: String,
    pub http: Client,
    stop: CancellationToken,
}

impl Stack {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// As `start`, with settings changed by `adjust`.
    pub async fn start_with(adjust: impl FnOnce(&mut ServeArgs)) -> Self {
        let cluster = Cluster::start().await;
        bootstrap::run(&bootstrap_args(cluster.url("postgres")))
            .await
            .expect("bootstrap");
        cluster
            .connect("postgres", "postgres")
            .await
            .batch_execute(FIXTURES)
            .await
            .expect("fixtures");

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let keys = Keys::new(SECRET);
        let anon_key = jwt::project_key(&keys, "anon").expect("key");
        let service_key = jwt::project_key(&keys, "service_role").expect("key");
        let mut args = ServeArgs {
            listen: listener.local_addr().expect("address"),
            db_url: cluster.url("postgres"),
            authenticator_password: "unused under trust".to_owned(),
            url: url.clone(),
            jwt_secret: SECRET.to_owned(),
            anon_key: anon_key.clone(),
            service_role_key: service_key.clone(),
            publishable_key: Some(PUBLISHABLE.to_owned()),
            secret_key: Some(SECRET_KEY.to_owned()),
            site_url: SITE.to_owned(),
            storage_dir: storage_dir(&cluster),
            jwt_expiry: 3600,
            otp_expiry: 3600,
            autoconfirm: false,
            refresh_token_reuse_interval: 0,
            redirect_origins: vec![],
            client_ip_header: None,
            mailbox: None,
            limits: Limits {
                sign_in_per_email: 1000,
                sign_in_per_ip: 1000,
                otp_per_ip: 1000,
                mail_interval_seconds: 0,
            },
        };
        adjust(&mut args);
        let config = Config::validate(args).expect("settings");
        let stop = CancellationToken::new();
        tokio::spawn(serve::run(config, listener, stop.clone().cancelled_owned()));
        let http = Client::builder()
            .redirect(Policy::none())
            .build()
            .expect("client");
        let stack = Self {
            cluster,
            url,
            anon_key,
            service_key,
            http,
            stop,
        };
        stack.until_healthy().await;
        stack
    }

    /// Waits until the stack says it is well.
    pub async fn until_healthy(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = self.http.get(format!("{}/health", self.url)).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            assert!(Instant::now() < deadline, "the stack did not become healthy");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A request with a key, as supabase-js sends it.
    pub fn request_with_key(&self, key: &str, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .header("apikey", key)
            .bearer_auth(key)
            .header("x-supabase-api-version", "2024-01-01")
    }

    /// A request as nobody.
    pub fn anon(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_with_key(&self.anon_key, method, path)
    }

    /// A request with the service key.
    pub fn service(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_with_key(&self.service_key, method, path)
    }

    /// A request as a signed-in user.
    pub fn as_user(&self, access_token: &str, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .header("apikey", &self.anon_key)
            .bearer_auth(access_token)
            .header("x-supabase-api-version", "2024-01-01")
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::of(
            self.anon(Method::POST, path)
                .json(&body)
                .send()
                .await
                .expect("answer"),
        )
        .await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.post(
            "/auth/v1/token?grant_type=password",
            json!({"email": email, "password": password}),
        )
        .await
    }

    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        self.post(
            "/auth/v1/token?grant_type=refresh_token",
            json!({"refresh_token": refresh_token}),
        )
        .await
    }

    /// A confirmed user and a session of theirs.
    pub async fn user(&self, email: &str) -> Value {
        let created = self
            .service(Method::POST, "/auth/v1/admin/users")
            .json(&json!({"email": email, "password": PASSWORD, "email_confirm": true}))
            .send()
            .await
            .expect("answer");
        assert_eq!(created.status(), 200);
        self.sign_in(email, PASSWORD).await.expect(200)
    }

    /// The mails to an address, newest first.
    pub async fn mails(&self, to: &str) -> Vec<Value> {
        let answer = self
            .http
            .get(format!("{}/mailbox/api/messages", self.url))
            .query(&[("to", to)])
            .send()
            .await;
        let mails: Value = answer.expect("answer").json().await.expect("mails");
        mails.as_array().expect("a list").clone()
    }

    /// Runs SQL as the superuser.
    pub async fn sql(&self, statement: &str) {
        self.cluster
            .connect("supabase_admin", "postgres")
            .await
            .batch_execute(statement)
            .await
            .unwrap_or_else(|e| panic!("{statement}: {e:?}"));
    }

    /// One value, as text, by SQL as the superuser.
    pub async fn sql_value(&self, query: &str) -> String {
        let client = self.cluster.connect("supabase_admin", "postgres").await;
        let row = client
            .query_one(&format!("select ({query})::text"), &[])
            .await
            .expect("one row");
        row.get::<_, Option<String>>(0).unwrap_or_default()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Status, headers and JSON of an answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("body");
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self {
            status,
            headers,
            body,
        }
    }

    /// The body, if the status is the expected one.
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// Checks a refusal of Auth in the shape clients of the named-codes version read.
    pub fn refused(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.body["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.body
        );
        assert!(
            self.body["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty()),
            "{}",
            self.body
        );
        assert_eq!(self.headers["x-sb-error-code"], code);
        assert_eq!(self.headers["x-supabase-api-version"], "2024-01-01");
    }
}

pub fn bootstrap_args(db_url: String) -> BootstrapArgs {
    BootstrapArgs {
        db_url,
        postgres_password: Some("postgres-password".to_owned()),
        authenticator_password: Some("authenticator-password".to_owned()),
    }
}

/// Sends and reads the whole answer.
pub async fn send(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.expect("answer")).await
}

/// A text field of a JSON object.
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no text {name} in {value}"))
}

fn storage_dir(cluster: &Cluster) -> PathBuf {
    cluster.data_directory().with_file_name("objects")
}
