//! Templates: sending them with the right values, and their life.

use std::collections::HashSet;

use octopush_whatsapp::client::{NewTemplate, TemplateFilter};
use octopush_whatsapp::error::ApiError;
use octopush_whatsapp::outbound::{Content, Template};
use octopush_whatsapp::webhook::Event;
use octopush_whatsapp::{OutboundMessage, Recipient};
use serde_json::{Value, json};
use whatsapp_sandbox::config::default_account::{TOKEN, WABA_ID};

use crate::support::{CUSTOMER, Stage, refused};

fn send(template: Template) -> OutboundMessage {
    OutboundMessage::new(Recipient::phone(CUSTOMER), Content::Template(template))
}

fn image() -> Value {
    json!({"type": "image", "image": {"link": "https://x.example/a.png"}})
}

#[tokio::test]
async fn values_must_be_exactly_those_the_template_asks_for() {
    let stage = Stage::start().await;
    let order = || Template::new("order_update", "en");
    let reminder = || Template::new("appointment_reminder", "en");
    let sale = || Template::new("raya_sale", "en");
    let mut raw_break = order();
    raw_break.components.push(json!({"type": "body", "parameters": [
        {"type": "text", "text": "a"}, {"type": "text", "text": "b"}, {"type": "image", "image": {}}]}));
    for (template, expected) in [
        (order(), (400, 132_000)),
        (order().with_body(&["Mei", "77"]), (400, 132_000)),
        (
            order().with_body(&["Mei", "77", "ready", "extra"]),
            (400, 132_000),
        ),
        (raw_break, (400, 132_012)),
        (
            order().with_body(&["a", "b", "c"]).with_header(image()),
            (400, 132_000),
        ),
        (Template::new("order_update", "fr"), (404, 132_001)),
        (Template::new("no_such_template", "en"), (404, 132_001)),
        (Template::new("pending_offer", "en"), (404, 132_001)),
        (Template::new("rejected_offer", "en"), (404, 132_001)),
        (Template::new("paused_offer", "en"), (400, 132_015)),
        (Template::new("disabled_offer", "en"), (400, 132_016)),
        (reminder().with_body(&["Mei", "Monday", "10:00"]), (400, 100)),
        (
            reminder().with_named_body(&[("first_name", "Mei"), ("day", "Monday"), ("hour", "10")]),
            (400, 100),
        ),
        (sale().with_body(&["Mei"]).with_url_button(0, "t"), (400, 132_012)),
        (
            sale()
                .with_header(json!({"type": "video", "video": {"link": "https://x.example/a.mp4"}}))
                .with_body(&["Mei"]),
            (400, 132_012),
        ),
        (sale().with_header(image()).with_body(&["Mei"]), (400, 131_008)),
        (
            sale()
                .with_header(image())
                .with_body(&["Mei"])
                .with_url_button(7, "t"),
            (400, 132_012),
        ),
        (
            sale()
                .with_header(image())
                .with_body(&["Mei"])
                .with_quick_reply(0, "t"),
            (400, 132_012),
        ),
        (
            order().with_body(&["x".repeat(900).as_str(), "y".repeat(100).as_str(), "z"]),
            (400, 132_005),
        ),
    ] {
        assert_eq!(
            refused(stage.send(&send(template.clone())).await),
            expected,
            "{template:?}"
        );
    }
    for template in [
        order().with_body(&["Mei", "77", "ready"]),
        Template::new("order_update", "ms").with_body(&["Mei", "77", "siap"]),
        reminder()
            .with_named_body(&[("day", "Monday"), ("first_name", "Mei"), ("time", "10:00")])
            .with_quick_reply(0, "yes"),
        sale()
            .with_header(image())
            .with_body(&["Mei"])
            .with_url_button(0, "t1"),
        Template::new("login_code", "en")
            .with_body(&["123456"])
            .with_url_button(0, "123456"),
    ] {
        let receipt = stage
            .send(&send(template.clone()))
            .await
            .unwrap_or_else(|error| panic!("{template:?}: {error}"));
        assert_eq!(receipt.message_status.as_deref(), Some("accepted"));
    }
}

#[tokio::test]
async fn values_with_line_breaks_are_refused_by_meta_too() {
    let stage = Stage::start().await;
    for (text, expected) in [
        ("a\nb", 132_018),
        ("a\tb", 132_018),
        ("a     b", 132_018),
        ("", 131_008),
    ] {
        let parameters: Vec<Value> = [text, "b", "c"]
            .iter()
            .map(|text| json!({"type": "text", "text": text}))
            .collect();
        let body = json!({"messaging_product": "whatsapp", "to": "+60120000101", "type": "template", "template": {
            "name": "order_update", "language": {"code": "en"}, "components": [{"type": "body", "parameters": parameters}]}});
        let (status, answer) = stage.post_message(&body).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (400, &json!(expected)),
            "{text:?}"
        );
    }
}

#[tokio::test]
async fn authentication_codes_do_not_go_to_user_ids() {
    let stage = Stage::start().await;
    let customer = stage.look(&format!("customers/{CUSTOMER}")).await;
    let recipient = Recipient::UserId(customer["user_id"].as_str().unwrap().to_owned());
    let template = Template::new("login_code", "en")
        .with_body(&["123456"])
        .with_url_button(0, "123456");
    let message = OutboundMessage::new(recipient, Content::Template(template));
    assert_eq!(refused(stage.send(&message).await), (400, 131_062));
}

#[tokio::test]
async fn a_held_template_is_dropped_later() {
    let stage = Stage::start().await;
    let template = Template::new("order_update", "en").with_body(&["Mei", "77", "ready"]);
    let message = OutboundMessage::new(Recipient::phone("60199990014"), Content::Template(template));
    let receipt = stage.send(&message).await.unwrap();
    assert_eq!(
        receipt.message_status.as_deref(),
        Some("held_for_quality_assessment")
    );
    stage
        .receiver
        .until("the drop", |r| !r.statuses(&receipt.wa_message_id).is_empty())
        .await;
    assert_eq!(
        stage.receiver.statuses(&receipt.wa_message_id)[0]
            .error
            .as_ref()
            .unwrap()
            .code,
        132_015
    );
}

fn new_template(name: &str, text: &str) -> NewTemplate {
    NewTemplate {
        name: name.to_owned(),
        category: "UTILITY".to_owned(),
        language: "en".to_owned(),
        parameter_format: None,
        components: vec![json!({"type": "BODY", "text": text, "example": {"body_text": [["Mei"]]}})],
        message_send_ttl_seconds: None,
    }
}

async fn reviewed(stage: &Stage, name: &str) -> String {
    let status_of = |event: Event| match event {
        Event::TemplateStatus(update) if update.template.name.as_deref() == Some(name) => Some(update.status),
        _ => None,
    };
    let has_come = |r: &crate::support::Receiver| r.events().into_iter().filter_map(status_of).next_back();
    stage
        .receiver
        .until("the review", |r| has_come(r).is_some())
        .await;
    has_come(&stage.receiver).unwrap()
}

#[tokio::test]
async fn a_template_is_reviewed_sent_edited_and_deleted() {
    let stage = Stage::start().await;
    let text = "Hi {{1}}, your parcel has arrived at our shop.";
    let created = stage
        .api
        .create_template(WABA_ID, TOKEN, &new_template("parcel_here", text))
        .await
        .unwrap();
    assert_eq!(created.status, "PENDING");
    let parcel = || send(Template::new("parcel_here", "en").with_body(&["Mei"]));
    assert_eq!(reviewed(&stage, "parcel_here").await, "APPROVED");
    stage.send(&parcel()).await.unwrap();
    assert_eq!(
        stage.api.template(&created.id, TOKEN).await.unwrap().status,
        "APPROVED"
    );

    let twice = stage
        .api
        .create_template(WABA_ID, TOKEN, &new_template("parcel_here", text))
        .await
        .unwrap_err();
    let ApiError::Refused(twice) = twice else {
        panic!("{twice}")
    };
    assert_eq!((twice.code, twice.subcode), (100, Some(2_388_024)));

    let new_text = vec![
        json!({"type": "BODY", "text": "Hi {{1}}, your parcel is waiting for you here.", "example": {"body_text": [["Mei"]]}}),
    ];
    stage
        .api
        .edit_template(&created.id, TOKEN, &new_text, None)
        .await
        .unwrap();
    stage
        .receiver
        .until("the second review", |r| {
            r.events()
                .iter()
                .filter(|event| matches!(event, Event::TemplateStatus(_)))
                .count()
                == 2
        })
        .await;
    let again = stage.api.edit_template(&created.id, TOKEN, &new_text, None).await;
    assert!(
        matches!(again, Err(ApiError::Refused(_))),
        "approved templates are edited once a day"
    );
    stage.admin("clock", json!({"advance_seconds": 86_401})).await;
    stage
        .api
        .edit_template(&created.id, TOKEN, &new_text, None)
        .await
        .unwrap();

    stage
        .api
        .delete_template(WABA_ID, TOKEN, "parcel_here", Some(&created.id))
        .await
        .unwrap();
    assert_eq!(refused(stage.send(&parcel()).await), (404, 132_001));
    assert!(
        stage
            .api
            .delete_template(WABA_ID, TOKEN, "parcel_here", None)
            .await
            .is_err()
    );
    assert!(
        stage
            .api
            .delete_template(WABA_ID, TOKEN, "disabled_offer", None)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn bad_templates_are_refused_before_or_after_review() {
    let stage = Stage::start().await;
    let leading = stage
        .api
        .create_template(
            WABA_ID,
            TOKEN,
            &new_template("leading", "{{1}} is your parcel, come and get it"),
        )
        .await;
    let Err(ApiError::Refused(leading)) = leading else {
        panic!("{leading:?}")
    };
    assert_eq!(leading.subcode, Some(2_388_299));
    assert!(leading.details.is_some(), "what Meta tells users is kept");
    stage
        .api
        .create_template(
            WABA_ID,
            TOKEN,
            &new_template("please_reject_me", "Hi {{1}}, we would like a refusal please."),
        )
        .await
        .unwrap();
    assert_eq!(reviewed(&stage, "please_reject_me").await, "REJECTED");
    let sale = stage
        .api
        .create_template(
            WABA_ID,
            TOKEN,
            &new_template("sly", "Hi {{1}}, everything is 50% off until tomorrow."),
        )
        .await
        .unwrap();
    assert_eq!(sale.category.as_deref(), Some("MARKETING"));
}

#[tokio::test]
async fn listings_are_paged_and_filtered() {
    let stage = Stage::start().await;
    for n in 0..120 {
        let text = format!("Hi {{{{1}}}}, this is the message with number {n} of many.");
        stage
            .api
            .create_template(WABA_ID, TOKEN, &new_template(&format!("many_{n}"), &text))
            .await
            .unwrap();
    }
    let mut ids = HashSet::new();
    let mut after = None;
    let mut pages = 0;
    loop {
        let page = stage
            .api
            .templates(WABA_ID, TOKEN, &TemplateFilter::default(), after.as_deref())
            .await
            .unwrap();
        pages += 1;
        ids.extend(page.items.into_iter().map(|template| template.id));
        after = page.after;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((ids.len(), pages), (130, 2));
    let filter = TemplateFilter {
        name: Some("order_update".into()),
        language: Some("ms".into()),
        ..Default::default()
    };
    assert_eq!(
        stage
            .api
            .templates(WABA_ID, TOKEN, &filter, None)
            .await
            .unwrap()
            .items
            .len(),
        1
    );
    let filter = TemplateFilter {
        status: Some("PAUSED".into()),
        ..Default::default()
    };
    assert_eq!(
        stage
            .api
            .templates(WABA_ID, TOKEN, &filter, None)
            .await
            .unwrap()
            .items[0]
            .name,
        "paused_offer"
    );
    let bad = stage
        .api
        .templates(WABA_ID, TOKEN, &TemplateFilter::default(), Some("nonsense"))
        .await
        .unwrap_err();
    assert!(matches!(bad, ApiError::Refused(error) if error.code == 131_059));
}

#[tokio::test]
async fn meta_can_pause_a_template_at_any_time() {
    let stage = Stage::start().await;
    let templates = stage.look("templates").await;
    let id = templates["templates"]
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["name"] == "hello_world")
        .unwrap()["id"]
        .clone();
    stage
        .admin(
            &format!("templates/{}", id.as_str().unwrap()),
            json!({"status": "PAUSED"}),
        )
        .await;
    assert_eq!(reviewed(&stage, "hello_world").await, "PAUSED");
    assert_eq!(
        refused(stage.send(&send(Template::new("hello_world", "en_US"))).await),
        (400, 132_015)
    );
}
