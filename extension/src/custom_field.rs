//! Values of custom fields.

use octopush_rules::custom_field;
use pgrx::JsonB;
use pgrx::prelude::*;

/// `{"value": normalised}` or `{"problem": text}`; a null or empty value clears the field.
#[pg_extern(immutable, parallel_safe)]
fn check_custom_value(definition: JsonB, value: Option<JsonB>) -> JsonB {
    let value = value.map_or(serde_json::Value::Null, |value| value.0);
    JsonB(custom_field::check_custom_value(&definition.0, &value))
}
