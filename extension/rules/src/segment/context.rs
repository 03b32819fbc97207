//! What an organisation's rules are read against: its own fields, its time zone, the names of what it refers to.

use serde_json::Value;
use std::collections::HashMap;

use super::field::Kind;

/// An organisation's own field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomField {
    pub key: String,
    pub label: String,
    pub kind: Kind,
    pub options: Vec<String>,
}

/// The organisation; made by our own SQL, so that a wrong shape is a mistake of ours and told as a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    pub time_zone: String,
    pub custom_fields: Vec<CustomField>,
    /// Names of tags, segments, campaigns and flows by id.
    pub names: HashMap<String, String>,
    /// The moment rules are evaluated at, as PostgreSQL writes a timestamptz.
    pub now: Option<String>,
    /// Whether compiled SQL is only run on contacts that are not in the trash: these alone are in `contact_search`.
    pub has_search: bool,
    /// The organisation whose contacts compiled SQL is run on. Other tables are then narrowed by a constant instead of by each contact:
    /// a hashed subplan reads its part of an index once.
    pub org_id: Option<String>,
}

impl Default for Context {
    fn default() -> Self {
        Context {
            time_zone: "UTC".into(),
            custom_fields: Vec::new(),
            names: HashMap::new(),
            now: None,
            has_search: false,
            org_id: None,
        }
    }
}

impl Context {
    /// Reads a context; null stands for an organisation without fields of its own.
    pub fn parse(json: &Value) -> Result<Context, String> {
        let mut context = Context::default();
        if json.is_null() {
            return Ok(context);
        }
        let object = json.as_object().ok_or("the context is no object")?;
        if let Some(time_zone) = present(object.get("time_zone")) {
            context.time_zone = time_zone.as_str().ok_or("time_zone is no text")?.to_owned();
        }
        if let Some(now) = present(object.get("now")) {
            context.now = Some(now.as_str().ok_or("now is no text")?.to_owned());
        }
        if let Some(search) = present(object.get("search")) {
            context.has_search = search.as_bool().ok_or("search is no boolean")?;
        }
        if let Some(org_id) = present(object.get("org_id")) {
            context.org_id = Some(org_id.as_str().ok_or("org_id is no text")?.to_owned());
        }
        if let Some(fields) = present(object.get("custom_fields")) {
            let fields = fields.as_array().ok_or("custom_fields is no list")?;
            context.custom_fields = fields.iter().map(custom_field).collect::<Result<_, _>>()?;
        }
        if let Some(names) = present(object.get("names")) {
            let names = names.as_object().ok_or("names is no object")?;
            let named = names
                .iter()
                .filter_map(|(id, name)| Some((id.clone(), name.as_str()?.to_owned())));
            context.names = named.collect();
        }
        Ok(context)
    }

    pub fn custom_field(&self, key: &str) -> Option<&CustomField> {
        self.custom_fields.iter().find(|field| field.key == key)
    }
}

fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_null())
}

fn custom_field(json: &Value) -> Result<CustomField, String> {
    let text = |key: &str| json[key].as_str().ok_or(format!("a custom field without {key}"));
    let key = text("key")?;
    let kind = match text("type")? {
        "text" => Kind::Text,
        "number" => Kind::Number,
        "date" => Kind::Date,
        "boolean" => Kind::Boolean,
        "choice" => Kind::Choice,
        "multi_choice" => Kind::Choices,
        other => return Err(format!("no type of custom fields is called {other}")),
    };
    let options = json["options"].as_array().into_iter().flatten();
    Ok(CustomField {
        key: key.to_owned(),
        label: json["label"].as_str().unwrap_or(key).to_owned(),
        kind,
        options: options
            .filter_map(|option| option.as_str().map(str::to_owned))
            .collect(),
    })
}
