//! Messages to customers (§6): built from typed parts or from what the database stored, checked against Meta's limits here, so that
//! what can be known to fail never costs a request.

mod interactive;
mod interactive_limits;
mod limits;
mod recipient;
mod stored;
mod template;

use serde_json::{Map, Value, json};

pub use interactive::Interactive;
pub use limits::InvalidMessage;
pub use recipient::Recipient;
pub use template::{Template, sanitize_parameter};

/// A message ready to be posted.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboundMessage {
    pub to: Recipient,
    pub content: Content,
    /// The message this one answers.
    pub context_message_id: Option<String>,
    /// Comes back in every status of this message (≤ 512 characters): the only link when the answer to the post is lost.
    pub biz_opaque_callback_data: Option<String>,
    /// Refuse to send when the person's encryption identity is another one.
    pub recipient_identity_key_hash: Option<String>,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Text {
        body: String,
        preview_url: bool,
    },
    Image(Media),
    Video(Media),
    /// `voice` shows it as a voice note; the file must be OGG with Opus then.
    Audio {
        source: MediaSource,
        voice: bool,
    },
    Document(Media),
    Sticker(MediaSource),
    Location {
        latitude: f64,
        longitude: f64,
        name: Option<String>,
        address: Option<String>,
    },
    /// Contact cards in Meta's shape (§3.8).
    Contacts(Vec<Value>),
    /// An empty `emoji` takes the reaction back.
    Reaction {
        message_id: String,
        emoji: String,
    },
    Interactive(Interactive),
    Template(Template),
}

/// A file Meta holds, or fetches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaSource {
    /// From an upload; belongs to the number that uploaded it and lives 30 days.
    Id(String),
    /// A public address; cached by Meta for ten minutes per exact text.
    Link(String),
}

/// A file with what is shown beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    pub source: MediaSource,
    pub caption: Option<String>,
    /// Documents only; decides the icon.
    pub filename: Option<String>,
}

impl OutboundMessage {
    /// A message with nothing but a recipient and content.
    #[must_use]
    pub fn new(to: Recipient, content: Content) -> Self {
        Self {
            to,
            content,
            context_message_id: None,
            biz_opaque_callback_data: None,
            recipient_identity_key_hash: None,
        }
    }

    /// A plain text.
    #[must_use]
    pub fn text(to: Recipient, body: impl Into<String>) -> Self {
        Self::new(
            to,
            Content::Text {
                body: body.into(),
                preview_url: false,
            },
        )
    }

    /// Quotes an earlier message.
    #[must_use]
    pub fn in_reply_to(mut self, wa_message_id: Option<String>) -> Self {
        self.context_message_id = wa_message_id;
        self
    }

    /// Sets the text that every status will carry back.
    #[must_use]
    pub fn with_callback_data(mut self, data: impl Into<String>) -> Self {
        self.biz_opaque_callback_data = Some(data.into());
        self
    }

    /// Whether Meta takes it outside the 24-hour window.
    #[must_use]
    pub fn is_template(&self) -> bool {
        matches!(self.content, Content::Template(_))
    }

    /// The body of `POST /{phone_number_id}/messages`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut body = Map::new();
        body.insert("messaging_product".into(), "whatsapp".into());
        body.insert("recipient_type".into(), self.to.recipient_type().into());
        let (key, address) = self.to.field();
        body.insert(key.into(), address.into());
        body.insert("type".into(), self.content.type_name().into());
        body.insert(self.content.type_name().into(), self.content.to_json());
        // A reaction names its message itself; Meta takes no context with it.
        if let (Some(id), false) = (
            &self.context_message_id,
            matches!(self.content, Content::Reaction { .. }),
        ) {
            body.insert("context".into(), json!({"message_id": id}));
        }
        if let Some(data) = &self.biz_opaque_callback_data {
            body.insert("biz_opaque_callback_data".into(), data.as_str().into());
        }
        if let Some(hash) = &self.recipient_identity_key_hash {
            body.insert("recipient_identity_key_hash".into(), hash.as_str().into());
        }
        Value::Object(body)
    }

    /// Checks every limit that is known before asking Meta.
    ///
    /// # Errors
    /// Names the field and the limit.
    pub fn validate(&self) -> Result<(), InvalidMessage> {
        limits::check(self)
    }
}

impl Content {
    /// Meta's name of the type, and of the key that holds the content.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Image(_) => "image",
            Self::Video(_) => "video",
            Self::Audio { .. } => "audio",
            Self::Document(_) => "document",
            Self::Sticker(_) => "sticker",
            Self::Location { .. } => "location",
            Self::Contacts(_) => "contacts",
            Self::Reaction { .. } => "reaction",
            Self::Interactive(_) => "interactive",
            Self::Template(_) => "template",
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Text { body, preview_url } => json!({"body": body, "preview_url": preview_url}),
            Self::Image(media) | Self::Video(media) | Self::Document(media) => media.to_json(),
            Self::Audio { source, voice } => {
                let mut object = source.to_object();
                if *voice {
                    object.insert("voice".into(), true.into());
                }
                Value::Object(object)
            }
            Self::Sticker(source) => Value::Object(source.to_object()),
            Self::Location {
                latitude,
                longitude,
                name,
                address,
            } => {
                let mut object = Map::new();
                object.insert("latitude".into(), json!(latitude));
                object.insert("longitude".into(), json!(longitude));
                put(&mut object, "name", name.as_deref());
                put(&mut object, "address", address.as_deref());
                Value::Object(object)
            }
            Self::Contacts(cards) => Value::Array(cards.clone()),
            Self::Reaction { message_id, emoji } => json!({"message_id": message_id, "emoji": emoji}),
            Self::Interactive(interactive) => interactive.as_value().clone(),
            Self::Template(template) => template.to_json(),
        }
    }
}

impl MediaSource {
    fn to_object(&self) -> Map<String, Value> {
        let (key, value) = match self {
            Self::Id(id) => ("id", id),
            Self::Link(link) => ("link", link),
        };
        Map::from_iter([(key.to_owned(), Value::String(value.clone()))])
    }
}

impl Media {
    fn to_json(&self) -> Value {
        let mut object = self.source.to_object();
        put(&mut object, "caption", self.caption.as_deref());
        put(&mut object, "filename", self.filename.as_deref());
        Value::Object(object)
    }
}

fn put(object: &mut Map<String, Value>, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        object.insert(key.to_owned(), value.into());
    }
}
