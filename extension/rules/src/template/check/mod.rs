//! What Meta refuses of a template (errors) and what it often rejects (warnings), with advice.
//!
//! Codes: `malformed` (no shape Meta knows: what may not even be kept as a draft), `missing`, `too_long`, `name`,
//! `language`, `category`, `format`, `duplicate`, `unknown`, `variable`, `variable_order`, `variable_format`,
//! `variable_at_edge`, `variables_adjacent`, `too_many_variables`, `sample`, `line_break`, `emoji`, `markup`, `spacing`,
//! `button_count`, `button_order`, `label`, `url`, `phone`, `code`, `cards`, `link`, `fixed_text`; warnings only:
//! `promotional`, `short_link`, `opt_out`, `unsupported`.

mod authentication;
mod buttons;
mod carousel;
mod links;
mod problem;
mod texts;
mod wording;

use serde_json::Value;

use super::languages::{is_known, is_shaped};
use super::limits;
use super::model::{Category, category, is_kind};
use problem::Report;

/// What a component is checked against.
#[derive(Clone, Copy)]
struct Scope {
    category: Option<Category>,
    is_named: bool,
}

/// The answer of `check_template`.
pub fn check_template(template: &Value) -> Value {
    let mut report = Report::default();
    if !template.is_object() {
        report.error("", "malformed", "A template is an object.");
        return report.into_json();
    }
    check_name(&template["name"], &mut report);
    check_language(&template["language"], &mut report);
    let scope = Scope {
        category: check_category(&template["category"], &mut report),
        is_named: check_format(&template["parameter_format"], &mut report),
    };
    check_components(&template["components"], scope, &mut report);
    links::check(template, &mut report);
    if let Value::Array(components) = &template["components"] {
        wording::check(components, scope.category, &mut report);
    }
    report.into_json()
}

/// A text, or an error where it is none; nothing given is an empty one.
fn text<'a>(value: &'a Value, path: &str, report: &mut Report) -> &'a str {
    match value {
        Value::String(text) => text,
        Value::Null => "",
        _ => {
            report.error(path, "malformed", "This is not a text.");
            ""
        }
    }
}

fn check_name(name: &Value, report: &mut Report) {
    let name = text(name, "/name", report);
    let is_plain = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if name.is_empty() {
        report.error("/name", "missing", "Give the template a name.");
    } else if !is_plain {
        let message = "A name has only small letters, digits and underscores, such as order_update.";
        report.error("/name", "name", message);
    } else if name.len() > limits::NAME {
        report.error(
            "/name",
            "too_long",
            format!("A name has at most {} characters.", limits::NAME),
        );
    }
}

fn check_language(language: &Value, report: &mut Report) {
    let language = text(language, "/language", report);
    if language.is_empty() {
        report.error("/language", "missing", "Choose the language.");
    } else if !is_shaped(language) {
        report.error(
            "/language",
            "language",
            "A language is written as en, en_US or zh_CN.",
        );
    } else if !is_known(language) {
        let message = format!("{language} is not among the languages we know of; Meta may refuse it.");
        report.warning("/language", "language", message);
    }
}

fn check_category(given: &Value, report: &mut Report) -> Option<Category> {
    let given = text(given, "/category", report);
    let found = category(given);
    if given.is_empty() {
        report.error("/category", "missing", "Choose a category.");
    } else if found.is_none() {
        let message = "The category is marketing, utility or authentication.";
        report.error("/category", "category", message);
    }
    found
}

/// Whether variables have names; they have numbers unless it says so.
fn check_format(format: &Value, report: &mut Report) -> bool {
    let format = text(format, "/parameter_format", report).to_ascii_lowercase();
    if !["", "positional", "named"].contains(&format.as_str()) {
        let message = "Variables are either positional or named.";
        report.error("/parameter_format", "format", message);
    }
    format == "named"
}

fn check_components(components: &Value, scope: Scope, report: &mut Report) {
    let components = match components {
        Value::Array(components) => components.as_slice(),
        Value::Null => &[],
        _ => return report.error("/components", "malformed", "The components are a list."),
    };
    let mut seen: Vec<String> = Vec::new();
    let has_cards = components
        .iter()
        .any(|component| is_kind(&component["type"], "CAROUSEL"));
    for (index, component) in components.iter().enumerate() {
        let path = format!("/components/{index}");
        let Some(kind) = component["type"].as_str().map(str::to_ascii_uppercase) else {
            report.error(&path, "malformed", "A component has a type.");
            continue;
        };
        if seen.contains(&kind) {
            let message = format!("There is more than one {}.", kind.to_ascii_lowercase());
            report.error(&path, "duplicate", message);
        }
        check_component(component, &kind, &path, scope, has_cards, report);
        seen.push(kind);
    }
    if !seen.iter().any(|kind| kind == "BODY") {
        report.error("/components", "missing", "Write the body of the message.");
    }
    if scope.category == Some(Category::Authentication) {
        authentication::check_whole(components, report);
    }
}

fn check_component(
    component: &Value,
    kind: &str,
    path: &str,
    scope: Scope,
    has_cards: bool,
    report: &mut Report,
) {
    let is_code = scope.category == Some(Category::Authentication);
    if has_cards && ["HEADER", "FOOTER", "BUTTONS"].contains(&kind) {
        let message = "A carousel has only a body and cards; put this into the cards.";
        return report.error(path, "cards", message);
    }
    match kind {
        "HEADER" if is_code => {
            report.error(path, "fixed_text", "An authentication template has no header.");
        }
        "BODY" if is_code => authentication::check_body(component, path, report),
        "FOOTER" if is_code => authentication::check_footer(component, path, report),
        "BUTTONS" if is_code => authentication::check_buttons(component, path, report),
        "HEADER" => texts::check_header(component, path, scope, report),
        "BODY" => texts::check_body(component, path, limits::BODY, scope, report),
        "FOOTER" => texts::check_footer(component, path, report),
        "BUTTONS" => buttons::check(component, path, limits::BUTTONS, report),
        "CAROUSEL" if is_code => {
            report.error(path, "fixed_text", "An authentication template has no carousel.");
        }
        "CAROUSEL" => carousel::check(component, path, scope, report),
        "LIMITED_TIME_OFFER" => check_offer(component, path, report),
        "CALL_PERMISSION_REQUEST" => {}
        _ => {
            let message = format!("{kind} is a part we do not know. It is kept, and Meta decides about it.");
            report.warning(path, "unknown", message);
        }
    }
}

fn check_offer(component: &Value, path: &str, report: &mut Report) {
    let offer = &component["limited_time_offer"];
    let at = format!("{path}/limited_time_offer/text");
    let words = text(&offer["text"], &at, report);
    if words.is_empty() {
        report.error(&at, "missing", "Write what the offer is.");
    } else if words.chars().count() > limits::OFFER {
        report.error(
            &at,
            "too_long",
            format!("The offer has at most {} characters.", limits::OFFER),
        );
    }
    if offer["has_expiration"] == true {
        let message = "An offer that ends at a set time can be submitted, but not sent from here.";
        report.warning(path, "unsupported", message);
    }
}
