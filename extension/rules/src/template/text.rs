//! A text with variables: parsed once, filled in for every contact.

use serde_json::Value;
use std::collections::{HashMap, HashSet};

use super::placeholders::{number, placeholders};

/// Bytes after which a text is filled in no further: far more than Meta takes of any, and far less than a long value in
/// thousands of places would need.
const MOST: usize = 65_536;

/// One variable of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    /// As values name it.
    pub key: String,
    pub example: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Plain(String),
    /// An index into the variables, and the placeholder as it is written.
    Variable(usize, String),
}

/// A text and its variables, each once, in the order in which a message gives their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    pub variables: Vec<Variable>,
    pieces: Vec<Piece>,
}

impl Text {
    /// `key_of` makes a variable's key of its name.
    pub fn parse(source: &str, key_of: impl Fn(&str) -> String, examples: &Examples<'_>) -> Text {
        let found = placeholders(source);
        let mut seen = HashSet::new();
        let mut names: Vec<&str> = found.iter().map(|placeholder| placeholder.name).collect();
        names.retain(|name| seen.insert(*name));
        // Positions are given in the order of their numbers, names in any order.
        if names.iter().all(|name| number(name).is_some()) {
            names.sort_by_key(|name| number(name));
        }
        let indices: HashMap<&str, usize> = names.iter().copied().zip(0..).collect();
        let mut text = Text::default();
        let mut from = 0;
        for placeholder in &found {
            text.plain(&source[from..placeholder.range.start]);
            let written = source[placeholder.range.clone()].to_owned();
            let index = indices[placeholder.name];
            text.pieces.push(Piece::Variable(index, written));
            from = placeholder.range.end;
        }
        text.plain(&source[from..]);
        let variable = |(index, name): (usize, &&str)| Variable {
            name: (*name).to_owned(),
            key: key_of(name),
            example: examples.of(name, index),
        };
        text.variables = names.iter().enumerate().map(variable).collect();
        text
    }

    fn plain(&mut self, text: &str) {
        if !text.is_empty() {
            self.pieces.push(Piece::Plain(text.to_owned()));
        }
    }

    /// The text with the values, which stand in the order of `variables`; where there is none its placeholder stays.
    /// What grows beyond [`MOST`] ends there.
    pub fn filled<S: AsRef<str>>(&self, values: &[Option<S>]) -> String {
        let mut filled = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Plain(text) => filled.push_str(text),
                Piece::Variable(index, written) => match values.get(*index) {
                    Some(Some(value)) => filled.push_str(value.as_ref()),
                    _ => filled.push_str(written),
                },
            }
            if filled.len() > MOST {
                break;
            }
        }
        filled
    }
}

/// The samples of a component, in any of the shapes Meta takes and returns.
pub struct Examples<'a> {
    component: &'a Value,
    /// `header_text` or `body_text`.
    key: &'static str,
}

impl<'a> Examples<'a> {
    pub fn new(component: &'a Value, key: &'static str) -> Self {
        Examples { component, key }
    }

    /// The sample of a name, or else of the position its variable has.
    pub fn of(&self, name: &str, index: usize) -> Option<String> {
        let example = &self.component["example"];
        let named = example[format!("{}_named_params", self.key)].as_array();
        let by_name = named
            .into_iter()
            .flatten()
            .find(|one| one["param_name"].as_str() == Some(name));
        let sample = match by_name {
            Some(one) => &one["example"],
            None => {
                let list = &example[self.key];
                // body_text is a list of lists, and also seen flat.
                let list = if list[0].is_array() { &list[0] } else { list };
                &list[index]
            }
        };
        let sample = sample.as_str().filter(|sample| !sample.trim().is_empty());
        sample.map(str::to_owned)
    }
}
