//! From a campaign's variables and one contact to the values of one message.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

use crate::segment::field::CUSTOM_PREFIX;
use crate::template::values::one_line;

/// Where a variable's value comes from.
#[derive(Clone, Debug)]
pub enum Source {
    Static(Value),
    Contact { field: Field, default: Option<String> },
}

/// What is read of a contact.
#[derive(Clone, Debug)]
pub enum Field {
    Column(fn(&Contact) -> &Value),
    FirstName,
    Address(&'static str),
    Custom(String),
}

/// What messages say of a contact: columns of `public.contacts` by their names. Others are not read, which is most of the
/// work of reading one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Contact {
    full_name: Value,
    phone: Value,
    email: Value,
    company: Value,
    job_title: Value,
    username: Value,
    birthday: Value,
    address: Value,
    custom_fields: Value,
}

const ADDRESS: [&str; 5] = ["street", "city", "state", "zip", "country"];

impl Field {
    /// `full_name`, `first_name`, `address.city`, `custom.<key>` and so on.
    pub fn parse(name: &str) -> Option<Field> {
        if name == "first_name" {
            return Some(Field::FirstName);
        }
        if let Some(key) = name.strip_prefix(CUSTOM_PREFIX) {
            return (!key.is_empty()).then(|| Field::Custom(key.to_owned()));
        }
        if let Some(part) = name.strip_prefix("address.") {
            return ADDRESS
                .into_iter()
                .find(|known| *known == part)
                .map(Field::Address);
        }
        let column: fn(&Contact) -> &Value = match name {
            "full_name" => |contact| &contact.full_name,
            "phone" => |contact| &contact.phone,
            "email" => |contact| &contact.email,
            "company" => |contact| &contact.company,
            "job_title" => |contact| &contact.job_title,
            "username" => |contact| &contact.username,
            "birthday" => |contact| &contact.birthday,
            _ => return None,
        };
        Some(Field::Column(column))
    }

    /// The contact's text, in one line; none when it has none.
    pub fn of<'a>(&self, contact: &'a Contact) -> Option<Cow<'a, str>> {
        match self {
            Field::Column(column) => shown(column(contact)),
            Field::Address(part) => shown(&contact.address[*part]),
            Field::Custom(key) => shown(&contact.custom_fields[key]),
            Field::FirstName => {
                let name = shown(&contact.full_name)?;
                let first = name.split(' ').next().unwrap_or_default().to_owned();
                Some(first.into())
            }
        }
    }
}

/// A value as a message says it: a list by commas, yes or no; numbers and dates as they are stored.
fn shown(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => one_line(text),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Bool(true) => Some("yes".into()),
        Value::Bool(false) => Some("no".into()),
        Value::Array(items) => {
            let items: Vec<Cow<'_, str>> = items.iter().filter_map(shown).collect();
            (!items.is_empty()).then(|| items.join(", ").into())
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// The variables of a campaign, read once for all its contacts.
#[derive(Clone, Debug, Default)]
pub struct Variables(Vec<(String, Source)>);

impl Variables {
    /// An entry that is not understood gives no value; `check_campaign_variables` has said so before.
    pub fn parse(variables: &Value) -> Variables {
        let entries = variables.as_object().into_iter().flatten();
        Variables(
            entries
                .filter_map(|(key, entry)| Some((key.clone(), source(entry)?)))
                .collect(),
        )
    }

    /// The answer of `campaign_values`.
    pub fn of(&self, contact: &Contact) -> Value {
        let mut values = Map::new();
        for (key, source) in &self.0 {
            let value = match source {
                Source::Static(value) => Some(value.clone()),
                Source::Contact { field, default } => field
                    .of(contact)
                    .map(|text| Value::from(text.into_owned()))
                    .or_else(|| default.clone().map(Value::from)),
            };
            if let Some(value) = value {
                values.insert(key.clone(), value);
            }
        }
        Value::Object(values)
    }
}

/// What an entry of the variables says.
pub fn source(entry: &Value) -> Option<Source> {
    match entry["source"].as_str()? {
        "static" => Some(Source::Static(
            entry.get("value").filter(|value| !value.is_null())?.clone(),
        )),
        "contact" => Some(Source::Contact {
            field: Field::parse(entry["field"].as_str()?)?,
            default: entry["default"].as_str().and_then(one_line).map(Cow::into_owned),
        }),
        _ => None,
    }
}
