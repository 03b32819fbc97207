//! Values of custom fields, each kind in the one form it is stored and compared in.

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Number, Value, json};

/// Longest text of a custom field.
pub const MAX_TEXT_CHARS: usize = 1000;
/// Digits before and after the decimal point of a number: what every reader of the JSON still holds exactly.
const MAX_DIGITS: (usize, usize) = (15, 10);

/// The kinds of custom fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Text,
    Number,
    Date,
    Boolean,
    Choice,
    MultiChoice,
}

/// What a value is checked against. Other keys of a definition say nothing about values.
#[derive(Debug, Clone, Deserialize)]
pub struct Definition {
    #[serde(default)]
    pub key: String,
    #[serde(default)]
    pub label: String,
    #[serde(rename = "type")]
    pub kind: Kind,
    #[serde(default)]
    pub options: Vec<String>,
}

/// `{"value": normalised}`, or `{"problem": "must be …"}`. A null, an empty text and an empty list clear the field.
pub fn check_custom_value(definition: &Value, value: &Value) -> Value {
    let Ok(definition) = Definition::deserialize(definition) else {
        return json!({ "problem": "belongs to a field whose definition is not valid" });
    };
    let mut answer = Map::new();
    match definition.check(value) {
        Ok(value) => answer.insert("value".into(), value),
        Err(problem) => answer.insert("problem".into(), problem.into()),
    };
    Value::Object(answer)
}

impl Definition {
    /// The value as it is stored, or what it must be, as the end of a sentence that begins with the field's label.
    pub fn check(&self, value: &Value) -> Result<Value, String> {
        match value {
            Value::Null => return Ok(Value::Null),
            Value::String(text) if text.trim().is_empty() => return Ok(Value::Null),
            Value::Array(items) if items.is_empty() && self.kind == Kind::MultiChoice => {
                return Ok(Value::Null);
            }
            _ => {}
        }
        match (self.kind, value) {
            (Kind::Text, Value::String(text)) => checked_text(text).map(Value::String),
            (Kind::Number, Value::Number(number)) => plain_number(&number.to_string()),
            (Kind::Date, Value::String(text)) => match iso_date(text.trim()) {
                Some(date) => Ok(date.to_string().into()),
                None => Err(must_be(self.kind).into()),
            },
            (Kind::Boolean, Value::Bool(_)) => Ok(value.clone()),
            (Kind::Choice, Value::String(text)) => self.option(text).map(Value::String),
            (Kind::MultiChoice, Value::Array(items)) => self.options_of(items),
            _ => Err(must_be(self.kind).into()),
        }
    }

    /// The option as it is written in the definition.
    fn option(&self, text: &str) -> Result<String, String> {
        let wanted = text.trim();
        let lower = wanted.to_lowercase();
        let found = self.options.iter().find(|option| *option == wanted);
        let found = found.or_else(|| self.options.iter().find(|option| option.to_lowercase() == lower));
        found
            .cloned()
            .ok_or_else(|| format!("must be one of: {}", shown_options(&self.options)))
    }

    /// In the order of the definition, each once, so that equal sets are equal values.
    fn options_of(&self, items: &[Value]) -> Result<Value, String> {
        let mut chosen = Vec::new();
        for item in items {
            let Value::String(text) = item else {
                return Err(must_be(self.kind).into());
            };
            chosen.push(self.option(text)?);
        }
        let ordered = self.options.iter().filter(|option| chosen.contains(option));
        Ok(ordered.cloned().collect())
    }
}

fn must_be(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "must be a text",
        Kind::Number => "must be a number",
        Kind::Date => "must be a date such as 2026-01-31",
        Kind::Boolean => "must be yes or no",
        Kind::Choice => "must be one of the field's options",
        Kind::MultiChoice => "must be a list of the field's options",
    }
}

/// Enough options to recognise the list by, not all of a long one.
fn shown_options(options: &[String]) -> String {
    let mut shown = options.iter().take(10).map(String::as_str).collect::<Vec<_>>();
    if options.len() > 10 {
        shown.push("…");
    }
    shown.join(", ")
}

fn checked_text(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.chars().count() > MAX_TEXT_CHARS {
        return Err(format!("must not be longer than {MAX_TEXT_CHARS} characters"));
    }
    // Postgres has no NUL in a text; the others are never meant.
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        return Err("must not contain control characters".into());
    }
    Ok(text.to_owned())
}

/// Any way of writing a JSON number to plain decimals without superfluous zeros, so that equal numbers are equal values.
pub fn plain_number(text: &str) -> Result<Value, String> {
    let refused = || Err(must_be(Kind::Number).to_owned());
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().unwrap_or(i32::MAX)),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > 40 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return refused();
    }
    if digits.bytes().all(|b| b == b'0') {
        return Ok(Number::from(0).into());
    }
    let too_large = || {
        Err(format!(
            "must have at most {} digits before and {} after the decimal point",
            MAX_DIGITS.0, MAX_DIGITS.1
        ))
    };
    if !(-100..=100).contains(&exponent) {
        return too_large();
    }
    // How many digits stand before the point once the exponent is applied.
    let mut point = whole.len() as i32 + exponent;
    while point <= 0 {
        digits.insert(0, '0');
        point += 1;
    }
    while (digits.len() as i32) < point {
        digits.push('0');
    }
    let (whole, fraction) = digits.split_at(point as usize);
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    if whole.len() > MAX_DIGITS.0 || fraction.len() > MAX_DIGITS.1 {
        return too_large();
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    let plain = match fraction {
        "" => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{fraction}"),
    };
    match plain.parse::<Number>() {
        Ok(number) => Ok(number.into()),
        Err(_) => refused(),
    }
}

/// `YYYY-MM-DD` of a year people write.
pub fn iso_date(text: &str) -> Option<NaiveDate> {
    let shape = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, b)| (b == b'-') == (at == 4 || at == 7));
    let date = shape.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())??;
    (date >= NaiveDate::from_ymd_opt(1000, 1, 1)?).then_some(date)
}
