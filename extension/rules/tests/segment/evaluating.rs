//! Each operator's meaning. Rows are field, operator, value, what the contact has, and the answer.

use serde_json::{Value, json};

use super::{NEW, OLD, VIP, is_true, one};

fn facts(field: &str, has: &Value) -> Value {
    match field.split_once('.') {
        Some(("custom", key)) => json!({"contact": {"custom_fields": {key: has}}}),
        Some(("address", key)) => json!({"contact": {"address": {key: has}}}),
        _ => json!({"contact": {field: has}}),
    }
}

fn check(cases: &[(&str, &str, Value, Value, bool)]) {
    for (field, operator, value, has, expected) in cases {
        let rules = one(field, operator, value.clone());
        assert_eq!(
            is_true(&rules, &facts(field, has)),
            *expected,
            "{field} {operator} {value} of {has}"
        );
    }
}

#[test]
fn texts() {
    for field in ["full_name", "address.city", "custom.remark"] {
        check(&[
            (field, "is", json!("acme"), json!("ACME"), true),
            (field, "is", json!("acme"), json!("Acme "), false),
            (field, "is", json!("acme"), json!(null), false),
            (field, "is_not", json!("acme"), json!("Acme"), false),
            (field, "is_not", json!("acme"), json!(null), true),
            (field, "contains", json!("%"), json!("100"), false),
            (field, "contains", json!("0%"), json!("100%"), true),
            (field, "contains", json!("ΔΟ"), json!("οδος"), true),
            (field, "does_not_contain", json!("a"), json!(null), true),
            (field, "does_not_contain", json!("a"), json!("A"), false),
            (field, "starts_with", json!("AL"), json!("ali"), true),
            (field, "starts_with", json!("li"), json!("ali"), false),
            (field, "ends_with", json!("LI"), json!("ali"), true),
            (field, "ends_with", json!("al"), json!("ali"), false),
            (field, "is_one_of", json!(["x", "ALI"]), json!("ali"), true),
            (field, "is_none_of", json!(["x", "ALI"]), json!("ali"), false),
            (field, "is_none_of", json!(["x"]), json!(null), true),
            (field, "is_empty", json!(null), json!(null), true),
            (field, "is_empty", json!(null), json!(""), true),
            (field, "is_empty", json!(null), json!(" "), false),
            (field, "is_not_empty", json!(null), json!(""), false),
            (field, "is_not_empty", json!(null), json!("a"), true),
        ]);
    }
}

#[test]
fn choices() {
    check(&[
        ("source", "is", json!("ad"), json!("ad"), true),
        (
            "source",
            "is_none_of",
            json!(["ad", "import"]),
            json!("import"),
            false,
        ),
        ("custom.tier", "is", json!("gold"), json!("Gold"), false),
        ("custom.tier", "is", json!("gold"), json!("gold"), true),
        ("custom.tier", "is_not", json!("gold"), json!(null), true),
        (
            "custom.tier",
            "is_one_of",
            json!(["silver", "gold"]),
            json!("gold"),
            true,
        ),
        ("custom.tier", "is_empty", json!(null), json!(null), true),
        (
            "custom.likes",
            "has_any_of",
            json!(["tea", "cake"]),
            json!(["cake"]),
            true,
        ),
        ("custom.likes", "has_any_of", json!(["tea"]), json!("tea"), false),
        (
            "custom.likes",
            "has_all_of",
            json!(["tea", "cake"]),
            json!(["cake"]),
            false,
        ),
        (
            "custom.likes",
            "has_all_of",
            json!(["tea", "cake"]),
            json!(["cake", "coffee", "tea"]),
            true,
        ),
        ("custom.likes", "has_none_of", json!(["tea"]), json!(null), true),
        ("custom.likes", "is_empty", json!(null), json!([]), true),
        ("custom.likes", "is_not_empty", json!(null), json!(["tea"]), true),
    ]);
}

#[test]
fn numbers_and_booleans() {
    check(&[
        ("messages_sent", "is", json!(3), json!(3), true),
        ("messages_sent", "between", json!([1, 3]), json!(3), true),
        ("messages_sent", "between", json!([1, 3]), json!(4), false),
        ("custom.spend", "is", json!(2.50), json!(2.5), true),
        ("custom.spend", "is", json!(0.1), json!("0.1"), false),
        ("custom.spend", "is_not", json!(1), json!(null), true),
        ("custom.spend", "greater_than", json!(2), json!(2), false),
        ("custom.spend", "at_least", json!(2), json!(2), true),
        ("custom.spend", "less_than", json!(10), json!(9.999), true),
        ("custom.spend", "less_than", json!(10), json!(null), false),
        ("custom.spend", "at_most", json!(-1), json!(-1.5), true),
        ("custom.spend", "is_empty", json!(null), json!(0), false),
        ("custom.member", "is", json!(true), json!(true), true),
        ("custom.member", "is", json!(false), json!(null), false),
        ("custom.member", "is", json!(true), json!("true"), false),
        ("custom.member", "is_not_empty", json!(null), json!(false), true),
    ]);
}

#[test]
fn a_value_of_another_type_is_neither_what_is_asked_nor_empty() {
    for (field, operator, value, wrong) in [
        ("custom.remark", "contains", json!("5"), json!(5)),
        ("custom.spend", "at_least", json!(0), json!("5")),
        ("custom.renewal", "after", json!("2020-01-01"), json!(20_260_101)),
        (
            "custom.renewal",
            "after",
            json!("2020-01-01"),
            json!("2026-01-01T00:00:00"),
        ),
        ("custom.member", "is", json!(true), json!(1)),
        ("custom.tier", "is", json!("gold"), json!(["gold"])),
        ("custom.likes", "has_any_of", json!(["tea"]), json!({"tea": 1})),
    ] {
        let facts = facts(field, &wrong);
        assert!(
            !is_true(&one(field, operator, value), &facts),
            "{field} of {wrong}"
        );
        assert!(
            !is_true(&one(field, "is_empty", json!(null)), &facts),
            "{field} of {wrong}"
        );
    }
}

/// The organisation's day 23 November 2026 is from 22 November, 16:00 UTC to 23 November, 16:00 UTC.
#[test]
fn times_follow_the_clock_of_the_organisation() {
    let (day, month) = (json!("2026-11-23"), json!({"amount": 30, "unit": "days"}));
    let days = json!(["2026-11-22", "2026-11-23"]);
    check(&[
        (
            "created_at",
            "before",
            day.clone(),
            json!("2026-11-22T15:59:59.999999+00:00"),
            true,
        ),
        (
            "created_at",
            "before",
            day.clone(),
            json!("2026-11-23T00:00:00+08:00"),
            false,
        ),
        (
            "created_at",
            "on",
            day.clone(),
            json!("2026-11-22T16:00:00+00:00"),
            true,
        ),
        (
            "created_at",
            "on",
            day.clone(),
            json!("2026-11-23T15:59:59.999999+00:00"),
            true,
        ),
        (
            "created_at",
            "on",
            day.clone(),
            json!("2026-11-23T16:00:00+00:00"),
            false,
        ),
        (
            "created_at",
            "after",
            day.clone(),
            json!("2026-11-23T16:00:00+00:00"),
            true,
        ),
        (
            "created_at",
            "after",
            day,
            json!("2026-11-23T15:59:59+00:00"),
            false,
        ),
        (
            "created_at",
            "between",
            days.clone(),
            json!("2026-11-21T16:00:00+00:00"),
            true,
        ),
        (
            "created_at",
            "between",
            days,
            json!("2026-11-23T16:00:00+00:00"),
            false,
        ),
        (
            "last_message_at",
            "in_last",
            month.clone(),
            json!("2026-10-24T05:50:00+00:00"),
            true,
        ),
        (
            "last_message_at",
            "in_last",
            month.clone(),
            json!("2026-10-24T05:49:59.999999+00:00"),
            false,
        ),
        (
            "last_message_at",
            "in_last",
            month.clone(),
            json!("2027-01-01T00:00:00+00:00"),
            true,
        ),
        ("last_message_at", "in_last", month.clone(), json!(null), false),
        ("last_message_at", "not_in_last", month, json!(null), true),
        ("last_message_at", "is_empty", json!(null), json!(null), true),
        (
            "last_message_at",
            "is_not_empty",
            json!(null),
            json!("2027-01-01T00:00:00+00:00"),
            true,
        ),
    ]);
}

#[test]
fn dates_count_calendar_days_with_today_among_them() {
    let week = || json!({"amount": 1, "unit": "weeks"});
    for field in ["birthday", "custom.renewal"] {
        check(&[
            (field, "before", json!("2026-11-23"), json!("2026-11-22"), true),
            (field, "after", json!("2026-11-23"), json!("2026-11-23"), false),
            (field, "on", json!("2026-11-23"), json!("2026-11-23"), true),
            (
                field,
                "between",
                json!(["2026-11-01", "2026-11-23"]),
                json!("2026-11-23"),
                true,
            ),
            (field, "in_last", week(), json!("2026-11-17"), true),
            (field, "in_last", week(), json!("2026-11-16"), false),
            (field, "in_last", week(), json!("2026-11-24"), false),
            (field, "not_in_last", week(), json!(null), true),
            (field, "in_next", week(), json!("2026-11-23"), true),
            (field, "in_next", week(), json!("2026-11-29"), true),
            (field, "in_next", week(), json!("2026-11-30"), false),
            (field, "is_today", json!(null), json!("2026-11-23"), true),
            (field, "is_today", json!(null), json!("2025-11-23"), false),
            (field, "is_empty", json!(null), json!(null), true),
        ]);
    }
}

#[test]
fn anniversaries_come_every_year_and_29_february_on_1_march() {
    let context = |now: &str| {
        let json = json!({"time_zone": "UTC", "now": now});
        octopush_rules::segment::context::Context::parse(&json).expect("a context")
    };
    let has_day = |now: &str, born: &str, days: i64| {
        let context = context(now);
        let moment = octopush_rules::segment::evaluate::moment::Moment::of(&context).expect("a moment");
        let rules = one(
            "birthday",
            "anniversary_in_next",
            json!({"amount": days, "unit": "days"}),
        );
        let rules = octopush_rules::segment::rules::Rules::parse(&rules, &context).expect("rules");
        let facts = json!({"contact": {"birthday": born}});
        let facts = octopush_rules::segment::evaluate::facts::Facts(&facts);
        octopush_rules::segment::evaluate::evaluate(&rules, &facts, &moment)
    };
    assert!(has_day("2026-11-23 05:00:00+00", "1990-11-23", 1));
    assert!(!has_day("2026-11-23 05:00:00+00", "1990-11-24", 1));
    assert!(has_day("2026-12-30 05:00:00+00", "1990-01-02", 4));
    assert!(!has_day("2026-12-30 05:00:00+00", "1990-01-03", 4));
    assert!(has_day("2027-03-01 05:00:00+00", "1992-02-29", 1));
    assert!(!has_day("2027-02-28 05:00:00+00", "1992-02-29", 1));
    assert!(has_day("2028-02-29 05:00:00+00", "1992-02-29", 1));
    assert!(!has_day("2028-03-01 05:00:00+00", "1992-02-29", 1));
    assert!(has_day("2026-03-02 05:00:00+00", "1992-02-29", 365));
    assert!(!has_day("2026-03-02 05:00:00+00", "1992-03-01", 364));
    assert!(has_day("2026-03-02 05:00:00+00", "1992-03-01", 366));
}

#[test]
fn tags_segments_and_reactions() {
    let facts = json!({
        "tags": [VIP, OLD], "segments": [VIP], "has_conversation": true, "has_active_conversation": false,
        "campaigns": [{"id": VIP, "received": true, "read": true, "replied": false, "clicked": false}],
        "flows": [{"id": VIP, "in_progress": false, "completed": true}],
    });
    for (field, operator, value, expected) in [
        ("tags", "has_any_of", json!([NEW, OLD]), true),
        ("tags", "has_all_of", json!([VIP, OLD]), true),
        ("tags", "has_all_of", json!([VIP, NEW]), false),
        ("tags", "has_none_of", json!([NEW]), true),
        ("tags", "is_empty", json!(null), false),
        ("segment", "is_in", json!(VIP), true),
        ("segment", "is_not_in", json!(OLD), true),
        ("campaign", "read", json!(VIP), true),
        ("campaign", "not_replied", json!(VIP), true),
        ("campaign", "not_received", json!(OLD), true),
        ("flow", "completed", json!(VIP), true),
        ("flow", "in_progress", json!(VIP), false),
        ("has_conversation", "is", json!(true), true),
        ("has_active_conversation", "is", json!(false), true),
    ] {
        assert_eq!(
            is_true(&one(field, operator, value.clone()), &facts),
            expected,
            "{field} {operator} {value}"
        );
    }
}

#[test]
fn groups() {
    let facts = json!({"contact": {"source": "ad"}});
    let (yes, no) = (
        json!({"field": "source", "operator": "is", "value": "ad"}),
        json!({"field": "source", "operator": "is_not", "value": "ad"}),
    );
    for (rules, expected) in [
        (json!({"all": []}), true),
        (json!({"none": []}), true),
        (json!({"any": []}), false),
        (json!({"all": [yes, no]}), false),
        (json!({"any": [no, yes]}), true),
        (json!({"none": [no, yes]}), false),
        (json!({"none": [no, {"all": [no, yes]}]}), true),
        (json!({"none": [{"none": [yes]}]}), true),
    ] {
        assert_eq!(is_true(&rules, &facts), expected, "{rules}");
    }
}
