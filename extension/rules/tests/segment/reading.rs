//! What rules may be, and what is said of those that may not.

use octopush_rules::segment::rules::Rules;
use serde_json::{Value, json};

use super::{VIP, context, one, parse};

/// The problems of rules as `path code`.
fn problems(rules: &Value) -> Vec<String> {
    match Rules::parse(rules, &context()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems
            .iter()
            .map(|p| format!("{} {}", p.path, p.code.name()))
            .collect(),
    }
}

#[test]
fn every_problem_is_told_with_its_place() {
    let rules = json!({"all": [
        {"field": "shoe_size", "operator": "is", "value": "44"},
        {"field": "email", "operator": "greater_than", "value": "a"},
        {"field": "email", "operator": "is", "value": ""},
        {"any": [{"field": "messages_sent", "operator": "is", "value": "3"}]},
        {"field": "custom.gone", "operator": "is", "value": "a"},
        {"field": "email", "operator": "is", "value": "a", "note": 1},
        {"operator": "is"},
        {"any": [], "all": []},
        {"some": []},
        [],
        "text",
    ]});
    let mut found = problems(&rules);
    found.sort();
    let mut expected = [
        "/all/0/field unknown_field",
        "/all/1/operator wrong_operator",
        "/all/2/value wrong_value",
        "/all/3/any/0/value wrong_value",
        "/all/4/field unknown_field",
        "/all/5/note malformed",
        "/all/6/field malformed",
        "/all/7 malformed",
        "/all/8 malformed",
        "/all/9 malformed",
        "/all/10 malformed",
    ];
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn the_root_is_a_group() {
    for rules in [
        json!(null),
        json!([]),
        json!("all"),
        json!({}),
        json!({"field": "email", "operator": "is_empty"}),
    ] {
        assert_eq!(problems(&rules), [" malformed"], "{rules}");
    }
}

#[test]
fn values_are_read_strictly() {
    let refused = [
        ("email", "is", json!(null)),
        ("email", "is", json!(5)),
        ("email", "is", json!("a\u{0}b")),
        ("email", "is", json!("x".repeat(501))),
        ("email", "is_empty", json!("a")),
        ("email", "is_one_of", json!([])),
        ("email", "is_one_of", json!("a")),
        ("email", "is_one_of", json!(vec!["a"; 501])),
        ("source", "is", json!("fax")),
        ("messages_sent", "is", json!(-1)),
        ("messages_sent", "is", json!(1.5)),
        ("messages_sent", "is", json!(2_147_483_648u32)),
        ("custom.spend", "is", json!("5")),
        ("custom.spend", "between", json!([5])),
        ("custom.spend", "between", json!([5, 4])),
        ("custom.member", "is", json!("true")),
        ("custom.member", "is", json!(1)),
        ("created_at", "on", json!("2026-02-30")),
        ("created_at", "on", json!("2026-2-3")),
        ("created_at", "on", json!("0999-01-01")),
        ("created_at", "on", json!("2026-11-23T00:00:00Z")),
        ("created_at", "between", json!(["2026-02-02", "2026-02-01"])),
        ("created_at", "in_last", json!({"amount": 0, "unit": "days"})),
        ("created_at", "in_last", json!({"amount": 1.5, "unit": "days"})),
        (
            "created_at",
            "in_last",
            json!({"amount": 87_601, "unit": "hours"}),
        ),
        ("created_at", "in_last", json!({"amount": 1, "unit": "months"})),
        (
            "created_at",
            "in_last",
            json!({"amount": 1, "unit": "days", "since": 1}),
        ),
        ("birthday", "in_next", json!({"amount": 1, "unit": "hours"})),
        ("tags", "has_any_of", json!(["VIP"])),
        ("tags", "has_any_of", json!([VIP.replace('-', "")])),
        ("tags", "has_any_of", json!(VIP)),
        ("segment", "is_in", json!([VIP])),
    ];
    for (field, operator, value) in refused {
        let found = problems(&one(field, operator, value.clone()));
        assert_eq!(found.len(), 1, "{field} {operator} {value}");
        assert!(
            found[0].starts_with("/all/0/value") && found[0].ends_with("wrong_value"),
            "{found:?}"
        );
    }
}

#[test]
fn numbers_beyond_what_is_exact_are_refused() {
    for number in ["1e400", "1e5", "1E-3", "1234567890123456", "0.12345678901"] {
        let rules = format!(r#"{{"all":[{{"field":"custom.spend","operator":"is","value":{number}}}]}}"#);
        let rules: Value = serde_json::from_str(&rules).expect("JSON");
        assert_eq!(problems(&rules), ["/all/0/value wrong_value"], "{number}");
    }
    for number in ["123456789012345", "-0.0123456789", "5.0"] {
        let rules = format!(r#"{{"all":[{{"field":"custom.spend","operator":"is","value":{number}}}]}}"#);
        parse(&serde_json::from_str(&rules).expect("JSON"));
    }
}

#[test]
fn places_inside_lists_are_told() {
    assert_eq!(
        problems(&one("email", "is_one_of", json!(["a", 5]))),
        ["/all/0/value/1 wrong_value"]
    );
    assert_eq!(
        problems(&one("created_at", "between", json!(["2026-01-01", "x"]))),
        ["/all/0/value/1 wrong_value"]
    );
    let duration = json!({"amount": "1", "unit": "days"});
    assert_eq!(
        problems(&one("created_at", "in_last", duration)),
        ["/all/0/value/amount wrong_value"]
    );
    let leaf = json!({"all": [{"field": "email", "operator": "is_empty", "a/b~c": 1}]});
    assert_eq!(problems(&leaf), ["/all/0/a~1b~0c malformed"]);
}

#[test]
fn what_stands_at_the_bounds_is_read_and_what_is_beyond_is_refused() {
    let leaf = json!({"field": "email", "operator": "is", "value": "é".repeat(500)});
    let nested = |levels: usize| (1..levels).fold(json!({"all": [leaf]}), |inner, _| json!({"any": [inner]}));
    parse(&nested(8));
    assert_eq!(
        problems(&nested(9)),
        ["/any/0/any/0/any/0/any/0/any/0/any/0/any/0/any/0 too_deep"]
    );
    parse(&json!({"all": vec![leaf.clone(); 100]}));
    assert_eq!(
        problems(&json!({"all": vec![leaf.clone(); 101]})),
        ["/all/100 too_many"]
    );
    assert_eq!(
        problems(&json!({"all": vec![leaf.clone(); 100_000]})),
        ["/all/100 too_many"]
    );
    assert_eq!(
        problems(&json!({"all": vec![json!({"any": []}); 500]})),
        ["/all/199 too_many"]
    );
    let list: Vec<String> = (0..500).map(|number| number.to_string()).collect();
    parse(&one("email", "is_one_of", json!(list)));
    assert_eq!(problems(&json!({"all": vec![json!(1); 5_000]})).len(), 100);
}

#[test]
fn what_stands_twice_in_a_list_counts_once() {
    let rules = parse(&one("tags", "has_all_of", json!([VIP, VIP.to_uppercase(), VIP])));
    assert_eq!(rules.to_json(), one("tags", "has_all_of", json!([VIP])));
}

#[test]
fn a_null_value_is_no_value() {
    let rules = parse(&json!({"none": [{"field": "email", "operator": "is_empty", "value": null}]}));
    assert_eq!(
        rules.to_json(),
        json!({"none": [{"field": "email", "operator": "is_empty"}]})
    );
}
