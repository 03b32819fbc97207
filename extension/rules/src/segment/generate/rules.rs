//! Random rules.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::field::{Field, Kind, Place};
use super::super::operand::Takes;
use super::super::operator::Operator;
use super::contacts::{self, OPTIONS, WORDS};
use super::{Generator, World};

/// A tree, mostly small: what is false by many leaves tells nothing of one.
pub fn rules(generator: &mut Generator, world: &World) -> Value {
    let fields = Field::each(&world.context);
    let levels = *generator.pick(&[1, 1, 2, 2, 3, 8]);
    let mut leaves = 1 + generator.below(8);
    group(generator, world, &fields, levels, &mut leaves)
}

fn group(
    generator: &mut Generator,
    world: &World,
    fields: &[Field],
    levels: usize,
    leaves: &mut usize,
) -> Value {
    let matching = *generator.pick(&["all", "all", "any", "any", "none"]);
    let count = *generator.pick(&[1, 1, 2, 2, 3, 4, 0]);
    let mut children = Vec::new();
    for _ in 0..count {
        if levels > 1 && generator.chance(40) {
            children.push(group(generator, world, fields, levels - 1, leaves));
        } else if *leaves > 0 {
            *leaves -= 1;
            children.push(leaf(generator, world, fields));
        }
    }
    json!({matching: children})
}

fn leaf(generator: &mut Generator, world: &World, fields: &[Field]) -> Value {
    // Tags and custom fields are one field of many, but what people ask about most.
    let favourites: Vec<&Field> = fields
        .iter()
        .filter(|field| field.kind == Kind::Tags || field.place == Place::Custom)
        .collect();
    let field = if generator.chance(40) {
        *generator.pick(&favourites)
    } else {
        generator.pick(fields)
    };
    let operators = field.operators();
    let operator = *generator.pick(&operators);
    let mut leaf = Map::new();
    leaf.insert("field".into(), json!(field.name));
    leaf.insert("operator".into(), json!(operator.name()));
    if let Some(value) = value(generator, world, field, operator) {
        leaf.insert("value".into(), value);
    }
    Value::Object(leaf)
}

fn value(generator: &mut Generator, world: &World, field: &Field, operator: Operator) -> Option<Value> {
    Some(match Takes::of(field.kind, operator) {
        Takes::Nothing => return None,
        Takes::Text => json!(text(generator, field)),
        Takes::List => {
            let count = 1 + generator.below(4);
            json!((0..count).map(|_| text(generator, field)).collect::<Vec<_>>())
        }
        Takes::Number => number(generator, field),
        Takes::Range => {
            let (one, other) = (number(generator, field), number(generator, field));
            let value = |number: &Value| number.as_f64().unwrap_or_default();
            if value(&one) <= value(&other) {
                json!([one, other])
            } else {
                json!([other, one])
            }
        }
        Takes::Boolean => json!(generator.chance(50)),
        Takes::Date => json!(day(generator, world)),
        Takes::Dates => {
            let (one, other) = (day(generator, world), day(generator, world));
            if one <= other {
                json!([one, other])
            } else {
                json!([other, one])
            }
        }
        Takes::Duration => {
            let units: &[&str] = if field.kind == Kind::Time {
                &["hours", "days", "weeks"]
            } else {
                &["days", "weeks"]
            };
            json!({"amount": generator.span(), "unit": *generator.pick(units)})
        }
        Takes::Tags => {
            let count = 1 + generator.below(5);
            json!((0..count).map(|_| id(generator, &world.tags)).collect::<Vec<_>>())
        }
        Takes::Segment => json!(id(generator, &world.segments)),
        Takes::Campaign => json!(id(generator, &world.campaigns)),
        Takes::Flow => json!(id(generator, &world.flows)),
    })
}

fn id(generator: &mut Generator, ids: &[Uuid]) -> String {
    generator.pick(ids).to_string()
}

fn day(generator: &mut Generator, world: &World) -> String {
    world.moment.day(contacts::day_distance(generator)).to_string()
}

fn text(generator: &mut Generator, field: &Field) -> String {
    match (field.kind, field.place) {
        (Kind::Choice, Place::Column { .. }) => generator.pick(&field.options).0.clone(),
        (Kind::Choice | Kind::Choices, _) => generator.pick(&OPTIONS).to_string(),
        _ if field.name == "phone" => {
            let digits = format!("+6012{:07}", generator.below(40));
            let from = *generator.pick(&[0, 0, 3]);
            digits[from..].to_owned()
        }
        _ => part_of_words(generator),
    }
}

/// A word in any case, a part of one, or several.
fn part_of_words(generator: &mut Generator) -> String {
    let whole = match generator.below(4) {
        0 => contacts::text(generator),
        1 => generator.pick(&WORDS).to_uppercase(),
        _ => generator.pick(&WORDS).to_string(),
    };
    let characters: Vec<char> = whole.chars().collect();
    let from = if generator.chance(30) {
        generator.below(characters.len())
    } else {
        0
    };
    let part: String = characters
        .into_iter()
        .skip(from)
        .take(if generator.chance(30) { 2 } else { 500 })
        .collect();
    if part.is_empty() { "a".into() } else { part }
}

fn number(generator: &mut Generator, field: &Field) -> Value {
    match field.place {
        Place::Custom => contacts::number(generator),
        _ => json!(*generator.pick(&[0, 1, 2, 3, 5, 10, 2_147_483_647])),
    }
}
