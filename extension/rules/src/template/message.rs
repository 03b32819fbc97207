//! What is sent of a template: exactly the parameters it asks for, in a form Meta takes.

use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;

use super::graph::{Action, Card, Component, File, Language, Message, Parameter};
use super::limits;
use super::model::{Button, ButtonKind, Content, Header, HeaderKind, Template};
use super::text::Text;
use super::values::{Values, link_end};

/// The answer of `template_message`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer<'a> {
    /// What to send, and the body as it will read.
    Message { message: Message<'a>, body: String },
    /// Values that are missing, or that Meta would refuse.
    Problems { problems: Vec<Problem> },
}

/// What is wrong with the value of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub key: String,
    pub message: String,
}

/// `tokens` are those of tracked links by the index of their button.
pub fn template_message<'a>(template: &'a Template, values: &'a Value, tokens: &'a Value) -> Answer<'a> {
    let mut writer = Writer {
        template,
        values: Values::new(values),
        tokens,
        problems: Vec::new(),
    };
    let (mut components, body) = writer.content(&template.content, limits::BODY);
    if !template.cards.is_empty() {
        let cards = template.cards.iter().enumerate();
        let cards = cards.map(|(card_index, card)| Card {
            card_index,
            components: writer.content(card, limits::CARD_BODY).0,
        });
        components.push(Component::Carousel {
            cards: cards.collect(),
        });
    }
    if template.has_expiring_offer {
        writer.refuse(
            "offer",
            "An offer that ends at a set time cannot be sent from here.",
        );
    }
    if template.name.is_empty() {
        writer.refuse("name", "The template has no name.");
    }
    if template.language.is_empty() {
        writer.refuse("language", "The template has no language.");
    }
    if !writer.problems.is_empty() {
        let problems = writer.problems;
        return Answer::Problems { problems };
    }
    let message = Message {
        name: &template.name,
        language: Language {
            code: &template.language,
        },
        components,
    };
    Answer::Message { message, body }
}

struct Writer<'a> {
    template: &'a Template,
    values: Values<'a>,
    tokens: &'a Value,
    problems: Vec<Problem>,
}

impl<'a> Writer<'a> {
    fn refuse(&mut self, key: &str, message: impl Into<String>) {
        self.problems.push(Problem {
            key: key.to_owned(),
            message: message.into(),
        });
    }

    /// The components of a message or card, and its body as it will read.
    fn content(&mut self, content: &'a Content, body_limit: usize) -> (Vec<Component<'a>>, String) {
        let mut components = Vec::new();
        if let Some(header) = &content.header {
            let parameters = self.header(header);
            if !parameters.is_empty() {
                components.push(Component::Header { parameters });
            }
        }
        let mut filled = String::new();
        if let Some(body) = &content.body {
            let (parameters, text) = self.text(body, "The body", body_limit);
            if !parameters.is_empty() {
                components.push(Component::Body { parameters });
            }
            filled = text;
        }
        let code = content.body.as_ref().and_then(|body| body.variables.first());
        let code = code.and_then(|code| self.values.text(&code.key));
        for (index, button) in content.buttons.iter().enumerate() {
            if let Some((sub_type, parameter)) = self.button(button, index, code.as_ref()) {
                components.push(Component::Button {
                    sub_type,
                    index: index.to_string(),
                    parameters: [parameter],
                });
            }
        }
        (components, filled)
    }

    fn header(&mut self, header: &'a Header) -> Vec<Parameter<'a>> {
        let parameter = match &header.kind {
            HeaderKind::Text(text) => return self.text(text, "The header", limits::HEADER).0,
            HeaderKind::Image => self.file(header).map(|image| Parameter::Image { image }),
            HeaderKind::Video => self.file(header).map(|video| Parameter::Video { video }),
            HeaderKind::Gif => self.file(header).map(|gif| Parameter::Gif { gif }),
            HeaderKind::Document => self.file(header).map(|document| Parameter::Document { document }),
            HeaderKind::Location => {
                let location = self.values.location(&header.key);
                if location.is_none() {
                    self.refuse(&header.key, "The header needs a latitude and a longitude.");
                }
                location.map(|location| Parameter::Location { location })
            }
            HeaderKind::Product => {
                self.refuse(
                    &header.key,
                    "A header that shows a product cannot be sent from here.",
                );
                None
            }
            // What Meta asks of a header we do not know, if anything, is for Meta to say.
            HeaderKind::Unknown(_) => None,
        };
        parameter.into_iter().collect()
    }

    fn file(&mut self, header: &'a Header) -> Option<File<'a>> {
        let kind = header.kind.name();
        let article = if kind == "image" { "an" } else { "a" };
        let Some(media) = self.values.media(&header.key) else {
            self.refuse(&header.key, format!("The header needs {article} {kind}."));
            return None;
        };
        let is_web = |link: &&str| link.starts_with("https://") || link.starts_with("http://");
        let link = media.link.filter(|link| media.id.is_none() && is_web(link));
        if media.id.is_none() && link.is_none() {
            self.refuse(
                &header.key,
                format!("The {kind} of the header needs a web address."),
            );
            return None;
        }
        let filename = media.filename.filter(|_| header.kind == HeaderKind::Document);
        Some(File {
            id: media.id,
            link,
            filename,
        })
    }

    /// The parameters of a text, and the text with them.
    fn text(&mut self, text: &'a Text, place: &str, limit: usize) -> (Vec<Parameter<'a>>, String) {
        let values = self.values;
        let given = text.variables.iter().map(|variable| values.text(&variable.key));
        let given: Vec<Option<Cow<'a, str>>> = given.collect();
        let filled = text.filled(&given);
        // Characters are at most bytes, which are known.
        let length = if filled.len() > limit {
            filled.chars().count()
        } else {
            0
        };
        if length > limit {
            // The longest value is the one to shorten; a text without variables has none.
            let size = |value: &Option<Cow<'_, str>>| value.as_ref().map_or(0, |value| value.len());
            let longest = text
                .variables
                .iter()
                .zip(&given)
                .max_by_key(|(_, value)| size(value));
            let key = longest.map_or("body", |(variable, _)| variable.key.as_str());
            let message =
                format!("{place} would have {length} characters with these values; {limit} are allowed.");
            self.refuse(key, message);
        }
        let is_named = self.template.is_named;
        let mut parameters = Vec::with_capacity(given.len());
        for (variable, value) in text.variables.iter().zip(given) {
            let Some(text) = value else {
                self.refuse(&variable.key, format!("{{{{{}}}}} has no value.", variable.name));
                continue;
            };
            if self.template.is_authentication() && text.chars().count() > limits::ONE_TIME_CODE {
                let message = format!("A code has at most {} characters.", limits::ONE_TIME_CODE);
                self.refuse(&variable.key, message);
            }
            parameters.push(Parameter::Text {
                parameter_name: is_named.then_some(variable.name.as_str()),
                text,
            });
        }
        (parameters, filled)
    }

    /// Only a button that asks for something is named in a message.
    fn button(
        &mut self,
        button: &'a Button,
        index: usize,
        code: Option<&Cow<'a, str>>,
    ) -> Option<(&'static str, Parameter<'a>)> {
        match button.kind {
            ButtonKind::Url if button.has_url_variable() => {
                let end = self.link_end(button, index)?;
                Some(("url", Parameter::text(end)))
            }
            ButtonKind::Otp => Some(("url", Parameter::text(code?.clone()))),
            ButtonKind::CopyCode => {
                let coupon_code = self.coupon(button)?;
                Some(("copy_code", Parameter::CouponCode { coupon_code }))
            }
            ButtonKind::Flow => {
                // Meta's own word for a flow that is opened without one.
                let flow_token = self.values.text(&button.key).unwrap_or("unused".into());
                let action = Action { flow_token };
                Some(("flow", Parameter::Action { action }))
            }
            ButtonKind::Products => {
                self.refuse(
                    &button.key,
                    "A button that shows products cannot be sent from here.",
                );
                None
            }
            _ => None,
        }
    }

    fn link_end(&mut self, button: &'a Button, index: usize) -> Option<Cow<'a, str>> {
        // Cards have no tracked buttons; theirs would be mistaken for those of the message.
        let token = match button.is_in_card {
            false => self.tokens[index.to_string()].as_str(),
            true => None,
        };
        let end = match token.filter(|token| !token.is_empty()) {
            Some(token) => Some(Cow::Borrowed(token)),
            None if button.destination.is_some() => None,
            None => self.values.text(&button.key),
        };
        let Some(end) = end.map(link_end) else {
            let message = format!("The link of the button “{}” has no end.", button.label);
            self.refuse(&button.key, message);
            return None;
        };
        let length = button.url_length(&end);
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
        let Some(coupon) = coupon else {
            self.refuse(&button.key, "The button that copies a code has no code.");
            return None;
        };
        if coupon.chars().count() > limits::COUPON {
            let message = format!("A coupon code has at most {} characters.", limits::COUPON);
            self.refuse(&button.key, message);
            return None;
        }
        Some(coupon)
    }
}
