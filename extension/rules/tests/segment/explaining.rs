//! What explanations say.

use octopush_rules::segment::explain::explain;
use serde_json::{Value, json};

use super::{OLD, VIP, context, moment, parse};

fn explained(rules: &Value, facts: &Value) -> Value {
    explain(&parse(rules), facts, &context(), &moment())
}

#[test]
fn each_leaf_has_its_truth_its_value_and_a_sentence() {
    let rules = json!({"all": [
        {"field": "tags", "operator": "has_any_of", "value": [VIP]},
        {"none": [{"field": "custom.spend", "operator": "less_than", "value": 100}]},
        {"field": "last_inbound_at", "operator": "in_last", "value": {"amount": 30, "unit": "days"}},
    ]});
    let facts = json!({
        "contact": {"last_inbound_at": "2026-10-01T00:00:00+00:00", "custom_fields": {"spend": 12.5}}, "tags": [OLD],
    });
    let explanation = explained(&rules, &facts);
    assert_eq!(explanation["is_true"], json!(false));
    assert_eq!(explanation["match"], json!("all"));
    assert_eq!(explanation["path"], json!(""));
    assert_eq!(
        explanation["children"][0],
        json!({
            "path": "/all/0", "is_true": false, "field": "tags", "operator": "has_any_of", "value": [VIP],
            "actual": [OLD], "sentence": "Tagged VIP (now: Old)",
        })
    );
    let nested = &explanation["children"][1];
    assert_eq!(
        (&nested["path"], &nested["is_true"]),
        (&json!("/all/1"), &json!(false))
    );
    assert_eq!(nested["children"][0]["path"], json!("/all/1/none/0"));
    assert_eq!(nested["children"][0]["is_true"], json!(true));
    assert_eq!(
        nested["children"][0]["sentence"],
        json!("Spend is less than 100 (now: 12.5)")
    );
    assert_eq!(
        explanation["children"][2]["sentence"],
        json!("Wrote in the last 30 days (now: 1 October 2026, 08:00)")
    );
    assert_eq!(explanation["flip"]["count"], json!(3));
}

#[test]
fn only_the_root_has_a_flip() {
    let explanation = explained(&json!({"all": [{"any": []}]}), &json!({}));
    assert_eq!(explanation["flip"], json!(null));
    assert!(explanation["children"][0].get("flip").is_none());
}

#[test]
fn what_is_missing_is_empty() {
    let leaf = |field: &str, operator: &str| json!({"field": field, "operator": operator});
    let rules = json!({"all": [leaf("email", "is_empty"), leaf("tags", "is_empty"), leaf("custom.likes", "is_empty")]});
    let explanation = explained(&rules, &json!({}));
    let sentences: Vec<&str> = (0..3)
        .filter_map(|nth| explanation["children"][nth]["sentence"].as_str())
        .collect();
    assert_eq!(
        sentences,
        [
            "Email is empty (now: empty)",
            "Without tags (now: no tags)",
            "Likes are empty (now: empty)"
        ]
    );
}
