//! Fuzzes the reader of message templates and everything behind it, on stable Rust:
//! `cargo run --release -p octopush-rules --example fuzz_templates --features testing -- [seconds] [first seed]`.
//!
//! Every round takes a template of the generator, breaks its text or its tree, and uses it. Where no error is left, its
//! values make a message. A panic ends the run and names the seed, with which it comes again.

use octopush_rules::campaign::variables::check_campaign_variables;
use octopush_rules::segment::context::Context;
use octopush_rules::segment::generate::Generator;
use octopush_rules::segment::json;
use octopush_rules::template::check::check_template;
use octopush_rules::template::generate::{template, tokens, values};
use octopush_rules::template::message::{Answer, template_message};
use octopush_rules::template::model::Template;
use octopush_rules::template::render::render_template;
use octopush_rules::template::variables::template_variables;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Pieces that are put where they do not belong.
const PIECES: [&str; 26] = [
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
    "{{",
    "}}",
    "{{1}}",
    "{{2}}{{1}}",
    "{{a_name}}",
    "\\u0000",
    "\\ud800",
    "\"type\":",
    "\"CAROUSEL\"",
    "\"BUTTONS\"",
    "\"text\":",
    "\"url\":\"{{1}}\"",
    "\"cards\":[",
    "\"authentication\"",
    "\u{202e}",
    "\\n",
];

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let mut next = |default: u64| match arguments.next() {
        Some(argument) => argument.expect("arguments are numbers: seconds and the first seed"),
        None => default,
    };
    let (seconds, first_seed) = (next(10), next(0));
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut seed, mut sent) = (first_seed, 0u64);
    while Instant::now() < end {
        match std::panic::catch_unwind(|| round(seed)) {
            Ok(is_sent) => sent += u64::from(is_sent),
            Err(_) => {
                eprintln!("panicked with seed {seed}");
                std::process::exit(1);
            }
        }
        seed += 1;
    }
    println!("{} inputs, {sent} of them messages, no panic", seed - first_seed);
}

fn round(seed: u64) -> bool {
    let mut generator = Generator::seeded(seed);
    let mut text = template(&mut generator).to_string();
    for _ in 0..generator.below(4) {
        text = broken(&mut generator, &text);
    }
    let Ok(mut value) = json::read(&text) else {
        return false;
    };
    if generator.chance(50) {
        let other = template(&mut generator);
        graft(&mut generator, &mut value, &other, 0);
    }
    let problems = check_template(&value);
    let problems = problems.as_array().expect("a list");
    assert!(problems.len() <= 100);
    let has_errors = problems.iter().any(|problem| problem["severity"] == "error");
    let parsed = Template::parse(&value);
    let (values, tokens) = (values(&mut generator, &value), tokens(&value));
    template_variables(&parsed);
    check_campaign_variables(&parsed, &value, &Context::default());
    let shown = render_template(&parsed, &values);
    match template_message(&parsed, &values, &tokens) {
        Answer::Message { body, .. } => {
            assert_eq!(shown["body"], body);
            true
        }
        Answer::Problems { problems } => {
            // What is free of errors is refused only for what is not supported, or for a text grown too long.
            let is_explained =
                |message: &str| message.contains("from here") || message.contains("characters");
            assert!(has_errors || problems.iter().all(|problem| is_explained(&problem.message)));
            false
        }
    }
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
    let before: String = characters[..from].iter().collect();
    let behind: String = characters[until..].iter().collect();
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
