//! One cell as what its column is: dates, numbers, yes and no, lists, the way people type them.

use super::row::DateOrder;
use crate::custom_field::{Definition, Kind, iso_date, plain_number};
use chrono::NaiveDate;
use serde_json::Value;

/// Trimmed, invisible marks and control characters gone; line breaks stay where `keeps_lines`.
pub fn clean(cell: &str, keeps_lines: bool) -> String {
    let cell = super::spreadsheet::restore(cell.trim());
    let text: String = cell
        .chars()
        .filter(|c| !matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}'))
        .map(|c| match c {
            '\n' | '\t' if keeps_lines => c,
            c if c.is_control() => ' ',
            c => c,
        })
        .collect();
    text.trim().to_owned()
}

/// Part of a cell for a message.
pub fn quoted(cell: &str) -> String {
    let mut shown: String = cell.chars().take(40).collect();
    if shown.len() < cell.len() {
        shown.push('…');
    }
    format!("“{shown}”")
}

/// The cell as the JSON its custom field takes, or what it must be.
pub fn custom_value(definition: &Definition, cell: &str, order: DateOrder) -> Result<Value, String> {
    let refused = |must: &str| format!("{must}, not {}", quoted(cell));
    let value = match definition.kind {
        Kind::Text | Kind::Choice => cell.into(),
        Kind::Number => number(cell).ok_or_else(|| refused("must be a number"))?,
        Kind::Date => date(cell, order)
            .ok_or_else(|| refused("must be a date"))?
            .to_string()
            .into(),
        Kind::Boolean => boolean(cell).ok_or_else(|| refused("must be yes or no"))?.into(),
        Kind::MultiChoice => choices(definition, cell),
    };
    definition.check(&value)
}

/// An option may itself have a comma in its name; the whole cell is tried first.
fn choices(definition: &Definition, cell: &str) -> Value {
    if definition
        .options
        .iter()
        .any(|option| option.eq_ignore_ascii_case(cell))
    {
        return vec![cell].into();
    }
    list(cell, &[',', ';', '|']).into()
}

/// The parts of a cell, each once, empty ones left out.
pub fn list<'a>(cell: &'a str, separators: &[char]) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for part in cell
        .split(separators)
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        if !found
            .iter()
            .any(|known| known.to_lowercase() == part.to_lowercase())
        {
            found.push(part);
        }
    }
    found
}

/// English and Malay.
pub fn boolean(cell: &str) -> Option<bool> {
    match cell.to_lowercase().as_str() {
        "yes" | "y" | "true" | "t" | "1" | "on" | "x" | "✓" | "✔" | "ya" | "benar" | "betul" => {
            Some(true)
        }
        "no" | "n" | "false" | "f" | "0" | "off" | "tidak" | "tak" | "salah" | "bukan" => Some(false),
        _ => None,
    }
}

/// With thousands separators and a currency in front, as price lists have them.
pub fn number(cell: &str) -> Option<Value> {
    let text: String = cell
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '\'')
        .collect();
    let (negative, text) = match text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        Some(inner) => (true, inner.to_owned()),
        None => (false, text),
    };
    let (negative, text) = match text.strip_prefix(['-', '−']) {
        Some(rest) if !negative => (true, rest.to_owned()),
        _ => (negative, text),
    };
    let text = text.strip_prefix('+').unwrap_or(&text);
    let text = ["RM", "MYR", "USD", "SGD", "$", "€", "£"]
        .iter()
        .find_map(|currency| text.strip_prefix(currency))
        .unwrap_or(text);
    let groups_of_three = |separator: char| {
        let mut parts = text.split(separator);
        let first = parts.next().unwrap_or_default();
        (1..=3).contains(&first.len()) && parts.all(|part| part.len() == 3)
    };
    let plain = match (text.rfind(','), text.rfind('.')) {
        (Some(comma), Some(point)) if comma < point => text.replace(',', ""),
        (Some(_), Some(_)) => text.replace('.', "").replace(',', "."),
        (Some(_), None) if groups_of_three(',') => text.replace(',', ""),
        (Some(_), None) => text.replacen(',', ".", 1),
        _ => text.to_owned(),
    };
    if !plain.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    plain_number(&format!("{}{plain}", if negative { "-" } else { "" })).ok()
}

/// A day; a time behind it is left out.
pub fn date(cell: &str, order: DateOrder) -> Option<NaiveDate> {
    let cell = cell.trim_start_matches('\'');
    let day = cell.split(['T', ' ']).next().unwrap_or_default();
    if let Some(date) = iso_date(day) {
        return Some(date);
    }
    let mut parts: Vec<&str> = cell
        .split(['/', '-', '.', ' ', ','])
        .filter(|part| !part.is_empty())
        .collect();
    // Behind a complete date only a time may follow.
    if parts.len() > 3
        && parts[3..]
            .iter()
            .all(|part| part.contains(':') || matches!(*part, "AM" | "PM" | "am" | "pm"))
    {
        parts.truncate(3);
    }
    let [first, second, third] = parts[..] else {
        return None;
    };
    let (year, month, day) = if first.len() == 4 {
        (first, second, third)
    } else if month_name(second).is_some() {
        (third, second, first)
    } else if month_name(first).is_some() {
        (third, first, second)
    } else {
        match order {
            DateOrder::Dmy => (third, second, first),
            DateOrder::Mdy => (third, first, second),
            DateOrder::Ymd => (first, second, third),
        }
    };
    let month = month_name(month).or_else(|| digits(month, 2))?;
    let date = NaiveDate::from_ymd_opt(full_year(year)?, month, digits(day, 2)?)?;
    iso_date(&date.to_string())
}

fn digits(text: &str, most: usize) -> Option<u32> {
    let is_short = (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    is_short.then(|| text.parse().ok())?
}

/// Two digits are a year of the hundred that ends with 2035: birthdays are past, appointments near.
fn full_year(text: &str) -> Option<i32> {
    let year = digits(text, 4)? as i32;
    match text.len() {
        4 => Some(year),
        2 if year <= 35 => Some(2000 + year),
        2 => Some(1900 + year),
        _ => None,
    }
}

fn month_name(text: &str) -> Option<u32> {
    const NAMES: [&[&str]; 12] = [
        &["jan", "january", "januari"],
        &["feb", "february", "februari"],
        &["mar", "march", "mac"],
        &["apr", "april"],
        &["may", "mei"],
        &["jun", "june"],
        &["jul", "july", "julai"],
        &["aug", "august", "ogos", "ogo"],
        &["sep", "sept", "september"],
        &["oct", "october", "okt", "oktober"],
        &["nov", "november"],
        &["dec", "december", "dis", "disember"],
    ];
    let text = text.to_lowercase();
    let index = NAMES.iter().position(|names| names.contains(&text.as_str()))?;
    Some(index as u32 + 1)
}
