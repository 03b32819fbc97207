//! Rules over facts, without a database: the second opinion on what the compiled SQL says, and what explanations rest on.

mod dates;
pub mod facts;
pub mod moment;
mod values;

use serde_json::{Value, json};

use super::field::{Kind, Place};
use super::operand::Operand;
use super::operator::Operator;
use super::rules::{Leaf, Node, Rules};
use super::shape::Match;
use facts::Facts;
use moment::Moment;

/// Whether the contact of these facts is one that the rules mean.
pub fn evaluate(rules: &Rules, facts: &Facts<'_>, moment: &Moment) -> bool {
    node_is_true(&rules.root, facts, moment)
}

fn node_is_true(node: &Node, facts: &Facts<'_>, moment: &Moment) -> bool {
    match node {
        Node::Leaf(leaf) => leaf_is_true(leaf, facts, moment),
        Node::Group(matching, children) => joined(
            *matching,
            children.iter().map(|child| node_is_true(child, facts, moment)),
        ),
    }
}

/// What a group makes of its children.
pub fn joined(matching: Match, mut children: impl Iterator<Item = bool>) -> bool {
    match matching {
        Match::All => children.all(|is_true| is_true),
        Match::Any => children.any(|is_true| is_true),
        Match::None => !children.any(|is_true| is_true),
    }
}

/// Whether one leaf is true.
pub fn leaf_is_true(leaf: &Leaf, facts: &Facts<'_>, moment: &Moment) -> bool {
    let (operator, is_negated) = leaf.operator.positive();
    is_true(leaf, operator, facts, moment) != is_negated
}

fn is_true(leaf: &Leaf, operator: Operator, facts: &Facts<'_>, moment: &Moment) -> bool {
    let (field, operand) = (&leaf.field, &leaf.operand);
    let value = facts.value(field);
    match (field.kind, operand) {
        (Kind::Tags, _) => values::tags(operator, operand, &facts.ids("tags")),
        (Kind::Segments, Operand::Id(id)) => facts.ids("segments").contains(id),
        (Kind::Campaigns, Operand::Id(id)) => facts.flag("campaigns", id, operator.name()),
        (Kind::Flows, Operand::Id(id)) => facts.flag("flows", id, operator.name()),
        (Kind::Choices, _) if operator == Operator::IsEmpty => match value {
            Value::Array(items) => items.is_empty(),
            other => other.is_null(),
        },
        (_, _) if operator == Operator::IsEmpty => {
            value.is_null() || value.as_str() == Some("") && is_text(leaf)
        }
        (Kind::Text, _) => values::text(operator, operand, value),
        (Kind::Choice, _) => values::choice(operand, value),
        (Kind::Choices, _) => values::choices(operator, operand, value),
        (Kind::Number, _) => values::number(operator, operand, value),
        (Kind::Boolean, Operand::Boolean(wanted)) => value.as_bool() == Some(*wanted),
        (Kind::Time, _) => dates::time(operator, operand, value, moment),
        (Kind::Date, _) => dates::date(operator, operand, value, moment),
        _ => false,
    }
}

/// Whether the empty text counts as nothing: everywhere but in fields that hold no text.
fn is_text(leaf: &Leaf) -> bool {
    !(leaf.field.place == Place::Custom && matches!(leaf.field.kind, Kind::Number | Kind::Boolean))
}

/// What the facts hold for a leaf, as explanations show it.
pub fn actual(leaf: &Leaf, facts: &Facts<'_>) -> Value {
    match (leaf.field.kind, &leaf.operand) {
        (Kind::Tags, _) => json!(
            facts
                .ids("tags")
                .iter()
                .map(|id| id.to_string())
                .collect::<Vec<_>>()
        ),
        (Kind::Segments, Operand::Id(id)) => json!(facts.ids("segments").contains(id)),
        (Kind::Campaigns, Operand::Id(id)) => {
            json!(facts.flag("campaigns", id, leaf.operator.positive().0.name()))
        }
        (Kind::Flows, Operand::Id(id)) => json!(facts.flag("flows", id, leaf.operator.positive().0.name())),
        _ => facts.value(&leaf.field).clone(),
    }
}
