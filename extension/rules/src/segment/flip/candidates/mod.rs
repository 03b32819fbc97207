//! Values worth trying for a field: one in every region its leaves can tell apart, the likeliest first.

mod ordered;

use serde_json::{Value, json};
use std::collections::HashMap;

use super::super::evaluate::moment::Moment;
use super::super::field::{Field, Kind, Place};
use super::super::operand::Operand;
use super::super::operator::Operator;
use super::super::rules::Leaf;

/// Most values tried for one field.
pub const MAX: usize = 300;

/// Comparisons spent on one field's candidates: long lists get fewer of them.
const MAX_COMPARISONS: usize = 200_000;

/// Options of which every combination is tried.
const MAX_COMBINED: usize = 8;

/// The values, the most natural first; several may answer alike.
pub fn values(field: &Field, leaves: &[&Leaf], current: &Value, moment: &Moment) -> Vec<Value> {
    let mut values = match field.kind {
        Kind::Text => texts(field, leaves),
        Kind::Choice => choices(field, leaves),
        Kind::Choices => sets(field, leaves, current),
        Kind::Number => ordered::numbers(field, leaves),
        Kind::Boolean => vec![json!(true), json!(false)],
        Kind::Time => ordered::times(leaves, moment),
        _ => ordered::dates(leaves, moment),
    };
    let compared: usize = leaves.iter().map(|leaf| mentioned(leaf).len().max(1)).sum();
    values.truncate((MAX_COMPARISONS / compared).clamp(20, MAX));
    if field.is_nullable() {
        // A phone is what a contact is known by: taking it away is the last resort.
        let position = if field.name == "phone" {
            values.len()
        } else {
            values.len().min(1)
        };
        values.insert(position, Value::Null);
    }
    values
}

fn mentioned(leaf: &Leaf) -> &[String] {
    match &leaf.operand {
        Operand::Texts(texts) => texts,
        Operand::Text(text) => std::slice::from_ref(text),
        _ => &[],
    }
}

/// What leaves mention, most often mentioned first: what is in two lists satisfies both.
fn by_mentions<'a>(leaves: &[&'a Leaf]) -> Vec<&'a String> {
    let mut counts: HashMap<&String, usize> = HashMap::new();
    let mut order: Vec<&String> = Vec::new();
    for text in leaves.iter().flat_map(|leaf| mentioned(leaf)) {
        let count = counts.entry(text).or_insert_with(|| {
            order.push(text);
            0
        });
        *count += 1;
    }
    order.sort_by_key(|text| std::cmp::Reverse(counts[text]));
    order
}

fn texts(field: &Field, leaves: &[&Leaf]) -> Vec<Value> {
    let of = |wanted: Operator| -> Vec<&str> {
        let leaves = leaves.iter().filter(|leaf| leaf.operator.positive().0 == wanted);
        leaves
            .flat_map(|leaf| mentioned(leaf))
            .map(String::as_str)
            .collect()
    };
    let (beginnings, parts, ends) = (
        of(Operator::StartsWith),
        of(Operator::Contains),
        of(Operator::EndsWith),
    );
    let mut texts: Vec<String> = Vec::new();
    let all_parts = parts.concat();
    texts.extend(by_mentions(leaves).into_iter().take(MAX / 2).cloned());
    for beginning in beginnings.iter().chain(&[""]).take(12) {
        for end in ends.iter().chain(&[""]).take(12) {
            texts.push(format!("{beginning}{all_parts}{end}"));
            texts.push(format!("{beginning}{end}"));
        }
    }
    texts.retain(|text| !text.is_empty());
    let others: &[&str] = if field.name == "phone" {
        &["+60110000000", "+999999999"]
    } else {
        &["Other", "X", "–"]
    };
    // Something else goes first only where nothing is mentioned that could be wanted.
    texts.extend(others.iter().map(|other| other.to_string()));
    texts.into_iter().map(Value::from).collect()
}

fn choices(field: &Field, leaves: &[&Leaf]) -> Vec<Value> {
    let mut choices: Vec<String> = field.options.iter().map(|(option, _)| option.clone()).collect();
    if field.place == Place::Custom {
        // An option that was taken away may still be mentioned.
        choices.extend(by_mentions(leaves).into_iter().cloned());
        choices.push("Other".into());
    }
    choices.into_iter().map(Value::from).collect()
}

fn sets(field: &Field, leaves: &[&Leaf], current: &Value) -> Vec<Value> {
    let current: Vec<&str> = current
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut universe: Vec<&str> = by_mentions(leaves).into_iter().map(String::as_str).collect();
    let others = current
        .iter()
        .copied()
        .chain(field.options.iter().map(|(option, _)| option.as_str()));
    // One option that nothing mentions is as good as any other.
    let other = others.chain(["Other"]).find(|option| !universe.contains(option));
    universe.extend(other);
    let mut sets: Vec<Vec<&str>> = Vec::new();
    if universe.len() <= MAX_COMBINED {
        sets.extend((0..1usize << universe.len()).map(|bits| {
            let chosen = universe
                .iter()
                .enumerate()
                .filter(|(position, _)| bits >> position & 1 == 1);
            chosen.map(|(_, option)| *option).collect()
        }));
    } else {
        sets.push(universe.clone());
        sets.push(Vec::new());
        let without = |options: &[&str]| {
            current
                .iter()
                .filter(|option| !options.contains(option))
                .copied()
                .collect()
        };
        for option in &universe {
            sets.push(current.iter().copied().chain([*option]).collect());
            sets.push(without(&[option]));
            sets.push(vec![option]);
        }
        for leaf in leaves {
            let options: Vec<&str> = mentioned(leaf).iter().map(String::as_str).collect();
            sets.push(without(&options));
            sets.push(current.iter().copied().chain(options.iter().copied()).collect());
            sets.push(options);
        }
    }
    let difference = |set: &Vec<&str>| {
        let added = set.iter().filter(|option| !current.contains(option)).count();
        added + current.iter().filter(|option| !set.contains(option)).count()
    };
    sets.sort_by_cached_key(difference);
    sets.into_iter().map(Value::from).collect()
}
