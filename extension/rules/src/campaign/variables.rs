//! Whether a campaign gives every variable of its template a value, for every contact.

use serde_json::{Map, Value, json};

use super::values::{Field, Source, source};
use crate::segment::context::Context;
use crate::template::message::{Answer, template_message};
use crate::template::model::{Content, Template};
use crate::template::values::Values;
use crate::template::variables::template_variables;

/// The answer of `check_campaign_variables`. Codes: `missing` (no entry, no value, no default), `wrong_source`,
/// `unknown_field`, `refused` (Meta would refuse the value).
pub fn check_campaign_variables(template: &Template, variables: &Value, context: &Context) -> Value {
    let mut problems = Vec::new();
    let mut sample = Map::new();
    let asked = template_variables(template);
    for variable in asked.as_array().into_iter().flatten() {
        let (key, kind) = (text(variable, "key"), text(variable, "kind"));
        let label = text(variable, "label");
        match checked(key, kind, &variables[key], context, template) {
            Ok(Some(value)) => {
                sample.insert(key.to_owned(), value);
            }
            Ok(None) => {}
            Err((code, message)) => {
                problems.push(json!({"key": key, "code": code, "message": format!("{label}: {message}")}));
            }
        }
    }
    if problems.is_empty() {
        problems = refused(template, sample);
    }
    Value::Array(problems)
}

/// The value a contact without data of its own would get; none where the send has another.
fn checked(
    key: &str,
    kind: &str,
    entry: &Value,
    context: &Context,
    template: &Template,
) -> Result<Option<Value>, (&'static str, String)> {
    let is_file = matches!(kind, "image" | "video" | "document" | "location");
    let missing = |message: &str| Err(("missing", message.to_owned()));
    if entry.is_null() {
        // A flow opens without a token, and a sample we hold serves as the file.
        let is_optional = kind == "flow" || (is_file && has_sample(template, key));
        return if is_optional {
            Ok(None)
        } else {
            missing("choose a value.")
        };
    }
    let field = entry["field"].as_str().unwrap_or_default();
    match entry["source"].as_str() {
        Some("static") => {
            let value = &entry["value"];
            let one = json!({key: value});
            let values = Values::new(&one);
            let has_value = match kind {
                "location" => values.location(key).is_some(),
                _ if is_file => values.media(key).is_some(),
                _ => values.text(key).is_some(),
            };
            match (has_value, kind) {
                (true, _) => Ok(Some(value.clone())),
                (false, "flow") if value.is_null() || *value == "" => Ok(None),
                (false, "location") => missing("give a latitude and a longitude."),
                (false, _) if is_file && has_sample(template, key) && value.is_null() => Ok(None),
                (false, _) if is_file => missing("choose a file."),
                (false, _) => missing("write a value."),
            }
        }
        Some("contact") if is_file => Err((
            "wrong_source",
            format!("{} is the same for everyone.", article(kind)),
        )),
        Some("contact") => match source(entry) {
            None => Err(("unknown_field", "choose a field of the contact.".into())),
            Some(Source::Contact {
                field: Field::Custom(custom),
                ..
            }) if context.custom_field(&custom).is_none() => {
                Err(("unknown_field", format!("there is no field “{field}” any more.")))
            }
            Some(Source::Contact {
                default: Some(default),
                ..
            }) => Ok(Some(default.into())),
            Some(_) => missing("write what contacts get whose field is empty."),
        },
        _ => Err((
            "wrong_source",
            "take a fixed value or a field of the contact.".into(),
        )),
    }
}

/// What Meta would refuse of the message that has only fixed values and defaults.
fn refused(template: &Template, sample: Map<String, Value>) -> Vec<Value> {
    let mut values = sample;
    for content in std::iter::once(&template.content).chain(&template.cards) {
        if let Some(header) = content.header.as_ref().filter(|header| header.media.is_some()) {
            let link = json!({"link": "https://example.com/sample"});
            values.entry(header.key.clone()).or_insert(link);
        }
    }
    let tokens: Map<String, Value> = (0..template.content.buttons.len())
        .filter(|index| template.content.buttons[*index].destination.is_some())
        .map(|index| (index.to_string(), "A".repeat(TOKEN).into()))
        .collect();
    let (values, tokens) = (Value::Object(values), Value::Object(tokens));
    match template_message(template, &values, &tokens) {
        Answer::Message { .. } => Vec::new(),
        Answer::Problems { problems } => problems
            .into_iter()
            .map(|problem| json!({"key": problem.key, "code": "refused", "message": problem.message}))
            .collect(),
    }
}

/// Characters of a tracked link's token.
const TOKEN: usize = 22;

fn has_sample(template: &Template, key: &str) -> bool {
    let has = |content: &Content| {
        content
            .header
            .as_ref()
            .is_some_and(|header| header.key == key && header.media.is_some())
    };
    std::iter::once(&template.content).chain(&template.cards).any(has)
}

fn article(kind: &str) -> &'static str {
    match kind {
        "image" => "an image",
        "video" => "a video",
        "document" => "a document",
        _ => "a location",
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
