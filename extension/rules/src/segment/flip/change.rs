//! Changes of a contact: what they are called, and the facts after them.

use serde_json::{Map, Value, json};

use super::super::field::CUSTOM_PREFIX;

/// What is done to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Set,
    Add,
    Remove,
}

impl Action {
    pub fn name(self) -> &'static str {
        match self {
            Action::Set => "set",
            Action::Add => "add",
            Action::Remove => "remove",
        }
    }
}

/// One change. `value` is the field's new value; for `add` and `remove` the id of a tag or segment, or
/// `{"id", "reaction"}` of a campaign, `{"id", "state"}` of a flow. A tag null is any tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub field: String,
    pub action: Action,
    pub value: Value,
    pub sentence: String,
}

impl Change {
    pub fn to_json(&self) -> Value {
        json!({"field": self.field, "action": self.action.name(), "value": self.value, "sentence": self.sentence})
    }
}

/// Stands for "any tag" in facts: no tag has it.
const ANY_TAG: &str = "00000000-0000-0000-0000-000000000000";

/// The facts after changes, or what is wrong with the changes.
pub fn apply_changes(facts: &Value, changes: &Value) -> Result<Value, String> {
    let changes = changes.as_array().ok_or("changes are a list")?;
    if !facts.is_object() {
        return Err("facts are an object".into());
    }
    let mut facts = facts.clone();
    for change in changes {
        let field = change["field"].as_str().ok_or("a change has a field")?;
        let action = match change["action"].as_str() {
            Some("set") => Action::Set,
            Some("add") => Action::Add,
            Some("remove") => Action::Remove,
            _ => return Err("the action of a change is set, add or remove".into()),
        };
        apply(&mut facts, field, action, &change["value"])?;
    }
    Ok(facts)
}

/// Makes one change.
pub fn apply(facts: &mut Value, field: &str, action: Action, value: &Value) -> Result<(), String> {
    if !facts.is_object() {
        return Err("facts are an object".into());
    }
    let is_added = action == Action::Add;
    match (field, action) {
        ("tags" | "segment", Action::Add | Action::Remove) => {
            let list = list(facts, if field == "tags" { "tags" } else { "segments" });
            let id = if value.is_null() {
                Value::from(ANY_TAG)
            } else {
                value.clone()
            };
            list.retain(|known| *known != id);
            if is_added {
                list.push(id);
            }
        }
        ("campaign", Action::Add | Action::Remove) => {
            set_flag(list(facts, "campaigns"), value, "reaction", is_added)?
        }
        ("flow", Action::Add | Action::Remove) => set_flag(list(facts, "flows"), value, "state", is_added)?,
        ("has_conversation" | "has_active_conversation", Action::Set) => {
            facts[field] = value.clone();
            // An active conversation is one, and without any none is active.
            match (field, value.as_bool()) {
                ("has_active_conversation", Some(true)) => facts["has_conversation"] = json!(true),
                ("has_conversation", Some(false)) => facts["has_active_conversation"] = json!(false),
                _ => {}
            }
        }
        (_, Action::Set) => {
            let contact = object(facts, "contact");
            if let Some(key) = field.strip_prefix(CUSTOM_PREFIX) {
                set(entry(contact, "custom_fields"), key, value);
            } else if let Some(key) = field.strip_prefix("address.") {
                set(entry(contact, "address"), key, value);
            } else {
                contact.insert(field.to_owned(), value.clone());
            }
        }
        _ => return Err(format!("{field} cannot be changed by {}", action.name())),
    }
    Ok(())
}

fn set(object: &mut Map<String, Value>, key: &str, value: &Value) {
    match value {
        Value::Null => object.remove(key),
        value => object.insert(key.to_owned(), value.clone()),
    };
}

fn set_flag(rows: &mut Vec<Value>, value: &Value, name: &str, is_set: bool) -> Result<(), String> {
    let id = value["id"].as_str().ok_or("such a change names an id")?;
    let flag = value[name]
        .as_str()
        .ok_or_else(|| format!("such a change names a {name}"))?;
    let known = rows
        .iter()
        .position(|row| row.get("id").and_then(Value::as_str) == Some(id));
    let row = match known {
        Some(position) => &mut rows[position],
        None => {
            rows.push(json!({"id": id}));
            let last = rows.len() - 1;
            &mut rows[last]
        }
    };
    row[flag] = json!(is_set);
    Ok(())
}

fn object<'a>(facts: &'a mut Value, key: &str) -> &'a mut Map<String, Value> {
    if !facts[key].is_object() {
        facts[key] = json!({});
    }
    let Value::Object(object) = &mut facts[key] else {
        unreachable!("just made one")
    };
    object
}

fn entry<'a>(parent: &'a mut Map<String, Value>, key: &str) -> &'a mut Map<String, Value> {
    let value = parent.entry(key).or_insert(Value::Null);
    if !value.is_object() {
        *value = json!({});
    }
    let Value::Object(object) = value else {
        unreachable!("just made one")
    };
    object
}

fn list<'a>(facts: &'a mut Value, key: &str) -> &'a mut Vec<Value> {
    if !facts[key].is_array() {
        facts[key] = json!([]);
    }
    let Value::Array(list) = &mut facts[key] else {
        unreachable!("just made one")
    };
    list
}
