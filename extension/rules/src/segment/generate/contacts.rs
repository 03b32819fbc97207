//! Random contacts.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::context::CustomField;
use super::super::evaluate::moment::write_time;
use super::super::field::Kind;
use super::{Generator, World};

/// Words of contacts and rules: other scripts, case that changes oddly, and what breaks out of SQL, patterns and JSON.
pub const WORDS: [&str; 30] = [
    "Ali",
    "ALI",
    "ali baba",
    "Acme",
    "ACME Sdn Bhd",
    "gmail.com",
    "Straße",
    "STRASSE",
    "İstanbul",
    "istanbul",
    "ΟΔΟΣ",
    "οδος",
    "Привет",
    "ПРИВЕТ",
    "مرحبا",
    "你好",
    "😀",
    "e\u{301}",
    "100%",
    "100",
    "a_b",
    "axb",
    "back\\slash",
    "O'Neil",
    "'; drop table contacts; --",
    "($1)[1]",
    "$2",
    "\"quoted\"",
    "<b>",
    " ",
];

/// Options of the choices, one of which stands in no definition.
pub const OPTIONS: [&str; 4] = ["gold", "Silver", "it's \"bronze\"", "gone"];

pub const NUMBERS: [&str; 10] = [
    "0",
    "1",
    "-1",
    "2.5",
    "2.50001",
    "10",
    "100",
    "-0.001",
    "123456789012345",
    "0.0000000001",
];

/// One field of every type, and a key that would be trouble if it became text of a statement.
pub fn custom_fields() -> Vec<CustomField> {
    let options = || OPTIONS[..3].iter().map(|option| option.to_string()).collect();
    let field = |key: &str, kind: Kind, options: Vec<String>| CustomField {
        key: key.into(),
        label: format!("Label of {key}"),
        kind,
        options,
    };
    vec![
        field("remark", Kind::Text, vec![]),
        field("o'k\"ey ->> $1", Kind::Text, vec![]),
        field("spend", Kind::Number, vec![]),
        field("renewal", Kind::Date, vec![]),
        field("vip", Kind::Boolean, vec![]),
        field("tier", Kind::Choice, options()),
        field("likes", Kind::Choices, options()),
    ]
}

pub fn facts(generator: &mut Generator, world: &World) -> Value {
    let has_conversation = generator.chance(60);
    json!({
        "contact": contact(generator, world),
        "tags": ids(generator, &world.tags, 35),
        "segments": ids(generator, &world.segments, 40),
        "has_conversation": has_conversation,
        "has_active_conversation": has_conversation && generator.chance(50),
        "campaigns": rows(generator, &world.campaigns, &["received", "read", "replied", "clicked"]),
        "flows": rows(generator, &world.flows, &["in_progress", "completed"]),
    })
}

fn ids(generator: &mut Generator, ids: &[Uuid], percent: usize) -> Vec<String> {
    generator.some(ids, percent).iter().map(Uuid::to_string).collect()
}

fn rows(generator: &mut Generator, ids: &[Uuid], flags: &[&str]) -> Vec<Value> {
    let known = generator.some(ids, 50);
    known
        .into_iter()
        .map(|id| {
            let mut row = Map::from_iter([("id".to_owned(), json!(id.to_string()))]);
            row.extend(
                flags
                    .iter()
                    .map(|flag| (flag.to_string(), json!(generator.chance(50)))),
            );
            Value::Object(row)
        })
        .collect()
}

fn contact(generator: &mut Generator, world: &World) -> Value {
    let phone = format!("+6012{:07}", generator.below(40));
    let address = generator.chance(60).then(|| address(generator));
    json!({
        "phone": generator.chance(80).then_some(phone),
        // Always known by something, as the table demands.
        "wa_id": format!("{}", 10_000_000 + generator.below(80_000_000)),
        "full_name": maybe_text(generator),
        "email": maybe_text(generator),
        "company": maybe_text(generator),
        "job_title": maybe_text(generator),
        "username": maybe_text(generator),
        "notes": maybe_text(generator),
        "address": address,
        "source": *generator.pick(&["manual", "import", "whatsapp", "campaign", "flow", "ad"]),
        "opt_in_status": *generator.pick(&["opted_in", "opted_out", "pending"]),
        "lifecycle_stage": *generator.pick(&["lead", "prospect", "customer", "churned"]),
        "messages_sent": generator.below(6),
        "messages_received": *generator.pick(&[0, 1, 2, 3, 10, 100, 2_147_483_647]),
        "created_at": time(generator, world),
        "last_message_at": generator.chance(75).then(|| time(generator, world)),
        "last_inbound_at": generator.chance(60).then(|| time(generator, world)),
        "opt_in_at": generator.chance(50).then(|| time(generator, world)),
        "birthday": generator.chance(75).then(|| birthday(generator, world).to_string()),
        "custom_fields": custom_values(generator, world),
    })
}

fn maybe_text(generator: &mut Generator) -> Option<String> {
    generator.chance(70).then(|| text(generator))
}

/// One to three words; sometimes nothing at all.
pub fn text(generator: &mut Generator) -> String {
    let count = *generator.pick(&[0, 1, 1, 1, 2, 3]);
    let words: Vec<&str> = (0..count).map(|_| *generator.pick(&WORDS)).collect();
    let between = *generator.pick(&["", " "]);
    words.join(between)
}

fn address(generator: &mut Generator) -> Value {
    let mut address = Map::new();
    for key in ["city", "state", "country", "zip"] {
        if generator.chance(50) {
            let value = if generator.with_wrong_types && generator.chance(5) {
                json!(100)
            } else {
                json!(text(generator))
            };
            address.insert(key.into(), value);
        }
    }
    Value::Object(address)
}

/// Around now, or exactly (to the microsecond) where a rule has its bound.
fn time(generator: &mut Generator, world: &World) -> String {
    const HOUR: i64 = 3_600_000_000;
    let moment = &world.moment;
    let nudge = *generator.pick(&[0, 0, 1, -1]);
    let at = match generator.below(3) {
        0 => moment.now - generator.span() * *generator.pick(&[1, 24, 168]) * HOUR + nudge,
        1 => moment.start_of(moment.day(day_distance(generator))) + nudge,
        _ => moment.now - generator.below(400 * 24) as i64 * HOUR + 20 * 24 * HOUR,
    };
    write_time(at)
}

/// Days from today that rules name too.
pub fn day_distance(generator: &mut Generator) -> i64 {
    let distance = generator.span() + *generator.pick(&[-1, 0, 0, 1]);
    if generator.chance(50) { distance } else { -distance }
}

fn birthday(generator: &mut Generator, world: &World) -> Date {
    let day = world.moment.day(day_distance(generator));
    match generator.below(4) {
        0 => day,
        1 => Date::constant(1992, 2, 29),
        2 => *generator.pick(&[
            Date::constant(1993, 3, 1),
            Date::constant(1993, 2, 28),
            Date::constant(1990, 12, 31),
        ]),
        _ => day.saturating_sub((generator.below(60) as i32).years()),
    }
}

fn custom_values(generator: &mut Generator, world: &World) -> Value {
    let mut values = Map::new();
    for field in &world.context.custom_fields {
        if generator.chance(30) {
            continue;
        }
        let value = if generator.with_wrong_types && generator.chance(10) {
            wrong_value(generator)
        } else {
            custom_value(generator, world, field.kind)
        };
        values.insert(field.key.clone(), value);
    }
    Value::Object(values)
}

fn custom_value(generator: &mut Generator, world: &World, kind: Kind) -> Value {
    match kind {
        Kind::Number => number(generator),
        Kind::Date => json!(world.moment.day(day_distance(generator)).to_string()),
        Kind::Boolean => json!(generator.chance(50)),
        Kind::Choice => json!(*generator.pick(&OPTIONS)),
        Kind::Choices => json!(generator.some(&OPTIONS, 40)),
        _ => json!(text(generator)),
    }
}

/// Values that no check would let in, as only a direct write could leave them.
fn wrong_value(generator: &mut Generator) -> Value {
    let values = [
        json!(null),
        json!(""),
        json!([]),
        json!({}),
        json!(true),
        json!("gold"),
        json!(["gold"]),
        json!("100"),
        json!("2026-99-99"),
        json!("2026-11-23T00:00:00"),
        json!("[]"),
        json!({"gold": 1}),
        json!([["gold"]]),
        number(generator),
    ];
    generator.pick(&values).clone()
}

pub fn number(generator: &mut Generator) -> Value {
    let text = *generator.pick(&NUMBERS);
    text.parse::<serde_json::Number>()
        .map_or(Value::Null, Value::Number)
}
