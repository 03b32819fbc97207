//! Rules and facts as the search sees them: leaves as bits, and variables with what each of their values does to them.

use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

use super::super::context::Context;
use super::super::evaluate::facts::Facts;
use super::super::evaluate::leaf_is_true;
use super::super::evaluate::moment::Moment;
use super::super::field::{Field, Kind, Place};
use super::super::operand::Operand;
use super::super::rules::{Leaf, Node, Rules};
use super::super::shape::Match;
use super::candidates;
use super::change::{Action, Change, apply};
use super::sentences::Words;

/// One bit for each leaf; there are at most 100.
pub type Bits = u128;

/// The variable that stands for all tags together, in sets of variables.
pub const TAGS: usize = 127;

/// The tree, with its leaves by number.
pub enum Tree {
    Leaf(usize),
    Group(Match, Vec<Branch>),
}

pub struct Branch {
    pub tree: Tree,
    /// The variables its leaves hang on, as bits.
    pub variables: u128,
}

/// Something that has one value and can be given another.
pub struct Variable {
    /// The leaves that ask about it.
    pub leaves: Bits,
    /// What else it can be; each answers its leaves in another way.
    pub outcomes: Vec<Outcome>,
    /// Whether a person at the desk can change it.
    pub is_editable: bool,
}

pub struct Outcome {
    /// Which of the variable's leaves are then true.
    pub truth: Bits,
    pub change: Change,
}

pub struct Model<'a> {
    pub leaves: Vec<&'a Leaf>,
    pub root: Branch,
    pub variables: Vec<Variable>,
    /// By leaf; [`TAGS`] for leaves about tags.
    pub variable_of: Vec<usize>,
    pub truth: Bits,
    pub tags: BTreeSet<Uuid>,
    /// Tags that rules name, in their order.
    pub mentioned_tags: Vec<Uuid>,
    pub words: Words<'a>,
}

impl<'a> Model<'a> {
    pub fn of(rules: &'a Rules, facts: &Value, context: &'a Context, moment: &'a Moment) -> Model<'a> {
        let leaves = rules.leaves();
        let words = Words { context, moment };
        let builder = Builder {
            leaves: &leaves,
            facts,
            moment,
            words,
        };
        let (variables, variable_of) = builder.variables();
        let truth = builder.truth(facts, &(0..leaves.len()).collect::<Vec<_>>());
        let root = branch(&rules.root, &mut 0, &variable_of);
        let mut mentioned_tags = Vec::new();
        for leaf in leaves.iter().filter(|leaf| leaf.field.kind == Kind::Tags) {
            if let Operand::Ids(ids) = &leaf.operand {
                mentioned_tags.extend(
                    ids.iter()
                        .filter(|id| !mentioned_tags.contains(*id))
                        .copied()
                        .collect::<Vec<_>>(),
                );
            }
        }
        let tags = Facts(facts).ids("tags");
        Model {
            leaves,
            root,
            variables,
            variable_of,
            truth,
            tags,
            mentioned_tags,
            words,
        }
    }
}

fn branch(node: &Node, next_leaf: &mut usize, variable_of: &[usize]) -> Branch {
    match node {
        Node::Leaf(_) => {
            let number = *next_leaf;
            *next_leaf += 1;
            Branch {
                tree: Tree::Leaf(number),
                variables: 1 << variable_of[number],
            }
        }
        Node::Group(matching, children) => {
            let children: Vec<Branch> = children
                .iter()
                .map(|child| branch(child, next_leaf, variable_of))
                .collect();
            let variables = children.iter().fold(0, |all, child| all | child.variables);
            Branch {
                tree: Tree::Group(*matching, children),
                variables,
            }
        }
    }
}

/// What a leaf hangs on: one field, or one row of another table.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Tags,
    Conversation,
    Field(String),
    Row(Kind, Uuid, &'static str),
}

fn key(leaf: &Leaf) -> Key {
    match (leaf.field.kind, &leaf.operand) {
        (Kind::Tags, _) => Key::Tags,
        (Kind::Segments, Operand::Id(id)) => Key::Row(Kind::Segments, *id, ""),
        (kind, Operand::Id(id)) => Key::Row(kind, *id, leaf.operator.positive().0.name()),
        _ if matches!(leaf.field.place, Place::Conversation { .. }) => Key::Conversation,
        _ => Key::Field(leaf.field.name.clone()),
    }
}

struct Builder<'b, 'a> {
    leaves: &'b [&'a Leaf],
    facts: &'b Value,
    moment: &'a Moment,
    words: Words<'a>,
}

impl Builder<'_, '_> {
    fn variables(&self) -> (Vec<Variable>, Vec<usize>) {
        let mut numbers: HashMap<Key, usize> = HashMap::from([(Key::Tags, TAGS)]);
        let mut keys = Vec::new();
        let variable_of: Vec<usize> = self
            .leaves
            .iter()
            .map(|leaf| {
                let key = key(leaf);
                *numbers.entry(key.clone()).or_insert_with(|| {
                    keys.push(key);
                    keys.len() - 1
                })
            })
            .collect();
        let variables = keys.iter().enumerate().map(|(number, key)| {
            let asking: Vec<usize> = (0..variable_of.len())
                .filter(|leaf| variable_of[*leaf] == number)
                .collect();
            self.variable(key, &asking)
        });
        (variables.collect(), variable_of)
    }

    fn variable(&self, key: &Key, asking: &[usize]) -> Variable {
        let now = self.truth(self.facts, asking);
        let mut variable = Variable {
            leaves: asking.iter().fold(0, |bits, leaf| bits | 1 << leaf),
            outcomes: Vec::new(),
            is_editable: is_editable(key),
        };
        for change in self.changes(key, asking) {
            let mut changed = self.only_what_matters(key);
            if apply(&mut changed, &change.field, change.action, &change.value).is_err() {
                continue;
            }
            let truth = self.truth(&changed, asking);
            if truth != now && !variable.outcomes.iter().any(|outcome| outcome.truth == truth) {
                variable.outcomes.push(Outcome { truth, change });
            }
        }
        variable
    }

    /// Facts small enough to be copied for every candidate.
    fn only_what_matters(&self, key: &Key) -> Value {
        match key {
            Key::Conversation => json!({
                "has_conversation": self.facts["has_conversation"],
                "has_active_conversation": self.facts["has_active_conversation"],
            }),
            _ => json!({}),
        }
    }

    fn truth(&self, facts: &Value, asking: &[usize]) -> Bits {
        let is_true = |leaf: &&usize| leaf_is_true(self.leaves[**leaf], &Facts(facts), self.moment);
        asking
            .iter()
            .filter(is_true)
            .fold(0, |bits, leaf| bits | 1 << leaf)
    }

    fn changes(&self, key: &Key, asking: &[usize]) -> Vec<Change> {
        match key {
            Key::Tags => Vec::new(),
            Key::Conversation => {
                let set = |field: &str, value: bool| self.words.conversation(field, value);
                vec![
                    set("has_active_conversation", true),
                    set("has_active_conversation", false),
                    set("has_conversation", true),
                    set("has_conversation", false),
                ]
            }
            Key::Row(kind, id, what) => [Action::Add, Action::Remove]
                .map(|action| self.words.row(*kind, id, what, action))
                .into(),
            Key::Field(_) => {
                let leaves: Vec<&Leaf> = asking.iter().map(|leaf| self.leaves[*leaf]).collect();
                let field: &Field = &leaves[0].field;
                let current = Facts(self.facts).value(field);
                let values = candidates::values(field, &leaves, current, self.moment);
                values
                    .into_iter()
                    .map(|value| self.words.set(field, value))
                    .collect()
            }
        }
    }
}

/// What the organisation's people decide themselves; the rest comes from what contacts do and from time.
fn is_editable(key: &Key) -> bool {
    match key {
        Key::Tags => true,
        Key::Conversation | Key::Row(..) => false,
        Key::Field(name) => !matches!(
            name.as_str(),
            "created_at"
                | "last_message_at"
                | "last_inbound_at"
                | "opt_in_at"
                | "messages_sent"
                | "messages_received"
                | "source"
                | "username"
        ),
    }
}
