//! What is sent, and what is refused before Meta refuses it.

use serde_json::{Value, json};

use super::{body, message, template, with_body, with_buttons};

/// The keys of the problems.
fn refused(template: &Value, values: Value) -> Vec<String> {
    let answer = message(template, &values, &json!(null));
    let problems = answer["problems"]
        .as_array()
        .unwrap_or_else(|| panic!("no problems: {answer}"));
    let key = |problem: &Value| problem["key"].as_str().expect("a key").to_owned();
    problems.iter().map(key).collect()
}

#[test]
fn a_message_names_what_varies_and_nothing_else() {
    let mut one = template(json!([
        {"type": "HEADER", "format": "IMAGE"},
        body("Hi {{1}}, see you on {{2}}.", &[]),
        {"type": "FOOTER", "text": "Bye"},
        {"type": "BUTTONS", "buttons": [
            {"type": "QUICK_REPLY", "text": "Stop"},
            {"type": "URL", "text": "Own", "url": "https://o.example/t/{{1}}"},
            {"type": "URL", "text": "See", "url": "https://a.example/{{1}}"},
            {"type": "COPY_CODE", "example": "RAYA30"},
        ]},
    ]));
    one["links"] = json!({"1": "https://shop.example/raya"});
    let values = json!({
        "header.media": {"link": "https://a.example/a.png", "filename": "not for images"},
        "body.1": "Nur\tAisyah", "body.2": 7, "button.1": "never used", "button.2": "my shop", "button.3": "RAYA",
    });
    assert_eq!(
        message(&one, &values, &json!({"1": "token"})),
        json!({
            "body": "Hi Nur Aisyah, see you on 7.",
            "message": {
                "name": "raya_sale",
                "language": {"code": "en"},
                "components": [
                    {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://a.example/a.png"}}]},
                    {"type": "body", "parameters": [{"type": "text", "text": "Nur Aisyah"}, {"type": "text", "text": "7"}]},
                    {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "token"}]},
                    {"type": "button", "sub_type": "url", "index": "2", "parameters": [{"type": "text", "text": "my%20shop"}]},
                    {"type": "button", "sub_type": "copy_code", "index": "3", "parameters": [{"type": "coupon_code", "coupon_code": "RAYA"}]},
                ],
            },
        })
    );
    let plain = with_buttons(json!([{"type": "QUICK_REPLY", "text": "Stop"}]));
    assert_eq!(
        message(&plain, &json!(null), &json!(null)),
        json!({
            "body": "Reply STOP to opt out.",
            "message": {"name": "raya_sale", "language": {"code": "en"}},
        })
    );
}

#[test]
fn named_variables_are_sent_by_name_and_numbers_by_their_order() {
    let mut one = template(json!([body("Hi {{who}}, on {{day}}.", &[])]));
    one["parameter_format"] = "NAMED".into();
    let sent = message(
        &one,
        &json!({"body.day": "Monday", "body.who": "Ali"}),
        &json!({}),
    );
    assert_eq!(
        sent["message"]["components"][0]["parameters"],
        json!([
            {"type": "text", "parameter_name": "who", "text": "Ali"},
            {"type": "text", "parameter_name": "day", "text": "Monday"},
        ])
    );
    let turned = with_body("{{2}} and {{1}} and {{2}}", &[]);
    let sent = message(&turned, &json!({"body.1": "a", "body.2": "b"}), &json!({}));
    assert_eq!(sent["body"], "b and a and b");
    assert_eq!(
        sent["message"]["components"][0]["parameters"],
        json!([
            {"type": "text", "text": "a"}, {"type": "text", "text": "b"},
        ])
    );
}

#[test]
fn missing_values_are_told_all_at_once() {
    let one = template(json!([
        {"type": "HEADER", "format": "DOCUMENT"},
        body("Hi {{1}}, on {{2}}.", &[]),
        {"type": "BUTTONS", "buttons": [
            {"type": "URL", "text": "See", "url": "https://a.example/{{1}}"},
            {"type": "COPY_CODE"},
            {"type": "FLOW", "text": "Book", "flow_id": "1"},
        ]},
    ]));
    assert_eq!(
        refused(&one, json!({"body.1": "\n \u{200b}", "body.2": []})),
        ["header.media", "body.1", "body.2", "button.0", "button.1"]
    );
    let mut tracked = one.clone();
    tracked["links"] = json!({"0": "https://shop.example"});
    let full = json!({"header.media": {"id": "1", "filename": "a.pdf"}, "body.1": "a", "body.2": "b", "button.0": "x", "button.1": "y"});
    assert_eq!(refused(&tracked, full.clone()), ["button.0"]);
    let sent = message(&one, &full, &json!(null));
    let components = &sent["message"]["components"];
    assert_eq!(
        components[0]["parameters"][0],
        json!({"type": "document", "document": {"id": "1", "filename": "a.pdf"}})
    );
    assert_eq!(
        components[4]["parameters"],
        json!([{"type": "action", "action": {"flow_token": "unused"}}])
    );
}

#[test]
fn what_would_be_too_long_is_refused() {
    let one = template(json!([
        {"type": "HEADER", "format": "TEXT", "text": "For {{1}}"},
        body("Hi {{1}}, on {{2}}.", &[]),
    ]));
    let value = |length: usize| json!({"header.1": "x", "body.1": "é".repeat(length), "body.2": "b"});
    // “Hi , on b.” is ten characters.
    assert_eq!(message(&one, &value(1014), &json!(null)).get("problems"), None);
    assert_eq!(refused(&one, value(1015)), ["body.1"]);
    assert_eq!(
        refused(
            &one,
            json!({"header.1": "x".repeat(57), "body.1": "a", "body.2": "b"})
        ),
        ["header.1"]
    );
    let button = with_buttons(json!([
        {"type": "URL", "text": "See", "url": "https://a.example/{{1}}"}, {"type": "COPY_CODE"}]));
    assert_eq!(
        refused(
            &button,
            json!({"button.0": "x".repeat(1983), "button.1": "x".repeat(21)})
        ),
        ["button.0", "button.1"]
    );
}

#[test]
fn files_and_places_must_be_such() {
    let image = template(json!([{"type": "HEADER", "format": "IMAGE"}, body("Hello", &[])]));
    for value in [
        json!(null),
        json!(""),
        json!({}),
        json!({"link": " "}),
        json!({"link": "file:///etc/passwd"}),
        json!("ftp://a"),
        json!(5),
    ] {
        assert_eq!(
            refused(&image, json!({"header.media": value})),
            ["header.media"],
            "{value}"
        );
    }
    let sent = message(
        &image,
        &json!({"header.media": "https://a.example/a.png"}),
        &json!(null),
    );
    let parameter = &sent["message"]["components"][0]["parameters"][0];
    assert_eq!(
        *parameter,
        json!({"type": "image", "image": {"link": "https://a.example/a.png"}})
    );
    let place = template(json!([{"type": "HEADER", "format": "LOCATION"}, body("Hello", &[])]));
    for value in [
        json!(null),
        json!({"latitude": 3}),
        json!({"latitude": 91, "longitude": 1}),
        json!({"latitude": "NaN", "longitude": 1}),
    ] {
        assert_eq!(
            refused(&place, json!({"header.location": value})),
            ["header.location"],
            "{value}"
        );
    }
    let sent = message(
        &place,
        &json!({"header.location": {"latitude": "3.1", "longitude": 101.6, "name": "Shop\n1"}}),
        &json!(null),
    );
    assert_eq!(
        sent["message"]["components"][0]["parameters"][0],
        json!({"type": "location", "location": {"latitude": 3.1, "longitude": 101.6, "name": "Shop 1"}})
    );
}

#[test]
fn a_code_goes_into_the_body_and_its_button() {
    for (button, index) in [
        (json!({"type": "OTP", "otp_type": "COPY_CODE"}), 1),
        (
            json!({"type": "URL", "text": "Copy", "url": "https://www.whatsapp.com/otp/code/?code=otp{{1}}"}),
            1,
        ),
    ] {
        let mut one = template(json!([{"type": "BODY"}, {"type": "BUTTONS", "buttons": [button]}]));
        one["category"] = "authentication".into();
        let sent = message(&one, &json!({"body.1": "123456"}), &json!(null));
        let components = &sent["message"]["components"];
        assert_eq!(
            components[0]["parameters"],
            json!([{"type": "text", "text": "123456"}])
        );
        assert_eq!(
            components[index],
            json!({
                "type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "123456"}]
            })
        );
        assert_eq!(refused(&one, json!({"body.1": "1234567890123456"})), ["body.1"]);
        assert_eq!(refused(&one, json!({})), ["body.1"]);
    }
}

#[test]
fn every_card_brings_its_own_components() {
    let card = json!({"components": [
        {"type": "HEADER", "format": "IMAGE"},
        {"type": "BODY", "text": "Only {{1}} today"},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "More"}, {"type": "URL", "text": "Buy", "url": "https://a.example/{{1}}"}]},
    ]});
    let one = template(json!([body("Hello {{1}} there", &[]), {"type": "CAROUSEL", "cards": [card, card]}]));
    assert_eq!(
        refused(
            &one,
            json!({"body.1": "x", "card.0.header.media": {"id": "1"}, "card.0.body.1": "x", "card.0.button.1": "x"})
        ),
        ["card.1.header.media", "card.1.body.1", "card.1.button.1"]
    );
    let values = json!({
        "body.1": "x", "card.0.header.media": {"id": "1"}, "card.0.body.1": "a", "card.0.button.1": "u",
        "card.1.header.media": {"id": "2"}, "card.1.body.1": "b", "card.1.button.1": "v",
    });
    // A token of the message's second button is not one of the cards'.
    let sent = message(&one, &values, &json!({"1": "token"}));
    let carousel = &sent["message"]["components"][1];
    assert_eq!(carousel["type"], "carousel");
    assert_eq!(
        carousel["cards"][1],
        json!({"card_index": 1, "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"id": "2"}}]},
            {"type": "body", "parameters": [{"type": "text", "text": "b"}]},
            {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "v"}]},
        ]})
    );
}

#[test]
fn what_cannot_be_sent_from_here_says_so() {
    let products = with_buttons(json!([{"type": "MPM"}]));
    assert_eq!(refused(&products, json!({})), ["button.0"]);
    let offer = template(
        json!([body("Hello", &[]), {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Raya", "has_expiration": true}}]),
    );
    assert_eq!(refused(&offer, json!({})), ["offer"]);
    assert_eq!(refused(&json!(null), json!({})), ["name", "language"]);
}
