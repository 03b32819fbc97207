//! Segment rules: reading, compiling, evaluating, explaining.

mod compiling;
mod evaluating;
mod explaining;
mod flipping;
mod hostile;
mod lowercase;
mod properties;
mod reading;
mod speaking;

use octopush_rules::segment::context::Context;
use octopush_rules::segment::evaluate::evaluate;
use octopush_rules::segment::evaluate::facts::Facts;
use octopush_rules::segment::evaluate::moment::Moment;
use octopush_rules::segment::rules::Rules;
use serde_json::{Value, json};

pub const VIP: &str = "01900000-0000-7000-8000-000000000001";
pub const OLD: &str = "01900000-0000-7000-8000-000000000002";
pub const NEW: &str = "01900000-0000-7000-8000-000000000003";

/// An organisation in Kuala Lumpur on 23 November 2026, 13:50.
pub fn context() -> Context {
    let json = json!({
        "time_zone": "Asia/Kuala_Lumpur",
        "now": "2026-11-23 05:50:00+00",
        "names": {VIP: "VIP", OLD: "Old"},
        "custom_fields": [
            {"key": "remark", "label": "Remark", "type": "text"},
            {"key": "spend", "label": "Spend", "type": "number"},
            {"key": "renewal", "label": "Renewal", "type": "date"},
            {"key": "member", "label": "Member", "type": "boolean"},
            {"key": "tier", "label": "Tier", "type": "choice", "options": ["gold", "silver"]},
            {"key": "likes", "label": "Likes", "type": "multi_choice", "options": ["tea", "coffee", "cake"]},
        ],
    });
    Context::parse(&json).expect("a context")
}

pub fn moment() -> Moment {
    Moment::of(&context()).expect("a moment")
}

pub fn parse(rules: &Value) -> Rules {
    Rules::parse(rules, &context()).unwrap_or_else(|problems| panic!("{rules}: {problems:?}"))
}

/// `{"all": [leaf]}`; a null value stands for none.
pub fn one(field: &str, operator: &str, value: Value) -> Value {
    json!({"all": [{"field": field, "operator": operator, "value": value}]})
}

pub fn is_true(rules: &Value, facts: &Value) -> bool {
    evaluate(&parse(rules), &Facts(facts), &moment())
}
