//! What Meta does to templates on its own, samples of headers, and faults of the calls that manage them.

use octopush_whatsapp::client::{NewTemplate, TemplateFilter};
use octopush_whatsapp::error::{ApiError, TemplateRefusal};
use octopush_whatsapp::webhook::Event;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use whatsapp_sandbox::config::default_account::{APP_ID, BUSINESS_ID, TOKEN, WABA_ID};

use crate::support::{Receiver, Stage};

fn parcel(name: &str) -> NewTemplate {
    NewTemplate {
        name: name.to_owned(),
        category: "UTILITY".to_owned(),
        language: "en".to_owned(),
        parameter_format: None,
        components: vec![json!({"type": "BODY", "text": "Your parcel has arrived at our shop."})],
        message_send_ttl_seconds: None,
    }
}

fn with_image(name: &str, handle: &str) -> NewTemplate {
    let mut template = parcel(name);
    template
        .components
        .push(json!({"type": "HEADER", "format": "IMAGE", "example": {"header_handle": [handle]}}));
    template
}

fn refusal(result: Result<impl std::fmt::Debug, ApiError>) -> TemplateRefusal {
    match result {
        Err(ApiError::Refused(error)) => error.template_refusal(),
        other => panic!("not refused: {other:?}"),
    }
}

async fn upload(stage: &Stage, bytes: &'static [u8], mime_type: &str) -> String {
    let length = bytes.len() as u64;
    let session = stage
        .api
        .begin_upload(APP_ID, TOKEN, "sample", mime_type, length)
        .await
        .unwrap();
    assert_eq!(stage.api.upload_offset(&session, TOKEN).await.unwrap(), 0);
    stage
        .api
        .finish_upload(&session, TOKEN, 0, length, bytes)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_header_needs_an_uploaded_sample_of_its_kind() {
    let stage = Stage::start().await;
    let handle = upload(&stage, b"\x89PNG sample", "image/png").await;
    let samples = stage.look("samples").await;
    assert_eq!(
        samples["samples"][0]["sha256"],
        hex::encode(Sha256::digest(b"\x89PNG sample"))
    );

    let invented = stage
        .api
        .create_template(WABA_ID, TOKEN, &with_image("invented", "4::nobody"))
        .await;
    assert_eq!(refusal(invented), TemplateRefusal::Content);
    let document = upload(&stage, b"%PDF-1.4", "application/pdf").await;
    let wrong_kind = stage
        .api
        .create_template(WABA_ID, TOKEN, &with_image("wrong_kind", &document))
        .await;
    assert_eq!(refusal(wrong_kind), TemplateRefusal::Content);

    let created = stage
        .api
        .create_template(WABA_ID, TOKEN, &with_image("pictured", &handle))
        .await
        .unwrap();
    let kept = stage.api.template(&created.id, TOKEN).await.unwrap();
    let sample = kept.components.iter().find(|c| c["type"] == "HEADER").unwrap();
    let shown = sample["example"]["header_handle"][0].as_str().unwrap();
    assert!(
        shown.starts_with("https://"),
        "Meta answers with an address: {shown}"
    );
}

#[tokio::test]
async fn a_broken_upload_goes_on_where_it_stopped() {
    let stage = Stage::start().await;
    let session = stage
        .api
        .begin_upload(APP_ID, TOKEN, "a.png", "image/png", 10)
        .await
        .unwrap();
    // As a connection that broke leaves it: Meta has a part.
    let half = stage.api.finish_upload(&session, TOKEN, 0, 4, &b"0123"[..]).await;
    assert!(half.is_err());
    assert_eq!(stage.api.upload_offset(&session, TOKEN).await.unwrap(), 4);
    let again = stage
        .api
        .finish_upload(&session, TOKEN, 0, 10, &b"0123456789"[..])
        .await;
    assert!(again.is_err(), "only from where it stopped");
    stage
        .api
        .finish_upload(&session, TOKEN, 4, 6, &b"456789"[..])
        .await
        .unwrap();
    let kinds = stage
        .api
        .begin_upload(APP_ID, TOKEN, "a.exe", "application/x-msdownload", 10)
        .await;
    assert!(kinds.is_err());
    let foreign = stage
        .api
        .begin_upload("300000000000009", TOKEN, "a.png", "image/png", 10)
        .await;
    assert!(foreign.is_err(), "the token is another app's");
}

#[tokio::test]
async fn faults_of_calls_strike_where_they_are_aimed() {
    let stage = Stage::start().await;
    stage
        .faults(json!({"calls": [
            {"method": "POST", "path": "message_templates", "outcome": "drop_reply", "times": 1},
            {"method": "POST", "path": "message_templates", "outcome": "drop_request", "times": 1},
            {"method": "POST", "path": "message_templates", "outcome": "bad_gateway", "times": 1},
            {"method": "POST", "path": "message_templates", "outcome": "refuse", "code": 80007, "times": 1}]}))
        .await;
    let create = async |name: &str| stage.api.create_template(WABA_ID, TOKEN, &parcel(name)).await;
    let exists = async |name: &str| {
        let found = stage.api.find_template(WABA_ID, TOKEN, name, "en").await;
        found.unwrap().is_some()
    };
    assert!(matches!(create("first").await, Err(ApiError::Transport(_))));
    assert!(exists("first").await, "the reply was lost, not the template");
    assert!(matches!(create("second").await, Err(ApiError::Transport(_))));
    assert!(!exists("second").await);
    assert!(matches!(create("third").await, Err(ApiError::Refused(e)) if e.http_status == 502));
    assert!(exists("third").await);
    assert!(matches!(create("fourth").await, Err(ApiError::Refused(e)) if e.code == 80_007));
    create("fourth").await.unwrap();
}

#[tokio::test]
async fn whatever_meta_does_to_a_template_is_told() {
    let stage = Stage::start().await;
    let listed = stage.look("templates").await;
    let hello = listed["templates"]
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["name"] == "hello_world");
    let path = format!("templates/{}", hello.unwrap()["id"].as_str().unwrap());
    let came = |what: fn(&Event) -> bool| move |r: &Receiver| r.events().iter().any(what);
    stage.admin(&path, json!({"correct_category": "marketing"})).await;
    let notice = came(
        |e| matches!(e, Event::TemplateCategory(c) if c.current == "UTILITY" && c.upcoming.as_deref() == Some("MARKETING")),
    );
    stage.receiver.until("the notice", notice).await;
    stage.admin(&path, json!({"category": "marketing"})).await;
    let done = came(
        |e| matches!(e, Event::TemplateCategory(c) if c.current == "MARKETING" && c.previous.as_deref() == Some("UTILITY")),
    );
    stage.receiver.until("the change", done).await;
    stage.admin(&path, json!({"quality": "red"})).await;
    stage
        .receiver
        .until(
            "the quality",
            came(|e| matches!(e, Event::TemplateQuality(q) if q.current == "RED")),
        )
        .await;
    let seen = stage.receiver.events().len();
    let changed = stage
        .admin(&path, json!({"status": "PAUSED", "tell": false}))
        .await;
    assert_eq!(
        (&changed["status"], &changed["quality_score"]["score"]),
        (&json!("PAUSED"), &json!("RED"))
    );
    let elsewhere = json!({"name": "made_elsewhere", "language": "ms", "category": "UTILITY", "components": [{"type": "BODY", "text": "Terima kasih."}]});
    stage.admin("templates", elsewhere).await;
    let filter = TemplateFilter {
        status: Some("APPROVED".into()),
        name: Some("made_elsewhere".into()),
        ..Default::default()
    };
    let found = stage.api.templates(WABA_ID, TOKEN, &filter, None).await.unwrap();
    assert_eq!(found.items.len(), 1);
    assert_eq!(stage.receiver.events().len(), seen, "neither was told");
}

#[tokio::test]
async fn the_name_of_a_deleted_template_is_held() {
    let stage = Stage::start().await;
    let listed = stage.look("templates").await;
    let hello = listed["templates"].as_array().unwrap()[0]["id"].clone();
    stage
        .api
        .delete_template(WABA_ID, TOKEN, "hello_world", hello.as_str())
        .await
        .unwrap();
    let mut again = parcel("hello_world");
    again.language = "en_US".to_owned();
    let held = stage.api.create_template(WABA_ID, TOKEN, &again).await;
    assert_eq!(refusal(held), TemplateRefusal::NameHeld);
    stage
        .admin("clock", json!({"advance_seconds": 31 * 86_400}))
        .await;
    stage.api.create_template(WABA_ID, TOKEN, &again).await.unwrap();
}

#[tokio::test]
async fn an_account_tells_its_portfolio() {
    let stage = Stage::start().await;
    let account = stage.api.business_account(WABA_ID, TOKEN).await.unwrap();
    assert_eq!(account.business_id.as_deref(), Some(BUSINESS_ID));
    let (_, plain): (u16, Value) = stage.graph("GET", WABA_ID, Some(TOKEN), None).await;
    assert!(plain.get("owner_business_info").is_none(), "only when asked for");
}

#[tokio::test]
async fn a_sandbox_is_told_what_an_earlier_one_knew() {
    let stage = Stage::start().await;
    let paused = json!({"id": "400000000000001", "name": "hello_world", "language": "en_US", "category": "UTILITY", "status": "PAUSED",
        "quality": "RED", "components": [{"type": "BODY", "text": "Welcome back to our shop."}]});
    stage.admin("templates", paused).await;
    let known = stage
        .api
        .find_template(WABA_ID, TOKEN, "hello_world", "en_US")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (known.id.as_str(), known.status.as_str()),
        ("400000000000001", "PAUSED")
    );
    let filter = TemplateFilter {
        name: Some("hello_world".into()),
        ..Default::default()
    };
    let all = stage.api.templates(WABA_ID, TOKEN, &filter, None).await.unwrap();
    assert_eq!(all.items.len(), 1, "in the place of the sample");
    let pending = json!({"id": "77", "name": "was_in_review", "language": "en", "category": "UTILITY", "status": "PENDING",
        "components": [{"type": "BODY", "text": "Thank you for coming."}]});
    stage.admin("templates", pending).await;
    let reviewed = |r: &Receiver| {
        r.events()
            .iter()
            .any(|e| matches!(e, Event::TemplateStatus(s) if s.template.template_id.as_deref() == Some("77")))
    };
    stage.receiver.until("the review goes on", reviewed).await;
}
