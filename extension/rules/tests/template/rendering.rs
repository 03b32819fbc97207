//! How a message looks.

use octopush_rules::template::model::Template;
use octopush_rules::template::render::render_template;
use serde_json::{Value, json};

use super::{body, template};

fn render(template: &Value, values: Value) -> Value {
    render_template(&Template::parse(template), &values)
}

#[test]
fn texts_are_filled_in_and_a_missing_value_shows_its_placeholder() {
    let one = template(json!([
        {"type": "HEADER", "format": "TEXT", "text": "For {{1}}"},
        body("Hi {{1}}, {{2}} waits. {{odd one}}", &[]),
        {"type": "FOOTER", "text": "Bye"},
    ]));
    let shown = render(
        &one,
        json!({"header.1": "you", "body.1": "Nur\n Aisyah", "body.2": " "}),
    );
    assert_eq!(shown["header"], json!({"kind": "text", "text": "For you"}));
    assert_eq!(shown["body"], "Hi Nur Aisyah, {{2}} waits. {{odd one}}");
    assert_eq!(shown["footer"], "Bye");
    assert_eq!((&shown["buttons"], &shown["cards"]), (&json!([]), &json!([])));
}

#[test]
fn a_value_that_looks_like_a_variable_is_not_filled_in_again() {
    let one = template(json!([body("A {{1}} and {{2}}.", &[])]));
    assert_eq!(
        render(&one, json!({"body.1": "{{2}}", "body.2": "x"}))["body"],
        "A {{2}} and x."
    );
}

#[test]
fn buttons_show_where_they_lead() {
    let mut one = template(json!([{"type": "BUTTONS", "buttons": [
        {"type": "QUICK_REPLY", "text": "Stop"},
        {"type": "URL", "text": "Own", "url": "https://o.example/t/{{1}}"},
        {"type": "URL", "text": "See", "url": "https://a.example/{{1}}"},
        {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+60123456789"},
        {"type": "COPY_CODE", "example": "RAYA30"},
        {"type": "REQUEST_CONTACT_INFO", "text": "Share"},
    ]}]));
    one["links"] = json!({"1": "https://shop.example/raya"});
    let shown = render(&one, json!({"button.2": "my shop", "button.4": "RAYA"}));
    assert_eq!(
        shown["buttons"],
        json!([
            {"kind": "quick_reply", "text": "Stop", "url": null},
            {"kind": "url", "text": "Own", "url": "https://shop.example/raya"},
            {"kind": "url", "text": "See", "url": "https://a.example/my%20shop"},
            {"kind": "phone_number", "text": "Call", "url": null, "phone": "+60123456789"},
            {"kind": "copy_code", "text": "Copy offer code", "url": null, "code": "RAYA"},
            {"kind": "request_contact_info", "text": "Share", "url": null},
        ])
    );
    assert_eq!(
        render(&one, json!({}))["buttons"][2]["url"],
        "https://a.example/{{1}}"
    );
}

#[test]
fn media_locations_and_cards() {
    let card = |text: &str| {
        json!({"components": [
            {"type": "HEADER", "format": "IMAGE", "media": {"path": "o/u/f.png", "mime": "image/png"}},
            {"type": "BODY", "text": text},
        ]})
    };
    let one = template(
        json!([body("Look", &[]), {"type": "CAROUSEL", "cards": [card("A {{1}}"), card("B {{1}}")]}]),
    );
    let shown = render(
        &one,
        json!({"card.0.header.media": {"link": "https://a.example/a.png"}, "card.1.body.1": "b"}),
    );
    assert_eq!(shown["cards"][0]["header"]["link"], "https://a.example/a.png");
    assert_eq!(shown["cards"][0]["body"], "A {{1}}");
    assert_eq!(
        shown["cards"][1]["header"],
        json!({
            "kind": "image", "link": null, "id": null, "filename": null, "media": {"path": "o/u/f.png", "mime": "image/png"}
        })
    );
    assert_eq!(shown["cards"][1]["body"], "B b");
    let place = template(json!([{"type": "HEADER", "format": "LOCATION"}]));
    let there = json!({"header.location": {"latitude": 3.1, "longitude": 101.6, "address": "Jalan 1"}});
    assert_eq!(render(&place, there)["header"]["text"], "Jalan 1");
}

#[test]
fn the_words_whatsapp_gives_a_code() {
    let one = json!({"category": "authentication", "components": [
        {"type": "BODY", "add_security_recommendation": true},
        {"type": "FOOTER", "code_expiration_minutes": 5},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]},
    ]});
    let shown = render(&one, json!({"body.1": "123456"}));
    assert_eq!(
        shown["body"],
        "*123456* is your verification code. For your security, do not share this code."
    );
    assert_eq!(shown["footer"], "This code expires in 5 minutes.");
    assert_eq!(
        shown["buttons"],
        json!([{"kind": "otp", "text": "Copy code", "url": null, "code": "123456"}])
    );
}
