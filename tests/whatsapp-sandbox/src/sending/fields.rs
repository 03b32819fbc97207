//! Reading fields of a request the way the Graph API does, with its words when one is missing or wrong.

use serde_json::Value;

use crate::refusal::Refusal;

pub fn messaging_product(body: &Value) -> Result<(), Refusal> {
    match body.get("messaging_product").and_then(Value::as_str) {
        Some("whatsapp") => Ok(()),
        Some(_) => Err(Refusal::parameter(
            "Param messaging_product must be one of {\"WHATSAPP\"}",
        )),
        None => Err(Refusal::parameter("The parameter messaging_product is required.")),
    }
}

/// A text that must be there and not be empty.
pub fn required<'a>(object: &'a Value, key: &str, shown: &str) -> Result<&'a str, Refusal> {
    match object.get(key) {
        None | Some(Value::Null) => Err(missing(shown)),
        Some(Value::String(text)) if text.is_empty() => Err(missing(shown)),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Refusal::parameter(format!("Param {shown} must be a string."))),
    }
}

/// A text that may be absent.
pub fn optional<'a>(object: &'a Value, key: &str, shown: &str) -> Result<Option<&'a str>, Refusal> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::parameter(format!("Param {shown} must be a string."))),
    }
}

pub fn missing(shown: &str) -> Refusal {
    Refusal::new(131_008, format!("The parameter {shown} is required."))
}

pub fn at_most(text: &str, limit: usize, shown: &str) -> Result<(), Refusal> {
    if text.chars().count() > limit {
        return Err(Refusal::parameter(format!(
            "Param {shown} must be at most {limit} characters long."
        )));
    }
    Ok(())
}

/// Refuses fields that the object does not have.
pub fn only(object: &Value, allowed: &[&str], shown: &str) -> Result<(), Refusal> {
    let Some(fields) = object.as_object() else {
        return Err(Refusal::parameter(format!(
            "Param {shown} must be a JSON object."
        )));
    };
    match fields.keys().find(|key| !allowed.contains(&key.as_str())) {
        Some(key) => Err(Refusal::parameter(format!(
            "Unexpected key \"{key}\" on param \"{shown}\"."
        ))),
        None => Ok(()),
    }
}
