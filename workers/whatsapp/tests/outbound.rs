//! What is posted to Meta for every type, what is refused before posting, and how stored rows become messages.

use octopush_whatsapp::outbound::{Content, Interactive, Media, MediaSource, Template};
use octopush_whatsapp::{OutboundMessage, Recipient};
use serde_json::{Value, json};

fn to() -> Recipient {
    Recipient::phone("60120000101")
}

fn stored(kind: &str, body: Option<&str>, payload: Value) -> Result<Value, String> {
    OutboundMessage::from_stored(to(), kind, body, Some(&payload))
        .map(|message| message.to_json())
        .map_err(|error| error.field)
}

/// The object under the key named like the type.
fn content(kind: &str, body: Option<&str>, payload: Value) -> Value {
    let message = stored(kind, body, payload).unwrap();
    assert_eq!(message["type"], kind);
    assert_eq!(message["messaging_product"], "whatsapp");
    message[kind].clone()
}

#[test]
fn frames_a_message() {
    let message = OutboundMessage::text(to(), "hello")
        .in_reply_to(Some("wamid.Q".into()))
        .with_callback_data("our-id");
    assert_eq!(
        message.to_json(),
        json!({"messaging_product": "whatsapp", "recipient_type": "individual", "to": "+60120000101", "type": "text",
            "text": {"body": "hello", "preview_url": false}, "context": {"message_id": "wamid.Q"},
            "biz_opaque_callback_data": "our-id"})
    );
}

#[test]
fn never_dials_without_a_plus() {
    for number in ["60120000101", "+60120000101", " 60120000101 "] {
        assert_eq!(
            OutboundMessage::text(Recipient::phone(number), "x").to_json()["to"],
            "+60120000101"
        );
    }
    let raw = OutboundMessage::text(Recipient::Phone("60120000101".into()), "x");
    assert_eq!(raw.validate().unwrap_err().field, "to");
}

#[test]
fn prefers_the_phone_and_falls_back_to_the_user_id() {
    assert_eq!(
        Recipient::from_contact(Some("6012"), Some("MY.1")),
        Some(Recipient::Phone("+6012".into()))
    );
    assert_eq!(
        Recipient::from_contact(Some(""), Some("MY.1")),
        Some(Recipient::UserId("MY.1".into()))
    );
    assert_eq!(Recipient::from_contact(None, None), None);
    let message = OutboundMessage::text(Recipient::UserId("MY.134".into()), "x").to_json();
    assert_eq!(message["recipient"], "MY.134");
    assert_eq!(message.get("to"), None);
    let group = OutboundMessage::text(Recipient::Group("g1".into()), "x").to_json();
    assert_eq!(
        (group["recipient_type"].as_str(), group["to"].as_str()),
        (Some("group"), Some("g1"))
    );
}

#[test]
fn refuses_addresses_nobody_has() {
    for to in [
        Recipient::Phone("+".into()),
        Recipient::Phone("+123456".into()),
        Recipient::Phone("+1234567890123456".into()),
        Recipient::Phone("+0123456789".into()),
        Recipient::Phone("+60 12".into()),
        Recipient::UserId("user.1".into()),
        Recipient::UserId("MY.".into()),
        Recipient::Group(String::new()),
    ] {
        assert!(
            OutboundMessage::text(to.clone(), "x").validate().is_err(),
            "{to:?}"
        );
    }
}

#[test]
fn builds_every_type_from_its_row() {
    assert_eq!(
        content("text", Some("hi"), json!({"preview_url": true})),
        json!({"body": "hi", "preview_url": true})
    );
    assert_eq!(
        content(
            "image",
            Some("cap"),
            json!({"id": "1", "mime_type": "image/jpeg", "sha256": "x", "url": "https://x"})
        ),
        json!({"id": "1", "caption": "cap"})
    );
    assert_eq!(
        content(
            "video",
            None,
            json!({"link": "https://example.com/v.mp4", "caption": "c"})
        ),
        json!({"link": "https://example.com/v.mp4", "caption": "c"})
    );
    assert_eq!(
        content("document", None, json!({"id": "1", "filename": "a.pdf"})),
        json!({"id": "1", "filename": "a.pdf"})
    );
    assert_eq!(
        content("audio", Some("ignored"), json!({"id": "1", "voice": true})),
        json!({"id": "1", "voice": true})
    );
    assert_eq!(content("sticker", None, json!({"id": "1"})), json!({"id": "1"}));
    assert_eq!(
        content(
            "location",
            None,
            json!({"latitude": "3.5", "longitude": 101.25, "name": "KL"})
        ),
        json!({"latitude": 3.5, "longitude": 101.25, "name": "KL"})
    );
    let card = json!({"name": {"formatted_name": "Tan Mei", "first_name": "Mei"}});
    assert_eq!(content("contacts", None, json!([card])), json!([card]));
    assert_eq!(
        content("contacts", None, json!({"contacts": [card]})),
        json!([card])
    );
    assert_eq!(
        content("reaction", Some("👍"), json!({"message_id": "wamid.A"})),
        json!({"message_id": "wamid.A", "emoji": "👍"})
    );
    assert_eq!(
        content("reaction", None, json!({"message_id": "wamid.A"})),
        json!({"message_id": "wamid.A", "emoji": ""})
    );
    assert_eq!(
        content(
            "template",
            None,
            json!({"name": "order_update", "language": {"code": "en_US"}})
        ),
        json!({"name": "order_update", "language": {"code": "en_US"}})
    );
    // As send_message keeps it.
    assert_eq!(
        content(
            "template",
            Some("Hi Mei"),
            json!({"template_id": "x", "values": {}, "template": {"name": "order_update", "language": {"code": "en_US"}, "components": [
                {"type": "body", "parameters": [{"type": "text", "text": "Mei"}]}]}})
        ),
        json!({"name": "order_update", "language": {"code": "en_US"}, "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Mei"}]}]})
    );
    assert_eq!(
        stored("template", None, json!({"name": "a", "language": "en"})).unwrap()["template"]["language"]["code"],
        "en"
    );
    let buttons = json!({"type": "button", "body": {"text": "?"}, "action": {"buttons": [
        {"type": "reply", "reply": {"id": "y", "title": "Yes"}}]}});
    assert_eq!(content("interactive", None, buttons.clone()), buttons);
    for kind in ["note", "system", "order", "button", "unsupported", ""] {
        assert_eq!(stored(kind, Some("x"), json!({})).unwrap_err(), "type", "{kind}");
    }
}

#[test]
fn reactions_carry_no_context() {
    let content = Content::Reaction {
        message_id: "wamid.A".into(),
        emoji: "👍".into(),
    };
    let message = OutboundMessage::new(to(), content).in_reply_to(Some("wamid.A".into()));
    assert_eq!(message.to_json().get("context"), None);
}

#[test]
fn broken_rows_name_their_fault() {
    for (kind, body, payload, field) in [
        ("text", None, json!({}), "text.body"),
        ("text", Some("   "), json!({}), "text.body"),
        ("image", Some("x"), json!({}), "payload"),
        ("image", None, json!({"link": "ftp://x/y"}), "image.link"),
        (
            "image",
            None,
            json!({"link": "javascript:alert(1)"}),
            "image.link",
        ),
        (
            "location",
            None,
            json!({"latitude": 91, "longitude": 0}),
            "location.latitude",
        ),
        (
            "location",
            None,
            json!({"latitude": 0, "longitude": -181}),
            "location.longitude",
        ),
        ("location", None, json!({"latitude": 0}), "longitude"),
        ("contacts", None, json!([]), "contacts"),
        (
            "contacts",
            None,
            json!([{"name": {"formatted_name": "only"}}]),
            "contacts[0].name",
        ),
        ("reaction", Some("👍"), json!({}), "reaction.message_id"),
        (
            "template",
            None,
            json!({"name": "Has Space", "language": "en"}),
            "template.name",
        ),
        (
            "template",
            None,
            json!({"name": "ok", "language": "en-US"}),
            "template.language.code",
        ),
        (
            "template",
            None,
            json!({"name": "ok", "language": "en", "components": [{"type": "body",
            "parameters": [{"type": "text", "text": "a\nb"}]}]}),
            "template.components[0].parameters[0].text",
        ),
        (
            "template",
            None,
            json!({"name": "ok", "language": "en", "components": [{"type": "body",
            "parameters": [{"type": "text", "text": ""}]}]}),
            "template.components[0].parameters[0].text",
        ),
        ("interactive", None, Value::Null, "interactive.type"),
    ] {
        assert_eq!(
            stored(kind, body, payload.clone()).unwrap_err(),
            field,
            "{kind} {payload}"
        );
    }
}

/// Valid at the limit, invalid one beyond.
fn assert_limit(limit: usize, field: &str, build: impl Fn(String) -> Content) {
    let validate = |length: usize| OutboundMessage::new(to(), build("é".repeat(length))).validate();
    validate(limit).unwrap_or_else(|error| panic!("{limit} should be allowed: {error}"));
    assert_eq!(validate(limit + 1).unwrap_err().field, field);
}

#[test]
fn counts_characters_at_every_limit() {
    let media = |caption: String| Media {
        source: MediaSource::Id("1".into()),
        caption: Some(caption),
        filename: None,
    };
    assert_limit(4096, "text.body", |body| Content::Text {
        body,
        preview_url: false,
    });
    assert_limit(1024, "image.caption", |caption| Content::Image(media(caption)));
    assert_limit(1024, "document.caption", |caption| {
        Content::Document(media(caption))
    });
    let interactive = |value: Interactive| Content::Interactive(value);
    assert_limit(1024, "interactive.body.text", |t| {
        interactive(Interactive::buttons(&t, &[("y", "Yes")]))
    });
    assert_limit(60, "interactive.footer.text", |t| {
        interactive(Interactive::buttons("b", &[("y", "Yes")]).with_footer(&t))
    });
    assert_limit(60, "interactive.header.text", |t| {
        interactive(Interactive::buttons("b", &[("y", "Yes")]).with_text_header(&t))
    });
    assert_limit(20, "interactive.action.buttons[0].reply.title", |t| {
        interactive(Interactive::buttons("b", &[("y", &t)]))
    });
    assert_limit(256, "interactive.action.buttons[0].reply.id", |t| {
        interactive(Interactive::buttons("b", &[(&t, "Yes")]))
    });
    let section = |title: &str, id: &str, description: &str| json!({"title": title, "rows": [{"id": id, "title": "r", "description": description}]});
    assert_limit(4096, "interactive.body.text", |t| {
        interactive(Interactive::list(&t, "Open", vec![section("s", "1", "")]))
    });
    assert_limit(20, "interactive.action.button", |t| {
        interactive(Interactive::list("b", &t, vec![section("s", "1", "")]))
    });
    assert_limit(24, "interactive.action.sections[0].title", |t| {
        interactive(Interactive::list("b", "Open", vec![section(&t, "1", "")]))
    });
    assert_limit(200, "interactive.action.sections[0].rows.id", |t| {
        interactive(Interactive::list("b", "Open", vec![section("s", &t, "")]))
    });
    assert_limit(72, "interactive.action.sections[0].rows.description", |t| {
        interactive(Interactive::list("b", "Open", vec![section("s", "1", &t)]))
    });
    assert_limit(20, "interactive.action.parameters.display_text", |t| {
        interactive(Interactive::cta_url("b", &t, "https://example.com"))
    });
    assert_limit(30, "interactive.action.parameters.flow_cta", |t| {
        interactive(Interactive::flow("b", json!({"flow_id": "1", "flow_cta": t})))
    });
    let data = |length: usize| {
        OutboundMessage::text(to(), "x")
            .with_callback_data("d".repeat(length))
            .validate()
    };
    assert!(data(512).is_ok() && data(513).is_err());
}

#[test]
fn limits_the_structure_of_interactive_messages() {
    let valid =
        |interactive: Interactive| OutboundMessage::new(to(), Content::Interactive(interactive)).validate();
    let rows = |count: usize| -> Vec<Value> {
        (0..count)
            .map(|n| json!({"id": n.to_string(), "title": format!("row {n}")}))
            .collect()
    };
    let four = [("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")];
    assert!(valid(Interactive::buttons("b", &four[..3])).is_ok());
    assert!(valid(Interactive::buttons("b", &four)).is_err());
    assert!(valid(Interactive::buttons("b", &[])).is_err());
    assert!(
        valid(Interactive::buttons("b", &[("1", "a"), ("1", "b")])).is_err(),
        "same id twice"
    );
    assert!(
        valid(Interactive::buttons("b", &[("1", "a"), ("2", "a")])).is_err(),
        "same title twice"
    );
    let list = |sections| Interactive::list("b", "Open", sections);
    assert!(valid(list(vec![json!({"rows": rows(10)})])).is_ok());
    assert!(valid(list(vec![json!({"rows": rows(11)})])).is_err());
    assert!(
        valid(list(vec![json!({"rows": rows(1)}), json!({"rows": rows(1)})])).is_err(),
        "sections need titles"
    );
    assert!(
        valid(list(vec![
            json!({"title": "a", "rows": rows(1)}),
            json!({"title": "b", "rows": rows(1)})
        ]))
        .is_err()
    );
    assert!(valid(list(vec![])).is_err());
    assert!(valid(list(vec![json!({"title": "a", "rows": []})])).is_err());
    assert!(
        valid(
            list(vec![json!({"rows": rows(1)})]).with_header(json!({"type": "image", "image": {"id": "1"}}))
        )
        .is_err()
    );
    assert!(valid(Interactive::cta_url("b", "Go", "not an address")).is_err());
    assert!(valid(Interactive::flow("b", json!({"flow_cta": "Go"}))).is_err());
    assert!(valid(Interactive::location_request("Where?")).is_ok());
    assert!(valid(Interactive::contact_request("Your number?")).is_ok());
    assert!(valid(Interactive::catalog("Look", Some("SKU"))).is_ok());
    assert!(valid(Interactive::product(None, "1", "SKU")).is_ok());
    assert!(valid(Interactive::product(None, "1", "")).is_err());
    let items = |count: usize| json!({"title": "s", "product_items": vec![json!({"product_retailer_id": "A"}); count]});
    assert!(valid(Interactive::product_list("h", "b", "1", vec![items(30)])).is_ok());
    assert!(valid(Interactive::product_list("h", "b", "1", vec![items(31)])).is_err());
    let card = |text: &str| json!({"card_index": 0, "body": {"text": text}});
    assert!(valid(Interactive::carousel("b", vec![card("a"), card("b")])).is_ok());
    assert!(valid(Interactive::carousel("b", vec![card("a")])).is_err());
    assert!(
        valid(Interactive::carousel(
            "b",
            vec![card("a"), card(&"x".repeat(161))]
        ))
        .is_err()
    );
    assert!(
        valid(Interactive::from_value(
            json!({"type": "voice_call", "action": {}})
        ))
        .is_ok(),
        "left to Meta"
    );
}

#[test]
fn fills_templates() {
    let template = Template::new("order_update", "en_US")
        .with_header(json!({"type": "image", "image": {"id": "1"}}))
        .with_body(&["Mei\nLing", "42"])
        .with_url_button(0, "abc")
        .with_quick_reply(1, "STOP");
    let message = OutboundMessage::new(to(), Content::Template(template));
    message.validate().unwrap();
    assert!(message.is_template());
    assert_eq!(
        message.to_json()["template"],
        json!({"name": "order_update", "language": {"code": "en_US"}, "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"id": "1"}}]},
            {"type": "body", "parameters": [{"type": "text", "text": "Mei Ling"}, {"type": "text", "text": "42"}]},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "abc"}]},
            {"type": "button", "sub_type": "quick_reply", "index": "1", "parameters": [{"type": "payload", "payload": "STOP"}]}]})
    );
    let named = Template::new("a", "en").with_named_body(&[("first_name", "Mei")]);
    assert_eq!(
        named.components[0]["parameters"][0]["parameter_name"],
        "first_name"
    );
}
