//! Values as they are given, and as Meta accepts them.

use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::fmt::Write as _;

/// The values of one message by key.
#[derive(Clone, Copy)]
pub struct Values<'a>(Option<&'a Map<String, Value>>);

impl<'a> Values<'a> {
    /// Anything but an object holds no value.
    pub fn new(values: &'a Value) -> Self {
        Values(values.as_object())
    }

    fn get(self, key: &str) -> Option<&'a Value> {
        self.0?.get(key)
    }

    /// The text of a key, in one line; none when there is nothing to see in it.
    pub fn text(self, key: &str) -> Option<Cow<'a, str>> {
        match self.get(key)? {
            Value::String(text) => one_line(text),
            Value::Number(number) => Some(number.to_string().into()),
            Value::Bool(boolean) => Some(boolean.to_string().into()),
            _ => None,
        }
    }

    /// The link or id of a file.
    pub fn media(self, key: &str) -> Option<Media<'a>> {
        let value = self.get(key)?;
        let of = |name: &str| {
            value[name]
                .as_str()
                .map(str::trim)
                .filter(|text| !text.is_empty())
        };
        let link = value.as_str().map(str::trim).or_else(|| of("link"));
        Some(Media {
            link: link.filter(|link| !link.is_empty()),
            id: of("id"),
            filename: of("filename"),
        })
        .filter(|media| media.link.is_some() || media.id.is_some())
    }

    /// The object of a location, as a message takes it.
    pub fn location(self, key: &str) -> Option<Value> {
        let value = self.get(key)?;
        let degrees = |name: &str, most: f64| {
            let given = &value[name];
            let number = given
                .as_f64()
                .or_else(|| given.as_str().and_then(|text| text.trim().parse().ok()))?;
            (-most..=most).contains(&number).then_some(number)
        };
        let mut location = json!({
            "latitude": degrees("latitude", 90.0)?,
            "longitude": degrees("longitude", 180.0)?,
        });
        for name in ["name", "address"] {
            if let Some(text) = value[name].as_str().and_then(one_line) {
                location[name] = text.into();
            }
        }
        Some(location)
    }
}

/// A file that Meta holds, or fetches from a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media<'a> {
    pub link: Option<&'a str>,
    pub id: Option<&'a str>,
    pub filename: Option<&'a str>,
}

/// Line breaks, tabs, other control characters and runs of spaces become single spaces, none at the ends: Meta refuses
/// a parameter with a line break, a tab or more than four spaces together. None when nothing visible is left.
pub fn one_line(text: &str) -> Option<Cow<'_, str>> {
    let is_gap = |c: char| c.is_whitespace() || c.is_control();
    let trimmed = text.trim_matches(is_gap);
    if trimmed.chars().all(is_invisible) {
        return None;
    }
    let mut was_space = false;
    let is_clean = trimmed.chars().all(|c| {
        let is_good = !is_gap(c) || (c == ' ' && !was_space);
        was_space = c == ' ';
        is_good
    });
    if is_clean {
        return Some(trimmed.into());
    }
    let words = trimmed.split(is_gap).filter(|word| !word.is_empty());
    let mut line = String::with_capacity(trimmed.len());
    for word in words {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    Some(line.into())
}

/// Characters that show nothing by themselves; inside a text they join or separate letters and stay.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The end of a link with what no link may hold written as `%xx`; what has a meaning in a link is left alone.
pub fn link_end(text: Cow<'_, str>) -> Cow<'_, str> {
    const ALLOWED: &[u8] = b"-._~:/?#[]@!$&'()*+,;=%";
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || ALLOWED.contains(&b);
    if text.bytes().all(is_allowed) {
        return text;
    }
    let mut end = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if is_allowed(byte) {
            end.push(byte as char);
        } else {
            let _ = write!(end, "%{byte:02X}");
        }
    }
    end.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_line_without_runs_of_spaces() {
        assert_eq!(one_line(" a\r\n\tb     c\u{2028}d ").as_deref(), Some("a b c d"));
        assert_eq!(one_line("Nur Aisyah").as_deref(), Some("Nur Aisyah"));
        assert!(matches!(one_line("Nur Aisyah"), Some(Cow::Borrowed(_))));
        assert_eq!(one_line("👩‍👧").as_deref(), Some("👩‍👧"));
    }

    #[test]
    fn what_shows_nothing_is_missing() {
        for text in ["", "  ", "\n", "\u{200b}", " \u{feff}\u{200d} "] {
            assert_eq!(one_line(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_link_keeps_its_signs_and_loses_its_spaces() {
        assert_eq!(link_end("a/b?c=1&d=%20".into()), "a/b?c=1&d=%20");
        assert_eq!(link_end("Nur Aisyah é".into()), "Nur%20Aisyah%20%C3%A9");
    }
}
