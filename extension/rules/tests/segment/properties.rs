//! Random rules and contacts. Seeds are fixed, so that a failure comes again; the message names its seed.

use octopush_rules::segment::compile::compile;
use octopush_rules::segment::evaluate::evaluate;
use octopush_rules::segment::evaluate::facts::Facts;
use octopush_rules::segment::explain::explain;
use octopush_rules::segment::flip::change::apply_changes;
use octopush_rules::segment::generate::{Generator, World};
use octopush_rules::segment::horizons::horizons;
use octopush_rules::segment::references::references;
use octopush_rules::segment::rules::{Node, Rules};
use octopush_rules::segment::sentence::sentence;
use serde_json::{Value, json};

use super::hostile::without_binds;

const SEEDS: u64 = 1_500;

fn case(seed: u64) -> (Generator, World, Value, Rules) {
    let mut generator = Generator::seeded(seed);
    let world = generator.world();
    let json = generator.rules(&world);
    let rules =
        Rules::parse(&json, &world.context).unwrap_or_else(|problems| panic!("{seed}: {json}: {problems:?}"));
    (generator, world, json, rules)
}

#[test]
fn rules_are_read_again_as_they_are_written() {
    for seed in 0..SEEDS {
        let (_, world, _, rules) = case(seed);
        let text = rules.to_json().to_string();
        let again = octopush_rules::segment::json::read(&text).expect("JSON");
        assert_eq!(
            Rules::parse(&again, &world.context).as_ref(),
            Ok(&rules),
            "seed {seed}"
        );
    }
}

#[test]
fn the_same_rules_give_the_same_sql_of_balanced_words_without_values() {
    for seed in 0..SEEDS {
        let (_, world, json, rules) = case(seed);
        let compiled = compile(&rules, &world.context, 1);
        let again = Rules::parse(&json, &world.context).expect("rules");
        assert_eq!(compile(&again, &world.context, 1), compiled, "seed {seed}");
        let depth = compiled
            .predicate
            .chars()
            .fold(0i32, |depth, character| match character {
                '(' => depth + 1,
                ')' => depth - 1,
                _ => depth,
            });
        assert_eq!(depth, 0, "seed {seed}: {}", compiled.predicate);
        assert!(compiled.predicate.is_ascii(), "seed {seed}");
        let words = without_binds(&compiled.predicate);
        for text in compiled
            .params
            .iter()
            .filter(|text| text.len() > 3 && !is_ordinary(text))
        {
            assert!(
                !words.contains(text.as_str()),
                "seed {seed}: {text} in {}",
                compiled.predicate
            );
        }
    }
}

/// Plain words may be words of a statement too: true, campaign.
fn is_ordinary(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase())
}

#[test]
fn an_explanation_says_what_evaluation_says() {
    for seed in 0..SEEDS {
        let (mut generator, world, _, rules) = case(seed);
        for _ in 0..3 {
            let facts = generator.facts(&world);
            let explanation = explain(&rules, &facts, &world.context, &world.moment);
            let is_true = evaluate(&rules, &Facts(&facts), &world.moment);
            assert_eq!(explanation["is_true"], json!(is_true), "seed {seed}");
            assert!(!sentence(&rules, &world.context).is_empty());
            let (flip, mut turned) = (&explanation["flip"], facts.clone());
            if !flip.is_null() {
                turned = apply_changes(&facts, &flip["changes"])
                    .unwrap_or_else(|problem| panic!("{seed}: {problem}"));
                assert_eq!(
                    evaluate(&rules, &Facts(&turned), &world.moment),
                    !is_true,
                    "seed {seed}: {flip}"
                );
                assert_eq!(
                    flip["count"].as_u64(),
                    flip["changes"].as_array().map(|list| list.len() as u64)
                );
                assert_ne!(flip["count"], json!(0));
            }
            // A smaller flip would be found from any of its own parts.
            for skipped in 0..flip["changes"].as_array().map_or(0, Vec::len) {
                let mut fewer = flip["changes"].as_array().expect("changes").clone();
                fewer.remove(skipped);
                let changed = apply_changes(&facts, &json!(fewer)).expect("changes");
                assert_eq!(
                    evaluate(&rules, &Facts(&changed), &world.moment),
                    is_true,
                    "seed {seed}: not all of {flip} is needed"
                );
            }
            let _ = turned;
        }
    }
}

#[test]
fn nearly_everything_can_be_turned() {
    let (mut turned, mut asked) = (0, 0);
    for seed in 0..SEEDS {
        let (mut generator, world, _, rules) = case(seed);
        if is_constant(&rules.root) {
            continue;
        }
        asked += 1;
        let explanation = explain(&rules, &generator.facts(&world), &world.context, &world.moment);
        turned += usize::from(!explanation["flip"].is_null());
    }
    // The rest are contradictions and certainties.
    assert!(asked > 1_000 && turned * 100 >= asked * 97, "{turned} of {asked}");
}

/// Whether a tree has a group that decides by itself, or no leaf.
fn is_constant(node: &Node) -> bool {
    match node {
        Node::Leaf(_) => false,
        Node::Group(_, children) => children.is_empty() || children.iter().any(is_constant),
    }
}

#[test]
fn contacts_of_both_kinds_come_up() {
    let (mut meant, mut all) = (0, 0);
    for seed in 0..SEEDS {
        let (mut generator, world, _, rules) = case(seed);
        let facts = generator.facts(&world);
        all += 1;
        meant += usize::from(evaluate(&rules, &Facts(&facts), &world.moment));
    }
    assert!(meant * 5 > all && meant * 5 < all * 4, "{meant} of {all}");
}

#[test]
fn references_and_horizons_are_found_without_a_context() {
    for seed in 0..SEEDS {
        let (_, _, json, _) = case(seed);
        assert!(
            references(&json).is_ok() && horizons(&json).is_ok(),
            "seed {seed}"
        );
    }
}
