//! What every send has in common (§6.1).

use serde_json::Value;

use super::fields::{at_most, messaging_product, missing, optional, required};
use crate::directory::{country_code, digits};
use crate::refusal::Refusal;

#[derive(Debug, PartialEq, Eq)]
pub enum Target {
    /// International digits.
    Phone(String),
    UserId(String),
    Group(String),
}

#[derive(Debug)]
pub struct Frame<'a> {
    pub target: Target,
    /// The address as it was typed.
    pub input: &'a str,
    pub kind: &'a str,
    pub content: &'a Value,
    pub context_message_id: Option<&'a str>,
    pub callback_data: Option<&'a str>,
}

const TYPES: &[&str] = &[
    "text",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "location",
    "contacts",
    "reaction",
    "interactive",
    "template",
];

impl<'a> Frame<'a> {
    /// `sender` are the digits of the business number: its country is assumed for numbers without `+`.
    pub fn read(body: &'a Value, sender: &str) -> Result<Self, Refusal> {
        if !body.is_object() {
            return Err(Refusal::parameter("The request body must be a JSON object."));
        }
        messaging_product(body)?;
        let is_group = match optional(body, "recipient_type", "recipient_type")? {
            None | Some("individual") => false,
            Some("group") => true,
            Some(_) => {
                return Err(Refusal::parameter(
                    "Param recipient_type must be one of {\"INDIVIDUAL\", \"GROUP\"}",
                ));
            }
        };
        let (target, input) = match (
            optional(body, "to", "to")?,
            optional(body, "recipient", "recipient")?,
        ) {
            (Some(to), _) if !to.is_empty() && is_group => (Target::Group(to.to_owned()), to),
            // When both are given the phone wins.
            (Some(to), _) if !to.is_empty() => (Target::Phone(dialled(to, sender)?), to),
            (_, Some(id)) if !id.is_empty() => (Target::UserId(id.to_owned()), id),
            _ => return Err(Refusal::parameter("The parameter to is required.")),
        };
        // Absent means text.
        let kind = optional(body, "type", "type")?.unwrap_or("text");
        if !TYPES.contains(&kind) {
            return Err(Refusal::parameter(format!(
                "Param type must be one of {{{}}}",
                TYPES.join(", ").to_uppercase()
            )));
        }
        let content = body
            .get(kind)
            .filter(|content| !content.is_null())
            .ok_or_else(|| missing(kind))?;
        let callback_data = optional(body, "biz_opaque_callback_data", "biz_opaque_callback_data")?;
        at_most(callback_data.unwrap_or_default(), 512, "biz_opaque_callback_data")?;
        let context_message_id = match body.get("context").filter(|context| !context.is_null()) {
            Some(_) if kind == "reaction" => {
                return Err(Refusal::new(131_009, "A reaction takes no context."));
            }
            Some(context) => Some(required(context, "message_id", "context['message_id']")?),
            None => None,
        };
        Ok(Self {
            target,
            input,
            kind,
            content,
            context_message_id,
            callback_data,
        })
    }
}

/// Whom a number reaches. Spaces, dashes, dots and brackets are fine; without `+` the sender's country is put in front, silently.
fn dialled(to: &str, sender: &str) -> Result<String, Refusal> {
    let wrong = || Refusal::new(131_009, "The recipient phone number is not valid.");
    if to
        .chars()
        .any(|c| !c.is_ascii_digit() && !matches!(c, '+' | ' ' | '-' | '(' | ')' | '.'))
    {
        return Err(wrong());
    }
    let typed = digits(to);
    let number = if to.trim_start().starts_with('+') {
        typed
    } else {
        format!("{}{typed}", country_code(sender))
    };
    if (7..=20).contains(&number.len()) {
        Ok(number)
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Frame, Target, dialled};

    #[test]
    fn a_missing_plus_reaches_a_stranger() {
        assert_eq!(
            dialled("+1 (631) 555-1234", "919876543210").unwrap(),
            "16315551234"
        );
        assert_eq!(dialled("16315551234", "919876543210").unwrap(), "9116315551234");
        assert!(dialled("bob", "60").is_err());
        assert!(dialled("+1", "60").is_err());
    }

    #[test]
    fn the_phone_wins_over_the_user_id() {
        let body = json!({"messaging_product": "whatsapp", "to": "+60120000101", "recipient": "MY.1", "text": {"body": "x"}});
        assert_eq!(
            Frame::read(&body, "60").unwrap().target,
            Target::Phone("60120000101".into())
        );
        let body = json!({"messaging_product": "whatsapp", "recipient": "MY.1", "text": {"body": "x"}});
        assert_eq!(
            Frame::read(&body, "60").unwrap().target,
            Target::UserId("MY.1".into())
        );
    }
}
