//! The lines of one transaction: within it every phone stands once, as the database's set-based statements need it.

use super::row::Row;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// What happens to lines whose phone is known already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    Skip,
    Update,
}

/// Collects lines as `private.import_line` takes them.
pub struct Batch {
    duplicates: Duplicates,
    lines: Vec<Map<String, Value>>,
    by_phone: HashMap<String, usize>,
    count: usize,
}

impl Batch {
    pub fn new(duplicates: Duplicates) -> Self {
        Self {
            duplicates,
            lines: Vec::new(),
            by_phone: HashMap::new(),
            count: 0,
        }
    }

    /// Lines taken in, folded ones counted too.
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The lines as a JSON array; the batch is empty afterwards.
    pub fn take(&mut self) -> Value {
        self.by_phone.clear();
        self.count = 0;
        std::mem::take(&mut self.lines).into()
    }

    /// A line that could not even be read.
    pub fn refuse(&mut self, line: u64, cells: &[String], reason: &str) {
        self.count += 1;
        let mut refused = Map::new();
        refused.insert("line".into(), line.into());
        refused.insert("cells".into(), storable(cells));
        refused.insert("problem".into(), reason.into());
        self.lines.push(refused);
    }

    /// A line as it was understood. The first line of a phone stands; later ones are counted with it, and change it where they may.
    pub fn add(&mut self, line: u64, cells: &[String], row: Row) {
        if let Some(reason) = row.reason() {
            return self.refuse(line, cells, &reason);
        }
        let Some(phone) = row.values.get("phone").and_then(Value::as_str) else {
            return self.refuse(line, cells, "The phone number is missing.");
        };
        self.count += 1;
        if let Some(position) = self.by_phone.get(phone) {
            let first = &mut self.lines[*position];
            let also = first.entry("also").or_insert_with(|| json!([]));
            if let Value::Array(also) = also {
                also.push(json!({ "line": line, "cells": storable(cells) }));
            }
            if self.duplicates == Duplicates::Update {
                fold(first, row.values);
            }
            return;
        }
        self.by_phone.insert(phone.to_owned(), self.lines.len());
        let mut values = row.values;
        values.insert("line".into(), line.into());
        values.insert("cells".into(), storable(cells));
        self.lines.push(values);
    }
}

/// What a later line says replaces what the earlier one said; parts of an address, custom fields and tags come together.
fn fold(first: &mut Map<String, Value>, later: Map<String, Value>) {
    for (key, value) in later {
        match (first.get_mut(&key), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (Some(Value::Array(known)), Value::Array(more)) => {
                let lower = |tag: &Value| tag.as_str().map(str::to_lowercase);
                for tag in more {
                    if !known.iter().any(|k| lower(k) == lower(&tag)) {
                        known.push(tag);
                    }
                }
            }
            (_, value) => {
                first.insert(key, value);
            }
        }
    }
}

/// Postgres stores no zero bytes.
fn storable(cells: &[String]) -> Value {
    cells
        .iter()
        .map(|cell| Value::from(cell.replace('\0', "\u{FFFD}")))
        .collect()
}
