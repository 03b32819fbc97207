//! A sandbox in the test's own process, a receiver of its webhooks, and the client of `octopush-whatsapp` between them.
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use octopush_whatsapp::webhook::{DeliveryStatus, Event, InboundMessage, StatusUpdate};
use octopush_whatsapp::{CloudApi, OutboundMessage, Recipient, SendError, SendReceipt, signature, webhook};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use whatsapp_sandbox::config::default_account::{PHONE_NUMBER_ID, TOKEN};
use whatsapp_sandbox::{Config, Handle};

pub const CUSTOMER: &str = "60120000101";
const DEADLINE: Duration = Duration::from_secs(10);
const SECRET: &str = "test secret";
pub const VERIFY_TOKEN: &str = "test verify token";

/// A notification as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    pub body: Bytes,
    pub is_signed: bool,
    pub has_signature: bool,
    pub answered: u16,
}

/// Takes webhooks and remembers them.
#[derive(Clone)]
pub struct Receiver {
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
    count: watch::Sender<usize>,
    pub url: String,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            received: Arc::default(),
            answers: Arc::default(),
            count: watch::channel(0).0,
            url: format!("http://{}/webhook", listener.local_addr().unwrap()),
        };
        let router = Router::new()
            .route("/webhook", get(handshake).post(take))
            .with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    /// The next notifications are answered with these, all later ones with 200.
    pub fn answer_with(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Events of all acknowledged, rightly signed notifications.
    pub fn events(&self) -> Vec<Event> {
        self.received()
            .iter()
            .filter(|received| received.is_signed && received.answered == 200)
            .flat_map(|received| webhook::parse(&received.body).unwrap_or_default())
            .collect()
    }

    pub fn messages(&self) -> Vec<InboundMessage> {
        let of = |event| match event {
            Event::Message(message) => Some(*message),
            _ => None,
        };
        self.events().into_iter().filter_map(of).collect()
    }

    pub fn statuses(&self, wa_message_id: &str) -> Vec<StatusUpdate> {
        let of = |event| match event {
            Event::Status(status) if status.wa_message_id == wa_message_id => Some(*status),
            _ => None,
        };
        self.events().into_iter().filter_map(of).collect()
    }

    pub fn states(&self, wa_message_id: &str) -> Vec<DeliveryStatus> {
        self.statuses(wa_message_id)
            .into_iter()
            .map(|status| status.status)
            .collect()
    }

    /// Waits until `condition` holds of what was received.
    pub async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let mut changes = self.count.subscribe();
        let waiting = async {
            while !condition(self) {
                changes.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(DEADLINE, waiting).await.is_err() {
            panic!("{what} never came; received {:?}", self.events());
        }
    }
}

async fn handshake(Query(query): Query<Vec<(String, String)>>) -> Result<String, StatusCode> {
    let get = |key: &str| {
        query
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.clone())
    };
    match (
        get("hub.mode").as_deref(),
        get("hub.verify_token").as_deref(),
        get("hub.challenge"),
    ) {
        (Some("subscribe"), Some(VERIFY_TOKEN), Some(challenge)) => Ok(challenge),
        _ => Err(StatusCode::FORBIDDEN),
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = headers
        .get(signature::HEADER)
        .map(|value| value.to_str().unwrap());
    let is_signed = signature::verify(&[SECRET.as_bytes()], header, &body);
    let answered = match receiver.answers.lock().unwrap().pop_front() {
        Some(status) => status,
        None if is_signed => 200,
        None => 401,
    };
    receiver.received.lock().unwrap().push(Received {
        body,
        is_signed,
        has_signature: header.is_some(),
        answered,
    });
    receiver.count.send_modify(|count| *count += 1);
    StatusCode::from_u16(answered).unwrap()
}

/// Everything a test needs.
pub struct Stage {
    pub sandbox: Handle,
    pub receiver: Receiver,
    pub api: CloudApi,
    pub http: reqwest::Client,
}

pub fn http_client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .timeout(DEADLINE)
        .build()
        .unwrap()
}

impl Stage {
    /// A sandbox that reports quickly to a receiver of its own.
    pub async fn start() -> Self {
        let receiver = Receiver::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = Config {
            app_secret: SECRET.to_owned(),
            verify_token: VERIFY_TOKEN.to_owned(),
            webhook_url: Some(receiver.url.clone()),
        };
        let sandbox = whatsapp_sandbox::serve(listener, config).unwrap();
        let http = http_client();
        let api = CloudApi::new(&sandbox.url(), "v25.0", http.clone()).unwrap();
        let stage = Self {
            sandbox,
            receiver,
            api,
            http,
        };
        stage
            // One notification at a time, so that what happens in order is told in order.
            .settings(json!({"webhook_concurrency": 1, "sent_after_ms": 5, "delivered_after_ms": 25, "read_after_ms": 60, "webhook_retry_ms": 10,
                "template_review_ms": 10}))
            .await;
        stage
    }

    pub async fn admin(&self, path: &str, body: Value) -> Value {
        let response = self
            .http
            .post(format!("{}/admin/{path}", self.sandbox.url()))
            .json(&body)
            .send()
            .await
            .unwrap();
        let status = response.status();
        let answer: Value = response.json().await.unwrap();
        assert!(status.is_success(), "{path} {body}: {status} {answer}");
        answer
    }

    pub async fn look(&self, path: &str) -> Value {
        let response = self
            .http
            .get(format!("{}/admin/{path}", self.sandbox.url()))
            .send()
            .await
            .unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response.json().await.unwrap()
    }

    pub async fn settings(&self, changes: Value) {
        self.admin("settings", changes).await;
    }

    pub async fn faults(&self, faults: Value) {
        self.admin("faults", faults).await;
    }

    /// The customer writes, which opens the window; answers the message id.
    pub async fn customer_writes(&self, phone: &str, text: &str) -> String {
        let answer = self
            .admin(
                &format!("customers/{phone}/messages"),
                json!({"text": text, "wait": true}),
            )
            .await;
        answer["wa_message_id"].as_str().unwrap().to_owned()
    }

    pub async fn send(&self, message: &OutboundMessage) -> Result<SendReceipt, SendError> {
        self.api.send_message(PHONE_NUMBER_ID, TOKEN, message).await
    }

    pub async fn send_text(&self, phone: &str, text: &str) -> Result<SendReceipt, SendError> {
        self.send(&OutboundMessage::text(Recipient::phone(phone), text))
            .await
    }

    /// A raw call to the Graph API, past the client's own checks: HTTP status and body.
    pub async fn graph(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .http
            .request(method, format!("{}/v25.0/{path}", self.sandbox.url()));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Posts a message body as it is.
    pub async fn post_message(&self, body: &Value) -> (u16, Value) {
        self.graph(
            "POST",
            &format!("{PHONE_NUMBER_ID}/messages"),
            Some(TOKEN),
            Some(body),
        )
        .await
    }
}

/// HTTP status and code of a refusal.
pub fn refused(result: Result<SendReceipt, SendError>) -> (u16, i64) {
    match result {
        Err(SendError::Refused(error)) => (error.http_status, error.code),
        other => panic!("not refused: {other:?}"),
    }
}
