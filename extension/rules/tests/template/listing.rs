//! What a template asks for.

use octopush_rules::template::model::Template;
use octopush_rules::template::variables::template_variables;
use serde_json::{Value, json};

use super::{body, template};

fn listed(template: &Value) -> Vec<String> {
    let variables = template_variables(&Template::parse(template));
    let line = |variable: &Value| {
        let text = |key: &str| variable[key].as_str().unwrap_or("-").to_owned();
        assert!(!text("label").is_empty());
        format!("{} {} {}", text("key"), text("kind"), text("example"))
    };
    variables.as_array().expect("a list").iter().map(line).collect()
}

#[test]
fn variables_are_listed_as_the_message_shows_them() {
    let mut one = template(json!([
        {"type": "BUTTONS", "buttons": [
            {"type": "QUICK_REPLY", "text": "Stop"},
            {"type": "URL", "text": "Own", "url": "https://o.example/t/{{1}}", "example": ["x"]},
            {"type": "URL", "text": "See", "url": "https://a.example/{{1}}", "example": ["https://a.example/raya"]},
            {"type": "COPY_CODE", "example": "RAYA30"},
            {"type": "FLOW", "text": "Book", "flow_id": "7"},
        ]},
        body("Hi {{2}} and {{1}} and {{2}}", &["one", "two"]),
        {"type": "HEADER", "format": "DOCUMENT"},
    ]));
    one["links"] = json!({"1": "https://shop.example"});
    assert_eq!(
        listed(&one),
        [
            "header.media document -",
            "body.1 text one",
            "body.2 text two",
            "button.2 url https://a.example/raya",
            "button.3 code RAYA30",
            "button.4 flow -",
        ]
    );
}

#[test]
fn named_variables_keep_their_names() {
    let one = json!({"parameter_format": "NAMED", "components": [
        {"type": "header", "format": "text", "text": "Hi {{who}}", "example": {"header_text_named_params": [{"param_name": "who", "example": "Ali"}]}},
        {"type": "body", "text": "On {{day}} at {{time}}", "example": {"body_text_named_params": [{"param_name": "time", "example": "10.00"}]}},
    ]});
    assert_eq!(
        listed(&one),
        ["header.who text Ali", "body.day text -", "body.time text 10.00"]
    );
}

#[test]
fn a_code_is_asked_for_once_in_either_shape_of_its_template() {
    let submitted = json!({"category": "authentication", "components": [
        {"type": "BODY"}, {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]}]});
    let returned = json!({"category": "AUTHENTICATION", "components": [
        {"type": "BODY", "text": "*{{1}}* ialah kod anda.", "example": {"body_text": [["123456"]]}},
        {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Salin", "url": "https://www.whatsapp.com/otp/code/?code=otp{{1}}", "example": ["x"]}]}]});
    assert_eq!(listed(&submitted), ["body.1 code -"]);
    assert_eq!(listed(&returned), ["body.1 code 123456"]);
}

#[test]
fn cards_have_keys_of_their_own() {
    let card = json!({"components": [
        {"type": "HEADER", "format": "VIDEO"},
        {"type": "BODY", "text": "Only {{1}} today"},
        {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Buy", "url": "https://a.example/{{1}}"}]},
    ]});
    let one = template(json!([body("Hello", &[]), {"type": "CAROUSEL", "cards": [card, card]}]));
    assert_eq!(
        listed(&one),
        [
            "card.0.header.media video -",
            "card.0.body.1 text -",
            "card.0.button.0 url -",
            "card.1.header.media video -",
            "card.1.body.1 text -",
            "card.1.button.0 url -",
        ]
    );
}

#[test]
fn what_asks_for_nothing_lists_nothing() {
    let location =
        template(json!([{"type": "HEADER", "format": "LOCATION"}, body("Hello {{no name}}", &[])]));
    assert_eq!(listed(&location), ["header.location location -"]);
    assert_eq!(listed(&json!(null)), Vec::<String>::new());
}
