//! Messages other than templates and interactive ones (§6.2).

use serde_json::Value;

use super::fields::{at_most, missing, only, optional, required};
use crate::media::{MediaStore, class_of};
use crate::refusal::Refusal;

pub fn check(kind: &str, content: &Value, media: &MediaStore, now: i64) -> Result<(), Refusal> {
    match kind {
        "text" => text(content),
        "image" | "video" => {
            only(content, &["id", "link", "caption", "provider"], kind)?;
            caption(content, kind)?;
            file(kind, content, media, now)
        }
        "document" => {
            only(content, &["id", "link", "caption", "filename", "provider"], kind)?;
            caption(content, kind)?;
            optional(content, "filename", "document['filename']")?;
            file(kind, content, media, now)
        }
        "audio" => {
            only(content, &["id", "link", "voice", "provider"], kind)?;
            file(kind, content, media, now)
        }
        "sticker" => {
            only(content, &["id", "link", "provider"], kind)?;
            file(kind, content, media, now)
        }
        "location" => location(content),
        "contacts" => contacts(content),
        _ => reaction(content),
    }
}

fn text(content: &Value) -> Result<(), Refusal> {
    only(content, &["body", "preview_url"], "text")?;
    let body = required(content, "body", "text['body']")?;
    if body.trim().is_empty() {
        return Err(missing("text['body']"));
    }
    if content.get("preview_url").is_some_and(|flag| !flag.is_boolean()) {
        return Err(Refusal::parameter("Param text['preview_url'] must be a boolean."));
    }
    at_most(body, 4096, "text['body']")
}

fn caption(content: &Value, kind: &str) -> Result<(), Refusal> {
    let shown = format!("{kind}['caption']");
    at_most(
        optional(content, "caption", &shown)?.unwrap_or_default(),
        1024,
        &shown,
    )
}

/// A file by id, which must be ours and of the right kind, or by an address.
pub fn file(kind: &str, content: &Value, media: &MediaStore, now: i64) -> Result<(), Refusal> {
    let id = optional(content, "id", &format!("{kind}['id']"))?.filter(|id| !id.is_empty());
    let link = optional(content, "link", &format!("{kind}['link']"))?.filter(|link| !link.is_empty());
    match (id, link) {
        (None, None) => Err(missing(&format!("{kind}['id'] or {kind}['link']"))),
        (Some(_), Some(_)) => Err(Refusal::parameter(format!(
            "Param {kind} takes either id or link, not both."
        ))),
        (None, Some(link)) => match reqwest::Url::parse(link) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
            _ => Err(Refusal::parameter(format!(
                "Param {kind}['link'] is not a valid URI."
            ))),
        },
        (Some(id), None) => {
            let file = media.get(id, now).ok_or_else(|| {
                Refusal::new(131_009, format!("Media ID {id} does not exist or has expired."))
            })?;
            if class_of(&file.mime_type).is_none_or(|(class, _)| class != kind) {
                return Err(Refusal::new(
                    131_053,
                    format!("Media of type {} cannot be sent as {kind}.", file.mime_type),
                ));
            }
            let is_voice = content.get("voice").and_then(Value::as_bool) == Some(true);
            if is_voice && !file.mime_type.starts_with("audio/ogg") {
                return Err(Refusal::new(
                    131_053,
                    "Voice messages must be OGG files with the Opus codec.",
                ));
            }
            Ok(())
        }
    }
}

fn location(content: &Value) -> Result<(), Refusal> {
    only(content, &["latitude", "longitude", "name", "address"], "location")?;
    for (key, limit) in [("latitude", 90.0), ("longitude", 180.0)] {
        let shown = format!("location['{key}']");
        let value = content.get(key).ok_or_else(|| missing(&shown))?;
        let number = value
            .as_f64()
            .or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        if !number.is_some_and(|number| f64::abs(number) <= limit) {
            return Err(Refusal::parameter(format!(
                "Param {shown} must be a number between -{limit} and {limit}."
            )));
        }
    }
    for key in ["name", "address"] {
        optional(content, key, &format!("location['{key}']"))?;
    }
    Ok(())
}

fn contacts(content: &Value) -> Result<(), Refusal> {
    let Some(cards) = content.as_array() else {
        return Err(Refusal::parameter("Param contacts must be an array."));
    };
    if !(1..=257).contains(&cards.len()) {
        return Err(Refusal::parameter("Param contacts must have 1 to 257 elements."));
    }
    for (index, card) in cards.iter().enumerate() {
        let shown = format!("contacts[{index}]['name']");
        let name = card
            .get("name")
            .filter(|name| name.is_object())
            .ok_or_else(|| missing(&shown))?;
        required(name, "formatted_name", &format!("{shown}['formatted_name']"))?;
        let parts = ["first_name", "last_name", "middle_name", "prefix", "suffix"];
        if !parts
            .iter()
            .any(|part| name[part].as_str().is_some_and(|text| !text.is_empty()))
        {
            return Err(Refusal::new(
                131_009,
                format!("{shown} needs one more part beside formatted_name."),
            ));
        }
    }
    Ok(())
}

fn reaction(content: &Value) -> Result<(), Refusal> {
    only(content, &["message_id", "emoji"], "reaction")?;
    required(content, "message_id", "reaction['message_id']")?;
    match content.get("emoji") {
        None => Err(missing("reaction['emoji']")),
        Some(Value::String(emoji))
            if emoji.chars().any(char::is_alphanumeric) && !emoji.contains('\u{20e3}') =>
        {
            Err(Refusal::new(131_009, "reaction['emoji'] is not an emoji."))
        }
        Some(Value::String(_)) => Ok(()),
        Some(_) => Err(Refusal::parameter("Param reaction['emoji'] must be a string.")),
    }
}
