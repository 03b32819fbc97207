//! Texts, choices, numbers and tags, as positive operators ask for them.

use serde_json::Value;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use uuid::Uuid;

use super::super::decimal::Decimal;
use super::super::lowercase::lowercase;
use super::super::operand::Operand;
use super::super::operator::Operator::{self, *};

pub fn text(operator: Operator, operand: &Operand, value: &Value) -> bool {
    let Value::String(value) = value else { return false };
    let value = lowercase(value);
    match operand {
        Operand::Texts(texts) => texts.iter().any(|text| lowercase(text) == value),
        Operand::Text(text) => {
            let text = lowercase(text);
            match operator {
                Is => value == text,
                StartsWith => value.starts_with(&text),
                EndsWith => value.ends_with(&text),
                _ => value.contains(&text),
            }
        }
        _ => false,
    }
}

pub fn choice(operand: &Operand, value: &Value) -> bool {
    let Value::String(value) = value else { return false };
    match operand {
        Operand::Text(text) => text == value,
        Operand::Texts(texts) => texts.contains(value),
        _ => false,
    }
}

pub fn choices(operator: Operator, operand: &Operand, value: &Value) -> bool {
    let (Value::Array(chosen), Operand::Texts(texts)) = (value, operand) else {
        return false;
    };
    let mut is_chosen = texts
        .iter()
        .map(|text| chosen.iter().any(|choice| choice.as_str() == Some(text)));
    match operator {
        HasAllOf => is_chosen.all(|is_chosen| is_chosen),
        _ => is_chosen.any(|is_chosen| is_chosen),
    }
}

pub fn number(operator: Operator, operand: &Operand, value: &Value) -> bool {
    let Value::Number(value) = value else { return false };
    let Some(value) = Decimal::parse(&value.to_string()) else {
        return false;
    };
    match operand {
        Operand::Range(low, high) => (low..=high).contains(&&value),
        Operand::Number(number) => {
            let order = value.cmp(number);
            match operator {
                Is => order == Ordering::Equal,
                GreaterThan => order == Ordering::Greater,
                AtLeast => order != Ordering::Less,
                LessThan => order == Ordering::Less,
                _ => order != Ordering::Greater,
            }
        }
        _ => false,
    }
}

pub fn tags(operator: Operator, operand: &Operand, tags: &BTreeSet<Uuid>) -> bool {
    let Operand::Ids(ids) = operand else {
        return tags.is_empty();
    };
    match operator {
        HasAllOf => ids.iter().all(|id| tags.contains(id)),
        _ => ids.iter().any(|id| tags.contains(id)),
    }
}
