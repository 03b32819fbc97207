//! Rules in plain English.

mod values;

use super::context::Context;
use super::field::{Category, Field, Kind, Place};
use super::operand::Operand;
use super::operator::Operator::{self, *};
use super::rules::{Leaf, Node, Rules};
use super::shape::Match;
pub use values::{actual_words, date_words, value_words};

/// "Contacts tagged VIP who wrote in the last 30 days".
pub fn sentence(rules: &Rules, context: &Context) -> String {
    let writer = Writer { context };
    match &rules.root {
        Node::Group(Match::Any, children) if children.is_empty() => "No contacts".into(),
        Node::Group(_, children) if children.is_empty() => "All contacts".into(),
        root => format!("Contacts {}", writer.node(root, true)),
    }
}

/// What one leaf asks, as a statement: "Company is “Acme”".
pub fn statement(leaf: &Leaf, context: &Context) -> String {
    let clause = Writer { context }.leaf(leaf).text;
    let bare = clause
        .strip_prefix("who ")
        .or_else(|| clause.strip_prefix("whose "))
        .unwrap_or(&clause);
    capitalised(bare)
}

/// The text with its first letter large.
pub fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

/// A part of the sentence. Clauses without a pronoun ("tagged VIP") stand directly behind "Contacts".
struct Clause {
    text: String,
    is_direct: bool,
}

struct Writer<'a> {
    context: &'a Context,
}

impl Writer<'_> {
    fn node(&self, node: &Node, is_root: bool) -> String {
        let (matching, children) = match node {
            Node::Leaf(leaf) => return self.leaf(leaf).text,
            Node::Group(matching, children) => (*matching, children),
        };
        if children.is_empty() {
            return if matching == Match::Any {
                "(nobody)".into()
            } else {
                "(everybody)".into()
            };
        }
        let joined = match matching {
            Match::All => self.all(children),
            Match::Any => self.each(children).join(" or "),
            Match::None => format!("except those {}", self.each(children).join(" or ")),
        };
        if is_root || children.len() == 1 && matching != Match::None {
            joined
        } else {
            format!("({joined})")
        }
    }

    fn each(&self, children: &[Node]) -> Vec<String> {
        children.iter().map(|child| self.node(child, false)).collect()
    }

    /// Direct clauses first, exceptions last: "tagged VIP who wrote today, except those in segment X".
    fn all(&self, children: &[Node]) -> String {
        let (mut direct, mut others, mut exceptions) = (Vec::new(), Vec::new(), Vec::new());
        for child in children {
            match child {
                Node::Leaf(leaf) => {
                    let clause = self.leaf(leaf);
                    if clause.is_direct {
                        direct.push(clause.text)
                    } else {
                        others.push(clause.text)
                    }
                }
                Node::Group(Match::None, grandchildren) if !grandchildren.is_empty() => {
                    exceptions.push(self.each(grandchildren).join(" or "));
                }
                group => others.push(self.node(group, false)),
            }
        }
        // A parenthesis reads as a continuation only behind "and".
        let link = if others.first().is_some_and(|clause| clause.starts_with('(')) {
            " and "
        } else {
            " "
        };
        let mut parts = vec![direct.join(" and "), others.join(" and ")];
        parts.retain(|part| !part.is_empty());
        let mut sentence = parts.join(link);
        if !exceptions.is_empty() {
            let comma = if sentence.is_empty() { "" } else { ", " };
            sentence = format!("{sentence}{comma}except those {}", exceptions.join(" or "));
        }
        sentence
    }

    fn leaf(&self, leaf: &Leaf) -> Clause {
        let (operator, is_negated) = leaf.operator.positive();
        let field = &leaf.field;
        match field.kind {
            Kind::Tags => self.tags(leaf),
            Kind::Segments => direct(format!("{}in {}", not(is_negated), self.named("segment", leaf))),
            Kind::Flows if operator == InProgress => {
                direct(format!("{}in {}", not(is_negated), self.named("flow", leaf)))
            }
            Kind::Flows | Kind::Campaigns => self.reaction(leaf, operator, is_negated),
            Kind::Boolean if matches!(field.place, Place::Conversation { .. }) => {
                let with = if leaf.operand == Operand::Boolean(true) {
                    "with"
                } else {
                    "without"
                };
                let what = if field.name == "has_conversation" {
                    "a conversation"
                } else {
                    "an active conversation"
                };
                direct(format!("{with} {what}"))
            }
            Kind::Time => self.time(leaf, operator, is_negated),
            Kind::Date => whose(field, self.date(leaf)),
            Kind::Choices => whose(field, self.choices(leaf)),
            _ => whose(field, self.comparison(leaf)),
        }
    }

    fn comparison(&self, leaf: &Leaf) -> String {
        let value = value_words(leaf, self.context);
        if value.is_empty() {
            leaf.operator.label().into()
        } else {
            format!("{} {value}", leaf.operator.label())
        }
    }

    fn choices(&self, leaf: &Leaf) -> String {
        let value = value_words(leaf, self.context);
        match leaf.operator {
            HasAnyOf => format!("include {value}"),
            HasAllOf => format!("include all of {value}"),
            HasNoneOf => format!("include none of {value}"),
            IsEmpty => "are empty".into(),
            _ => "are not empty".into(),
        }
    }

    fn date(&self, leaf: &Leaf) -> String {
        let value = value_words(leaf, self.context);
        match leaf.operator {
            InLast => format!("was in {value}"),
            NotInLast => format!("was not in {value}"),
            AnniversaryInNext => format!("comes in {value}"),
            AnniversaryIsToday => "comes today".into(),
            InNext => format!("is in {value}"),
            _ => self.comparison(leaf),
        }
    }

    fn time(&self, leaf: &Leaf, operator: Operator, is_negated: bool) -> Clause {
        let (happened, did_not, never) = match leaf.field.name.as_str() {
            "created_at" => ("created", "not created", "never created"),
            "last_inbound_at" if operator == InLast => ("who wrote", "who did not write", ""),
            "last_inbound_at" => ("who last wrote", "", "who never wrote"),
            "last_message_at" if operator == InLast => ("who had a message", "who had no message", ""),
            "last_message_at" => ("who had their last message", "", "who never had a message"),
            _ => (
                "who gave consent",
                "who did not give consent",
                "who never gave consent",
            ),
        };
        let value = value_words(leaf, self.context);
        let text = match (operator, is_negated) {
            (IsEmpty, false) => never.into(),
            (IsEmpty, true) if leaf.field.name == "last_inbound_at" => "who wrote at least once".into(),
            (IsEmpty, true) if leaf.field.name == "last_message_at" => {
                "who had a message at least once".into()
            }
            (IsEmpty, true) => format!("{happened} at some time"),
            (InLast, true) => format!("{did_not} in {value}"),
            (InLast, false) => format!("{happened} in {value}"),
            (operator, _) => format!("{happened} {} {value}", operator.name()),
        };
        Clause {
            is_direct: !text.starts_with("who "),
            text,
        }
    }

    fn tags(&self, leaf: &Leaf) -> Clause {
        let tags = value_words(leaf, self.context);
        direct(match leaf.operator {
            HasAnyOf | HasAllOf => format!("tagged {tags}"),
            HasNoneOf => format!("not tagged {tags}"),
            IsEmpty => "without tags".into(),
            _ => "with at least one tag".into(),
        })
    }

    fn reaction(&self, leaf: &Leaf, operator: Operator, is_negated: bool) -> Clause {
        let (did, do_it) = match operator {
            Received => ("received", "receive"),
            Read => ("read", "read"),
            Replied => ("replied to", "reply to"),
            Clicked => ("clicked in", "click in"),
            _ => ("completed", "complete"),
        };
        let what = if leaf.field.category == Category::Flow {
            "flow"
        } else {
            "campaign"
        };
        let named = self.named(what, leaf);
        let text = if is_negated {
            format!("who did not {do_it} {named}")
        } else {
            format!("who {did} {named}")
        };
        Clause {
            text,
            is_direct: false,
        }
    }

    fn named(&self, what: &str, leaf: &Leaf) -> String {
        format!("{what} {}", value_words(leaf, self.context))
    }
}

fn direct(text: String) -> Clause {
    Clause {
        text,
        is_direct: true,
    }
}

fn whose(field: &Field, asked: String) -> Clause {
    let is_word = field
        .label
        .chars()
        .nth(1)
        .is_none_or(|second| !second.is_uppercase());
    // Our own labels are ordinary words; an organisation's keep the letters it gave them.
    let label = match field.place {
        Place::Custom => field.label.clone(),
        _ if is_word && field.name != "username" => super::lowercase::lowercase(&field.label),
        _ => field.label.clone(),
    };
    Clause {
        text: format!("whose {label} {asked}"),
        is_direct: false,
    }
}

fn not(is_negated: bool) -> &'static str {
    if is_negated { "not " } else { "" }
}
