//! What is wrong with rules, and where.

use serde_json::{Value, json};

/// Characters of the caller's text that a message or path repeats.
const ECHO: usize = 60;

/// The kinds of problems; clients decide by these and show the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    UnknownField,
    WrongOperator,
    WrongValue,
    TooDeep,
    TooMany,
    Malformed,
}

impl Code {
    /// As it stands in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Code::UnknownField => "unknown_field",
            Code::WrongOperator => "wrong_operator",
            Code::WrongValue => "wrong_value",
            Code::TooDeep => "too_deep",
            Code::TooMany => "too_many",
            Code::Malformed => "malformed",
        }
    }
}

/// One problem, with the JSON pointer of what has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub path: String,
    pub code: Code,
    pub message: String,
}

impl Problem {
    pub fn new(path: impl Into<String>, code: Code, message: impl Into<String>) -> Self {
        Problem {
            path: path.into(),
            code,
            message: message.into(),
        }
    }

    pub fn to_json(&self) -> Value {
        json!({"path": self.path, "code": self.code.name(), "message": self.message})
    }
}

/// The answer of `check_segment`.
pub fn problems_to_json(problems: &[Problem]) -> Value {
    problems.iter().map(Problem::to_json).collect()
}

/// The caller's text in a message: quoted, and cut where it is long.
pub fn quoted(text: &str) -> String {
    format!("“{}”", shortened(text))
}

/// A key of the caller as one step of a JSON pointer (RFC 6901).
pub fn pointer_step(key: &str) -> String {
    shortened(key).replace('~', "~0").replace('/', "~1")
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(ECHO).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
