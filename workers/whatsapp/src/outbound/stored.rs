//! From a row of the database to a message: `(type, body, payload)`, where the payload is the object Meta takes under the key named
//! like the type.

use serde_json::Value;

use super::limits::InvalidMessage;
use super::{Content, Interactive, Media, MediaSource, OutboundMessage, Recipient, Template};

impl OutboundMessage {
    /// Builds and checks a message.
    ///
    /// - `text`: `body`; payload may say `{"preview_url": true}`
    /// - `image`, `video`, `document`: payload `{id | link, caption?, filename?}`, `body` stands in for a missing caption
    /// - `audio`: `{id | link, voice?}`; `sticker`: `{id | link}`
    /// - `location`: `{latitude, longitude, name?, address?}`
    /// - `contacts`: `[card, …]` or `{"contacts": [card, …]}`
    /// - `reaction`: `{message_id}`; the emoji is `body`, or `emoji` of the payload; neither takes the reaction back
    /// - `interactive`: as posted to Meta; `template`: the same, or under `template` beside what else is kept of it
    ///
    /// Payload fields that belong to inbound messages only (`mime_type`, `sha256`, `url`, …) are left out.
    ///
    /// # Errors
    /// Names what is missing or breaks a limit.
    pub fn from_stored(
        to: Recipient,
        kind: &str,
        body: Option<&str>,
        payload: Option<&Value>,
    ) -> Result<Self, InvalidMessage> {
        let payload = payload.unwrap_or(&Value::Null);
        let body = body.filter(|text| !text.is_empty());
        let content = match kind {
            "text" => Content::Text {
                body: body
                    .map(str::to_owned)
                    .or_else(|| text(payload, "body"))
                    .unwrap_or_default(),
                preview_url: flag(payload, "preview_url"),
            },
            "image" => Content::Image(media(payload, body, None)?),
            "video" => Content::Video(media(payload, body, None)?),
            "document" => Content::Document(media(payload, body, text(payload, "filename"))?),
            "audio" => Content::Audio {
                source: source(payload)?,
                voice: flag(payload, "voice"),
            },
            "sticker" => Content::Sticker(source(payload)?),
            "location" => Content::Location {
                latitude: coordinate(payload, "latitude")?,
                longitude: coordinate(payload, "longitude")?,
                name: text(payload, "name"),
                address: text(payload, "address"),
            },
            "contacts" => Content::Contacts(
                payload
                    .as_array()
                    .or_else(|| payload.get("contacts").and_then(Value::as_array))
                    .cloned()
                    .unwrap_or_default(),
            ),
            "reaction" => Content::Reaction {
                message_id: text(payload, "message_id").unwrap_or_default(),
                emoji: body
                    .map(str::to_owned)
                    .or_else(|| text(payload, "emoji"))
                    .unwrap_or_default(),
            },
            "interactive" => Content::Interactive(Interactive::from_value(payload.clone())),
            "template" => Content::Template(template(payload.get("template").unwrap_or(payload))),
            other => return Err(InvalidMessage::new("type", format!("{other} cannot be sent"))),
        };
        let message = Self::new(to, content);
        message.validate()?;
        Ok(message)
    }
}

fn template(object: &Value) -> Template {
    let code = object.pointer("/language/code").and_then(Value::as_str);
    let components = object.get("components").and_then(Value::as_array);
    Template {
        name: text(object, "name").unwrap_or_default(),
        language: code
            .map(str::to_owned)
            .or_else(|| text(object, "language"))
            .unwrap_or_default(),
        components: components.cloned().unwrap_or_default(),
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value
        .get(key)?
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn source(payload: &Value) -> Result<MediaSource, InvalidMessage> {
    text(payload, "id")
        .map(MediaSource::Id)
        .or_else(|| text(payload, "link").map(MediaSource::Link))
        .ok_or_else(|| InvalidMessage::new("payload", "a file needs an id or a link"))
}

fn media(payload: &Value, body: Option<&str>, filename: Option<String>) -> Result<Media, InvalidMessage> {
    Ok(Media {
        source: source(payload)?,
        caption: text(payload, "caption").or_else(|| body.map(str::to_owned)),
        filename,
    })
}

fn coordinate(payload: &Value, key: &'static str) -> Result<f64, InvalidMessage> {
    let value = payload.get(key);
    value
        .and_then(Value::as_f64)
        .or_else(|| {
            value
                .and_then(Value::as_str)
                .and_then(|text| text.trim().parse().ok())
        })
        .ok_or_else(|| InvalidMessage::new(key, "must be a number"))
}
