//! Rules in plain English.

use octopush_rules::segment::catalog::catalog;
use octopush_rules::segment::horizons::horizons;
use octopush_rules::segment::references::references;
use octopush_rules::segment::sentence::sentence;
use serde_json::{Value, json};

use super::{NEW, OLD, VIP, context, parse};

fn said(rules: Value) -> String {
    sentence(&parse(&rules), &context())
}

fn leaf(field: &str, operator: &str, value: Value) -> Value {
    json!({"field": field, "operator": operator, "value": value})
}

#[test]
fn groups_are_joined_as_people_would() {
    let vip = leaf("tags", "has_any_of", json!([VIP]));
    let wrote = leaf(
        "last_inbound_at",
        "in_last",
        json!({"amount": 30, "unit": "days"}),
    );
    let company = leaf("company", "is", json!("Acme"));
    for (rules, expected) in [
        (
            json!({"all": [vip, wrote]}),
            "Contacts tagged VIP who wrote in the last 30 days",
        ),
        (
            json!({"all": [wrote, vip]}),
            "Contacts tagged VIP who wrote in the last 30 days",
        ),
        (
            json!({"any": [vip, company]}),
            "Contacts tagged VIP or whose company is “Acme”",
        ),
        (
            json!({"none": [vip, company]}),
            "Contacts except those tagged VIP or whose company is “Acme”",
        ),
        (
            json!({"all": [wrote, {"none": [company]}, {"any": [vip, company]}]}),
            "Contacts who wrote in the last 30 days and (tagged VIP or whose company is “Acme”), \
             except those whose company is “Acme”",
        ),
        (json!({"all": []}), "All contacts"),
        (json!({"none": []}), "All contacts"),
        (json!({"any": []}), "No contacts"),
    ] {
        assert_eq!(said(rules.clone()), expected, "{rules}");
    }
}

#[test]
fn leaves_have_words_of_their_own() {
    let days = |amount: u32| json!({"amount": amount, "unit": "days"});
    for (asked, expected) in [
        (
            leaf("tags", "has_all_of", json!([VIP, OLD])),
            "tagged VIP and Old",
        ),
        (
            leaf("tags", "has_none_of", json!([VIP, OLD])),
            "not tagged VIP or Old",
        ),
        (
            leaf("tags", "has_any_of", json!([NEW])),
            "tagged a tag that is gone",
        ),
        (leaf("tags", "is_empty", json!(null)), "without tags"),
        (
            leaf("last_inbound_at", "not_in_last", days(1)),
            "who did not write in the last day",
        ),
        (
            leaf("last_inbound_at", "is_empty", json!(null)),
            "who never wrote",
        ),
        (
            leaf("last_inbound_at", "before", json!("2026-01-05")),
            "who last wrote before 5 January 2026",
        ),
        (
            leaf("created_at", "in_last", json!({"amount": 2, "unit": "weeks"})),
            "created in the last 2 weeks",
        ),
        (
            leaf("created_at", "between", json!(["2026-01-01", "2026-01-31"])),
            "created between 1 January 2026 and 31 January 2026",
        ),
        (
            leaf("birthday", "anniversary_in_next", days(7)),
            "whose birthday comes in the next 7 days",
        ),
        (
            leaf("custom.renewal", "in_last", days(7)),
            "whose Renewal was in the last 7 days",
        ),
        (leaf("custom.member", "is", json!(false)), "whose Member is no"),
        (
            leaf("custom.likes", "has_any_of", json!(["tea"])),
            "whose Likes include “tea”",
        ),
        (
            leaf("opt_in_status", "is", json!("opted_in")),
            "whose consent is opted in",
        ),
        (
            leaf("email", "is_one_of", json!(["a", "b", "c", "d", "e", "f", "g"])),
            "whose email is one of “a”, “b”, “c”, “d”, “e” or 2 more",
        ),
        (
            leaf("has_active_conversation", "is", json!(false)),
            "without an active conversation",
        ),
        (leaf("segment", "is_not_in", json!(VIP)), "not in segment “VIP”"),
        (
            leaf("campaign", "not_replied", json!(VIP)),
            "who did not reply to campaign “VIP”",
        ),
        (leaf("flow", "in_progress", json!(VIP)), "in flow “VIP”"),
        (
            leaf("messages_sent", "between", json!([1, 5])),
            "whose messages sent is between 1 and 5",
        ),
    ] {
        assert_eq!(said(json!({"all": [asked]})), format!("Contacts {expected}"));
    }
}

#[test]
fn references_are_each_told_once() {
    let rules = json!({"all": [
        leaf("tags", "has_any_of", json!([VIP, OLD])), leaf("tags", "has_all_of", json!([VIP])),
        {"none": [leaf("segment", "is_in", json!(NEW))]}, leaf("custom.gone", "whatever", json!(1)),
        leaf("campaign", "read", json!(VIP)), leaf("flow", "completed", json!(OLD)),
    ]});
    assert_eq!(
        references(&rules).expect("rules"),
        json!({"tags": [VIP, OLD], "segments": [NEW], "campaigns": [VIP], "flows": [OLD], "custom_fields": ["gone"]})
    );
    assert!(references(&json!([])).is_err());
}

#[test]
fn horizons_are_ages_and_midnights() {
    let weeks = json!({"amount": 2, "unit": "weeks"});
    let rules = json!({"any": [
        leaf("last_message_at", "in_last", weeks.clone()), leaf("last_message_at", "not_in_last", weeks.clone()),
        leaf("created_at", "before", json!("2026-01-01")), leaf("birthday", "on", json!("2026-01-01")),
    ]});
    assert_eq!(
        horizons(&rules).expect("rules"),
        json!({"rolling": [{"column": "last_message_at", "hours": 336}], "calendar": false})
    );
    for moving in [
        leaf("birthday", "anniversary_is_today", json!(null)),
        leaf("custom.renewal", "in_next", weeks),
    ] {
        assert_eq!(
            horizons(&json!({"none": [moving]})).expect("rules"),
            json!({"rolling": [], "calendar": true})
        );
    }
}

#[test]
fn the_catalogue_offers_every_field_with_the_values_its_operators_take() {
    let catalog = catalog(&context());
    let fields = catalog.as_array().expect("a list");
    assert_eq!(fields.len(), 27 + 6);
    let field = |name: &str| {
        fields
            .iter()
            .find(|field| field["field"] == name)
            .expect("a field")
    };
    assert_eq!(
        field("custom.tier")["options"][0],
        json!({"value": "gold", "label": "gold"})
    );
    assert_eq!(
        field("opt_in_status")["options"][0],
        json!({"value": "opted_in", "label": "Opted in"})
    );
    assert_eq!(
        field("custom.member")["operators"],
        json!([
            {"operator": "is", "label": "is", "value": "boolean"},
            {"operator": "is_empty", "label": "is empty", "value": "none"},
            {"operator": "is_not_empty", "label": "is not empty", "value": "none"},
        ])
    );
    let takes = |name: &str, operator: &str| {
        let operators = field(name)["operators"].as_array().expect("operators").clone();
        operators
            .into_iter()
            .find(|known| known["operator"] == operator)
            .map(|known| known["value"].clone())
    };
    assert_eq!(takes("messages_sent", "between"), Some(json!("range")));
    assert_eq!(takes("created_at", "between"), Some(json!("dates")));
    assert_eq!(takes("birthday", "anniversary_in_next"), Some(json!("duration")));
    assert_eq!(takes("custom.renewal", "anniversary_in_next"), None);
    assert_eq!(takes("tags", "has_any_of"), Some(json!("tags")));
}
