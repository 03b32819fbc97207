//! How a message looks to who receives it.

use serde_json::{Value, json};

use super::model::{Button, ButtonKind, Content, Header, HeaderKind, Template};
use super::text::Text;
use super::values::{Values, link_end};

/// The answer of `render_template`. A missing value shows its placeholder; a tracked button shows where it leads.
pub fn render_template(template: &Template, values: &Value) -> Value {
    let values = Values::new(values);
    let mut rendered = render(&template.content, values);
    rendered["cards"] = template.cards.iter().map(|card| render(card, values)).collect();
    rendered
}

fn render(content: &Content, values: Values<'_>) -> Value {
    let code = content.body.as_ref().and_then(|body| body.variables.first());
    let code = code.map_or("", |code| code.key.as_str());
    json!({
        "header": content.header.as_ref().map(|header| render_header(header, values)),
        "body": content.body.as_ref().map_or(String::new(), |body| fill(body, values)),
        "footer": content.footer,
        "buttons": content.buttons.iter().map(|button| render_button(button, code, values)).collect::<Vec<_>>(),
    })
}

/// The text with the values there are.
pub fn fill(text: &Text, values: Values<'_>) -> String {
    let given: Vec<_> = text
        .variables
        .iter()
        .map(|variable| values.text(&variable.key))
        .collect();
    text.filled(&given)
}

fn render_header(header: &Header, values: Values<'_>) -> Value {
    let kind = header.kind.name();
    match &header.kind {
        HeaderKind::Text(text) => json!({"kind": kind, "text": fill(text, values)}),
        HeaderKind::Location => {
            let place = values.location(&header.key);
            let name = place.as_ref().and_then(|place| {
                place["name"]
                    .as_str()
                    .or(place["address"].as_str())
                    .map(str::to_owned)
            });
            json!({"kind": kind, "text": name, "link": null, "location": place})
        }
        _ => {
            let media = values.media(&header.key);
            json!({
                "kind": kind,
                "link": media.and_then(|media| media.link),
                "id": media.and_then(|media| media.id),
                "filename": media.and_then(|media| media.filename),
                "media": header.media,
            })
        }
    }
}

fn render_button(button: &Button, code_key: &str, values: Values<'_>) -> Value {
    let mut rendered = json!({"kind": button.kind.name(), "text": button.label, "url": null});
    match (&button.kind, &button.url) {
        (ButtonKind::Url, Some(url)) => {
            let end = values.text(&button.key).map(link_end);
            let ends: Vec<_> = url.variables.iter().map(|_| end.as_deref()).collect();
            let filled = url.filled(&ends);
            rendered["url"] = button.destination.clone().unwrap_or(filled).into();
        }
        (ButtonKind::Phone, _) => rendered["phone"] = button.phone.clone().into(),
        (ButtonKind::CopyCode, _) => rendered["code"] = values.text(&button.key).into(),
        (ButtonKind::Otp, _) => rendered["code"] = values.text(code_key).into(),
        _ => {}
    }
    rendered
}
