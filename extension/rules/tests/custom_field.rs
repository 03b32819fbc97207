//! Values of custom fields as they come from forms, files and other programs.

use octopush_rules::custom_field::check_custom_value;
use proptest::prelude::*;
use serde_json::{Value, json};

fn check(kind: &str, value: Value) -> Value {
    let definition =
        json!({ "key": "k", "label": "K", "type": kind, "options": ["Gold", "Silver", "gold leaf"] });
    check_custom_value(&definition, &value)
}

fn kept(kind: &str, value: Value) -> Value {
    let answer = check(kind, value.clone());
    answer
        .get("value")
        .unwrap_or_else(|| panic!("{kind} {value} was refused: {answer}"))
        .clone()
}

fn problem(kind: &str, value: Value) -> String {
    let answer = check(kind, value.clone());
    answer["problem"]
        .as_str()
        .unwrap_or_else(|| panic!("{kind} {value} was taken: {answer}"))
        .to_owned()
}

#[test]
fn nothing_clears_a_field_of_any_kind() {
    for kind in ["text", "number", "date", "boolean", "choice", "multi_choice"] {
        for nothing in [json!(null), json!(""), json!("  ")] {
            assert_eq!(kept(kind, nothing), Value::Null, "{kind}");
        }
    }
    assert_eq!(kept("multi_choice", json!([])), Value::Null);
    problem("text", json!([]));
}

#[test]
fn each_kind_takes_only_its_own_json() {
    problem("text", json!(5));
    problem("number", json!("5"));
    problem("date", json!(20260131));
    problem("boolean", json!("yes"));
    problem("boolean", json!(1));
    problem("choice", json!(["Gold"]));
    problem("multi_choice", json!("Gold"));
    problem("multi_choice", json!(["Gold", 1]));
}

#[test]
fn texts_are_trimmed_and_bounded() {
    assert_eq!(kept("text", json!("  a\nb ")), json!("a\nb"));
    assert_eq!(kept("text", json!("é".repeat(1000))), json!("é".repeat(1000)));
    problem("text", json!("é".repeat(1001)));
    problem("text", json!("a\u{0}b"));
}

#[test]
fn numbers_have_one_form() {
    for (given, plain) in [
        ("1.50", "1.5"),
        ("1e3", "1000"),
        ("-0.0", "0"),
        ("1.25e-2", "0.0125"),
        ("100", "100"),
        ("-7.000", "-7"),
        ("999999999999999", "999999999999999"),
        ("0.1", "0.1"),
    ] {
        let value: Value = serde_json::from_str(given).unwrap();
        assert_eq!(kept("number", value).to_string(), plain, "{given}");
    }
    for refused in ["1e15", "1e999999999999", "1e-11", "0.12345678901"] {
        let value: Value = serde_json::from_str(refused).unwrap();
        problem("number", value);
    }
}

#[test]
fn dates_exist_and_are_iso() {
    assert_eq!(kept("date", json!(" 2024-02-29 ")), json!("2024-02-29"));
    for refused in [
        "2023-02-29",
        "29/02/2024",
        "2024-2-9",
        "0000-01-01",
        "0999-01-01",
        "+2024-01-01",
        "2024-01-01T00:00:00Z",
    ] {
        problem("date", json!(refused));
    }
}

#[test]
fn choices_are_spelt_as_defined() {
    assert_eq!(kept("choice", json!(" gold ")), json!("Gold"));
    assert_eq!(kept("choice", json!("gold leaf")), json!("gold leaf"));
    assert!(problem("choice", json!("Bronze")).contains("Gold, Silver"));
    assert_eq!(
        kept("multi_choice", json!(["silver", "GOLD", "Silver"])),
        json!(["Gold", "Silver"])
    );
    problem("multi_choice", json!(["Gold", "Bronze"]));
}

#[test]
fn a_broken_definition_is_a_problem_not_a_panic() {
    for definition in [
        json!(null),
        json!({}),
        json!({ "type": "colour" }),
        json!({ "type": "choice", "options": [1] }),
    ] {
        assert!(
            check_custom_value(&definition, &json!("x"))["problem"].is_string(),
            "{definition}"
        );
    }
}

proptest! {
    #[test]
    fn what_was_kept_is_kept_unchanged(number in -1e14f64..1e14, text in ".{0,40}") {
        let once = kept("number", json!((number * 1000.0).round() / 1000.0));
        prop_assert_eq!(kept("number", once.clone()), once);
        if let Some(once) = check("text", json!(text)).get("value") {
            prop_assert_eq!(&kept("text", once.clone()), once);
        }
    }
}
