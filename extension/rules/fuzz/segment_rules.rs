//! Fuzzes the reader of segment rules and everything behind it, on stable Rust:
//! `cargo run --release -p octopush-rules --example fuzz_segment_rules --features testing -- [seconds] [first seed]`.
//!
//! Every round takes rules of the generator, breaks their text or their tree, and reads them. What is still valid is
//! compiled, said, explained, printed and read again. A panic ends the run and names the seed, with which it comes again.

use octopush_rules::segment::compile::compile;
use octopush_rules::segment::explain::explain;
use octopush_rules::segment::generate::{Generator, World};
use octopush_rules::segment::horizons::horizons;
use octopush_rules::segment::references::references;
use octopush_rules::segment::rules::Rules;
use octopush_rules::segment::sentence::sentence;
use octopush_rules::segment::{json, limits};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Pieces that are put where they do not belong.
const PIECES: [&str; 28] = [
    "[",
    "]",
    "{",
    "}",
    "\"",
    ",",
    ":",
    "null",
    "true",
    "1e400",
    "-0",
    "0.00000000000001",
    "\\u0000",
    "\\ud800",
    "{\"all\":[",
    "{\"none\":[",
    "\"field\"",
    "\"value\":",
    "\"custom.\"",
    "\"between\"",
    "\"in_last\"",
    "\"amount\":-1",
    "\"9999-12-31\"",
    "\"unit\":\"weeks\"",
    "99999999999999999999",
    "\u{202e}",
    "'; --",
    "{\"$serde_json::private::Number\":\"x\"}",
];

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let mut next = |default: u64| match arguments.next() {
        Some(argument) => argument.expect("arguments are numbers: seconds and the first seed"),
        None => default,
    };
    let (seconds, first_seed) = (next(10), next(0));
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut seed, mut valid) = (first_seed, 0u64);
    while Instant::now() < end {
        let outcome = std::panic::catch_unwind(|| round(seed));
        match outcome {
            Ok(is_valid) => valid += u64::from(is_valid),
            Err(_) => {
                eprintln!("panicked with seed {seed}");
                std::process::exit(1);
            }
        }
        seed += 1;
    }
    println!(
        "{} inputs, {valid} of them valid rules, no panic",
        seed - first_seed
    );
}

fn round(seed: u64) -> bool {
    let mut generator = Generator::seeded(seed);
    let world = generator.world();
    let mut text = generator.rules(&world).to_string();
    for _ in 0..generator.below(4) {
        text = broken(&mut generator, &text);
    }
    let Ok(mut value) = json::read(&text) else {
        return false;
    };
    if generator.chance(50) {
        let other = generator.rules(&world);
        graft(&mut generator, &mut value, &other, 0);
    }
    let _ = (references(&value), horizons(&value));
    match Rules::parse(&value, &world.context) {
        Ok(rules) => {
            use_everywhere(&rules, &mut generator, &world);
            true
        }
        Err(problems) => {
            assert!(!problems.is_empty() && problems.len() <= limits::PROBLEMS);
            false
        }
    }
}

fn use_everywhere(rules: &Rules, generator: &mut Generator, world: &World) {
    let compiled = compile(rules, &world.context, 1);
    assert!(compiled.predicate.is_ascii());
    assert!(!sentence(rules, &world.context).is_empty());
    explain(rules, &generator.facts(world), &world.context, &world.moment);
    let again = Rules::parse(&rules.to_json(), &world.context);
    assert_eq!(again.as_ref(), Ok(rules));
}

/// The text with a part lost, doubled or replaced.
fn broken(generator: &mut Generator, text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let from = generator.below(characters.len());
    let until = (from + generator.below(12)).min(characters.len());
    let part: String = characters[from..until].iter().collect();
    let between = match generator.below(4) {
        0 => String::new(),
        1 => part.repeat(2),
        2 => PIECES[generator.below(PIECES.len())].to_owned(),
        _ => PIECES[generator.below(PIECES.len())].repeat(1 + generator.below(300)),
    };
    let (before, behind): (String, String) = (
        characters[..from].iter().collect(),
        characters[until..].iter().collect(),
    );
    format!("{before}{between}{behind}")
}

/// Puts `other`, or something of another type, in a random place of the tree.
fn graft(generator: &mut Generator, value: &mut Value, other: &Value, depth: usize) {
    if depth > 40 || generator.chance(25) {
        *value = match generator.below(5) {
            0 => Value::Null,
            1 => Value::from(PIECES[generator.below(PIECES.len())]),
            2 => Value::from(generator.below(1_000)),
            3 => Value::Array(vec![value.clone(), other.clone()]),
            _ => other.clone(),
        };
        return;
    }
    match value {
        Value::Array(items) if !items.is_empty() => {
            let position = generator.below(items.len());
            graft(generator, &mut items[position], other, depth + 1);
        }
        Value::Object(object) if !object.is_empty() => {
            let position = generator.below(object.len());
            if let Some(child) = object.values_mut().nth(position) {
                graft(generator, child, other, depth + 1);
            }
        }
        _ => *value = other.clone(),
    }
}
