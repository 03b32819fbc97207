//! What Meta does to templates on its own, its list, samples of headers, and templates that are sent.

use super::fixture::{Database, Sandbox, eventually};
use super::storage::{Storage, administration};
use super::template_stage::{MAKING, ROLES, Stage, parcel, quoted};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

#[tokio::test]
async fn whatever_meta_does_is_ours_at_once() {
    let stage = Stage::start().await;
    let id = stage.approved("watched").await;
    stage
        .meta_does("watched", json!({ "correct_category": "MARKETING" }))
        .await;
    stage.is(id, "correct_category", "marketing").await;
    assert_eq!(
        stage.column(id, "category").await.as_deref(),
        Some("utility"),
        "announced is not changed"
    );
    stage
        .meta_does("watched", json!({ "category": "MARKETING" }))
        .await;
    stage.is(id, "category", "marketing").await;
    assert_eq!(
        stage.column(id, "previous_category").await.as_deref(),
        Some("utility")
    );
    stage.meta_does("watched", json!({ "quality": "YELLOW" })).await;
    stage.is(id, "quality", "YELLOW").await;
    stage.meta_does("watched", json!({ "status": "PAUSED" })).await;
    stage.is(id, "status", "disabled").await;
    assert!(
        stage
            .column(id, "status_reason")
            .await
            .unwrap()
            .contains("3 hours")
    );
    stage.meta_does("watched", json!({ "status": "APPROVED" })).await;
    stage.is(id, "status", "approved").await;
    let kept = "select count(*) from public.whatsapp_events where payload #>> '{template,name}' = 'watched'";
    eventually("all of it is kept for people", || async {
        stage.database.count(kept).await >= 6
    })
    .await;
    // Changed in Meta's manager: the notice says what, the list says how it is now.
    stage
        .meta_does(
            "watched",
            json!({ "components": parcel("Hi {{1}}, somebody changed this text in Meta's manager.") }),
        )
        .await;
    stage
        .is(
            id,
            "components #>> '{0,text}'",
            "Hi {{1}}, somebody changed this text in Meta's manager.",
        )
        .await;
    stage.worker.stop().await;
}

#[tokio::test]
async fn meta_s_list_brings_what_was_made_elsewhere_and_what_webhooks_missed() {
    let stage = Stage::start().await;
    assert!(
        stage.id_of("order_update").await.is_some(),
        "there from the first list on"
    );
    let ours = stage.approved("missed").await;
    for n in 0..120 {
        let text = format!("Thank you, this is the message with the number {n} of many.");
        let body = json!({ "name": format!("elsewhere_{n}"), "language": "en", "category": "UTILITY", "components": [{ "type": "BODY", "text": text }] });
        stage.sandbox.set("templates", body).await;
    }
    stage
        .meta_does("missed", json!({ "status": "PAUSED", "tell": false }))
        .await;
    // The second page meets a quota and a fault: the list goes on after them.
    stage
        .faults(json!([
            { "method": "GET", "path": MAKING, "outcome": "refuse", "code": 4, "times": 1 },
            { "method": "GET", "path": MAKING, "outcome": "drop_reply", "times": 1 }]))
        .await;
    stage.sync().await;
    eventually("all are here", || async {
        stage
            .database
            .count(
                "select count(*) from public.templates where name like 'elsewhere%' and status = 'approved'",
            )
            .await
            == 120
    })
    .await;
    stage.is(ours, "status", "disabled").await;
    let gone = stage.id_of("elsewhere_7").await.unwrap();
    let wa_id = stage.column(gone, "wa_template_id").await.unwrap();
    let url = format!("{}/admin/templates/{wa_id}", stage.sandbox.url());
    reqwest::Client::new()
        .delete(url)
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();
    stage.sync().await;
    eventually("what is gone at Meta is gone here", || async {
        stage.column(gone, "deleted_at").await.is_some()
    })
    .await;
    assert!(stage.id_of("elsewhere_8").await.is_some());
    stage.worker.stop().await;
}

#[tokio::test]
async fn a_list_that_broke_off_takes_nothing_away() {
    let stage = Stage::start().await;
    let before = stage
        .database
        .count("select count(*) from public.templates where deleted_at is null")
        .await;
    let synced = "select extract(epoch from synced_at)::text from private.template_syncs";
    let complete = stage.database.text(synced).await;
    // Not a passing fault: the list ends where it is.
    stage
        .faults(json!([{ "method": "GET", "path": MAKING, "outcome": "refuse", "code": 100, "times": 1 }]))
        .await;
    let asked = stage.asked("GET", MAKING).await;
    stage.sync().await;
    eventually("Meta was asked", || async {
        stage.asked("GET", MAKING).await > asked
    })
    .await;
    stage.worker.stop().await;
    let left = stage
        .database
        .count("select count(*) from public.templates where deleted_at is null")
        .await;
    assert_eq!(left, before);
    assert_eq!(
        stage.database.text(synced).await,
        complete,
        "not taken for a complete one"
    );
}

#[tokio::test]
async fn a_header_brings_its_picture() {
    const PICTURE: &[u8] = b"\x89PNG a picture of a parcel, in the eyes of a test";
    let (database, sandbox) = (Database::create().await, Sandbox::start().await);
    let organisation = administration(&database).await;
    let storage = Storage::start(&database).await;
    let key = std::env::var("SUPABASE_SERVICE_ROLE_KEY").unwrap();
    sandbox.set("settings", json!({ "template_review_ms": 50 })).await;
    let settings = [
        ROLES,
        ("SUPABASE_URL", storage.url.as_str()),
        ("SUPABASE_SERVICE_ROLE_KEY", key.as_str()),
    ];
    let worker = sandbox.worker(&database, &settings).await;
    let stage = Stage {
        database,
        organisation,
        sandbox,
        worker,
    };
    let path = format!("{}/{}/parcel.png", stage.organisation.org_id, Uuid::now_v7());
    let stored = reqwest::Client::new()
        .post(format!("{}/storage/v1/object/templates/{path}", storage.url))
        .bearer_auth(&key)
        .header("apikey", &key)
        .header("content-type", "image/png")
        .body(PICTURE)
        .send()
        .await
        .unwrap();
    assert!(stored.status().is_success(), "{}", stored.text().await.unwrap());
    let mut components = parcel("Hi {{1}}, your parcel has arrived at our shop today.");
    let header =
        json!({ "type": "HEADER", "format": "IMAGE", "media": { "path": path, "mime": "image/png" } });
    components.as_array_mut().unwrap().insert(0, header);
    let id = stage.draft("pictured", &components).await;
    // The bytes arrive and the answer breaks off; then a connection that never comes to be.
    stage
        .faults(json!([{ "method": "POST", "path": "upload:", "outcome": "drop_request", "times": 1 }]))
        .await;
    stage.submit(id).await;
    stage.is(id, "status", "approved").await;
    let samples = stage.sandbox.get("samples").await;
    assert_eq!(samples["samples"].as_array().unwrap().len(), 1);
    assert_eq!(
        samples["samples"][0]["sha256"],
        hex::encode(Sha256::digest(PICTURE))
    );
    assert_eq!(
        stage.asked("POST", "/uploads").await,
        1,
        "gone on with, not begun anew"
    );
    assert_eq!(
        stage.column(id, "components #>> '{0,media,path}'").await,
        Some(path),
        "our own file stays beside Meta's sample"
    );
    stage.worker.stop().await;
}

#[tokio::test]
async fn a_template_reaches_a_customer_whose_window_is_closed() {
    let stage = Stage::start().await;
    let id = stage.approved("knock_knock").await;
    let conversation = stage
        .organisation
        .conversation(&stage.database, "60111111111")
        .await;
    stage
        .database
        .admin
        .execute(
            "update public.conversations set window_expires_at = now() - interval '1 hour'",
            &[],
        )
        .await
        .unwrap();
    let payload = json!({ "template_id": id, "values": { "body.1": "Mei\nLing" } });
    let send = format!(
        "public.send_message('{conversation}', '{}', 'template', null, {})",
        Uuid::now_v7(),
        quoted(&payload)
    );
    let message = stage.rpc(&send).await.unwrap();
    let message_id: Uuid = message["id"].as_str().unwrap().parse().unwrap();
    eventually("it is delivered", || async {
        stage.database.message(message_id, "status").await.as_deref() == Some("delivered")
    })
    .await;
    assert_eq!(stage.sandbox.accepted(message_id).await, 1);
    assert_eq!(
        stage.database.message(message_id, "body").await.as_deref(),
        Some("Hi Mei Ling, your parcel has arrived at our shop today.")
    );
    // Disabled between queueing and sending: judged again when it leaves.
    stage
        .meta_does("knock_knock", json!({ "status": "PAUSED" }))
        .await;
    stage.is(id, "status", "disabled").await;
    assert!(
        stage
            .rpc(&send.replace(
                &message["client_key"].as_str().unwrap().to_owned(),
                &Uuid::now_v7().to_string()
            ))
            .await
            .unwrap_err()
            .contains("WA_002")
    );
    stage.worker.stop().await;
}

#[tokio::test]
async fn a_customer_who_stops_marketing_is_opted_out() {
    let stage = Stage::start().await;
    stage
        .organisation
        .conversation(&stage.database, "60111111111")
        .await;
    stage
        .database
        .admin
        .batch_execute("update public.contacts set opt_in_status = 'opted_in'")
        .await
        .unwrap();
    let consent = "select opt_in_status from public.contacts";
    stage
        .sandbox
        .set("customers/60111111111/preference", json!({ "value": "stop" }))
        .await;
    eventually("the contact is opted out", || async {
        stage.database.text(consent).await.as_deref() == Some("opted_out")
    })
    .await;
    let rejected = "select count(*) from private.webhook_events where state = 'rejected'";
    assert_eq!(stage.database.count(rejected).await, 0);
    stage.worker.stop().await;
}
