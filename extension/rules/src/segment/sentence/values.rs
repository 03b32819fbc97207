//! Values of leaves and of contacts in words.

use jiff::civil::Date;
use serde_json::Value;
use uuid::Uuid;

use super::super::context::Context;
use super::super::evaluate::moment::{Moment, read_time};
use super::super::field::{Field, Kind};
use super::super::operand::{Duration, Operand, read_date};
use super::super::operator::Operator;
use super::super::problem::quoted;
use super::super::rules::Leaf;

/// Values of a list that are named; the others are counted.
const NAMED: usize = 5;

/// The value of a leaf; empty when it has none.
pub fn value_words(leaf: &Leaf, context: &Context) -> String {
    let last = if leaf.operator == Operator::HasAllOf {
        "and"
    } else {
        "or"
    };
    match &leaf.operand {
        Operand::Nothing => String::new(),
        Operand::Text(text) => text_words(&leaf.field, text),
        Operand::Texts(texts) => listed(
            texts.iter().map(|text| text_words(&leaf.field, text)).collect(),
            last,
        ),
        Operand::Number(number) => number.to_string(),
        Operand::Range(low, high) => format!("{low} and {high}"),
        Operand::Boolean(value) => yes_or_no(*value).into(),
        Operand::Date(date) => date_words(*date),
        Operand::Dates(first, last) => format!("{} and {}", date_words(*first), date_words(*last)),
        Operand::Duration(duration) => duration_words(leaf.operator, *duration),
        Operand::Id(id) => name(id, context).map_or_else(|| "that is gone".into(), |name| quoted(&name)),
        Operand::Ids(ids) => listed(ids.iter().map(|id| tag_name(id, context)).collect(), last),
    }
}

/// What a contact has, for the leaf that asks.
pub fn actual_words(leaf: &Leaf, actual: &Value, context: &Context, moment: &Moment) -> String {
    match (leaf.field.kind, actual) {
        (_, Value::Null) => "empty".into(),
        (Kind::Tags, Value::Array(ids)) if ids.is_empty() => "no tags".into(),
        (Kind::Tags, Value::Array(ids)) => {
            let ids = ids.iter().filter_map(|id| Uuid::try_parse(id.as_str()?).ok());
            listed(ids.map(|id| tag_name(&id, context)).collect(), "and")
        }
        (_, Value::Bool(value)) => yes_or_no(*value).into(),
        (Kind::Time, Value::String(text)) => time_words(text, moment),
        (Kind::Date, Value::String(text)) => read_date(text).map_or_else(|| quoted(text), date_words),
        (_, Value::String(text)) if text.is_empty() => "empty".into(),
        (_, Value::String(text)) => text_words(&leaf.field, text),
        (_, Value::Array(items)) if items.is_empty() => "empty".into(),
        (_, Value::Array(items)) => listed(
            items
                .iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), quoted))
                .collect(),
            "and",
        ),
        (_, other) => quoted(&other.to_string()).trim_matches(['“', '”']).to_owned(),
    }
}

/// "2 November 2026".
pub fn date_words(date: Date) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let month = MONTHS[usize::from(date.month().unsigned_abs()).clamp(1, 12) - 1];
    format!("{} {month} {}", date.day(), date.year())
}

fn time_words(text: &str, moment: &Moment) -> String {
    let local = read_time(text).and_then(|at| moment.local(at));
    local.map_or_else(
        || quoted(text),
        |(date, time)| format!("{}, {:02}:{:02}", date_words(date), time.hour(), time.minute()),
    )
}

fn duration_words(operator: Operator, Duration { amount, unit }: Duration) -> String {
    let direction = match operator {
        Operator::InNext | Operator::AnniversaryInNext => "next",
        _ => "last",
    };
    match amount {
        1 => format!("the {direction} {}", unit.name().trim_end_matches('s')),
        _ => format!("the {direction} {amount} {}", unit.name()),
    }
}

/// Choices by their labels, other texts in quotation marks.
fn text_words(field: &Field, text: &str) -> String {
    let label = field.option_label(text);
    if field.kind == Kind::Choice && label != text {
        super::super::lowercase::lowercase(label)
    } else {
        quoted(text)
    }
}

fn name(id: &Uuid, context: &Context) -> Option<String> {
    context.names.get(&id.to_string()).cloned()
}

fn tag_name(id: &Uuid, context: &Context) -> String {
    name(id, context).unwrap_or_else(|| "a tag that is gone".into())
}

fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// "a, b or c".
fn listed(mut items: Vec<String>, last: &str) -> String {
    if items.len() > NAMED {
        let more = items.len() - NAMED;
        items.truncate(NAMED);
        items.push(format!("{more} more"));
    }
    match items.split_last() {
        Some((only, [])) => only.clone(),
        Some((end, others)) => format!("{} {last} {end}", others.join(", ")),
        None => String::new(),
    }
}
