//! Which variant did better.

use octopush_rules::campaign::compare::compare_variants;
use octopush_rules::segment::generate::Generator;
use serde_json::{Value, json};

/// Variants counted from 1, each as delivered and successes.
fn compare(counts: &[(u32, u32)]) -> Value {
    let counts: Vec<Value> = counts
        .iter()
        .zip(1..)
        .map(|((delivered, successes), variant)| {
            json!({"variant": variant, "delivered": delivered, "successes": successes})
        })
        .collect();
    compare_variants(&json!(counts))
}

fn close(value: &Value, expected: f64) -> bool {
    (value.as_f64().expect("a number") - expected).abs() < 2e-6
}

/// Figures by the formulas, computed elsewhere: z = 3.15729, two-sided p = 0.0015923.
#[test]
fn two_variants_by_the_book() {
    let found = compare(&[(1000, 400), (1000, 470)]);
    assert_eq!(found["winner"], 2);
    assert!(close(&found["p_value"], 0.001_592), "{found}");
    let rates = &found["rates"];
    assert!(close(&rates[0]["rate"], 0.4) && close(&rates[1]["rate"], 0.47));
    assert!(
        close(&rates[0]["low"], 0.370_075) && close(&rates[0]["high"], 0.430_691),
        "{rates}"
    );
    assert_eq!(
        found["sentence"],
        "Variant 2 is better: 47.0 % against 40.0 % of variant 1. Chance alone would show such a difference in 0.2 % of such tests."
    );
}

#[test]
fn a_small_difference_is_no_winner() {
    let found = compare(&[(1000, 400), (1000, 420)]);
    assert_eq!(found["winner"], Value::Null);
    assert!(found["p_value"].as_f64().expect("a number") > 0.05);
    assert_eq!(
        found["sentence"],
        "There is no winner: 42.0 % of variant 2 against 40.0 % of variant 1 may well be chance, which shows such a difference in 36.3 % of such tests."
    );
    let level = compare(&[(1000, 400), (500, 200)]);
    assert_eq!((&level["winner"], &level["p_value"]), (&Value::Null, &json!(1.0)));
    assert_eq!(
        level["sentence"],
        "There is no winner: variants 1 and 2 are level at 40.0 %."
    );
}

/// Between two of them p is 0.03; among three it would have to be below 0.0167.
#[test]
fn three_variants_must_differ_more() {
    let two = compare(&[(1000, 400), (1000, 448)]);
    assert_eq!(two["winner"], 2);
    let three = compare(&[(1000, 400), (1000, 448), (1000, 300)]);
    assert_eq!(three["winner"], Value::Null, "{three}");
    let ratio = three["p_value"].as_f64().expect("a number") / two["p_value"].as_f64().expect("a number");
    assert!((ratio - 3.0).abs() < 0.001, "{ratio}");
    let clear = compare(&[(1000, 400), (1000, 300), (1000, 500)]);
    assert_eq!(clear["winner"], 3);
    let between_two = compare(&[(1000, 500), (1000, 300), (1000, 500)]);
    assert_eq!(between_two["winner"], Value::Null);
}

#[test]
fn too_little_data_names_nobody() {
    for counts in [
        &[(0, 0), (0, 0)][..],
        &[(5, 5), (5, 0)],
        &[(1000, 4), (1000, 0)],
        &[(1000, 500), (0, 0)],
        &[(10, 10), (10, 10)],
    ] {
        let found = compare(counts);
        assert_eq!(
            (&found["winner"], &found["p_value"]),
            (&Value::Null, &json!(1.0)),
            "{counts:?}"
        );
        assert!(
            found["sentence"]
                .as_str()
                .expect("a text")
                .starts_with("It is too early to tell"),
            "{found}"
        );
    }
    let alone = compare(&[(10, 5)]);
    assert_eq!(alone["winner"], Value::Null);
    assert_eq!(alone["rates"][0]["variant"], 1);
}

#[test]
fn odd_counts_are_survived() {
    for counts in [
        json!(null),
        json!([]),
        json!([{"variant": 1}]),
        json!([{"variant": 1, "delivered": -5, "successes": 9}, {"variant": 2, "delivered": 1e308, "successes": 1e308}]),
        json!([{"variant": 1, "delivered": 50, "successes": 90}, {"variant": 1, "delivered": 50, "successes": 0}]),
    ] {
        let found = compare_variants(&counts);
        assert!(
            found["sentence"].is_string() && found["p_value"].is_number(),
            "{counts} {found}"
        );
    }
}

#[test]
fn intervals_hold_their_rate_and_stay_between_nothing_and_all() {
    for delivered in [1, 2, 10, 1_000_000] {
        for successes in [0, 1, delivered / 2, delivered] {
            let found = compare(&[(delivered, successes)]);
            let number = |key: &str| found["rates"][0][key].as_f64().expect("a number");
            let (low, rate, high) = (number("low"), number("rate"), number("high"));
            assert!(
                0.0 <= low && low <= rate && rate <= high && high <= 1.0 && low < high,
                "{found}"
            );
        }
    }
}

/// Three variants that are alike, compared many times: a winner is named in at most one of twenty.
#[test]
fn chance_alone_rarely_names_a_winner() {
    let mut generator = Generator::seeded(5);
    let (mut winners, trials) = (0, 2_000);
    for _ in 0..trials {
        let counts: Vec<(u32, u32)> = (0..3)
            .map(|_| (300, (0..300).filter(|_| generator.chance(30)).count() as u32))
            .collect();
        winners += u32::from(!compare(&counts)["winner"].is_null());
    }
    assert!(winners > 0 && winners <= trials / 20, "{winners} of {trials}");
}
