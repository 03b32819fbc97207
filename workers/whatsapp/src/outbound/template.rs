//! Approved templates, the only thing that may be sent outside the 24-hour window (§6.3).

use serde_json::{Map, Value, json};

/// A template with the values for its variables.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    pub name: String,
    /// Meta's code, with an underscore: `en_US`.
    pub language: String,
    /// Header, body, button, carousel and limited-time-offer components in Meta's shape; static parts need none.
    pub components: Vec<Value>,
}

impl Template {
    /// A template without variables.
    #[must_use]
    pub fn new(name: impl Into<String>, language: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            language: language.into(),
            components: Vec::new(),
        }
    }

    /// Values for `{{1}}`, `{{2}}`, … of the body, made acceptable by [`sanitize_parameter`].
    #[must_use]
    pub fn with_body(mut self, values: &[&str]) -> Self {
        let parameters: Vec<Value> = values
            .iter()
            .map(|value| json!({"type": "text", "text": sanitize_parameter(value)}))
            .collect();
        self.components
            .push(json!({"type": "body", "parameters": parameters}));
        self
    }

    /// Values for the named variables of the body.
    #[must_use]
    pub fn with_named_body(mut self, values: &[(&str, &str)]) -> Self {
        let parameters: Vec<Value> = values
            .iter()
            .map(|(name, value)| {
                json!({"type": "text", "parameter_name": name, "text": sanitize_parameter(value)})
            })
            .collect();
        self.components
            .push(json!({"type": "body", "parameters": parameters}));
        self
    }

    /// The header's variable, file or place, as one parameter in Meta's shape.
    #[must_use]
    pub fn with_header(mut self, parameter: Value) -> Self {
        self.components
            .push(json!({"type": "header", "parameters": [parameter]}));
        self
    }

    /// What replaces `{{1}}` at the end of the address of the URL button at `index`.
    #[must_use]
    pub fn with_url_button(self, index: usize, suffix: &str) -> Self {
        self.with_button(index, "url", json!({"type": "text", "text": suffix}))
    }

    /// What comes back when the quick reply at `index` is pressed.
    #[must_use]
    pub fn with_quick_reply(self, index: usize, payload: &str) -> Self {
        self.with_button(
            index,
            "quick_reply",
            json!({"type": "payload", "payload": payload}),
        )
    }

    /// Any other button: `sub_type` and its one parameter.
    #[must_use]
    pub fn with_button(mut self, index: usize, sub_type: &str, parameter: Value) -> Self {
        self.components.push(
            json!({"type": "button", "sub_type": sub_type, "index": index.to_string(), "parameters": [parameter]}),
        );
        self
    }

    pub(super) fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("name".into(), self.name.as_str().into());
        object.insert("language".into(), json!({"code": self.language}));
        if !self.components.is_empty() {
            object.insert("components".into(), Value::Array(self.components.clone()));
        }
        Value::Object(object)
    }
}

/// Makes a text acceptable as a template variable: Meta refuses line breaks, tabs and more than four spaces in a row.
#[must_use]
pub fn sanitize_parameter(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut spaces = 0;
    for character in text.trim().chars() {
        let character = if character.is_control() { ' ' } else { character };
        spaces = if character == ' ' { spaces + 1 } else { 0 };
        if spaces <= 4 {
            clean.push(character);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::sanitize_parameter;

    #[test]
    fn leaves_at_most_four_spaces_and_no_breaks() {
        assert_eq!(sanitize_parameter("  a\r\n\tb        c "), "a   b    c");
        assert_eq!(sanitize_parameter("ünchanged 你好"), "ünchanged 你好");
        assert_eq!(sanitize_parameter("\n"), "");
    }
}
