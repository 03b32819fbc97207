//! The first reading of rules: groups and leaves in their places, nothing known of fields yet.
//!
//! [`super::rules`] types the leaves; references and horizons need no more than this.

use serde_json::{Map, Value};

use super::limits;
use super::problem::{Code, Problem, pointer_step, quoted};

/// How a group joins its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    All,
    Any,
    None,
}

impl Match {
    pub const EACH: [Match; 3] = [Match::All, Match::Any, Match::None];

    /// The key of the group in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Match::All => "all",
            Match::Any => "any",
            Match::None => "none",
        }
    }
}

/// A leaf as it stands in the JSON.
#[derive(Clone, Copy, Debug)]
pub struct RawLeaf<'a> {
    pub field: &'a str,
    pub operator: &'a str,
    pub value: Option<&'a Value>,
}

/// A node as it stands in the JSON, with its pointer.
#[derive(Debug)]
pub struct RawNode<'a> {
    pub path: String,
    pub content: RawContent<'a>,
}

#[derive(Debug)]
pub enum RawContent<'a> {
    Group(Match, Vec<RawNode<'a>>),
    Leaf(RawLeaf<'a>),
}

impl<'a> RawNode<'a> {
    /// Every leaf, in the order of the tree.
    pub fn leaves(&self) -> Vec<RawLeaf<'a>> {
        match &self.content {
            RawContent::Leaf(leaf) => vec![*leaf],
            RawContent::Group(_, children) => children.iter().flat_map(RawNode::leaves).collect(),
        }
    }
}

/// The tree of `rules`, whose root must be a group, and every problem of its structure.
pub fn read(rules: &Value) -> (Option<RawNode<'_>>, Vec<Problem>) {
    let mut reader = Reader::default();
    let root = match rules {
        Value::Object(object) if is_leaf(object) => {
            reader.problem("", Code::Malformed, "Rules begin with a group: all, any or none.");
            None
        }
        _ => reader.node(rules, String::new(), 1),
    };
    (root, reader.problems)
}

#[derive(Default)]
struct Reader {
    problems: Vec<Problem>,
    leaves: usize,
    groups: usize,
    is_full: bool,
}

impl Reader {
    fn problem(&mut self, path: impl Into<String>, code: Code, message: impl Into<String>) {
        if self.problems.len() < limits::PROBLEMS {
            self.problems.push(Problem::new(path, code, message));
        }
    }

    fn node<'a>(&mut self, value: &'a Value, path: String, level: usize) -> Option<RawNode<'a>> {
        let Value::Object(object) = value else {
            self.problem(path, Code::Malformed, "A group or a rule must stand here.");
            return None;
        };
        if is_leaf(object) {
            return self.leaf(object, path);
        }
        let matches: Vec<Match> = Match::EACH
            .into_iter()
            .filter(|m| object.contains_key(m.name()))
            .collect();
        let [matching] = matches[..] else {
            let message = if matches.is_empty() {
                "A group has one of the keys all, any and none; a rule has field and operator."
            } else {
                "A group has only one of the keys all, any and none."
            };
            self.problem(path, Code::Malformed, message);
            return None;
        };
        if self.has_unknown_keys(object, &path, &[matching.name()]) {
            return None;
        }
        self.group(matching, &object[matching.name()], path, level)
    }

    fn group<'a>(
        &mut self,
        matching: Match,
        children: &'a Value,
        path: String,
        level: usize,
    ) -> Option<RawNode<'a>> {
        if level > limits::LEVELS {
            let message = format!("Groups may stand {} levels deep.", limits::LEVELS);
            self.problem(path, Code::TooDeep, message);
            return None;
        }
        self.groups += 1;
        if self.groups > limits::GROUPS {
            self.too_many(path, format!("At most {} groups.", limits::GROUPS));
            return None;
        }
        let list_path = format!("{path}/{}", matching.name());
        let Value::Array(children) = children else {
            self.problem(
                list_path,
                Code::Malformed,
                "A group holds a list of rules and groups.",
            );
            return None;
        };
        let mut read = Vec::with_capacity(children.len().min(limits::LEAVES));
        for (position, child) in children.iter().enumerate() {
            if self.is_full {
                break;
            }
            read.extend(self.node(child, format!("{list_path}/{position}"), level + 1));
        }
        Some(RawNode {
            path,
            content: RawContent::Group(matching, read),
        })
    }

    fn leaf<'a>(&mut self, object: &'a Map<String, Value>, path: String) -> Option<RawNode<'a>> {
        self.leaves += 1;
        if self.leaves > limits::LEAVES {
            self.too_many(path, format!("At most {} rules.", limits::LEAVES));
            return None;
        }
        let is_strange = self.has_unknown_keys(object, &path, &["field", "operator", "value"]);
        let field = self.text(object, &path, "field");
        let operator = self.text(object, &path, "operator");
        let value = object.get("value").filter(|value| !value.is_null());
        let leaf = RawLeaf {
            field: field?,
            operator: operator?,
            value,
        };
        (!is_strange).then_some(RawNode {
            path,
            content: RawContent::Leaf(leaf),
        })
    }

    fn text<'a>(&mut self, object: &'a Map<String, Value>, path: &str, key: &str) -> Option<&'a str> {
        let text = object.get(key).and_then(Value::as_str);
        if text.is_none() {
            self.problem(
                format!("{path}/{key}"),
                Code::Malformed,
                format!("A rule has a {key}, which is a text."),
            );
        }
        text
    }

    fn has_unknown_keys(&mut self, object: &Map<String, Value>, path: &str, known: &[&str]) -> bool {
        let mut found = false;
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            found = true;
            let message = format!("Nothing here is called {}.", quoted(key));
            self.problem(format!("{path}/{}", pointer_step(key)), Code::Malformed, message);
        }
        found
    }

    fn too_many(&mut self, path: String, message: String) {
        if !self.is_full {
            self.is_full = true;
            self.problem(path, Code::TooMany, message);
        }
    }
}

fn is_leaf(object: &Map<String, Value>) -> bool {
    object.contains_key("field") || object.contains_key("operator")
}
