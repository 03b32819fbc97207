//! A template as it is understood, from whatever is stored or Meta returns.

use serde_json::Value;
use std::collections::BTreeMap;

use super::placeholders::number;
use super::text::{Examples, Text};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    Marketing,
    Utility,
    Authentication,
}

/// What the head of a message shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderKind {
    Text(Text),
    Image,
    Video,
    /// A short film that plays by itself.
    Gif,
    Document,
    Location,
    Product,
    Unknown(String),
}

impl HeaderKind {
    /// As a message names it.
    pub fn name(&self) -> &str {
        match self {
            HeaderKind::Text(_) => "text",
            HeaderKind::Image => "image",
            HeaderKind::Video => "video",
            HeaderKind::Gif => "gif",
            HeaderKind::Document => "document",
            HeaderKind::Location => "location",
            HeaderKind::Product => "product",
            HeaderKind::Unknown(name) => name,
        }
    }

    pub fn is_media(&self) -> bool {
        matches!(
            self,
            HeaderKind::Image | HeaderKind::Video | HeaderKind::Gif | HeaderKind::Document
        )
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: HeaderKind,
    /// The key of a header that is no text: `header.media` or `header.location`.
    pub key: String,
    /// Our own copy of the sample, `{"path", "mime"}`.
    pub media: Option<Value>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ButtonKind {
    QuickReply,
    Url,
    Phone,
    CopyCode,
    Flow,
    /// Copies, or fills in, a one-time code.
    Otp,
    Catalog,
    /// Several products, which a send must list.
    Products,
    Unknown(String),
}

impl ButtonKind {
    /// As a rendered message names it.
    pub fn name(&self) -> &str {
        match self {
            ButtonKind::QuickReply => "quick_reply",
            ButtonKind::Url => "url",
            ButtonKind::Phone => "phone_number",
            ButtonKind::CopyCode => "copy_code",
            ButtonKind::Flow => "flow",
            ButtonKind::Otp => "otp",
            ButtonKind::Catalog => "catalog",
            ButtonKind::Products => "mpm",
            ButtonKind::Unknown(name) => name,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    pub kind: ButtonKind,
    pub label: String,
    /// The key of its value.
    pub key: String,
    pub url: Option<Text>,
    pub phone: Option<String>,
    pub example: Option<String>,
    /// Where a tracked button leads in the end.
    pub destination: Option<String>,
    pub is_in_card: bool,
}

impl Button {
    /// Whether a message must give the end of its link.
    pub fn has_url_variable(&self) -> bool {
        self.url.as_ref().is_some_and(|url| !url.variables.is_empty())
    }

    /// Characters of its link with this end.
    pub fn url_length(&self, end: &str) -> usize {
        let length = |url: &Text| {
            let ends: Vec<_> = url.variables.iter().map(|_| Some(end)).collect();
            url.filled(&ends).chars().count()
        };
        self.url.as_ref().map_or(0, length)
    }
}

/// A message or one card of a carousel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    pub header: Option<Header>,
    pub body: Option<Text>,
    pub footer: Option<String>,
    pub buttons: Vec<Button>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub name: String,
    pub language: String,
    pub category: Option<Category>,
    pub is_named: bool,
    pub content: Content,
    pub cards: Vec<Content>,
    /// Whether a send must tell when the offer ends.
    pub has_expiring_offer: bool,
}

/// The words WhatsApp gives every authentication template; a language of its own is Meta's to fill in.
const CODE_BODY: &str = "*{{1}}* is your verification code.";
const CODE_ADVICE: &str = " For your security, do not share this code.";

impl Template {
    pub fn parse(template: &Value) -> Template {
        let text = |key: &str| template[key].as_str().unwrap_or_default();
        let category = category(text("category"));
        let components = list(&template["components"]);
        let reader = Reader {
            is_authentication: category == Some(Category::Authentication),
            links: links(&template["links"]),
        };
        let cards = of_kind(components, "CAROUSEL").map_or(&[][..], |carousel| list(&carousel["cards"]));
        let cards: Vec<Content> = cards
            .iter()
            .enumerate()
            .map(|(index, card)| reader.content(list(&card["components"]), &format!("card.{index}.")))
            .collect();
        let content = reader.content(components, "");
        let offer = of_kind(components, "LIMITED_TIME_OFFER").map(|offer| &offer["limited_time_offer"]);
        let is_named = match text("parameter_format").to_ascii_lowercase().as_str() {
            "named" => true,
            "positional" => false,
            _ => std::iter::once(&content).chain(&cards).any(has_names),
        };
        Template {
            name: text("name").to_owned(),
            language: text("language").to_owned(),
            category,
            is_named,
            has_expiring_offer: offer.is_some_and(|offer| offer["has_expiration"] == true),
            content,
            cards,
        }
    }

    pub fn is_authentication(&self) -> bool {
        self.category == Some(Category::Authentication)
    }
}

/// A category in any case.
pub fn category(name: &str) -> Option<Category> {
    match name.to_ascii_lowercase().as_str() {
        "marketing" => Some(Category::Marketing),
        "utility" => Some(Category::Utility),
        "authentication" => Some(Category::Authentication),
        _ => None,
    }
}

/// The items of a list; nothing of anything else.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Whether a `type` or `format` is the one meant: Meta takes either case and returns capitals.
pub fn is_kind(value: &Value, kind: &str) -> bool {
    value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(kind))
}

fn of_kind<'a>(components: &'a [Value], kind: &str) -> Option<&'a Value> {
    components
        .iter()
        .find(|component| is_kind(&component["type"], kind))
}

fn has_names(content: &Content) -> bool {
    let header = content.header.as_ref().and_then(|header| match &header.kind {
        HeaderKind::Text(text) => Some(text),
        _ => None,
    });
    let texts = header.into_iter().chain(&content.body);
    texts
        .flat_map(|text| &text.variables)
        .any(|variable| number(&variable.name).is_none())
}

fn links(links: &Value) -> BTreeMap<usize, String> {
    let pairs = links.as_object().into_iter().flatten();
    pairs
        .filter_map(|(index, destination)| Some((index.parse().ok()?, destination.as_str()?.to_owned())))
        .collect()
}

struct Reader {
    is_authentication: bool,
    links: BTreeMap<usize, String>,
}

impl Reader {
    /// `prefix` is `card.<index>.` inside a carousel.
    fn content(&self, components: &[Value], prefix: &str) -> Content {
        let buttons = of_kind(components, "BUTTONS").map_or(&[][..], |component| list(&component["buttons"]));
        Content {
            header: of_kind(components, "HEADER").map(|header| self.header(header, prefix)),
            body: of_kind(components, "BODY").map(|body| self.body(body, prefix)),
            footer: of_kind(components, "FOOTER").and_then(footer),
            buttons: buttons
                .iter()
                .enumerate()
                .map(|(index, button)| self.button(button, index, prefix))
                .collect(),
        }
    }

    fn header(&self, header: &Value, prefix: &str) -> Header {
        let format = header["format"].as_str().unwrap_or("TEXT").to_ascii_uppercase();
        let kind = match format.as_str() {
            "TEXT" => HeaderKind::Text(Text::parse(
                header["text"].as_str().unwrap_or_default(),
                |name| format!("{prefix}header.{name}"),
                &Examples::new(header, "header_text"),
            )),
            "IMAGE" => HeaderKind::Image,
            "VIDEO" => HeaderKind::Video,
            "GIF" => HeaderKind::Gif,
            "DOCUMENT" => HeaderKind::Document,
            "LOCATION" => HeaderKind::Location,
            "PRODUCT" => HeaderKind::Product,
            other => HeaderKind::Unknown(other.to_ascii_lowercase()),
        };
        let key = match kind {
            HeaderKind::Location => format!("{prefix}header.location"),
            _ => format!("{prefix}header.media"),
        };
        Header {
            kind,
            key,
            media: header.get("media").filter(|media| media.is_object()).cloned(),
        }
    }

    fn body(&self, body: &Value, prefix: &str) -> Text {
        let advice = match &body["add_security_recommendation"] {
            Value::Bool(true) => CODE_ADVICE,
            _ => "",
        };
        let fixed = format!("{CODE_BODY}{advice}");
        let text = match body["text"].as_str() {
            Some(text) => text,
            None if self.is_authentication => &fixed,
            None => "",
        };
        Text::parse(
            text,
            |name| format!("{prefix}body.{name}"),
            &Examples::new(body, "body_text"),
        )
    }

    fn button(&self, button: &Value, index: usize, prefix: &str) -> Button {
        let text = |key: &str| button[key].as_str().map(str::to_owned);
        let key = format!("{prefix}button.{index}");
        let url = button["url"]
            .as_str()
            .map(|url| Text::parse(url, |_| key.clone(), &Examples::new(&Value::Null, "url")));
        let kind = match text("type").unwrap_or_default().to_ascii_uppercase().as_str() {
            "QUICK_REPLY" => ButtonKind::QuickReply,
            // Meta returns the button of an authentication template as a link.
            "URL" if self.is_authentication => ButtonKind::Otp,
            "URL" => ButtonKind::Url,
            "PHONE_NUMBER" => ButtonKind::Phone,
            "COPY_CODE" => ButtonKind::CopyCode,
            "FLOW" => ButtonKind::Flow,
            "OTP" => ButtonKind::Otp,
            "CATALOG" => ButtonKind::Catalog,
            "MPM" => ButtonKind::Products,
            other => ButtonKind::Unknown(other.to_ascii_lowercase()),
        };
        let label = text("text").unwrap_or_else(|| default_label(&kind).to_owned());
        let example = &button["example"];
        let example = example.as_str().or_else(|| example[0].as_str());
        let is_tracked = prefix.is_empty() && kind == ButtonKind::Url;
        Button {
            label,
            kind,
            key,
            url,
            phone: text("phone_number"),
            example: example.map(str::to_owned),
            destination: is_tracked.then(|| self.links.get(&index).cloned()).flatten(),
            is_in_card: !prefix.is_empty(),
        }
    }
}

/// What WhatsApp writes on a button that has no words of its own.
fn default_label(kind: &ButtonKind) -> &'static str {
    match kind {
        ButtonKind::CopyCode => "Copy offer code",
        ButtonKind::Otp => "Copy code",
        ButtonKind::Catalog => "View catalog",
        ButtonKind::Products => "View items",
        _ => "",
    }
}

fn footer(footer: &Value) -> Option<String> {
    if let Some(text) = footer["text"].as_str() {
        return Some(text.to_owned());
    }
    let minutes = footer["code_expiration_minutes"].as_u64()?;
    Some(format!("This code expires in {minutes} minutes."))
}
