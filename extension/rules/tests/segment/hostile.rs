//! Texts that would like to become something else.

use octopush_rules::segment::compile::compile;
use octopush_rules::segment::explain::explain;
use octopush_rules::segment::rules::Rules;
use octopush_rules::segment::{json, sentence};
use serde_json::{Value, json};

use super::{context, moment};

fn hostile_texts() -> Vec<String> {
    let texts = [
        "'",
        "''",
        "'; drop table contacts; --",
        "\"",
        "$1",
        "($1)[1]",
        "$2::text",
        "$$",
        "\\",
        "\\'",
        "%",
        "_",
        "%_%",
        "\u{202E}txt.exe",
        "😀",
        "مرحبا",
        "e\u{301}",
        "\u{feff}",
        "\n\r\t",
        "/*",
        "*/",
        "--",
        "{}",
        "[]",
        "null",
        "0x00",
        "?|",
        "::uuid",
        "chr(39)",
        "\u{7f}",
        "\u{10ffff}",
        "../..",
        "~1~0",
        "<script>",
    ];
    texts
        .iter()
        .map(|text| text.to_string())
        .chain(["a".repeat(10_000), "é".repeat(500), "'".repeat(500)])
        .collect()
}

/// Words a predicate may be made of: a hostile text must not add one.
fn is_our_own(predicate: &str) -> bool {
    predicate.is_ascii()
        && !predicate.contains(['"', ';', '$', '\\'])
        && !predicate.contains("--")
        && !predicate.contains("/*")
}

/// A predicate without what refers to values, and without our own quoted words.
pub fn without_binds(predicate: &str) -> String {
    let marks = regex::Regex::new(r"\(\$1\)\[\d+(:\d+)?\]|\$2").expect("a pattern");
    let mut plain = marks.replace_all(predicate, "").into_owned();
    for ours in [r#" collate "C""#, "'^[0-9]{4}-[0-9]{2}-[0-9]{2}$'"] {
        plain = plain.replace(ours, "");
    }
    plain
}

#[test]
fn as_values_they_stay_values() {
    let fields = [
        "full_name",
        "phone",
        "email",
        "address.city",
        "custom.remark",
        "custom.tier",
        "custom.likes",
    ];
    for text in hostile_texts() {
        for name in fields {
            for operator in [
                "is",
                "contains",
                "starts_with",
                "ends_with",
                "is_one_of",
                "has_any_of",
                "has_all_of",
            ] {
                let value = if operator.contains("_of") {
                    json!([text, "plain"])
                } else {
                    json!(text)
                };
                let rules = json!({"none": [{"field": name, "operator": operator, "value": value}]});
                let Ok(rules) = Rules::parse(&rules, &context()) else {
                    continue;
                };
                let compiled = compile(&rules, &context(), 1);
                assert!(
                    is_our_own(&without_binds(&compiled.predicate)),
                    "{}",
                    compiled.predicate
                );
                assert!(
                    compiled
                        .params
                        .iter()
                        .any(|param| param.contains(&text) || param.starts_with('%') || param.ends_with('%'))
                );
                sentence::sentence(&rules, &context());
                explain(
                    &rules,
                    &json!({"contact": {"full_name": text}}),
                    &context(),
                    &moment(),
                );
            }
        }
    }
}

#[test]
fn as_keys_of_custom_fields_they_stay_values() {
    for key in hostile_texts() {
        for (kind, operator, value) in [
            ("text", "is", json!("a")),
            ("number", "at_least", json!(1)),
            ("date", "is_today", json!(null)),
            ("boolean", "is", json!(true)),
            ("choice", "is", json!("a")),
            ("multi_choice", "has_any_of", json!(["a"])),
        ] {
            let context =
                json!({"custom_fields": [{"key": key, "label": key, "type": kind, "options": [key]}]});
            let context = octopush_rules::segment::context::Context::parse(&context).expect("a context");
            let rules =
                json!({"all": [{"field": format!("custom.{key}"), "operator": operator, "value": value}]});
            let rules = Rules::parse(&rules, &context).expect("rules");
            let compiled = compile(&rules, &context, 1);
            assert!(
                is_our_own(&without_binds(&compiled.predicate)),
                "{}",
                compiled.predicate
            );
            assert!(compiled.params.contains(&key));
        }
    }
}

#[test]
fn as_names_they_are_unknown() {
    for text in hostile_texts() {
        for rules in [
            json!({"all": [{"field": text, "operator": "is", "value": "a"}]}),
            json!({"all": [{"field": format!("custom.{text}"), "operator": "is", "value": "a"}]}),
            json!({"all": [{"field": "email", "operator": text, "value": "a"}]}),
            json!({"all": [{"field": "email", "operator": "is", "value": "a", text.clone(): 1}]}),
            json!({text.clone(): []}),
            json!({"all": [text]}),
            json!(text),
        ] {
            let problems = Rules::parse(&rules, &context()).expect_err("refused");
            for problem in problems {
                assert!(
                    problem.message.len() + problem.path.len() < 700,
                    "{} characters",
                    problem.message.len()
                );
            }
        }
    }
}

#[test]
fn texts_that_are_no_json_or_nest_without_end_are_told_and_do_not_crash() {
    for (open, close) in [("[", "]"), ("{\"all\":[", "]}"), ("{\"none\":", "}")] {
        let deep = format!("{}{}", open.repeat(100_000), close.repeat(100_000));
        assert_eq!(json::read(&deep).expect_err("refused").code.name(), "too_deep");
        assert!(json::read(&open.repeat(100_000)).is_err());
    }
    // Deep, but a value that serde_json reads.
    let nested = (0..40).fold(json!([]), |inner: Value, _| json!({"all": [inner]}));
    let problems =
        Rules::parse(&json::read(&nested.to_string()).expect("JSON"), &context()).expect_err("refused");
    assert_eq!(problems[0].code.name(), "too_deep");
}

#[test]
fn facts_of_any_shape_are_read() {
    let rules = json!({"any": [
        {"field": "tags", "operator": "is_empty"}, {"field": "email", "operator": "is", "value": "a"},
        {"field": "campaign", "operator": "read", "value": "01900000-0000-7000-8000-000000000001"},
        {"field": "created_at", "operator": "before", "value": "2026-01-01"},
        {"field": "custom.likes", "operator": "has_all_of", "value": ["tea"]},
    ]});
    let rules = Rules::parse(&rules, &context()).expect("rules");
    for facts in [
        json!(null),
        json!([]),
        json!({}),
        json!("facts"),
        json!({"contact": [], "tags": 5, "campaigns": {}}),
        json!({"contact": {"email": {}, "created_at": "yesterday", "custom_fields": []}, "campaigns": [null, {"id": 5}]}),
        json!({"contact": {"created_at": "infinity"}}),
        json!({"contact": {"created_at": "2026-01-01é00:00:00+00"}}),
    ] {
        explain(&rules, &facts, &context(), &moment());
    }
}
