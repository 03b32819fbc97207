//! The smallest change that turns rules.

use octopush_rules::segment::evaluate::evaluate;
use octopush_rules::segment::evaluate::facts::Facts;
use octopush_rules::segment::flip::change::{Change, apply_changes};
use octopush_rules::segment::flip::smallest_flip;
use serde_json::{Value, json};

use super::{NEW, OLD, VIP, context, moment, parse};

/// The changes, which were applied and did turn the rules.
fn flip(rules: &Value, facts: &Value) -> Option<Vec<Change>> {
    let (rules, moment) = (parse(rules), moment());
    let is_true = evaluate(&rules, &Facts(facts), &moment);
    let changes = smallest_flip(&rules, facts, !is_true, &context(), &moment)?;
    let json: Value = changes.iter().map(Change::to_json).collect();
    let changed = apply_changes(facts, &json).expect("changes");
    assert_eq!(evaluate(&rules, &Facts(&changed), &moment), !is_true, "{json}");
    Some(changes)
}

fn described(rules: &Value, facts: &Value) -> Vec<String> {
    let changes = flip(rules, facts).unwrap_or_else(|| panic!("nothing turns {rules}"));
    changes.into_iter().map(|change| change.sentence).collect()
}

fn leaf(field: &str, operator: &str, value: Value) -> Value {
    json!({"field": field, "operator": operator, "value": value})
}

#[test]
fn one_change_for_each_kind_of_leaf() {
    let facts = json!({"contact": {"company": "Acme", "messages_sent": 3, "custom_fields": {"likes": ["tea"]}}, "tags": [OLD]});
    for (asked, expected) in [
        (leaf("tags", "has_any_of", json!([VIP])), "Add the tag VIP"),
        (
            leaf("tags", "has_none_of", json!([VIP, OLD])),
            "Remove the tag Old",
        ),
        (leaf("tags", "is_not_empty", json!(null)), "Remove the tag Old"),
        (leaf("company", "is", json!("Acme")), "Company becomes empty"),
        (
            leaf("email", "ends_with", json!("@a.my")),
            "Email becomes “@a.my”",
        ),
        (
            leaf("messages_sent", "greater_than", json!(5)),
            "Messages sent becomes 6",
        ),
        (
            leaf("custom.spend", "between", json!([1.5, 2])),
            "Spend becomes 1.5",
        ),
        (leaf("custom.member", "is", json!(true)), "Member becomes yes"),
        (
            leaf("custom.likes", "has_all_of", json!(["tea", "cake"])),
            "Likes becomes “tea” and “cake”",
        ),
        (
            leaf("custom.renewal", "is_today", json!(null)),
            "Renewal becomes 23 November 2026",
        ),
        (
            leaf("birthday", "anniversary_is_today", json!(null)),
            "Birthday becomes 23 November 1992",
        ),
        (
            leaf("last_inbound_at", "in_last", json!({"amount": 1, "unit": "days"})),
            "Last message received becomes 23 November 2026, 13:50",
        ),
        (
            leaf("has_active_conversation", "is", json!(true)),
            "A conversation is open",
        ),
        (
            leaf("segment", "is_in", json!(VIP)),
            "Becomes a member of segment “VIP”",
        ),
        (leaf("campaign", "read", json!(VIP)), "Reads campaign “VIP”"),
        (leaf("flow", "completed", json!(VIP)), "Completes flow “VIP”"),
    ] {
        assert_eq!(described(&json!({"all": [asked]}), &facts), [expected], "{asked}");
    }
}

#[test]
fn one_field_serves_several_leaves() {
    let rules = json!({"all": [
        leaf("email", "starts_with", json!("ali")), leaf("email", "contains", json!("+")),
        leaf("email", "ends_with", json!("@a.my")), leaf("custom.spend", "greater_than", json!(5)),
        leaf("custom.spend", "less_than", json!(6)),
    ]});
    assert_eq!(
        described(&rules, &json!({})),
        ["Email becomes “ali+@a.my”", "Spend becomes 5.5"]
    );
}

#[test]
fn the_way_with_fewer_changes_is_taken() {
    let rules = json!({"any": [
        {"all": [leaf("company", "is", json!("A")), leaf("job_title", "is", json!("B")), leaf("notes", "is", json!("C"))]},
        {"all": [leaf("company", "is", json!("D")), leaf("tags", "has_all_of", json!([VIP, OLD]))]},
    ]});
    assert_eq!(flip(&rules, &json!({})).map(|changes| changes.len()), Some(3));
    assert_eq!(
        flip(&rules, &json!({"tags": [OLD]})).map(|changes| changes.len()),
        Some(2)
    );
}

#[test]
fn what_people_can_change_goes_before_what_they_cannot() {
    let rules = json!({"any": [leaf("messages_received", "at_least", json!(5)), leaf("tags", "has_any_of", json!([VIP]))]});
    assert_eq!(
        described(&rules, &json!({"contact": {"messages_received": 0}})),
        ["Add the tag VIP"]
    );
}

#[test]
fn contradictions_cannot_be_turned() {
    for rules in [
        json!({"any": []}),
        json!({"all": []}),
        json!({"all": [leaf("company", "is", json!("A")), leaf("company", "is", json!("B"))]}),
        json!({"all": [leaf("tags", "is_empty", json!(null)), leaf("tags", "has_any_of", json!([VIP]))]}),
        json!({"any": [leaf("tags", "is_empty", json!(null)), leaf("tags", "is_not_empty", json!(null))]}),
        json!({"all": [leaf("source", "is_none_of", json!(["manual", "import", "whatsapp", "campaign", "flow", "ad"]))]}),
        json!({"all": [leaf("has_active_conversation", "is", json!(true)), leaf("has_conversation", "is", json!(false))]}),
    ] {
        assert_eq!(
            flip(&rules, &json!({"contact": {"source": "ad"}})),
            None,
            "{rules}"
        );
    }
}

#[test]
fn tags_are_counted_one_by_one() {
    let facts = json!({"tags": [VIP, OLD, NEW]});
    let rules = json!({"all": [leaf("tags", "is_empty", json!(null))]});
    assert_eq!(flip(&rules, &facts).map(|changes| changes.len()), Some(3));
    let rules =
        json!({"any": [leaf("tags", "has_none_of", json!([VIP, OLD])), leaf("company", "is", json!("A"))]});
    assert_eq!(described(&rules, &facts), ["Company becomes “A”"]);
    let rules = json!({"all": [leaf("tags", "is_not_empty", json!(null)), leaf("tags", "has_none_of", json!([VIP]))]});
    assert_eq!(described(&rules, &json!({})), ["Add any tag"]);
}

#[test]
fn the_widest_rules_are_turned_with_the_fewest_changes() {
    let pair = |nth: usize| json!({"any": [leaf("custom.remark", "contains", json!(format!("<{nth}>"))), leaf("segment", "is_in", json!(id(nth)))]});
    fn id(nth: usize) -> String {
        format!("01900000-0000-7000-8000-{nth:012}")
    }
    // One remark satisfies all fifty groups at once.
    let rules = json!({"all": (0..50).map(pair).collect::<Vec<_>>()});
    assert_eq!(flip(&rules, &json!({})).map(|changes| changes.len()), Some(1));
    let separate = |nth: usize| json!({"any": [leaf("segment", "is_in", json!(id(nth))), leaf("flow", "completed", json!(id(nth)))]});
    let rules = json!({"all": (0..50).map(separate).collect::<Vec<_>>()});
    assert_eq!(flip(&rules, &json!({})).map(|changes| changes.len()), Some(50));
}

#[test]
fn changes_that_make_no_sense_are_refused() {
    for changes in [
        json!({}),
        json!([{}]),
        json!([{"field": "tags", "action": "burn"}]),
        json!([{"field": "campaign", "action": "add"}]),
    ] {
        assert!(apply_changes(&json!({}), &changes).is_err(), "{changes}");
    }
    assert!(apply_changes(&json!([]), &json!([])).is_err());
    let odd = json!({"contact": 5, "tags": {}, "campaigns": [5, null]});
    let changes = json!([
        {"field": "custom.a", "action": "set", "value": 1}, {"field": "tags", "action": "add", "value": VIP},
        {"field": "campaign", "action": "add", "value": {"id": VIP, "reaction": "read"}},
    ]);
    let changed = apply_changes(&odd, &changes).expect("changes");
    assert_eq!(changed["contact"]["custom_fields"]["a"], json!(1));
    assert_eq!(changed["tags"], json!([VIP]));
}
