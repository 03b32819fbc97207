//! Meta's limits on messages (§6.2, §6.3), checked before posting.

use std::collections::HashSet;

use serde_json::Value;

use super::{Content, Media, MediaSource, OutboundMessage, Recipient, Template};

/// What is wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidMessage {
    /// Where, as a path in Meta's terms: `interactive.action.buttons`.
    pub field: String,
    pub problem: String,
}

impl InvalidMessage {
    pub(crate) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            problem: problem.into(),
        }
    }
}

type Check = Result<(), InvalidMessage>;

pub(super) fn check(message: &OutboundMessage) -> Check {
    recipient(&message.to)?;
    if let Some(data) = &message.biz_opaque_callback_data {
        at_most("biz_opaque_callback_data", data, 512)?;
    }
    if let Some(id) = &message.context_message_id {
        required("context.message_id", id)?;
    }
    match &message.content {
        Content::Text { body, .. } => within("text.body", body, 4096),
        Content::Image(media) => file("image", media),
        Content::Video(media) => file("video", media),
        Content::Document(media) => file("document", media),
        Content::Audio { source, .. } => location_of_file("audio", source),
        Content::Sticker(source) => location_of_file("sticker", source),
        Content::Location {
            latitude, longitude, ..
        } => {
            in_range("location.latitude", *latitude, 90.0)?;
            in_range("location.longitude", *longitude, 180.0)
        }
        Content::Contacts(cards) => contacts(cards),
        Content::Reaction { message_id, emoji } => {
            required("reaction.message_id", message_id)?;
            at_most("reaction.emoji", emoji, 32)
        }
        Content::Interactive(interactive) => super::interactive_limits::check(interactive.as_value()),
        Content::Template(content) => template(content),
    }
}

fn recipient(to: &Recipient) -> Check {
    match to {
        Recipient::Phone(number) => {
            let digits = number.strip_prefix('+').unwrap_or_default();
            let is_e164 = (7..=15).contains(&digits.len())
                && digits.bytes().all(|byte| byte.is_ascii_digit())
                && !digits.starts_with('0');
            if is_e164 {
                Ok(())
            } else {
                Err(InvalidMessage::new("to", "must be + and 7 to 15 digits"))
            }
        }
        Recipient::UserId(id) => {
            let is_bsuid = id.split_once('.').is_some_and(|(country, rest)| {
                country.len() == 2
                    && country.bytes().all(|byte| byte.is_ascii_uppercase())
                    && !rest.is_empty()
            });
            if is_bsuid {
                Ok(())
            } else {
                Err(InvalidMessage::new(
                    "recipient",
                    "is not a business-scoped user id",
                ))
            }
        }
        Recipient::Group(id) => required("to", id),
    }
}

fn file(field: &str, media: &Media) -> Check {
    location_of_file(field, &media.source)?;
    match &media.caption {
        Some(caption) => at_most(&format!("{field}.caption"), caption, 1024),
        None => Ok(()),
    }
}

fn location_of_file(field: &str, source: &MediaSource) -> Check {
    match source {
        MediaSource::Id(id) => required(&format!("{field}.id"), id),
        MediaSource::Link(link) => web_address(&format!("{field}.link"), link),
    }
}

fn contacts(cards: &[Value]) -> Check {
    if !(1..=257).contains(&cards.len()) {
        return Err(InvalidMessage::new("contacts", "must hold 1 to 257 cards"));
    }
    for (index, card) in cards.iter().enumerate() {
        let field = format!("contacts[{index}].name");
        let name = card.get("name").and_then(Value::as_object);
        let has = |part: &str| {
            name.and_then(|n| n.get(part)?.as_str())
                .is_some_and(|text| !text.is_empty())
        };
        if !has("formatted_name") {
            return Err(InvalidMessage::new(field, "needs a formatted_name"));
        }
        if !["first_name", "last_name", "middle_name", "prefix", "suffix"]
            .into_iter()
            .any(has)
        {
            return Err(InvalidMessage::new(
                field,
                "needs one more part beside formatted_name",
            ));
        }
    }
    Ok(())
}

fn template(template: &Template) -> Check {
    let is_name = (1..=512).contains(&template.name.len())
        && template
            .name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !is_name {
        return Err(InvalidMessage::new(
            "template.name",
            "must be lowercase letters, digits and underscores",
        ));
    }
    let is_language = (2..=12).contains(&template.language.len())
        && template
            .language
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_language {
        return Err(InvalidMessage::new(
            "template.language.code",
            "must look like en or en_US",
        ));
    }
    for (index, component) in template.components.iter().enumerate() {
        let field = format!("template.components[{index}]");
        if component.get("type").and_then(Value::as_str).is_none() {
            return Err(InvalidMessage::new(field, "needs a type"));
        }
        let parameters = component
            .get("parameters")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        for (at, parameter) in parameters.iter().enumerate() {
            if let Some(text) = parameter.get("text").and_then(Value::as_str) {
                parameter_text(&format!("{field}.parameters[{at}].text"), text)?;
            }
        }
    }
    Ok(())
}

fn parameter_text(field: &str, text: &str) -> Check {
    required(field, text)?;
    if text.contains(['\n', '\r', '\t']) || text.contains("     ") {
        return Err(InvalidMessage::new(
            field,
            "must have no line break, tab or more than four spaces in a row",
        ));
    }
    Ok(())
}

/// Meta counts characters, not bytes.
pub(super) fn at_most(field: &str, text: &str, limit: usize) -> Check {
    let length = text.chars().count();
    if length > limit {
        return Err(InvalidMessage::new(
            field,
            format!("is {length} characters long, {limit} are allowed"),
        ));
    }
    Ok(())
}

pub(super) fn required(field: &str, text: &str) -> Check {
    if text.trim().is_empty() {
        return Err(InvalidMessage::new(field, "is missing"));
    }
    Ok(())
}

pub(super) fn within(field: &str, text: &str, limit: usize) -> Check {
    required(field, text)?;
    at_most(field, text, limit)
}

pub(super) fn web_address(field: &str, address: &str) -> Check {
    match reqwest::Url::parse(address) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        _ => Err(InvalidMessage::new(field, "is not a web address")),
    }
}

pub(super) fn distinct(field: &str, values: &[&str]) -> Check {
    let mut seen = HashSet::new();
    match values.iter().find(|value| !seen.insert(**value)) {
        Some(value) => Err(InvalidMessage::new(field, format!("{value} stands twice"))),
        None => Ok(()),
    }
}

fn in_range(field: &str, value: f64, limit: f64) -> Check {
    if value.is_finite() && value.abs() <= limit {
        return Ok(());
    }
    Err(InvalidMessage::new(
        field,
        format!("must lie between -{limit} and {limit}"),
    ))
}
