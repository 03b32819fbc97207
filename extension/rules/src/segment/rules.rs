//! Rules, typed: every field known, every operator one of its field's, every value read.

use serde_json::{Map, Value};

use super::context::Context;
use super::field::{CUSTOM_PREFIX, Field};
use super::limits;
use super::operand::Operand;
use super::operator::Operator;
use super::problem::{Code, Problem, quoted};
use super::shape::{self, Match, RawContent, RawLeaf, RawNode};

/// A question about one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    pub field: Field,
    pub operator: Operator,
    pub operand: Operand,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Group(Match, Vec<Node>),
    Leaf(Leaf),
}

/// A tree of rules that passed every check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pub root: Node,
}

impl Rules {
    /// Reads rules, or tells every problem they have.
    pub fn parse(json: &Value, context: &Context) -> Result<Rules, Vec<Problem>> {
        let (raw, mut problems) = shape::read(json);
        let root = raw.and_then(|raw| typed(&raw, context, &mut problems));
        match root {
            Some(root) if problems.is_empty() => Ok(Rules { root }),
            _ => Err(problems),
        }
    }

    /// The rules as JSON; reading it gives the same rules.
    pub fn to_json(&self) -> Value {
        self.root.to_json()
    }

    /// Every leaf, in the order of the tree.
    pub fn leaves(&self) -> Vec<&Leaf> {
        let mut leaves = Vec::new();
        self.root.collect(&mut leaves);
        leaves
    }
}

impl Node {
    fn to_json(&self) -> Value {
        let mut object = Map::new();
        match self {
            Node::Group(matching, children) => {
                object.insert(
                    matching.name().into(),
                    children.iter().map(Node::to_json).collect(),
                );
            }
            Node::Leaf(leaf) => {
                object.insert("field".into(), leaf.field.name.clone().into());
                object.insert("operator".into(), leaf.operator.name().into());
                if let Some(value) = leaf.operand.to_json() {
                    object.insert("value".into(), value);
                }
            }
        }
        Value::Object(object)
    }

    fn collect<'a>(&'a self, leaves: &mut Vec<&'a Leaf>) {
        match self {
            Node::Group(_, children) => children.iter().for_each(|child| child.collect(leaves)),
            Node::Leaf(leaf) => leaves.push(leaf),
        }
    }
}

fn typed(raw: &RawNode<'_>, context: &Context, problems: &mut Vec<Problem>) -> Option<Node> {
    match &raw.content {
        RawContent::Leaf(leaf) => match typed_leaf(leaf, &raw.path, context) {
            Ok(leaf) => Some(Node::Leaf(leaf)),
            Err(problem) => {
                if problems.len() < limits::PROBLEMS {
                    problems.push(problem);
                }
                None
            }
        },
        RawContent::Group(matching, children) => {
            let children = children
                .iter()
                .filter_map(|child| typed(child, context, problems))
                .collect();
            Some(Node::Group(*matching, children))
        }
    }
}

fn typed_leaf(raw: &RawLeaf<'_>, path: &str, context: &Context) -> Result<Leaf, Problem> {
    let Some(field) = Field::named(raw.field, context) else {
        let message = match raw.field.strip_prefix(CUSTOM_PREFIX) {
            Some(key) => format!("There is no custom field {}.", quoted(key)),
            None => format!("There is no field {}.", quoted(raw.field)),
        };
        return Err(Problem::new(format!("{path}/field"), Code::UnknownField, message));
    };
    let operator = Operator::named(raw.operator).filter(|operator| field.operators().contains(operator));
    let Some(operator) = operator else {
        let message = format!("{} cannot be asked about {}.", quoted(raw.operator), field.label);
        return Err(Problem::new(
            format!("{path}/operator"),
            Code::WrongOperator,
            message,
        ));
    };
    match Operand::parse(&field, operator, raw.value) {
        Ok(operand) => Ok(Leaf {
            field,
            operator,
            operand,
        }),
        Err((below, message)) => Err(Problem::new(
            format!("{path}/value{below}"),
            Code::WrongValue,
            message,
        )),
    }
}
