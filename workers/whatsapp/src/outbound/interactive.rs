//! Messages with buttons, lists, products and flows (§6.2): builders for the usual ones, any other as raw JSON.

use serde_json::{Map, Value, json};

/// An interactive message in Meta's shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Interactive(Value);

impl Interactive {
    /// Takes an object as it is posted under `interactive`; the limits are checked by
    /// [`validate`](super::OutboundMessage::validate).
    #[must_use]
    pub fn from_value(value: Value) -> Self {
        Self(value)
    }

    /// Up to three reply buttons of `(id, title)`.
    #[must_use]
    pub fn buttons(body: &str, buttons: &[(&str, &str)]) -> Self {
        let buttons: Vec<Value> = buttons
            .iter()
            .map(|(id, title)| json!({"type": "reply", "reply": {"id": id, "title": title}}))
            .collect();
        Self::with_action("button", Some(body), json!({"buttons": buttons}))
    }

    /// A list opened by `button`; `sections` as `{title, rows: [{id, title, description?}]}`.
    #[must_use]
    pub fn list(body: &str, button: &str, sections: Vec<Value>) -> Self {
        Self::with_action(
            "list",
            Some(body),
            json!({"button": button, "sections": sections}),
        )
    }

    /// One button that opens an address.
    #[must_use]
    pub fn cta_url(body: &str, display_text: &str, url: &str) -> Self {
        let action = json!({"name": "cta_url", "parameters": {"display_text": display_text, "url": url}});
        Self::with_action("cta_url", Some(body), action)
    }

    /// Asks where the person is.
    #[must_use]
    pub fn location_request(body: &str) -> Self {
        Self::with_action(
            "location_request_message",
            Some(body),
            json!({"name": "send_location"}),
        )
    }

    /// Asks for the person's phone number.
    #[must_use]
    pub fn contact_request(body: &str) -> Self {
        Self::with_action(
            "contact_request",
            Some(body),
            json!({"name": "request_contact_info"}),
        )
    }

    /// Opens a flow; `parameters` as documented by Meta, `flow_message_version` is added.
    #[must_use]
    pub fn flow(body: &str, parameters: Value) -> Self {
        let mut fields = match parameters {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        fields.entry("flow_message_version").or_insert_with(|| "3".into());
        Self::with_action("flow", Some(body), json!({"name": "flow", "parameters": fields}))
    }

    /// One product of a catalogue.
    #[must_use]
    pub fn product(body: Option<&str>, catalog_id: &str, product_retailer_id: &str) -> Self {
        let action = json!({"catalog_id": catalog_id, "product_retailer_id": product_retailer_id});
        Self::with_action("product", body, action)
    }

    /// Several products; `sections` as `{title, product_items: [{product_retailer_id}]}`.
    #[must_use]
    pub fn product_list(header: &str, body: &str, catalog_id: &str, sections: Vec<Value>) -> Self {
        let action = json!({"catalog_id": catalog_id, "sections": sections});
        Self::with_action("product_list", Some(body), action).with_text_header(header)
    }

    /// The whole catalogue behind one button.
    #[must_use]
    pub fn catalog(body: &str, thumbnail_product_retailer_id: Option<&str>) -> Self {
        let mut action = json!({"name": "catalog_message"});
        if let Some(id) = thumbnail_product_retailer_id {
            action["parameters"] = json!({"thumbnail_product_retailer_id": id});
        }
        Self::with_action("catalog_message", Some(body), action)
    }

    /// Two to ten cards side by side.
    #[must_use]
    pub fn carousel(body: &str, cards: Vec<Value>) -> Self {
        Self::with_action("carousel", Some(body), json!({"cards": cards}))
    }

    /// Adds a header of text.
    #[must_use]
    pub fn with_text_header(self, text: &str) -> Self {
        self.with_header(json!({"type": "text", "text": text}))
    }

    /// Adds a header in Meta's shape (text, image, video, document).
    #[must_use]
    pub fn with_header(mut self, header: Value) -> Self {
        self.0["header"] = header;
        self
    }

    /// Adds the small print.
    #[must_use]
    pub fn with_footer(mut self, text: &str) -> Self {
        self.0["footer"] = json!({"text": text});
        self
    }

    /// The object as it is posted.
    #[must_use]
    pub fn as_value(&self) -> &Value {
        &self.0
    }

    fn with_action(kind: &str, body: Option<&str>, action: Value) -> Self {
        let mut object = Map::new();
        object.insert("type".into(), kind.into());
        if let Some(text) = body {
            object.insert("body".into(), json!({"text": text}));
        }
        object.insert("action".into(), action);
        Self(Value::Object(object))
    }
}
