//! Phone numbers to E.164, the one form they are stored and compared in.

use phonenumber::{Metadata, PhoneNumber, country, metadata::DATABASE};
use regex::Regex;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Longest text looked at. The longest number is 15 digits; the rest is room for separators and invisible marks.
const MAX_INPUT_CHARS: usize = 64;

/// The plus and the 15 digits that E.164 allows.
const MAX_E164_CHARS: usize = 16;

/// The number as `+` and digits, or `None` when `raw` is no valid number.
///
/// `region` is the two-letter country (any case) that numbers without a country code belong to; when it is empty or
/// unknown only international numbers (`+…` or `00…`) are accepted. Separators, brackets, invisible marks that come
/// with copied text, and full-width or Arabic digits are understood. Letters, extensions and several numbers in one
/// text are not: a guess would send a customer's message to someone else.
pub fn normalize_phone(raw: &str, region: &str) -> Option<String> {
    let dialled = dialled(raw)?;
    if dialled.starts_with('+') {
        return international(&dialled);
    }
    let region = known_region(region);
    region
        .and_then(|region| abroad(region, &dialled))
        .or_else(|| national(region?, &dialled))
        // 00 is the international prefix people write even where the network's own is another (011, 010, 001).
        .or_else(|| international(&format!("+{}", dialled.strip_prefix("00")?)))
}

/// Only `+` and ASCII digits, as one would key it in. `None` when anything else than separators stands between.
fn dialled(raw: &str) -> Option<String> {
    let mut dialled = String::with_capacity(16);
    for (position, character) in raw.chars().enumerate() {
        if position >= MAX_INPUT_CHARS {
            return None;
        }
        match character {
            '+' | '\u{FF0B}' if dialled.is_empty() => dialled.push('+'),
            _ => match decimal_digit(character) {
                Some(digit) => dialled.push(digit),
                None if is_separator(character) => {}
                None => return None,
            },
        }
    }
    Some(dialled)
}

/// ASCII, full-width, Arabic-Indic and Eastern Arabic digits.
fn decimal_digit(character: char) -> Option<char> {
    let zero = match character {
        '0'..='9' => '0',
        '\u{FF10}'..='\u{FF19}' => '\u{FF10}',
        '\u{0660}'..='\u{0669}' => '\u{0660}',
        '\u{06F0}'..='\u{06F9}' => '\u{06F0}',
        _ => return None,
    };
    char::from_digit(character as u32 - zero as u32, 10)
}

fn is_separator(character: char) -> bool {
    match character {
        '-' | '.' | '/' | '(' | ')' | '[' | ']' | '~' => true,
        // Dashes of every width, their full-width forms and brackets.
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FF0D}'..='\u{FF0F}' | '\u{FF08}' | '\u{FF09}' => true,
        // Soft hyphen, zero-width marks, and the direction marks that phones put around a copied number.
        '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' => true,
        '\u{FEFF}' => true,
        other => other.is_whitespace() && !matches!(other, '\n' | '\r'),
    }
}

fn known_region(region: &str) -> Option<country::Id> {
    let region = region.trim();
    if region.len() != 2 {
        return None;
    }
    let id: country::Id = region.to_ascii_uppercase().parse().ok()?;
    // The parser unwraps the metadata of the region it is given.
    DATABASE.by_id(id.as_ref()).map(|_| id)
}

fn international(number: &str) -> Option<String> {
    assigned(phonenumber::parse(None, number).ok()?)
}

/// A number behind the region's own international prefix. The prefix is taken off here because the parser, left to
/// do it, then takes the region's trunk prefix off the foreign number too.
fn abroad(region: country::Id, dialled: &str) -> Option<String> {
    let prefix = DATABASE
        .by_id(region.as_ref())?
        .international_prefix()?
        .find(dialled)?;
    let number = &dialled[prefix.end()..];
    if prefix.start() != 0 || number.starts_with('0') {
        return None;
    }
    international(&format!("+{number}"))
}

fn national(region: country::Id, dialled: &str) -> Option<String> {
    let number = phonenumber::parse(Some(region), dialled).ok()?;
    if number.code().source() == country::Source::Idd {
        return None;
    }
    assigned(number)
}

/// The number in E.164 when some numbering plan of its country code has it.
fn assigned(number: PhoneNumber) -> Option<String> {
    let code = number.code().value();
    let national = number.national().to_string();
    let e164 = format!("+{code}{national}");
    let mut numbering_plans = DATABASE.by_code(&code)?.into_iter();
    (e164.len() <= MAX_E164_CHARS && numbering_plans.any(|plan| is_assigned(plan, &national))).then_some(e164)
}

/// Whether the whole national number matches a kind of number in this numbering plan.
///
/// The parser's own check is satisfied by a prefix that matches, and so takes a digit too many for valid wherever a
/// country has numbers of several lengths.
fn is_assigned(plan: &Metadata, national: &str) -> bool {
    static PATTERNS: LazyLock<Mutex<HashMap<String, Option<Regex>>>> = LazyLock::new(Mutex::default);
    let mut patterns = PATTERNS.lock().unwrap_or_else(PoisonError::into_inner);
    // Plans that belong to no country all have the id 001.
    let key = format!("{}{}", plan.country_code(), plan.id());
    patterns
        .entry(key)
        .or_insert_with(|| whole_number_pattern(plan))
        .as_ref()
        .is_some_and(|pattern| pattern.is_match(national))
}

/// `None` when a plan has no kind of number; no pattern of the metadata fails to compile (tested over all plans).
fn whole_number_pattern(plan: &Metadata) -> Option<Regex> {
    let descriptors = plan.descriptors();
    let kinds = [
        descriptors.mobile(),
        descriptors.fixed_line(),
        descriptors.toll_free(),
        descriptors.premium_rate(),
        descriptors.shared_cost(),
        descriptors.personal_number(),
        descriptors.voip(),
        descriptors.pager(),
        descriptors.uan(),
        descriptors.voicemail(),
    ];
    let alternatives: Vec<&str> = kinds
        .into_iter()
        .flatten()
        .map(|kind| kind.national_number().as_str())
        .collect();
    if alternatives.is_empty() {
        return None;
    }
    // The metadata keeps the line breaks and indentation of its source, hence `x`.
    Regex::new(&format!("(?x)^(?:{})$", alternatives.join("|"))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_numbering_plan_has_a_pattern_and_accepts_its_own_examples() {
        let mut plans = 0;
        for plan in DATABASE.iter() {
            assert!(
                whole_number_pattern(plan).is_some(),
                "no pattern for {}",
                plan.id()
            );
            let kinds = plan.descriptors();
            for kind in [kinds.mobile(), kinds.fixed_line()].into_iter().flatten() {
                let Some(example) = kind.example() else { continue };
                let e164 = format!("+{}{example}", plan.country_code());
                assert_eq!(
                    normalize_phone(&e164, "MY").as_deref(),
                    Some(e164.as_str()),
                    "{}",
                    plan.id()
                );
            }
            plans += 1;
        }
        assert!(plans > 200, "only {plans} plans");
    }

    #[test]
    fn separators_never_contain_a_digit_or_plus() {
        for character in "0123456789+,;#*xX\n".chars() {
            assert!(!is_separator(character), "{character:?}");
        }
    }
}
