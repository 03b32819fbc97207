//! From contacts to the values of their messages.

use octopush_rules::campaign::values::{Contact, Variables};
use octopush_rules::campaign::variables::check_campaign_variables;
use octopush_rules::segment::context::Context;
use octopush_rules::template::model::Template;
use serde_json::{Value, json};

fn values(variables: Value, contact: Value) -> Value {
    let contact: Contact = serde_json::from_value(contact).expect("a contact");
    Variables::parse(&variables).of(&contact)
}

fn aisyah() -> Value {
    json!({
        "id": "01900000-0000-7000-8000-000000000001", "full_name": " Nur  Aisyah\n", "phone": "+60123456789", "email": null,
        "company": "", "birthday": "1990-01-31", "address": {"city": "Ipoh", "zip": "30000"},
        "custom_fields": {"tier": "gold", "spend": 120.5, "member": true, "likes": ["tea", "cake"], "none": null},
    })
}

#[test]
fn fields_of_a_contact_as_a_message_says_them() {
    for (field, expected) in [
        ("full_name", "Nur Aisyah"),
        ("first_name", "Nur"),
        ("phone", "+60123456789"),
        ("email", "default"),
        ("company", "default"),
        ("job_title", "default"),
        ("birthday", "1990-01-31"),
        ("address.city", "Ipoh"),
        ("address.zip", "30000"),
        ("address.country", "default"),
        ("custom.tier", "gold"),
        ("custom.spend", "120.5"),
        ("custom.member", "yes"),
        ("custom.likes", "tea, cake"),
        ("custom.none", "default"),
        ("custom.gone", "default"),
    ] {
        let variables = json!({"body.1": {"source": "contact", "field": field, "default": " default "}});
        assert_eq!(
            values(variables, aisyah()),
            json!({"body.1": expected}),
            "{field}"
        );
    }
}

#[test]
fn fixed_values_are_kept_as_they_are_and_what_is_not_understood_gives_none() {
    let link = json!({"link": "https://a.example/a.png"});
    let variables = json!({
        "header.media": {"source": "static", "value": link},
        "body.1": {"source": "static", "value": "Sunday"},
        "body.2": {"source": "contact", "field": "email"},
        "body.3": {"source": "contact", "field": "password_hash", "default": "x"},
        "body.4": {"source": "oracle", "value": "x"},
        "body.5": {"source": "static", "value": null},
        "body.6": null,
    });
    assert_eq!(
        values(variables, aisyah()),
        json!({"header.media": link, "body.1": "Sunday"})
    );
    assert_eq!(values(json!(null), aisyah()), json!({}));
    let first = json!({"body.1": {"source": "contact", "field": "first_name", "default": "you"}});
    for contact in [
        json!({}),
        json!({"full_name": null, "address": null}),
        json!({"full_name": {"a": 1}, "custom_fields": 5}),
    ] {
        assert_eq!(values(first.clone(), contact), json!({"body.1": "you"}));
    }
}

fn template() -> Value {
    json!({
        "name": "raya", "language": "en", "category": "marketing", "parameter_format": "positional",
        "links": {"0": "https://shop.example"},
        "components": [
            {"type": "HEADER", "format": "IMAGE"},
            {"type": "BODY", "text": "Hi {{1}}, your tier is {{2}}."},
            {"type": "BUTTONS", "buttons": [
                {"type": "URL", "text": "Own", "url": "https://o.example/t/{{1}}"},
                {"type": "FLOW", "text": "Book", "flow_id": "1"},
            ]},
        ],
    })
}

/// `code key` of each problem.
fn problems(template: &Value, variables: Value) -> Vec<String> {
    let context = json!({"custom_fields": [{"key": "tier", "label": "Tier", "type": "text"}]});
    let context = Context::parse(&context).expect("a context");
    let found = check_campaign_variables(&Template::parse(template), &variables, &context);
    let line = |problem: &Value| {
        let text = |key: &str| problem[key].as_str().expect("a text").to_owned();
        assert!(!text("message").is_empty());
        format!("{} {}", text("code"), text("key"))
    };
    found.as_array().expect("a list").iter().map(line).collect()
}

fn complete() -> Value {
    json!({
        "header.media": {"source": "static", "value": {"link": "https://a.example/a.png"}},
        "body.1": {"source": "contact", "field": "first_name", "default": "you"},
        "body.2": {"source": "contact", "field": "custom.tier", "default": "none yet"},
    })
}

#[test]
fn a_complete_campaign_has_no_problems() {
    assert_eq!(problems(&template(), complete()), Vec::<String>::new());
    // What the template no longer asks for is in nobody's way.
    let mut more = complete();
    more["body.9"] = json!({"source": "static", "value": ""});
    assert_eq!(problems(&template(), more), Vec::<String>::new());
}

#[test]
fn every_variable_needs_a_value_for_every_contact() {
    assert_eq!(
        problems(&template(), json!(null)),
        ["missing header.media", "missing body.1", "missing body.2"]
    );
    for (key, entry, expected) in [
        (
            "body.1",
            json!({"source": "static", "value": " \n"}),
            "missing body.1",
        ),
        (
            "body.1",
            json!({"source": "contact", "field": "first_name"}),
            "missing body.1",
        ),
        (
            "body.1",
            json!({"source": "contact", "field": "first_name", "default": " "}),
            "missing body.1",
        ),
        (
            "body.1",
            json!({"source": "contact", "field": "password_hash", "default": "x"}),
            "unknown_field body.1",
        ),
        (
            "body.1",
            json!({"source": "contact", "field": "custom.gone", "default": "x"}),
            "unknown_field body.1",
        ),
        (
            "body.1",
            json!({"source": "contact", "default": "x"}),
            "unknown_field body.1",
        ),
        ("body.1", json!({"source": "oracle"}), "wrong_source body.1"),
        ("body.1", json!("Ali"), "wrong_source body.1"),
        (
            "header.media",
            json!({"source": "contact", "field": "full_name", "default": "x"}),
            "wrong_source header.media",
        ),
        (
            "header.media",
            json!({"source": "static", "value": {}}),
            "missing header.media",
        ),
        (
            "body.1",
            json!({"source": "static", "value": "x".repeat(1020)}),
            "refused body.1",
        ),
        (
            "body.1",
            json!({"source": "contact", "field": "first_name", "default": "x".repeat(1020)}),
            "refused body.1",
        ),
        (
            "header.media",
            json!({"source": "static", "value": {"link": "ftp://x"}}),
            "refused header.media",
        ),
    ] {
        let mut variables = complete();
        variables[key] = entry.clone();
        assert_eq!(problems(&template(), variables), [expected], "{entry}");
    }
}

#[test]
fn a_sample_we_hold_serves_as_the_header() {
    let mut held = template();
    held["components"][0]["media"] = json!({"path": "o/u/f.png", "mime": "image/png"});
    let mut variables = complete();
    variables
        .as_object_mut()
        .expect("an object")
        .remove("header.media");
    assert_eq!(problems(&held, variables.clone()), Vec::<String>::new());
    assert_eq!(problems(&template(), variables), ["missing header.media"]);
}
