//! The fewest changes of a contact that make rules the opposite of what they are.
//!
//! What may change is cut into variables: each field with one value, each tag, each segment, each reaction to a
//! campaign, each state in a flow. [`candidates`] gives a field the values worth trying, one for every way its leaves
//! can answer together; [`search`] looks for the smallest set of changed variables by branch and bound.
//!
//! Limits, all far beyond rules that people write: texts and sets of options are combined from what the rules mention
//! (a text that must satisfy several patterns at once is tried as their concatenation), at most [`candidates::MAX`]
//! values are tried for a field, and the search ends after [`search::MAX_STEPS`] steps with the best it has. Every
//! answer is applied to the facts and evaluated before it is given. `None` means that no set of changes was found.

mod candidates;
pub mod change;
mod search;
mod sentences;
mod variable;

use serde_json::Value;

use super::context::Context;
use super::evaluate::evaluate;
use super::evaluate::facts::Facts;
use super::evaluate::moment::Moment;
use super::rules::Rules;
use change::Change;

/// The fewest changes after which the rules are `wanted`; no changes when they are already.
pub fn smallest_flip(
    rules: &Rules,
    facts: &Value,
    wanted: bool,
    context: &Context,
    moment: &Moment,
) -> Option<Vec<Change>> {
    let model = variable::Model::of(rules, facts, context, moment);
    let changes = search::Search::new(&model, wanted).run()?;
    let mut changed = facts.clone();
    for change in &changes {
        change::apply(&mut changed, &change.field, change.action, &change.value).ok()?;
    }
    (evaluate(rules, &Facts(&changed), moment) == wanted).then_some(changes)
}
