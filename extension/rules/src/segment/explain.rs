//! Why a contact is meant or not: the tree with each node's truth, and the smallest change that would turn it.

use serde_json::{Value, json};

use super::context::Context;
use super::evaluate::facts::Facts;
use super::evaluate::moment::Moment;
use super::evaluate::{actual, joined, leaf_is_true};
use super::flip;
use super::rules::{Leaf, Node, Rules};
use super::sentence::{actual_words, statement};

/// The explanation, of which the root carries `flip`.
pub fn explain(rules: &Rules, facts: &Value, context: &Context, moment: &Moment) -> Value {
    let explainer = Explainer {
        facts: Facts(facts),
        context,
        moment,
    };
    let (mut root, is_true) = explainer.node(&rules.root, String::new());
    let flip = flip::smallest_flip(rules, facts, !is_true, context, moment);
    root["flip"] = flip.map_or(Value::Null, |changes| {
        let count = changes.len();
        json!({"changes": changes.iter().map(flip::change::Change::to_json).collect::<Vec<_>>(), "count": count})
    });
    root
}

struct Explainer<'a> {
    facts: Facts<'a>,
    context: &'a Context,
    moment: &'a Moment,
}

impl Explainer<'_> {
    fn node(&self, node: &Node, path: String) -> (Value, bool) {
        let (matching, children) = match node {
            Node::Leaf(leaf) => return self.leaf(leaf, path),
            Node::Group(matching, children) => (*matching, children),
        };
        let explained: Vec<(Value, bool)> = children
            .iter()
            .enumerate()
            .map(|(position, child)| self.node(child, format!("{path}/{}/{position}", matching.name())))
            .collect();
        let is_true = joined(matching, explained.iter().map(|(_, is_true)| *is_true));
        let children: Vec<Value> = explained.into_iter().map(|(child, _)| child).collect();
        (
            json!({"path": path, "is_true": is_true, "match": matching.name(), "children": children}),
            is_true,
        )
    }

    fn leaf(&self, leaf: &Leaf, path: String) -> (Value, bool) {
        let is_true = leaf_is_true(leaf, &self.facts, self.moment);
        let actual = actual(leaf, &self.facts);
        let has = actual_words(leaf, &actual, self.context, self.moment);
        let explained = json!({
            "path": path,
            "is_true": is_true,
            "field": leaf.field.name,
            "operator": leaf.operator.name(),
            "value": leaf.operand.to_json(),
            "actual": actual,
            "sentence": format!("{} (now: {has})", statement(leaf, self.context)),
        });
        (explained, is_true)
    }
}
