//! How many sends a second the sandbox takes from a client in the same process: the ceiling of every benchmark that uses it.
//!
//! `cargo run --release -p whatsapp-sandbox --example send_rate -- [sends] [connections] [statuses in one notification, 0 for none]`

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use octopush_whatsapp::{CloudApi, OutboundMessage, Recipient, webhook};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use whatsapp_sandbox::config::default_account::{PHONE_NUMBER_ID, TOKEN};

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|argument| argument.parse::<usize>().expect("a number"));
    let sends = arguments.next().unwrap_or(30_000);
    let connections = arguments.next().unwrap_or(32);
    let batch = arguments.next().unwrap_or(0);
    let reported = Arc::new(Reported::default());
    let config = whatsapp_sandbox::Config {
        webhook_url: Some(receiver(Arc::clone(&reported)).await),
        ..whatsapp_sandbox::Config::default()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let sandbox = whatsapp_sandbox::serve(listener, config).expect("a sandbox");
    let http = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(connections)
        .build()
        .expect("a client");
    let settings = json!({"window": "off", "pair_rate": false, "auto_status": batch > 0, "webhook_batch": batch.max(1),
        "sent_after_ms": 50, "delivered_after_ms": 100, "read_after_ms": 150});
    let number = json!({"phone_number_id": PHONE_NUMBER_ID, "throughput_mps": 0});
    for (path, body) in [("settings", settings), ("accounts", number)] {
        let url = format!("{}/admin/{path}", sandbox.url());
        http.post(url)
            .json(&body)
            .send()
            .await
            .expect("an answer")
            .error_for_status()
            .expect("success");
    }
    let api = CloudApi::new(&sandbox.url(), "v25.0", http).expect("an address");
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let senders: Vec<_> = (0..connections)
        .map(|_| {
            let (api, next) = (api.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= sends {
                        return;
                    }
                    let recipient = Recipient::phone(&format!("6012{:07}", n % 1_000_000));
                    let message = OutboundMessage::text(recipient, "hello").with_callback_data(n.to_string());
                    api.send_message(PHONE_NUMBER_ID, TOKEN, &message)
                        .await
                        .expect("a receipt");
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.expect("no panic");
    }
    let took = started.elapsed();
    println!(
        "{sends} sends in {took:.2?}: {:.0} a second",
        sends as f64 / took.as_secs_f64()
    );
    if batch > 0 {
        reported.until(sends * 3).await;
        println!("{} statuses reported by {:.2?}", sends * 3, started.elapsed());
    }
}

#[derive(Default)]
struct Reported {
    statuses: AtomicUsize,
    changed: Notify,
}

impl Reported {
    async fn until(&self, count: usize) {
        loop {
            let changed = self.changed.notified();
            if self.statuses.load(Ordering::Relaxed) >= count {
                return;
            }
            changed.await;
        }
    }
}

/// Acknowledges webhooks and counts what they report; answers its address.
async fn receiver(reported: Arc<Reported>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let count = move |body: Bytes| {
        let events = webhook::parse(&body).map_or(0, |events| events.len());
        reported.statuses.fetch_add(events, Ordering::Relaxed);
        reported.changed.notify_one();
        async {}
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(count))).await });
    url
}
