//! One entry of `config.postgres_changes`.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::filter::{self, Filter};

/// Which changes of which tables, and what of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Equal entries have equal ids; the client matches events by it.
    pub id: u32,
    /// `*` for every action.
    pub event: String,
    /// `*` for every schema.
    pub schema: String,
    /// `*` for every table.
    pub table: String,
    pub filters: Vec<Filter>,
    /// Only these columns, if any are named.
    pub select: Option<Vec<String>>,
}

/// The id an entry has, be it valid or not.
pub fn id(entry: &Map<String, Value>) -> u32 {
    let digest = Sha256::digest(Value::Object(entry.clone()).to_string());
    // The client takes 0 for no id.
    (u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) >> 1).max(1)
}

impl Binding {
    /// Reads an entry; the error is the text the client is told.
    pub fn parse(entry: &Map<String, Value>) -> Result<Self, String> {
        let given = |name: &str| entry.get(name).filter(|value| !value.is_null());
        let (schema, table, filter) = (given("schema"), given("table"), given("filter"));
        let select = match given("select") {
            Some(Value::Array(names)) => {
                let names: Vec<String> = names
                    .iter()
                    .filter_map(|name| name.as_str().map(str::to_owned))
                    .collect();
                Some(names).filter(|names| !names.is_empty())
            }
            Some(_) => {
                return Err("Error parsing `select` params: expected a list of column name strings".into());
            }
            None => None,
        };
        let (schema, table) = match (schema, table, filter) {
            (Some(Value::String(schema)), Some(Value::String(table)), None | Some(Value::String(_))) => {
                (schema.as_str(), table.as_str())
            }
            (Some(Value::String(schema)), None, None) => (schema.as_str(), "*"),
            (None, Some(Value::String(table)), None) => ("public", table.as_str()),
            _ => {
                return Err(format!(
                    "No subscription params provided. Please provide at least a `schema` or `table` to subscribe to: {}",
                    Value::Object(entry.clone())
                ));
            }
        };
        if select.is_some() && (schema == "*" || table == "*") {
            return Err(
                "Column selection is not supported for wildcard subscriptions. Provide an explicit schema \
                        and table name."
                    .into(),
            );
        }
        let event = given("event")
            .and_then(Value::as_str)
            .unwrap_or("*")
            .to_ascii_uppercase();
        let known = ["INSERT", "UPDATE", "DELETE"].contains(&event.as_str());
        Ok(Self {
            id: id(entry),
            event: if known { event } else { "*".into() },
            schema: schema.to_owned(),
            table: table.to_owned(),
            filters: filter::parse(filter.and_then(Value::as_str).unwrap_or_default())?,
            select,
        })
    }

    /// Whether a change of this table is asked for.
    pub fn covers(&self, schema: &str, table: &str, action: &str) -> bool {
        let matches = |pattern: &str, name: &str| pattern == "*" || pattern == name;
        matches(&self.schema, schema) && matches(&self.table, table) && matches(&self.event, action)
    }

    /// The filters as the SQL functions take them.
    pub fn filters_json(&self) -> Value {
        Value::Array(self.filters.iter().map(Filter::to_json).collect())
    }

    /// For messages about this binding.
    pub fn describe(&self) -> String {
        let filters: Vec<String> = self
            .filters
            .iter()
            .map(|filter| format!("{} {} {}", filter.column, filter.operator, filter.value))
            .collect();
        format!(
            "event: {}, schema: {}, table: {}, filters: [{}]",
            self.event,
            self.schema,
            self.table,
            filters.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(entry: Value) -> Result<Binding, String> {
        Binding::parse(entry.as_object().unwrap())
    }

    #[test]
    fn missing_parts_are_wildcards_or_public() {
        let binding = parse(json!({"event": "insert", "schema": "public"})).unwrap();
        assert_eq!((binding.event.as_str(), binding.table.as_str()), ("INSERT", "*"));
        assert_eq!(parse(json!({"table": "notes"})).unwrap().schema, "public");
        assert!(parse(json!({"event": "*"})).is_err());
        assert!(parse(json!({"schema": "public", "filter": "id=eq.1"})).is_err());
        assert!(parse(json!({"schema": "public", "select": ["id"]})).is_err());
    }

    #[test]
    fn equal_entries_share_an_id_and_others_do_not() {
        let one = parse(json!({"event": "*", "schema": "public", "table": "a"})).unwrap();
        let same = parse(json!({"event": "*", "schema": "public", "table": "a"})).unwrap();
        let other = parse(json!({"event": "*", "schema": "public", "table": "b"})).unwrap();
        assert_eq!(one.id, same.id);
        assert_ne!(one.id, other.id);
        assert!(one.id > 0);
    }

    #[test]
    fn a_binding_covers_what_it_names() {
        let binding = parse(json!({"event": "UPDATE", "schema": "public", "table": "a"})).unwrap();
        assert!(binding.covers("public", "a", "UPDATE"));
        assert!(!binding.covers("public", "a", "INSERT"));
        assert!(!binding.covers("public", "b", "UPDATE"));
        assert!(!binding.covers("private", "a", "UPDATE"));
        assert!(
            parse(json!({"schema": "*"}))
                .unwrap()
                .covers("private", "b", "DELETE")
        );
    }
}
