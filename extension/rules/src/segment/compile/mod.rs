//! Rules to SQL: one boolean expression over `public.contacts c`, never null, with every value a bind.
//!
//! Nothing of the caller's JSON becomes text of the statement; what varies are choices between our own words. Casts and
//! functions around binds are immutable ones, so that a caller's `execute … using` folds them to constants: the plan and
//! its cost are then those of the same query with literals. Hence `make_date` and UTC arithmetic where a cast from
//! text or `timestamptz - interval`, only stable, would run for every row.

mod binds;
mod json_value;
mod relation;
mod text;
mod time;

use super::context::Context;
use super::field::{Kind, Place};
use super::operand::Operand;
use super::operator::Operator;
use super::rules::{Leaf, Node, Rules};
use super::shape::Match;
use binds::Binds;

/// A predicate and its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// Over `c`, `$1 text[]` (the values) and `$2 timestamptz` (now).
    pub predicate: String,
    /// What `($1)[first_param]` and those after it are.
    pub params: Vec<String>,
}

/// Compiles rules; the same rules always give the same text.
pub fn compile(rules: &Rules, context: &Context, first_param: usize) -> Compiled {
    let mut compiler = Compiler {
        time_zone: &context.time_zone,
        has_search: context.has_search,
        org_id: context.org_id.as_deref(),
        is_required: true,
        binds: Binds::new(first_param),
    };
    let predicate = compiler.node(&rules.root, false);
    Compiled {
        predicate,
        params: compiler.binds.into_values(),
    }
}

struct Compiler<'a> {
    time_zone: &'a str,
    has_search: bool,
    org_id: Option<&'a str>,
    /// Whether the whole is false where the node at hand is: only there does a join with another index narrow the scan.
    is_required: bool,
    binds: Binds,
}

impl Compiler<'_> {
    /// Negation is pushed down to the leaves: there `not exists` and `is not true` are what the planner knows best.
    fn node(&mut self, node: &Node, is_negated: bool) -> String {
        match node {
            Node::Leaf(leaf) => {
                let (operator, negates) = leaf.operator.positive();
                self.leaf(leaf, operator, is_negated != negates)
            }
            Node::Group(matching, children) => {
                // None is all of the children's negations; negated, it is any of them as they are.
                let (is_conjunction, negates_children) = match matching {
                    Match::All => (!is_negated, is_negated),
                    Match::Any => (is_negated, is_negated),
                    Match::None => (!is_negated, !is_negated),
                };
                let was_required = self.is_required;
                self.is_required &= is_conjunction || children.len() == 1;
                let children: Vec<String> = children
                    .iter()
                    .map(|child| self.node(child, negates_children))
                    .collect();
                self.is_required = was_required;
                match (children.as_slice(), is_conjunction) {
                    ([], true) => "true".into(),
                    ([], false) => "false".into(),
                    ([only], _) => only.clone(),
                    (_, true) => format!("({})", children.join(" and ")),
                    (_, false) => format!("({})", children.join(" or ")),
                }
            }
        }
    }

    /// `operator` is positive; the leaf's own negation is in `is_negated`.
    fn leaf(&mut self, leaf: &Leaf, operator: Operator, is_negated: bool) -> String {
        let field = &leaf.field;
        match (field.kind, field.place) {
            (_, Place::Custom) if operator == Operator::IsEmpty => self.custom_is_empty(field, is_negated),
            (Kind::Text, _) => self.text(field, operator, &leaf.operand, is_negated),
            (Kind::Choice, _) => self.choice(field, operator, &leaf.operand, is_negated),
            (Kind::Choices, _) => self.choices(field, operator, &leaf.operand, is_negated),
            (Kind::Number, Place::Custom) => self.custom_number(field, operator, &leaf.operand, is_negated),
            (Kind::Number, _) => self.count(field, operator, &leaf.operand, is_negated),
            (Kind::Boolean, Place::Conversation { is_active }) => {
                let wants = leaf.operand == Operand::Boolean(true);
                self.conversation(is_active, wants == is_negated)
            }
            (Kind::Boolean, _) => self.custom_boolean(field, &leaf.operand, is_negated),
            (Kind::Time, _) => self.time(field, operator, &leaf.operand, is_negated),
            (Kind::Date, Place::Custom) => self.custom_date(field, operator, &leaf.operand, is_negated),
            (Kind::Date, _) => self.date(field, operator, &leaf.operand, is_negated),
            (Kind::Tags, _) => self.tags(operator, &leaf.operand, is_negated),
            (Kind::Segments, _) => self.segment(&leaf.operand, is_negated),
            (Kind::Campaigns, _) => self.campaign(operator, &leaf.operand, is_negated),
            (Kind::Flows, _) => self.flow(operator, &leaf.operand, is_negated),
        }
    }
}

/// A test on a column, made two-valued. The column is asked first, because `(…) is true` would hide the test from indexes.
fn on_column(column: &str, is_nullable: bool, test: &str, is_negated: bool) -> String {
    match (is_nullable, is_negated) {
        (true, true) => format!("(({test}) is not true)"),
        (true, false) => format!("({column} is not null and {test})"),
        (false, true) => format!("(not ({test}))"),
        (false, false) => format!("({test})"),
    }
}

/// A test that may be null, made two-valued.
fn two_valued(test: &str, is_negated: bool) -> String {
    let what = if is_negated { "is not true" } else { "is true" };
    format!("(({test}) {what})")
}

/// A two-valued expression, negated where asked.
fn negated(expression: &str, is_negated: bool) -> String {
    if is_negated {
        format!("(not ({expression}))")
    } else {
        format!("({expression})")
    }
}
