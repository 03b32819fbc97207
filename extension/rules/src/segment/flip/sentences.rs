//! Changes in plain English.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::context::Context;
use super::super::evaluate::moment::Moment;
use super::super::field::{Field, Kind};
use super::super::operand::Operand;
use super::super::operator::Operator;
use super::super::problem::quoted;
use super::super::rules::Leaf;
use super::super::sentence::actual_words;
use super::change::{Action, Change};

/// Makes changes that say what they are.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    pub context: &'a Context,
    pub moment: &'a Moment,
}

impl Words<'_> {
    pub fn set(&self, field: &Field, value: Value) -> Change {
        let asked = Leaf {
            field: field.clone(),
            operator: Operator::IsEmpty,
            operand: Operand::Nothing,
        };
        let sentence = match &value {
            Value::Null => format!("{} becomes empty", field.label),
            value => format!(
                "{} becomes {}",
                field.label,
                actual_words(&asked, value, self.context, self.moment)
            ),
        };
        Change {
            field: field.name.clone(),
            action: Action::Set,
            value,
            sentence,
        }
    }

    pub fn conversation(&self, field: &str, value: bool) -> Change {
        let sentence = match (field, value) {
            ("has_conversation", true) => "A conversation is started",
            ("has_conversation", false) => "No conversation is left",
            (_, true) => "A conversation is open",
            (_, false) => "The open conversations are resolved",
        };
        Change {
            field: field.into(),
            action: Action::Set,
            value: json!(value),
            sentence: sentence.into(),
        }
    }

    /// A tag is given or taken; none stands for any.
    pub fn tag(&self, tag: Option<&Uuid>, action: Action) -> Change {
        let verb = if action == Action::Add { "Add" } else { "Remove" };
        let named = tag.map(|tag| self.name(tag).unwrap_or_else(|| "that is gone".into()));
        let sentence = named.map_or_else(
            || format!("{verb} any tag"),
            |name| format!("{verb} the tag {name}"),
        );
        let value = tag.map_or(Value::Null, |tag| json!(tag.to_string()));
        Change {
            field: "tags".into(),
            action,
            value,
            sentence,
        }
    }

    /// A row of a segment, campaign or flow comes to be or is gone; `what` is the reaction or state.
    pub fn row(&self, kind: Kind, id: &Uuid, what: &'static str, action: Action) -> Change {
        let is_added = action == Action::Add;
        let name = self
            .name(id)
            .map_or_else(|| "that is gone".into(), |name| quoted(&name));
        let (field, value) = match kind {
            Kind::Segments => ("segment", json!(id.to_string())),
            Kind::Flows => ("flow", json!({"id": id.to_string(), "state": what})),
            _ => ("campaign", json!({"id": id.to_string(), "reaction": what})),
        };
        let sentence = match (what, is_added) {
            ("", true) => format!("Becomes a member of segment {name}"),
            ("", false) => format!("Leaves segment {name}"),
            ("in_progress", true) => format!("Enters flow {name}"),
            ("in_progress", false) => format!("Leaves flow {name}"),
            ("completed", true) => format!("Completes flow {name}"),
            ("completed", false) => format!("Had not completed flow {name}"),
            (_, is_added) => {
                let (does, had_not) = match what {
                    "received" => ("Receives", "received"),
                    "read" => ("Reads", "read"),
                    "replied" => ("Replies to", "replied to"),
                    _ => ("Clicks in", "clicked in"),
                };
                if is_added {
                    format!("{does} campaign {name}")
                } else {
                    format!("Had not {had_not} campaign {name}")
                }
            }
        };
        Change {
            field: field.into(),
            action,
            value,
            sentence,
        }
    }

    fn name(&self, id: &Uuid) -> Option<String> {
        self.context.names.get(&id.to_string()).cloned()
    }
}
