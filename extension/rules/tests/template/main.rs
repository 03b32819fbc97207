//! Message templates: checking, listing, rendering, sending.

mod checking;
mod checking_parts;
mod hostile;
mod listing;
mod properties;
mod rendering;
mod sending;

use octopush_rules::template::check::check_template;
use octopush_rules::template::message::template_message;
use octopush_rules::template::model::Template;
use serde_json::{Value, json};

/// A marketing template in English with these components, variables by number.
pub fn template(components: Value) -> Value {
    json!({
        "name": "raya_sale", "language": "en", "category": "marketing", "parameter_format": "positional",
        "components": components,
    })
}

/// The same with `BODY` alone.
pub fn with_body(text: &str, samples: &[&str]) -> Value {
    template(json!([body(text, samples)]))
}

pub fn body(text: &str, samples: &[&str]) -> Value {
    match samples {
        [] => json!({"type": "BODY", "text": text}),
        _ => json!({"type": "BODY", "text": text, "example": {"body_text": [samples]}}),
    }
}

/// A good body and these buttons.
pub fn with_buttons(buttons: Value) -> Value {
    template(json!([body("Reply STOP to opt out.", &[]), {"type": "BUTTONS", "buttons": buttons}]))
}

/// `severity code path` of each problem.
pub fn problems(template: &Value) -> Vec<String> {
    let found = check_template(template);
    let line = |problem: &Value| {
        let text = |key: &str| problem[key].as_str().expect("a text").to_owned();
        assert!(!text("message").is_empty());
        format!("{} {} {}", text("severity"), text("code"), text("path"))
    };
    found.as_array().expect("a list").iter().map(line).collect()
}

pub fn errors(template: &Value) -> Vec<String> {
    let found = problems(template).into_iter();
    found
        .filter_map(|line| line.strip_prefix("error ").map(str::to_owned))
        .collect()
}

/// The answer of `template_message` as JSON.
pub fn message(template: &Value, values: &Value, tokens: &Value) -> Value {
    let template = Template::parse(template);
    serde_json::to_value(template_message(&template, values, tokens)).expect("JSON")
}
