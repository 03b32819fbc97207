//! What rules refer to: needed for "used by" lists, circles and names.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

use super::field::CUSTOM_PREFIX;
use super::problem::Problem;
use super::shape;

/// The ids and custom field keys that rules name, each once and sorted. Needs no context, so that rules can be
/// looked at after a custom field is gone.
pub fn references(rules: &Value) -> Result<Value, Vec<Problem>> {
    let (root, problems) = shape::read(rules);
    let Some(root) = root.filter(|_| problems.is_empty()) else {
        return Err(problems);
    };
    let mut named: [BTreeSet<String>; 5] = Default::default();
    for leaf in root.leaves() {
        let place = match leaf.field {
            "tags" => 0,
            "segment" => 1,
            "campaign" => 2,
            "flow" => 3,
            field => {
                named[4].extend(field.strip_prefix(CUSTOM_PREFIX).map(str::to_owned));
                continue;
            }
        };
        named[place].extend(ids(leaf.value));
    }
    let [tags, segments, campaigns, flows, custom_fields] = named;
    Ok(json!({
        "tags": tags, "segments": segments, "campaigns": campaigns, "flows": flows, "custom_fields": custom_fields,
    }))
}

fn ids(value: Option<&Value>) -> Vec<String> {
    let values = match value {
        Some(Value::Array(items)) => items.iter().collect(),
        other => Vec::from_iter(other),
    };
    let ids = values
        .into_iter()
        .filter_map(|value| Uuid::try_parse(value.as_str()?).ok());
    ids.map(|id| id.to_string()).collect()
}
