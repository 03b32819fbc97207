//! What is sent of a template: Graph's `template` object with exactly the parameters it asks for.

use serde_json::{Value, json};
use std::borrow::Cow;

use super::limits;
use super::model::{Button, ButtonKind, Content, Header, HeaderKind, Template};
use super::text::Text;
use super::values::{Values, link_end};

/// The answer of `template_message`: `{"message", "body"}`, or `{"problems": [{"key", "message"}]}`.
pub fn template_message(template: &Template, values: &Value, tokens: &Value) -> Value {
    let mut writer = Writer {
        template,
        values: Values::new(values),
        tokens,
        problems: Vec::new(),
    };
    let (mut components, body) = writer.content(&template.content, limits::BODY);
    if !template.cards.is_empty() {
        let cards: Vec<Value> = template
            .cards
            .iter()
            .enumerate()
            .map(|(index, card)| {
                let (components, _) = writer.content(card, limits::CARD_BODY);
                json!({"card_index": index, "components": components})
            })
            .collect();
        components.push(json!({"type": "carousel", "cards": cards}));
    }
    if template.has_expiring_offer {
        writer.refuse(
            "offer",
            "An offer that ends at a set time cannot be sent from here.",
        );
    }
    for (key, text, what) in [
        ("name", &template.name, "name"),
        ("language", &template.language, "language"),
    ] {
        if text.is_empty() {
            writer.refuse(key, format!("The template has no {what}."));
        }
    }
    if !writer.problems.is_empty() {
        return json!({"problems": writer.problems});
    }
    let mut message = json!({"name": template.name, "language": {"code": template.language}});
    if !components.is_empty() {
        message["components"] = components.into();
    }
    json!({"message": message, "body": body})
}

struct Writer<'a> {
    template: &'a Template,
    values: Values<'a>,
    tokens: &'a Value,
    problems: Vec<Value>,
}

impl<'a> Writer<'a> {
    fn refuse(&mut self, key: &str, message: impl Into<String>) {
        self.problems.push(json!({"key": key, "message": message.into()}));
    }

    /// The components of a message or card, and its body as it will read.
    fn content(&mut self, content: &'a Content, body_limit: usize) -> (Vec<Value>, String) {
        let mut components = Vec::new();
        if let Some(header) = &content.header {
            components.extend(self.header(header));
        }
        let mut filled = String::new();
        if let Some(body) = &content.body {
            let (parameters, text) = self.text(body, "The body", body_limit);
            if !parameters.is_empty() {
                components.push(json!({"type": "body", "parameters": parameters}));
            }
            filled = text;
        }
        let code = content.body.as_ref().and_then(|body| body.variables.first());
        let code = code.and_then(|code| self.values.text(&code.key));
        for (index, button) in content.buttons.iter().enumerate() {
            components.extend(self.button(button, index, code.as_deref()));
        }
        (components, filled)
    }

    fn header(&mut self, header: &'a Header) -> Option<Value> {
        let kind = header.kind.name();
        let parameter = match &header.kind {
            HeaderKind::Text(text) => {
                let (parameters, _) = self.text(text, "The header", limits::HEADER);
                return (!parameters.is_empty()).then(|| json!({"type": "header", "parameters": parameters}));
            }
            HeaderKind::Location => {
                let place = self.values.location(&header.key);
                if place.is_none() {
                    self.refuse(&header.key, "The header needs a latitude and a longitude.");
                }
                json!({"type": "location", "location": place?})
            }
            HeaderKind::Product => {
                self.refuse(
                    &header.key,
                    "A header that shows a product cannot be sent from here.",
                );
                return None;
            }
            // What Meta asks of a header we do not know, if anything, is for Meta to say.
            HeaderKind::Unknown(_) => return None,
            _ => json!({"type": kind, kind: self.media(header)?}),
        };
        Some(json!({"type": "header", "parameters": [parameter]}))
    }

    fn media(&mut self, header: &Header) -> Option<Value> {
        let kind = header.kind.name();
        let article = if kind == "image" { "an" } else { "a" };
        let Some(media) = self.values.media(&header.key) else {
            self.refuse(&header.key, format!("The header needs {article} {kind}."));
            return None;
        };
        let mut file = match (media.id, media.link) {
            (Some(id), _) => json!({"id": id}),
            (None, Some(link)) if link.starts_with("https://") || link.starts_with("http://") => {
                json!({"link": link})
            }
            _ => {
                self.refuse(
                    &header.key,
                    format!("The {kind} of the header needs a web address."),
                );
                return None;
            }
        };
        if let (HeaderKind::Document, Some(filename)) = (&header.kind, media.filename) {
            file["filename"] = filename.into();
        }
        Some(file)
    }

    /// The parameters of a text, and the text with them.
    fn text(&mut self, text: &'a Text, place: &str, limit: usize) -> (Vec<Value>, String) {
        let given: Vec<Option<Cow<'a, str>>> = text
            .variables
            .iter()
            .map(|variable| self.values.text(&variable.key))
            .collect();
        let is_named = self.template.is_named;
        let mut parameters = Vec::with_capacity(given.len());
        for (variable, value) in text.variables.iter().zip(&given) {
            match value {
                None => self.refuse(&variable.key, format!("{{{{{}}}}} has no value.", variable.name)),
                Some(value)
                    if self.template.is_authentication() && value.chars().count() > limits::ONE_TIME_CODE =>
                {
                    let message = format!("A code has at most {} characters.", limits::ONE_TIME_CODE);
                    self.refuse(&variable.key, message);
                }
                Some(value) if is_named => {
                    parameters.push(json!({"type": "text", "parameter_name": variable.name, "text": value}))
                }
                Some(value) => parameters.push(json!({"type": "text", "text": value})),
            }
        }
        let filled = text.filled(&given);
        let length = filled.chars().count();
        if length > limit {
            // The longest value is the one to shorten; a text without variables has none.
            let lengths = given
                .iter()
                .map(|value| value.as_ref().map_or(0, |value| value.len()));
            let longest = text
                .variables
                .iter()
                .zip(lengths)
                .max_by_key(|(_, length)| *length);
            let key = longest.map_or("body", |(variable, _)| variable.key.as_str());
            let message =
                format!("{place} would have {length} characters with these values; {limit} are allowed.");
            self.refuse(key, message);
        }
        (parameters, filled)
    }

    /// Only a button that asks for something is named in a message.
    fn button(&mut self, button: &'a Button, index: usize, code: Option<&str>) -> Option<Value> {
        let (sub_type, parameter) = match button.kind {
            ButtonKind::Url if button.has_url_variable() => (
                "url",
                json!({"type": "text", "text": self.link_end(button, index)?}),
            ),
            ButtonKind::Otp => ("url", json!({"type": "text", "text": code?})),
            ButtonKind::CopyCode => {
                let coupon = self.coupon(button)?;
                ("copy_code", json!({"type": "coupon_code", "coupon_code": coupon}))
            }
            ButtonKind::Flow => {
                // Meta's own word for a flow that is opened without one.
                let token = self.values.text(&button.key).unwrap_or("unused".into());
                ("flow", json!({"type": "action", "action": {"flow_token": token}}))
            }
            ButtonKind::Products => {
                self.refuse(
                    &button.key,
                    "A button that shows products cannot be sent from here.",
                );
                return None;
            }
            _ => return None,
        };
        Some(
            json!({"type": "button", "sub_type": sub_type, "index": index.to_string(), "parameters": [parameter]}),
        )
    }

    fn link_end(&mut self, button: &'a Button, index: usize) -> Option<String> {
        let token = self.tokens[index.to_string()].as_str();
        let end = match token.filter(|token| !token.is_empty()) {
            Some(token) => Some(Cow::Borrowed(token)),
            None if button.destination.is_some() => None,
            None => self.values.text(&button.key),
        };
        let Some(end) = end else {
            let message = format!("The link of the button “{}” has no end.", button.label);
            self.refuse(&button.key, message);
            return None;
        };
        let end = link_end(&end).into_owned();
        let ends: Vec<_> = button
            .url
            .iter()
            .flat_map(|url| &url.variables)
            .map(|_| Some(&end))
            .collect();
        let length = button.url.as_ref().map_or(0, |url| url.filled(&ends).len());
        if length > limits::URL {
            let message = format!(
                "The link would have {length} characters; {} are allowed.",
                limits::URL
            );
            self.refuse(&button.key, message);
            return None;
        }
        Some(end)
    }

    fn coupon(&mut self, button: &Button) -> Option<Cow<'a, str>> {
        let coupon = self.values.text(&button.key);
        match &coupon {
            None => self.refuse(&button.key, "The button that copies a code has no code."),
            Some(code) if code.chars().count() > limits::COUPON => {
                let message = format!("A coupon code has at most {} characters.", limits::COUPON);
                self.refuse(&button.key, message);
                return None;
            }
            Some(_) => {}
        }
        coupon
    }
}
