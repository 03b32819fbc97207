//! Tracked links and conversion callbacks, over HTTP as phones and shops ask.

use super::fixture::{Database, Organisation, Worker};
use super::storage::{administration, call};
use octopush_whatsapp::signature;
use reqwest::{Method, Response, StatusCode, header, redirect};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

const TOKEN: &str = "AbCdEfGhIjKlMnOpQrSt-_";
const DESTINATION: &str = "https://shop.example.com/raya?from=whatsapp";
const PHONE: &str = "Mozilla/5.0 (Linux; Android 15; SM-S928B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36";

/// A link, and a worker that serves it.
struct Shop {
    database: Database,
    organisation: Organisation,
    worker: Worker,
    contact: Uuid,
    http: reqwest::Client,
}

impl Shop {
    async fn open() -> Self {
        let database = Database::create().await;
        let organisation = administration(&database).await;
        organisation.conversation(&database, "60121234567").await;
        let contact: Uuid = database
            .admin
            .query_one("select id from public.contacts", &[])
            .await
            .unwrap()
            .get(0);
        database
            .admin
            .execute(
                include_str!("link.sql"),
                &[&TOKEN, &organisation.org_id, &Uuid::now_v7(), &contact],
            )
            .await
            .unwrap();
        let roles = [("OCTOPUSH_ROLES", "links")];
        let worker = Worker::start(&database, &roles).await;
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            database,
            organisation,
            worker,
            contact,
            http,
        }
    }

    async fn ask(&self, method: Method, token: &str, agent: &str) -> Response {
        self.http
            .request(method, format!("{}/t/{token}", self.worker.url))
            .header(header::USER_AGENT, agent)
            .send()
            .await
            .unwrap()
    }

    async fn clicks(&self, is_bot: bool) -> i64 {
        let sql = format!("select coalesce(sum(clicks), 0) from private.link_clicks where is_bot = {is_bot}");
        self.database.count(&sql).await
    }

    /// The organisation's secret, made anew.
    async fn secret(&self) -> String {
        let sql = format!("public.rotate_conversion_secret('{}')", self.organisation.org_id);
        call(&self.database, &self.organisation, &sql)
            .await
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn report(&self, org_id: Uuid, signed: Option<String>, body: &str) -> (StatusCode, Value) {
        let mut request = self
            .http
            .post(format!("{}/conversions/{org_id}", self.worker.url))
            .body(body.to_owned());
        if let Some(signed) = signed {
            request = request.header("X-OctoPush-Signature", signed);
        }
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

fn signed(secret: &str, at: i64, body: &str) -> Option<String> {
    let digest = signature::sign(secret.as_bytes(), format!("{at}.{body}").as_bytes());
    Some(format!("t={at},v1={}", digest.trim_start_matches("sha256=")))
}

#[tokio::test]
async fn a_tap_is_counted_once_and_leads_to_the_destination() {
    let shop = Shop::open().await;
    for _ in 0..3 {
        let answer = shop.ask(Method::GET, TOKEN, PHONE).await;
        assert_eq!(answer.status(), StatusCode::FOUND);
        let header = |name| answer.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(header(header::LOCATION), DESTINATION);
        assert_eq!(header(header::CACHE_CONTROL), "no-store");
        assert_eq!(header(header::REFERRER_POLICY), "no-referrer");
    }
    assert_eq!((shop.clicks(false).await, shop.clicks(true).await), (1, 0));
    let clicked = shop
        .database
        .text("select clicked_at::text from private.links")
        .await;
    assert!(clicked.is_some());
    shop.ask(Method::GET, TOKEN, "Mozilla/5.0 (iPhone) Safari/604.1")
        .await;
    assert_eq!(shop.clicks(false).await, 2, "another visitor");
    shop.worker.stop().await;
}

#[tokio::test]
async fn previews_and_checkers_are_led_on_and_not_taken_for_people() {
    let shop = Shop::open().await;
    for (method, agent) in [
        (Method::GET, "WhatsApp/2.24.10.78 A"),
        (Method::GET, "facebookexternalhit/1.1"),
        (Method::HEAD, PHONE),
    ] {
        let answer = shop.ask(method, TOKEN, agent).await;
        assert_eq!(answer.status(), StatusCode::FOUND, "{agent}");
    }
    assert_eq!((shop.clicks(false).await, shop.clicks(true).await), (0, 3));
    assert_eq!(
        shop.database
            .text("select clicked_at::text from private.links")
            .await,
        None
    );
    shop.worker.stop().await;
}

#[tokio::test]
async fn what_is_no_link_gets_a_friendly_page_and_leads_nowhere() {
    let shop = Shop::open().await;
    for odd in [
        "AbCdEfGhIjKlMnOpQrSt__",
        "short",
        "AbCdEfGhIjKlMnOpQrSt-_?dst=https://evil.example",
        "%27%20or%20true--",
        "https:%2F%2Fevil.example",
    ] {
        let answer = shop.ask(Method::GET, odd, PHONE).await;
        if odd.contains('?') {
            // What is written behind a token changes nothing.
            assert_eq!(answer.headers()[header::LOCATION], DESTINATION);
            continue;
        }
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{odd}");
        assert!(answer.headers().get(header::LOCATION).is_none());
        let page = answer.text().await.unwrap();
        assert!(page.contains("This link leads nowhere") && !page.contains("<script"));
        assert!(!page.contains("evil"), "nothing of the request comes back");
    }
    shop.worker.stop().await;
}

#[tokio::test]
async fn without_a_database_people_are_asked_to_come_back() {
    let shop = Shop::open().await;
    let name = &shop.database.name;
    let root = shop.database.root().await;
    root.batch_execute(&format!("alter database {name} allow_connections false"))
        .await
        .unwrap();
    let cut = format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'");
    root.batch_execute(&cut).await.unwrap();
    let answer = shop.ask(Method::GET, TOKEN, PHONE).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().get(header::RETRY_AFTER).is_some());
    assert!(answer.text().await.unwrap().contains("One moment"));
    root.batch_execute(&format!("alter database {name} allow_connections true"))
        .await
        .unwrap();
    super::fixture::eventually("the link works again", || async {
        shop.ask(Method::GET, TOKEN, PHONE).await.status() == StatusCode::FOUND
    })
    .await;
    shop.worker.stop().await;
}

#[tokio::test]
async fn a_sale_is_recorded_once_when_it_is_signed_and_recent() {
    let shop = Shop::open().await;
    let org_id = shop.organisation.org_id;
    let secret = shop.secret().await;
    let body =
        json!({ "token": TOKEN, "external_id": "order-1", "amount": 129.9, "currency": "MYR" }).to_string();
    let good = || signed(&secret, now(), &body);

    let (status, answer) = shop.report(org_id, good(), &body).await;
    assert_eq!((status, &answer), (StatusCode::OK, &json!({ "recorded": true })));
    let recorded = "select count(*) from public.opportunities where source = 'callback' and amount = 129.9 and currency = 'MYR'";
    assert_eq!(shop.database.count(recorded).await, 1);
    let of = "select contact_id::text from public.opportunities";
    assert_eq!(shop.database.text(of).await, Some(shop.contact.to_string()));

    let another = Organisation::create_beside(&shop.database).await;
    let other = json!({ "token": TOKEN, "external_id": "order-2" }).to_string();
    for (what, org, header, sent, expected) in [
        ("unsigned", org_id, None, &other, "CONVERSION_001"),
        (
            "wrongly signed",
            org_id,
            signed("guess", now(), &other),
            &other,
            "CONVERSION_001",
        ),
        ("another body", org_id, good(), &other, "CONVERSION_001"),
        (
            "too old",
            org_id,
            signed(&secret, now() - 301, &other),
            &other,
            "CONVERSION_002",
        ),
        (
            "of the future",
            org_id,
            // More than a second beyond the five minutes, as the reports before it take their time.
            signed(&secret, now() + 330, &other),
            &other,
            "CONVERSION_002",
        ),
        ("replayed", org_id, good(), &body, "CONVERSION_002"),
        (
            "for another organisation",
            another,
            signed(&secret, now(), &other),
            &other,
            "CONVERSION_001",
        ),
        (
            "for nobody",
            Uuid::now_v7(),
            signed(&secret, now(), &other),
            &other,
            "CONVERSION_001",
        ),
    ] {
        let (status, answer) = shop.report(org, header, sent).await;
        assert_eq!(answer["code"], expected, "{what}: {status} {answer}");
        assert!(status.is_client_error() && answer["hint"].is_string(), "{what}");
    }
    for (odd, expected) in [
        ("[]".to_owned(), "REQUEST_001"),
        ("not json".to_owned(), "REQUEST_001"),
        (
            r#"{"token": "\u0000", "external_id": "x"}"#.to_owned(),
            "REQUEST_001",
        ),
        (json!({ "external_id": "order-3" }).to_string(), "OPPORTUNITY_002"),
        (
            json!({ "token": "AbCdEfGhIjKlMnOpQrSt__", "external_id": "order-3" }).to_string(),
            "LINK_001",
        ),
        ("x".repeat(20_000), "REQUEST_001"),
    ] {
        let (_, answer) = shop.report(org_id, signed(&secret, now(), &odd), &odd).await;
        assert_eq!(answer["code"], expected, "{}", &odd[..odd.len().min(60)]);
    }
    assert_eq!(
        shop.database
            .count("select count(*) from public.opportunities")
            .await,
        1
    );

    let new_secret = shop.secret().await;
    let third = json!({ "phone": "+60121234567", "external_id": "order-4" }).to_string();
    let (_, refused) = shop.report(org_id, signed(&secret, now(), &third), &third).await;
    assert_eq!(
        refused["code"], "CONVERSION_001",
        "the old secret holds no longer"
    );
    let (status, _) = shop
        .report(org_id, signed(&new_secret, now(), &third), &third)
        .await;
    assert_eq!(status, StatusCode::OK);
    shop.worker.stop().await;
}
