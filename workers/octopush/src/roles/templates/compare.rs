//! Whether a template at Meta says what ours says: that is how a request whose answer was lost is recognised.

use serde_json::Value;

/// True when everything `ours` says stands in `theirs`. Samples do not count (Meta returns files as addresses), nor what Meta adds: the
/// fixed text of an authentication template, ids, defaults.
pub fn says_the_same(ours: &Value, theirs: &[Value]) -> bool {
    let Some(ours) = ours.as_array() else { return false };
    ours.len() == theirs.len()
        && ours.iter().all(|part| {
            theirs
                .iter()
                .any(|theirs| same_kind(part, theirs) && contains(theirs, part))
        })
}

fn same_kind(ours: &Value, theirs: &Value) -> bool {
    let kind = |part: &Value| {
        part.get("type")
            .and_then(Value::as_str)
            .map(str::to_ascii_uppercase)
    };
    kind(ours) == kind(theirs)
}

fn contains(theirs: &Value, ours: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => ours
            .iter()
            .filter(|(key, value)| !matches!(key.as_str(), "example" | "media") && !value.is_null())
            .all(|(key, value)| theirs.get(key).is_some_and(|theirs| contains(theirs, value))),
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|(ours, theirs)| contains(theirs, ours))
        }
        // Kinds and formats come back in upper case, texts without the blanks around them.
        (Value::String(ours), Value::String(theirs)) => {
            ours.trim() == theirs.trim() || (ours.is_ascii() && ours.to_ascii_uppercase() == *theirs)
        }
        // 5 and 5.0, or 5 and "5", are the same to Meta.
        (Value::Number(ours), Value::String(theirs)) => ours.to_string() == *theirs,
        (ours, theirs) => ours == theirs,
    }
}

#[cfg(test)]
mod tests {
    use super::says_the_same;
    use serde_json::{Value, json};

    fn ours() -> Value {
        json!([
            { "type": "header", "format": "image", "example": { "header_handle": ["4::x"] } },
            { "type": "BODY", "text": "Hi {{1}}, your parcel is here.", "example": { "body_text": [["Mei"]] } },
            { "type": "BUTTONS", "buttons": [{ "type": "QUICK_REPLY", "text": "Stop" }] }
        ])
    }

    fn theirs() -> Vec<Value> {
        vec![
            json!({ "type": "HEADER", "format": "IMAGE", "example": { "header_handle": ["https://scontent.example/1"] } }),
            json!({ "type": "BODY", "text": "Hi {{1}}, your parcel is here." }),
            json!({ "type": "BUTTONS", "buttons": [{ "type": "QUICK_REPLY", "text": "Stop", "id": 1 }] }),
        ]
    }

    #[test]
    fn samples_and_what_meta_adds_do_not_count() {
        assert!(says_the_same(&ours(), &theirs()));
    }

    #[test]
    fn another_word_part_or_button_does() {
        let change = |at: usize, part: Value| {
            let mut theirs = theirs();
            theirs[at] = part;
            says_the_same(&ours(), &theirs)
        };
        assert!(!change(0, json!({ "type": "HEADER", "format": "VIDEO" })));
        assert!(!change(
            1,
            json!({ "type": "BODY", "text": "Hi {{1}}, your parcel is late." })
        ));
        assert!(!change(2, json!({ "type": "BUTTONS", "buttons": [] })));
        assert!(!says_the_same(&ours(), &theirs()[..2]));
        assert!(!says_the_same(&Value::Null, &theirs()));
    }
}
