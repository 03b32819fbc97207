//! Campaigns: values, groups, comparison.

use octopush_rules::campaign::{bucket, compare, values::Contact, values::Variables, variables};
use octopush_rules::segment::context::Context;
use octopush_rules::template::model::Template;
use pgrx::JsonB;
use pgrx::prelude::*;
use uuid::Uuid;

use crate::cached::Cached;
use crate::json_text::{JsonText, invalid};

/// `[]`, or the variables of the template that some contact would have no value for, or one that Meta refuses.
/// The context is that of segments: it names the organisation's fields. Null variables stand for none.
#[pg_extern(immutable, parallel_safe)]
fn check_campaign_variables(
    template: Option<Cached<Template>>,
    variables: Option<JsonText>,
    context: Option<JsonText>,
) -> Option<JsonB> {
    let template = template?;
    let context = context.map_or(serde_json::Value::Null, |context| context.read());
    let context = Context::parse(&context).unwrap_or_else(|message| invalid(&message));
    let variables = variables.map_or(serde_json::Value::Null, |variables| variables.read());
    Some(JsonB(variables::check_campaign_variables(
        template.get(),
        &variables,
        &context,
    )))
}

/// The values of one contact, given by its columns.
#[pg_extern(immutable, parallel_safe)]
fn campaign_values(variables: Cached<Variables>, contact: JsonText) -> JsonText {
    let contact = serde_json::from_str::<Contact>(&contact.0);
    let contact = contact.unwrap_or_else(|_| invalid("the contact is no object of its columns"));
    JsonText::of(&variables.get().of(&contact))
}

/// 0…9999, the same for ever.
#[pg_extern(immutable, parallel_safe)]
fn stable_bucket(campaign_id: pgrx::Uuid, contact_id: pgrx::Uuid) -> i32 {
    let ours = |id: pgrx::Uuid| Uuid::from_bytes(*id.as_bytes());
    bucket::stable_bucket(ours(campaign_id), ours(contact_id)).into()
}

/// The winner if there is one, the rates with their 95 % intervals, and the finding as a sentence.
#[pg_extern(immutable, parallel_safe)]
fn compare_variants(counts: JsonText) -> JsonB {
    JsonB(compare::compare_variants(&counts.read()))
}
