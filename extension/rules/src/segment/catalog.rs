//! What the builder offers: every field with its operators and what value each takes.

use serde_json::{Value, json};

use super::context::Context;
use super::field::Field;
use super::operand::Takes;

/// The catalogue of an organisation.
pub fn catalog(context: &Context) -> Value {
    Field::each(context).iter().map(described).collect()
}

fn described(field: &Field) -> Value {
    let options = field
        .options
        .iter()
        .map(|(value, label)| json!({"value": value, "label": label}));
    let operators = field.operators().into_iter().map(|operator| {
        json!({
            "operator": operator.name(),
            "label": operator.label(),
            "value": Takes::of(field.kind, operator).name(),
        })
    });
    json!({
        "field": field.name,
        "label": field.label,
        "category": field.category.name(),
        "kind": field.kind.name(),
        "options": options.collect::<Vec<_>>(),
        "operators": operators.collect::<Vec<_>>(),
    })
}
