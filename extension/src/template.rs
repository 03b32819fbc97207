//! Message templates: checked, listed, rendered and made into what is sent.

use octopush_rules::template::{check, message, model::Template, render, variables};
use pgrx::JsonB;
use pgrx::prelude::*;
use serde_json::Value;

use crate::cached::Cached;
use crate::json_text::JsonText;

/// `[]`, or what Meta refuses (errors) and often rejects (warnings), with the JSON pointer of each.
#[pg_extern(immutable, parallel_safe)]
fn check_template(template: JsonText) -> JsonB {
    JsonB(check::check_template(&template.read()))
}

/// What the template asks for, each variable once.
#[pg_extern(immutable, parallel_safe)]
fn template_variables(template: JsonText) -> JsonB {
    JsonB(variables::template_variables(&Template::parse(&template.read())))
}

/// How the message looks; a missing value shows its placeholder. Null values stand for none.
#[pg_extern(immutable, parallel_safe)]
fn render_template(template: Option<Cached<Template>>, values: Option<JsonText>) -> Option<JsonB> {
    Some(JsonB(render::render_template(template?.get(), &read(values))))
}

/// Graph's `template` object and the body's text, or the problems of the values. Null values and links stand for none.
#[pg_extern(immutable, parallel_safe)]
fn template_message(
    template: Option<Cached<Template>>,
    values: Option<JsonText>,
    links: Option<JsonText>,
) -> Option<JsonText> {
    let (values, links) = (read(values), read(links));
    let template = template?;
    let answer = message::template_message(template.get(), &values, &links);
    Some(JsonText::of(&answer))
}

fn read(json: Option<JsonText>) -> Value {
    json.map_or(Value::Null, |json| json.read())
}
