//! What passes and what does not, with Meta's subcodes.

use serde_json::{Value, json};

use super::{check_submission, variables};

fn template(changes: &[(&str, Value)]) -> Value {
    let mut body = json!({"name": "order_ready", "language": "en", "category": "UTILITY", "components": [
        {"type": "body", "text": "Hi {{1}}, your order {{2}} is ready for you.", "example": {"body_text": [["Mei", "77"]]}}]});
    for (key, value) in changes {
        body[*key] = value.clone();
    }
    body
}

fn body_component(text: &str, examples: Value) -> Value {
    json!([{"type": "BODY", "text": text, "example": {"body_text": examples}}])
}

#[test]
fn takes_good_ones_and_writes_types_in_capitals() {
    let submission = check_submission(&template(&[])).unwrap();
    assert_eq!(submission.components[0]["type"], "BODY");
    assert_eq!(submission.category, "UTILITY");
}

#[test]
fn finds_variables() {
    assert_eq!(variables("a {{1}} b {{ name }} {{"), ["1", "name"]);
}

#[test]
fn advertising_is_not_utility() {
    let text = json!([{"type": "BODY", "text": "Only today: 30 % off and a promo code"}]);
    assert_eq!(
        check_submission(&template(&[("components", text)]))
            .unwrap()
            .category,
        "MARKETING"
    );
}

#[test]
fn refuses_what_meta_refuses() {
    let subcode = |changes: &[(&str, Value)]| check_submission(&template(changes)).unwrap_err().subcode;
    for (key, value) in [
        ("name", json!("Order Ready")),
        ("name", json!("")),
        ("language", json!("en-US")),
        ("category", json!("NEWS")),
    ] {
        assert_eq!(
            check_submission(&template(&[(key, value)])).unwrap_err().code,
            100,
            "{key}"
        );
    }
    let components = |text: &str, examples| [("components", body_component(text, examples))];
    assert_eq!(
        subcode(&components("{{1}} is your order, thank you", json!([["a"]]))),
        Some(2_388_299)
    );
    assert_eq!(
        subcode(&components("your order is {{1}}", json!([["a"]]))),
        Some(2_388_299)
    );
    assert_eq!(
        subcode(&components(
            "Hi {{1}} {{2}} there you are now",
            json!([["a", "b"]])
        )),
        Some(2_388_047)
    );
    assert_eq!(
        subcode(&components("Hi {{2}}, how are you today?", json!([["a"]]))),
        Some(2_388_072)
    );
    assert_eq!(
        subcode(&components("Hi {{name}}, how are you today?", json!([["a"]]))),
        Some(2_388_072)
    );
    assert_eq!(
        subcode(&components("Hi {{1}}, how are you today?", json!([]))),
        Some(2_388_043)
    );
    assert_eq!(
        subcode(&components("a {{1}} b {{2}} c", json!([["a", "b"]]))),
        Some(2_388_293)
    );
    assert_eq!(
        subcode(&components(&"x".repeat(1025), json!([]))),
        Some(2_388_040)
    );
    let footer = json!([{"type": "BODY", "text": "hello there"}, {"type": "FOOTER", "text": "by {{1}}"}]);
    assert_eq!(subcode(&[("components", footer)]), Some(2_388_073));
    let header = json!([{"type": "BODY", "text": "hello there"}, {"type": "HEADER", "format": "IMAGE"}]);
    assert_eq!(subcode(&[("components", header)]), Some(2_388_273));
    let quick = json!({"type": "QUICK_REPLY", "text": "a"});
    let url = json!({"type": "URL", "text": "b", "url": "https://x.example"});
    let buttons =
        json!([{"type": "BODY", "text": "hello there"}, {"type": "BUTTONS", "buttons": [quick, url, quick]}]);
    assert_eq!(subcode(&[("components", buttons)]), Some(2_388_047));
    let open = json!({"type": "URL", "text": "b", "url": "https://x.example/{{1}}/more", "example": ["a"]});
    let buttons = json!([{"type": "BODY", "text": "hello there"}, {"type": "BUTTONS", "buttons": [open]}]);
    assert_eq!(subcode(&[("components", buttons)]), Some(2_388_047));
}
