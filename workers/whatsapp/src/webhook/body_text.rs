//! The one line of plain text an inbox can show for any message, taken from wherever its type keeps it.

use serde_json::Value;

use super::reading::{items, text, text_at};

/// `None` when the message has no words of its own (an image without a caption, a withdrawn reaction).
pub(super) fn shown_text(meta_type: &str, message: &Value) -> Option<String> {
    let content = message.get(meta_type)?;
    match meta_type {
        "text" => text(content, "body"),
        "image" | "video" | "audio" | "voice" | "sticker" => text(content, "caption"),
        "document" => text(content, "caption").or_else(|| text(content, "filename")),
        "location" => text(content, "name")
            .or_else(|| text(content, "address"))
            .or_else(|| coordinates(content)),
        "contacts" => contact_names(message),
        "interactive" => interactive(content),
        "button" => text(content, "text").or_else(|| text(content, "payload")),
        "reaction" => text(content, "emoji"),
        "order" => text(content, "text").or_else(|| order(content)),
        "system" => text(content, "body"),
        "template" => text(content, "name"),
        _ => text(content, "body").or_else(|| text(content, "caption")),
    }
}

fn coordinates(location: &Value) -> Option<String> {
    Some(format!(
        "{}, {}",
        text(location, "latitude")?,
        text(location, "longitude")?
    ))
}

fn contact_names(message: &Value) -> Option<String> {
    let names: Vec<String> = items(message, "contacts")
        .iter()
        .filter_map(|card| {
            text_at(card, &["name", "formatted_name"]).or_else(|| {
                let parts = ["first_name", "last_name"].map(|part| text_at(card, &["name", part]));
                let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
                (!name.is_empty()).then_some(name)
            })
        })
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn interactive(content: &Value) -> Option<String> {
    let kind = text(content, "type")?;
    let reply = content.get(&kind);
    reply
        .and_then(|reply| {
            text(reply, "title")
                .or_else(|| text(reply, "body"))
                .or_else(|| text(reply, "response"))
                .or_else(|| text(reply, "name"))
        })
        // Echoes carry interactive messages as they are sent.
        .or_else(|| text_at(content, &["body", "text"]))
}

fn order(content: &Value) -> Option<String> {
    let count = items(content, "product_items").len();
    (count > 0).then(|| format!("{count} {}", if count == 1 { "product" } else { "products" }))
}
