//! Segment rules: checked, compiled and explained.

use octopush_rules::segment::{
    catalog, compile, context::Context, evaluate::moment, explain, flip::change, horizons, json,
    problem::Problem, problem::problems_to_json, references, rules::Rules, sentence,
};
use pgrx::prelude::*;
use pgrx::{JsonB, PgSqlErrorCode};
use serde_json::Value;

use crate::json_text::{JsonText, invalid};

/// `[]`, or every problem of the rules with its JSON pointer.
#[pg_extern(immutable, parallel_safe)]
fn check_segment(rules: JsonText, context: JsonText) -> JsonB {
    JsonB(problems_to_json(
        &parse(&rules, &read_context(&context)).err().unwrap_or_default(),
    ))
}

/// The predicate over `public.contacts c`, `$1 text[]` and `$2 timestamptz`, and the values from `first_param` on.
#[pg_extern(immutable, parallel_safe)]
fn compile_segment(
    rules: JsonText,
    context: JsonText,
    first_param: default!(i32, 1),
) -> TableIterator<'static, (name!(predicate, String), name!(params, Vec<String>))> {
    let context = read_context(&context);
    let rules = parse(&rules, &context).unwrap_or_else(|problems| refuse(&problems));
    let Ok(first_param @ 1..) = usize::try_from(first_param) else {
        invalid("first_param begins at 1")
    };
    let compiled = compile::compile(&rules, &context, first_param);
    TableIterator::once((compiled.predicate, compiled.params))
}

/// The ids and custom field keys the rules name.
#[pg_extern(immutable, parallel_safe)]
fn segment_references(rules: JsonText) -> JsonB {
    untyped(&rules, references::references)
}

/// When membership changes with no write.
#[pg_extern(immutable, parallel_safe)]
fn segment_horizons(rules: JsonText) -> JsonB {
    untyped(&rules, horizons::horizons)
}

/// Why a contact is meant or not, leaf by leaf, and the fewest changes that would turn it. Without `now` in the
/// context it is the start of the transaction.
#[pg_extern(stable, parallel_safe)]
fn explain_segment(rules: JsonText, facts: JsonText, context: JsonText) -> JsonB {
    let mut context = read_context(&context);
    context.now.get_or_insert_with(transaction_start);
    let rules = parse(&rules, &context).unwrap_or_else(|problems| refuse(&problems));
    let moment = moment::Moment::of(&context).unwrap_or_else(|message| invalid(&message));
    JsonB(explain::explain(&rules, &read(&facts), &context, &moment))
}

/// The facts after the changes of a flip.
#[pg_extern(immutable, parallel_safe)]
fn apply_segment_changes(facts: JsonText, changes: JsonText) -> JsonB {
    JsonB(change::apply_changes(&read(&facts), &read(&changes)).unwrap_or_else(|message| invalid(&message)))
}

/// The rules in plain English.
#[pg_extern(immutable, parallel_safe)]
fn segment_sentence(rules: JsonText, context: JsonText) -> String {
    let context = read_context(&context);
    let rules = parse(&rules, &context).unwrap_or_else(|problems| refuse(&problems));
    sentence::sentence(&rules, &context)
}

/// Every field the builder offers, with its operators.
#[pg_extern(immutable, parallel_safe)]
fn segment_catalog(context: JsonText) -> JsonB {
    JsonB(catalog::catalog(&read_context(&context)))
}

fn transaction_start() -> String {
    /// From PostgreSQL's epoch, 2000-01-01, to 1970-01-01.
    const EPOCH: i64 = 946_684_800_000_000;
    // SAFETY: reads a number of the running transaction.
    moment::write_time(unsafe { pgrx::pg_sys::GetCurrentTransactionStartTimestamp() } + EPOCH)
}

fn untyped(rules: &JsonText, read: fn(&Value) -> Result<Value, Vec<Problem>>) -> JsonB {
    let answer = json::read(&rules.0)
        .map_err(|problem| vec![problem])
        .and_then(|rules| read(&rules));
    JsonB(answer.unwrap_or_else(|problems| refuse(&problems)))
}

fn parse(rules: &JsonText, context: &Context) -> Result<Rules, Vec<Problem>> {
    let rules = json::read(&rules.0).map_err(|problem| vec![problem])?;
    Rules::parse(&rules, context)
}

fn read_context(context: &JsonText) -> Context {
    Context::parse(&read(context)).unwrap_or_else(|message| invalid(&message))
}

fn read(text: &JsonText) -> Value {
    text.read()
}

fn refuse(problems: &[Problem]) -> ! {
    ereport!(
        ERROR,
        PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        "these are no valid segment rules",
        problems_to_json(problems).to_string()
    );
}
