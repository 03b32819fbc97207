//! Texts and choices.

use super::super::field::{Field, Place};
use super::super::operand::Operand;
use super::super::operator::Operator;
use super::{Compiler, on_column, two_valued};

/// Columns that `contacts.search_text` holds in lower case.
const SEARCHABLE: [&str; 5] = ["full_name", "phone", "email", "company", "username"];

/// The search text of contacts that are not in the trash, which has an index of trigrams.
const SEARCH: &str = "select from private.contact_search s where s.org_id = c.org_id and s.contact_id = c.id";

/// A trigram needs three characters; a few more leave few candidates.
const MIN_INDEXED: usize = 5;

/// Where a text is: how it is read, and for one inside JSON what must be true of it besides.
struct Source {
    text: String,
    /// Numbers and objects in JSON have a text too. Asked last, so that only rows that match pay for it.
    guard: Option<String>,
}

impl Compiler<'_> {
    pub(super) fn text(
        &mut self,
        field: &Field,
        operator: Operator,
        operand: &Operand,
        is_negated: bool,
    ) -> String {
        let source = self.source(field);
        if operator == Operator::IsEmpty {
            return is_empty(&source, is_negated);
        }
        // A stored phone number is a plus and digits: it has no case.
        let is_caseless = field.name == "phone";
        let folded = |text: &str| {
            if is_caseless {
                text.to_owned()
            } else {
                format!("lower({text})")
            }
        };
        let text = folded(&source.text);
        let (test, pattern) = match operand {
            Operand::Texts(values) => {
                let values: Vec<String> = values
                    .iter()
                    .map(|value| folded(&self.binds.value(value.clone())))
                    .collect();
                (format!("{text} in ({})", values.join(", ")), None)
            }
            Operand::Text(value) if operator == Operator::Is => {
                let bind = folded(&self.binds.value(value.clone()));
                // Names and phones have an index of their own for equality.
                let has_index = matches!(field.name.as_str(), "full_name" | "phone");
                (format!("{text} = {bind}"), (!has_index).then_some(value))
            }
            Operand::Text(value) => {
                let (before, behind) = match operator {
                    Operator::StartsWith => ("", "%"),
                    Operator::EndsWith => ("%", ""),
                    _ => ("%", "%"),
                };
                let pattern = format!("{before}{}{behind}", escaped(value));
                (
                    format!("{text} like {}", folded(&self.binds.value(pattern))),
                    Some(value),
                )
            }
            _ => unreachable!("texts are compared with texts"),
        };
        let test = match pattern {
            // What a column contains, its row's search text contains: that one is stored in lower case.
            Some(value) if SEARCHABLE.contains(&field.name.as_str()) => {
                let pattern = self.binds.value(format!("%{}%", escaped(value)));
                let is_rare = operator == Operator::Is && value.chars().count() >= MIN_INDEXED;
                if self.has_search && self.is_required && is_rare && !is_negated {
                    format!("exists ({SEARCH} and s.search_text like lower({pattern})) and {test}")
                } else {
                    format!("c.search_text like lower({pattern}) and {test}")
                }
            }
            _ => test,
        };
        match &source.guard {
            Some(guard) => two_valued(&format!("{test} and {guard}"), is_negated),
            None => on_column(&source.text, true, &test, is_negated),
        }
    }

    pub(super) fn choice(
        &mut self,
        field: &Field,
        operator: Operator,
        operand: &Operand,
        is_negated: bool,
    ) -> String {
        let source = self.source(field);
        if operator == Operator::IsEmpty {
            return is_empty(&source, is_negated);
        }
        let test = match operand {
            Operand::Text(value) => format!("{} = {}", source.text, self.binds.value(value.clone())),
            Operand::Texts(values) => {
                format!(
                    "{} = any ({})",
                    source.text,
                    self.binds.array(values.iter().cloned())
                )
            }
            _ => unreachable!("choices are compared with texts"),
        };
        match &source.guard {
            Some(guard) => two_valued(&format!("{test} and {guard}"), is_negated),
            None => on_column(&source.text, field.is_nullable(), &test, is_negated),
        }
    }

    fn source(&mut self, field: &Field) -> Source {
        let within = |object: &str, key: &str| Source {
            text: format!("({object} ->> {key})"),
            guard: Some(format!("jsonb_typeof({object} -> {key}) = 'string'")),
        };
        match field.place {
            Place::Address(key) => within("c.address", &format!("'{key}'")),
            Place::Custom => {
                let key = self.custom_key(field);
                within("c.custom_fields", &key)
            }
            _ => Source {
                text: format!("c.{}", field.name),
                guard: None,
            },
        }
    }

    /// The key of an organisation's own field: its own choice, and so a bind like every value.
    pub(super) fn custom_key(&mut self, field: &Field) -> String {
        self.binds.value(field.custom_key().unwrap_or_default())
    }
}

fn is_empty(Source { text, guard }: &Source, is_negated: bool) -> String {
    match (guard.is_some(), is_negated) {
        (true, false) => format!("(coalesce({text}, '') = '')"),
        (true, true) => format!("(coalesce({text}, '') <> '')"),
        (false, false) => format!("({text} is null or {text} = '')"),
        (false, true) => format!("({text} is not null and {text} <> '')"),
    }
}

/// The text with what `like` takes for a pattern escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if matches!(character, '\\' | '%' | '_') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
