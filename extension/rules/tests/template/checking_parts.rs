//! Buttons, tracked links, codes and cards: what Meta refuses of them.

use serde_json::{Value, json};

use super::{body, errors, template, with_buttons};

#[test]
fn buttons_in_number_and_order() {
    let reply = |label: &str| json!({"type": "QUICK_REPLY", "text": label});
    let link = |label: &str| json!({"type": "URL", "text": label, "url": "https://a.example/x"});
    let at = "/components/1/buttons";
    let replies: Vec<Value> = (0..11).map(|index| reply(&format!("Answer {index}"))).collect();
    assert_eq!(errors(&with_buttons(json!(replies[..10]))), Vec::<String>::new());
    assert_eq!(
        errors(&with_buttons(json!(replies))),
        [format!("button_count {at}")]
    );
    assert_eq!(errors(&with_buttons(json!([]))), [format!("button_count {at}")]);
    assert_eq!(
        errors(&with_buttons(json!([link("a"), link("b"), link("c")]))),
        [format!("button_count {at}")]
    );
    assert_eq!(
        errors(&with_buttons(json!([reply("a"), link("b"), reply("c")]))),
        [format!("button_order {at}")]
    );
    assert_eq!(
        errors(&with_buttons(json!([link("b"), reply("a"), reply("c")]))),
        Vec::<String>::new()
    );
    assert_eq!(
        errors(&with_buttons(json!([reply("a"), reply("a")]))),
        [format!("label {at}/1/text")]
    );
}

#[test]
fn each_button_needs_what_its_kind_needs() {
    let at = "/components/1/buttons/0";
    for (button, expected) in [
        (json!({"type": "QUICK_REPLY"}), Some("missing /text")),
        (
            json!({"type": "QUICK_REPLY", "text": "x".repeat(26)}),
            Some("label /text"),
        ),
        (
            json!({"type": "QUICK_REPLY", "text": "Yes 👍"}),
            Some("label /text"),
        ),
        (
            json!({"type": "QUICK_REPLY", "text": "{{1}}"}),
            Some("label /text"),
        ),
        (json!({"type": "URL", "text": "a"}), Some("missing /url")),
        (
            json!({"type": "URL", "text": "a", "url": "shop.example"}),
            Some("url /url"),
        ),
        (
            json!({"type": "URL", "text": "a", "url": "https://{{1}}", "example": ["x"]}),
            Some("url /url"),
        ),
        (
            json!({"type": "URL", "text": "a", "url": "https://a.example{{1}}", "example": ["x"]}),
            Some("url /url"),
        ),
        (
            json!({"type": "URL", "text": "a", "url": "https://a.example/{{1}}"}),
            Some("sample /example"),
        ),
        (
            json!({"type": "URL", "text": "a", "url": "https://a.example/{{1}}/b", "example": ["x"]}),
            Some("variable /url"),
        ),
        (
            json!({"type": "URL", "text": "a", "url": "https://a.example/{{2}}", "example": ["x"]}),
            Some("variable /url"),
        ),
        (
            json!({"type": "URL", "text": "a", "url": "https://a.example/{{1}}{{2}}", "example": ["x"]}),
            Some("variable /url"),
        ),
        (
            json!({"type": "URL", "text": "a", "url": format!("https://a.example/{}", "x".repeat(2000))}),
            Some("too_long /url"),
        ),
        (
            json!({"type": "PHONE_NUMBER", "text": "a", "phone_number": "012 345"}),
            Some("phone /phone_number"),
        ),
        (json!({"type": "COPY_CODE"}), Some("sample /example")),
        (
            json!({"type": "COPY_CODE", "example": "x".repeat(21)}),
            Some("code /example"),
        ),
        (json!({"type": "COPY_CODE", "example": ["RAYA30"]}), None),
        (json!({"type": "FLOW", "text": "Book"}), Some("missing ")),
        (json!({"type": "FLOW", "text": "Book", "flow_id": "1"}), None),
        (json!({"type": "OTP", "otp_type": "COPY_CODE"}), Some("category ")),
        (json!({"type": "TELEPORT", "text": "Go"}), None),
    ] {
        let expected: Vec<String> = expected
            .map(|expected| expected.split_once(' ').expect("a code and a path"))
            .map(|(code, path)| format!("{code} {at}{path}"))
            .into_iter()
            .collect();
        assert_eq!(errors(&with_buttons(json!([button]))), expected, "{button}");
    }
}

#[test]
fn tracked_buttons_lead_through_our_own_link() {
    let tracked = |url: &str, links: Value| {
        let mut one = with_buttons(json!([
            {"type": "QUICK_REPLY", "text": "Stop"},
            {"type": "URL", "text": "See", "url": url, "example": ["x"]},
        ]));
        one["links"] = links;
        errors(&one)
    };
    let ours = "https://o.example/t/{{1}}";
    assert_eq!(
        tracked(ours, json!({"1": "https://shop.example/raya?x=1"})),
        Vec::<String>::new()
    );
    assert_eq!(
        tracked(ours, json!({"0": "https://shop.example"})),
        ["link /links/0"]
    );
    assert_eq!(
        tracked(ours, json!({"7": "https://shop.example"})),
        ["link /links/7"]
    );
    assert_eq!(
        tracked(ours, json!({"a/b": "https://shop.example"})),
        ["link /links/a~1b"]
    );
    assert_eq!(
        tracked(ours, json!({"1": "http://shop.example"})),
        ["link /links/1"]
    );
    assert_eq!(
        tracked(ours, json!({"1": "javascript:alert(1)"})),
        ["link /links/1"]
    );
    assert_eq!(tracked(ours, json!({"1": 5})), ["malformed /links/1"]);
    assert_eq!(
        tracked("https://o.example/{{1}}", json!({"1": "https://shop.example"})),
        ["link /links/1"]
    );
}

#[test]
fn authentication_templates_have_a_fixed_shape() {
    let shaped = |components: Value| {
        let mut one = template(components);
        one["category"] = "authentication".into();
        errors(&one)
    };
    let button = json!({"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]});
    let footer = json!({"type": "FOOTER", "code_expiration_minutes": 10});
    let advised = json!({"type": "BODY", "add_security_recommendation": true});
    assert_eq!(shaped(json!([advised, footer, button])), Vec::<String>::new());
    assert_eq!(shaped(json!([advised])), ["missing /components"]);
    assert_eq!(
        shaped(json!([{"type": "BODY", "text": "Your code"}, button])),
        ["fixed_text /components/0/text"]
    );
    for minutes in [json!(0), json!(91), json!("5"), Value::Null] {
        let footer = json!({"type": "FOOTER", "code_expiration_minutes": minutes});
        let expected = "code /components/1/code_expiration_minutes";
        assert_eq!(shaped(json!([advised, footer, button])), [expected]);
    }
    let one_tap = |extra: Value| {
        let mut otp = json!({"type": "OTP", "otp_type": "ONE_TAP"});
        otp.as_object_mut()
            .expect("an object")
            .extend(extra.as_object().expect("an object").clone());
        shaped(json!([advised, {"type": "BUTTONS", "buttons": [otp]}]))
    };
    assert_eq!(
        one_tap(json!({})),
        ["missing /components/1/buttons/0/supported_apps"]
    );
    assert_eq!(
        one_tap(json!({"package_name": "a.b", "signature_hash": "x"})),
        Vec::<String>::new()
    );
    assert_eq!(
        shaped(json!([advised, {"type": "HEADER", "format": "IMAGE"}, {"type": "BUTTONS", "buttons": []}])),
        ["fixed_text /components/1", "button_count /components/2/buttons"]
    );
}

#[test]
fn cards_of_a_carousel_are_alike() {
    let card = |format: &str, reply: &str| {
        json!({"components": [
            {"type": "HEADER", "format": format, "example": {"header_handle": ["4::x"]}},
            body("Look at this", &[]),
            {"type": "BUTTONS", "buttons": [{"type": reply, "text": "Go", "url": "https://a.example/x", "phone_number": "+60123456789"}]},
        ]})
    };
    let with = |cards: Vec<Value>| {
        errors(&template(
            json!([body("Reply STOP", &[]), {"type": "CAROUSEL", "cards": cards}]),
        ))
    };
    let at = "/components/1/cards";
    assert_eq!(with(vec![card("IMAGE", "URL"); 10]), Vec::<String>::new());
    assert_eq!(with(vec![card("IMAGE", "URL")]), [format!("cards {at}")]);
    assert_eq!(with(vec![card("IMAGE", "URL"); 11]), [format!("cards {at}")]);
    assert_eq!(
        with(vec![card("IMAGE", "URL"), card("VIDEO", "URL")]),
        [format!("cards {at}/1")]
    );
    assert_eq!(
        with(vec![card("IMAGE", "URL"), card("IMAGE", "PHONE_NUMBER")]),
        [format!("cards {at}/1")]
    );
    assert_eq!(
        with(vec![json!({"components": []}), json!({"components": []})]),
        [
            format!("missing {at}/0"),
            format!("missing {at}/0"),
            format!("missing {at}/1"),
            format!("missing {at}/1")
        ]
    );
    let mixed = template(json!([
        body("Reply STOP", &[]),
        {"type": "FOOTER", "text": "x"},
        {"type": "CAROUSEL", "cards": [card("IMAGE", "URL"), card("IMAGE", "URL")]},
    ]));
    assert_eq!(errors(&mixed), ["cards /components/1"]);
    let long = json!({"components": [
        {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::x"]}},
        body(&"x".repeat(161), &[]),
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Go"}]},
    ]});
    assert_eq!(
        with(vec![long.clone(), long])[0],
        format!("too_long {at}/0/components/1/text")
    );
}
