//! Reading values whose shape is not to be trusted: absent, null, a number where a string is documented and the reverse.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::ParseError;

/// The characters Postgres refuses in text and jsonb, and what stands for them.
const NUL: char = '\u{0}';
const REPLACEMENT: &str = "\u{FFFD}";

/// Longer than any number Meta sends. jsonb refuses numbers beyond numeric's range (about 131 000 digits, which a short `1e999999`
/// has too), so anything odd is kept as the text it was.
const MAX_NUMBER_LEN: usize = 40;

/// Parses `body`, mending what JSON parsers refuse but senders produce: bytes that are not UTF-8 and halves of surrogate pairs (a
/// profile name cut in the middle of an emoji). The result holds nothing that jsonb refuses.
pub(super) fn parse_document(body: &[u8]) -> Result<Value, ParseError> {
    let value = match serde_json::from_slice::<Value>(body) {
        Ok(value) => value,
        Err(error) => {
            let text = String::from_utf8_lossy(body);
            let mended = mend_surrogates(&text);
            serde_json::from_str(&mended).map_err(|_| ParseError::from(error))?
        }
    };
    Ok(storable(value))
}

fn storable(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(without_nul(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(storable).collect()),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, value)| (without_nul(key), storable(value)))
                .collect::<Map<_, _>>(),
        ),
        Value::Number(number) => {
            let text = number.to_string();
            if fits_numeric(&text) {
                Value::Number(number)
            } else {
                Value::String(text)
            }
        }
        Value::Null | Value::Bool(_) => value,
    }
}

fn fits_numeric(number: &str) -> bool {
    let exponent = number
        .split_once(['e', 'E'])
        .map(|(_, exponent)| exponent.parse::<i32>());
    number.len() <= MAX_NUMBER_LEN && exponent.is_none_or(|e| e.is_ok_and(|e| e.abs() <= 300))
}

fn without_nul(text: String) -> String {
    if text.contains(NUL) {
        text.replace(NUL, REPLACEMENT)
    } else {
        text
    }
}

/// Replaces every `\uD8xx`-style escape that has no partner by `\ufffd`; leaves everything else as it is.
fn mend_surrogates(text: &str) -> Cow<'_, str> {
    let mut mended: Option<String> = None;
    let mut copied = 0;
    let mut at = 0;
    let bytes = text.as_bytes();
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        let Some(unit) = escaped_unit(bytes, at) else {
            at += 2;
            continue;
        };
        let paired = (0xD800..0xDC00).contains(&unit)
            && escaped_unit(bytes, at + 6).is_some_and(|low| (0xDC00..0xE000).contains(&low));
        if paired {
            at += 12;
            continue;
        }
        if (0xD800..0xE000).contains(&unit) {
            let out = mended.get_or_insert_default();
            out.push_str(&text[copied..at]);
            out.push_str("\\ufffd");
            copied = at + 6;
        }
        at += 6;
    }
    match mended {
        Some(mut out) => {
            out.push_str(&text[copied..]);
            Cow::Owned(out)
        }
        None => Cow::Borrowed(text),
    }
}

/// The UTF-16 unit of a `\uXXXX` escape that starts at `at`.
fn escaped_unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    let mut unit = 0;
    for &digit in digits {
        unit = unit * 16 + u16::try_from(char::from(digit).to_digit(16)?).ok()?;
    }
    Some(unit)
}

/// A non-empty text, also when it came as a number (ids do).
pub(super) fn text(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The first of several names under which a text is known to arrive.
pub(super) fn text_of(value: &Value, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| text(value, key))
}

/// The text at a path of keys.
pub(super) fn text_at(value: &Value, path: &[&str]) -> Option<String> {
    let (last, parents) = path.split_last()?;
    let mut at = value;
    for key in parents {
        at = at.get(key)?;
    }
    text(at, last)
}

/// An integer given as a number or as digits in a string.
pub(super) fn integer(value: &Value, key: &str) -> Option<i64> {
    match value.get(key)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Seconds since 1970 that a database can hold: after WhatsApp existed and before the year 2100.
pub(super) fn timestamp(value: &Value, key: &str) -> Option<i64> {
    integer(value, key).filter(|seconds| (1_000_000_000..4_102_444_800).contains(seconds))
}

/// The items of an array; nothing when it is absent, null or of another shape.
pub(super) fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{integer, mend_surrogates, parse_document, text, timestamp};

    #[test]
    fn mends_halves_of_surrogate_pairs_and_only_those() {
        assert_eq!(mend_surrogates(r"a\ud83dz"), r"a\ufffdz");
        assert_eq!(mend_surrogates(r"\ude00"), r"\ufffd");
        assert_eq!(mend_surrogates(r"\ud83d\ud83d\ude00"), r"\ufffd\ud83d\ude00");
        for untouched in [r"\ud83d\ude00", r"\\ud83d", r"\u00e9\n", r"\u12", "\\", "plain é"] {
            assert_eq!(mend_surrogates(untouched), untouched);
        }
    }

    #[test]
    fn keeps_nothing_that_jsonb_refuses() {
        let parsed = parse_document(
            br#"{"a\u0000":"x\u0000y","big":1e999999,"small":1e-99999,"ok":1.50,"half":"\ud83d"}"#,
        )
        .unwrap();
        assert_eq!(parsed["a\u{FFFD}"], "x\u{FFFD}y");
        assert!(parsed["big"].is_string() && parsed["small"].is_string());
        assert_eq!(parsed["ok"].to_string(), "1.50");
        assert_eq!(parsed["half"], "\u{FFFD}");
        assert_eq!(parse_document(b"{\"a\":\"\xff\"}").unwrap()["a"], "\u{FFFD}");
        assert!(parse_document(br#"{"a":"#).is_err());
        assert!(parse_document(b"").is_err());
    }

    #[test]
    fn reads_numbers_and_digits_alike() {
        let value = json!({"n": 12, "s": "13", "e": "", "z": null, "late": "99999999999", "b": true});
        assert_eq!(text(&value, "n").as_deref(), Some("12"));
        assert_eq!(text(&value, "e"), None);
        assert_eq!(text(&value, "b"), None);
        assert_eq!(integer(&value, "s"), Some(13));
        assert_eq!(integer(&value, "z"), None);
        assert_eq!(timestamp(&value, "late"), None);
    }
}
