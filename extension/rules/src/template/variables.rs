//! What a template asks for.

use serde_json::{Value, json};

use super::model::{Button, ButtonKind, Content, Header, HeaderKind, Template};
use super::text::Variable;

/// The answer of `template_variables`: each variable once, in the order in which the message shows them.
pub fn template_variables(template: &Template) -> Value {
    let mut listed = Vec::new();
    let is_code = template.is_authentication();
    list(&template.content, "", is_code, &mut listed);
    for (index, card) in template.cards.iter().enumerate() {
        list(card, &format!("Card {}: ", index + 1), is_code, &mut listed);
    }
    Value::Array(listed)
}

fn list(content: &Content, place: &str, is_code: bool, listed: &mut Vec<Value>) {
    if let Some(header) = &content.header {
        list_header(header, place, listed);
    }
    for variable in content.body.iter().flat_map(|body| &body.variables) {
        listed.push(if is_code {
            entry(&variable.key, "code", &variable.example, format!("{place}code"))
        } else {
            text(variable, format!("{place}body {{{{{}}}}}", variable.name))
        });
    }
    for button in content.buttons.iter().filter(|button| asks(button)) {
        let (kind, what) = match button.kind {
            ButtonKind::CopyCode => ("code", "coupon code"),
            ButtonKind::Flow => ("flow", "token of the flow (optional)"),
            _ => ("url", "end of the link"),
        };
        let label = format!("{place}button “{}”: {what}", button.label);
        listed.push(entry(&button.key, kind, &button.example, label));
    }
}

/// Whether a button's value is for people to choose: the token of a tracked one is ours, that of a code is the body's.
fn asks(button: &Button) -> bool {
    match button.kind {
        ButtonKind::CopyCode | ButtonKind::Flow => true,
        ButtonKind::Url => button.has_url_variable() && button.destination.is_none(),
        _ => false,
    }
}

fn list_header(header: &Header, place: &str, listed: &mut Vec<Value>) {
    let kind = match &header.kind {
        HeaderKind::Text(head) => {
            let labelled =
                |variable: &Variable| text(variable, format!("{place}header {{{{{}}}}}", variable.name));
            listed.extend(head.variables.iter().map(labelled));
            return;
        }
        HeaderKind::Image => "image",
        HeaderKind::Video | HeaderKind::Gif => "video",
        HeaderKind::Document => "document",
        HeaderKind::Location => "location",
        HeaderKind::Product | HeaderKind::Unknown(_) => return,
    };
    listed.push(entry(&header.key, kind, &None, format!("{place}header {kind}")));
}

fn text(variable: &Variable, label: String) -> Value {
    entry(&variable.key, "text", &variable.example, label)
}

fn entry(key: &str, kind: &str, example: &Option<String>, label: String) -> Value {
    let mut characters = label.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    let label: String = first.chain(characters).collect();
    json!({"key": key, "kind": kind, "example": example, "label": label})
}
