//! What is found, and where.

use serde_json::{Value, json};

/// More than anyone reads; a hostile template must not make an answer many times its own size.
const MOST: usize = 100;

/// The problems of one template, in the order in which they were found.
#[derive(Default)]
pub struct Report {
    problems: Vec<Value>,
}

impl Report {
    /// Meta refuses it.
    pub fn error(&mut self, path: &str, code: &str, message: impl Into<String>) {
        self.push(path, "error", code, message.into());
    }

    /// Meta often rejects it, or it serves people badly.
    pub fn warning(&mut self, path: &str, code: &str, message: impl Into<String>) {
        self.push(path, "warning", code, message.into());
    }

    fn push(&mut self, path: &str, severity: &str, code: &str, message: String) {
        if self.problems.len() < MOST {
            let problem = json!({"path": path, "severity": severity, "code": code, "message": message});
            self.problems.push(problem);
        }
    }

    pub fn into_json(self) -> Value {
        Value::Array(self.problems)
    }
}
