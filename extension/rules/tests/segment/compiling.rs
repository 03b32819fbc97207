//! The SQL of rules.

use octopush_rules::segment::compile::{Compiled, compile};
use octopush_rules::segment::context::Context;
use serde_json::{Value, json};

use super::{NEW, OLD, VIP, context, one, parse};

fn compiled(rules: &Value) -> Compiled {
    compile(&parse(rules), &context(), 1)
}

fn predicate(field: &str, operator: &str, value: Value) -> String {
    compiled(&one(field, operator, value)).predicate
}

#[test]
fn an_index_can_serve_what_has_one() {
    assert_eq!(
        predicate("phone", "is", json!("+60123456789")),
        "(c.phone is not null and c.phone = ($1)[1])"
    );
    assert_eq!(
        predicate("full_name", "is", json!("Ali")),
        "(c.full_name is not null and lower(c.full_name) = lower(($1)[1]))"
    );
    assert_eq!(
        predicate("messages_sent", "at_least", json!(5)),
        "(c.messages_sent >= ($1)[1]::int)"
    );
    assert_eq!(
        predicate("created_at", "before", json!("2026-11-23")),
        "(c.created_at < make_date(($1)[1]::int, ($1)[2]::int, ($1)[3]::int)::timestamp at time zone ($1)[4])"
    );
}

#[test]
fn tags_are_looked_up_by_their_key() {
    let tagged =
        "select from public.contact_tags t where t.org_id = c.org_id and t.contact_id = c.id and t.tag_id =";
    assert_eq!(
        predicate("tags", "has_any_of", json!([VIP])),
        format!("(exists ({tagged} ($1)[1]::uuid))")
    );
    assert_eq!(
        predicate("tags", "has_none_of", json!([VIP, OLD])),
        format!("(not exists ({tagged} any (($1)[1:2]::uuid[])))")
    );
    let all = compiled(&json!({"none": [{"field": "tags", "operator": "has_all_of", "value": [VIP, NEW]}]}));
    let missing = |place| format!("(not exists ({tagged} ($1)[{place}]::uuid))");
    assert_eq!(all.predicate, format!("({} or {})", missing(1), missing(2)));
    assert_eq!(all.params, [VIP, NEW]);
}

#[test]
fn negation_is_pushed_down_to_leaves_that_are_never_null() {
    let (ad, ali) = (
        json!({"field": "source", "operator": "is", "value": "ad"}),
        json!({"field": "job_title", "operator": "is", "value": "Ali"}),
    );
    let rules = json!({"none": [{"all": [ad, ali]}, {"any": [ad, {"none": [ali]}]}]});
    let (no_ad, no_ali) = (
        "(not (c.source = ($1)[1]))",
        "((lower(c.job_title) = lower(($1)[2])) is not true)",
    );
    let is_ali = "(c.job_title is not null and lower(c.job_title) = lower(($1)[2]))";
    assert_eq!(
        compiled(&rules).predicate,
        format!("(({no_ad} or {no_ali}) and ({no_ad} and {is_ali}))")
    );
}

#[test]
fn groups_of_nothing_are_constants() {
    for (rules, expected) in [
        (json!({"all": []}), "true"),
        (json!({"any": []}), "false"),
        (json!({"none": []}), "true"),
        (json!({"none": [{"any": []}]}), "true"),
        (json!({"none": [{"all": []}]}), "false"),
        (json!({"none": [{"none": []}]}), "false"),
    ] {
        assert_eq!(compiled(&rules).predicate, expected, "{rules}");
    }
}

#[test]
fn values_begin_where_the_caller_says_and_equal_ones_share_a_place() {
    let leaf = json!({"field": "job_title", "operator": "is", "value": "Ali"});
    let rules = parse(&json!({"any": [leaf, leaf]}));
    let compiled = compile(&rules, &context(), 7);
    let asked = "(c.job_title is not null and lower(c.job_title) = lower(($1)[7]))";
    assert_eq!(compiled.predicate, format!("({asked} or {asked})"));
    assert_eq!(compiled.params, ["Ali"]);
}

#[test]
fn what_a_pattern_means_specially_is_escaped() {
    let compiled = compiled(&one("job_title", "contains", json!(r"50%_\")));
    assert_eq!(compiled.params, [r"%50\%\_\\%"]);
}

#[test]
fn keys_of_custom_fields_are_values_too() {
    assert_eq!(
        predicate("custom.member", "is", json!(true)),
        "((c.custom_fields -> ($1)[2] = ($1)[1]::jsonb) is true)"
    );
    assert_eq!(
        predicate("custom.tier", "is_empty", json!(null)),
        "(coalesce(c.custom_fields ->> ($1)[1], '') = '')"
    );
}

#[test]
fn equality_of_a_searchable_text_uses_the_search_index_where_that_narrows_the_scan() {
    let with_search = Context {
        has_search: true,
        ..context()
    };
    let acme = json!({"field": "company", "operator": "is", "value": "Acme Trading"});
    let indexed = |rules: Value| {
        compile(&parse(&rules), &with_search, 1)
            .predicate
            .contains("private.contact_search")
    };
    assert!(indexed(json!({"all": [acme, {"any": [{"all": [acme]}]}]})));
    assert!(!indexed(
        json!({"any": [acme, {"field": "source", "operator": "is", "value": "ad"}]})
    ));
    assert!(!indexed(json!({"none": [acme]})));
    assert!(!indexed(one("company", "is", json!("Acm"))));
    assert!(
        !compiled(&json!({"all": [acme]}))
            .predicate
            .contains("private.contact_search")
    );
}
