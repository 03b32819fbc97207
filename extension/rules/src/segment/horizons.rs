//! When membership changes with no write: the boundaries that pass by themselves.

use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::field::{CUSTOM_PREFIX, Field, Kind};
use super::operand::Operand;
use super::operator::Operator;
use super::problem::Problem;
use super::shape::{self, RawLeaf};

/// The columns whose age in hours decides, and whether the organisation's midnight does. Needs no context.
pub fn horizons(rules: &Value) -> Result<Value, Vec<Problem>> {
    let (root, problems) = shape::read(rules);
    let Some(root) = root.filter(|_| problems.is_empty()) else {
        return Err(problems);
    };
    let leaves = root.leaves();
    let rolling: BTreeSet<(String, i64)> = leaves.iter().filter_map(rolling_boundary).collect();
    let rolling: Vec<Value> = rolling
        .into_iter()
        .map(|(column, hours)| json!({"column": column, "hours": hours}))
        .collect();
    Ok(json!({"rolling": rolling, "calendar": leaves.iter().any(follows_the_calendar)}))
}

fn rolling_boundary(leaf: &RawLeaf<'_>) -> Option<(String, i64)> {
    let operator = Operator::named(leaf.operator)?;
    let field = Field::named(leaf.field, &super::context::Context::default())?;
    if field.kind != Kind::Time || operator.positive().0 != Operator::InLast {
        return None;
    }
    match Operand::parse(&field, operator, leaf.value) {
        Ok(Operand::Duration(duration)) => Some((field.name, duration.hours())),
        _ => None,
    }
}

fn follows_the_calendar(leaf: &RawLeaf<'_>) -> bool {
    let is_date = leaf.field == "birthday" || leaf.field.starts_with(CUSTOM_PREFIX);
    is_date && Operator::named(leaf.operator).is_some_and(Operator::follows_the_calendar)
}
