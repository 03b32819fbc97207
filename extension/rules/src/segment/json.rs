//! Reading JSON text that may be hostile: too deep for a parser that recurses.

use serde_json::Value;

use super::problem::{Code, Problem};

/// Arrays and objects inside one another. Rules need 19 (a group is two levels, a leaf with its value three), and
/// serde_json itself stops at 128.
const MAX_NESTING: usize = 100;

/// The value of `text`, or the one problem that keeps it from being read.
pub fn read(text: &str) -> Result<Value, Problem> {
    if nesting(text) > MAX_NESTING {
        return Err(Problem::new("", Code::TooDeep, "This is nested far too deeply."));
    }
    serde_json::from_str(text).map_err(|_| Problem::new("", Code::Malformed, "This is not JSON."))
}

/// The deepest nesting of arrays and objects, counted without recursion.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let (mut in_string, mut is_escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_texts_do_not_count() {
        assert_eq!(nesting(r#"{"a[[[": ["\"[[[", {}]}"#), 3);
    }

    #[test]
    fn a_hundred_thousand_levels_are_a_problem_and_no_crash() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(read(&deep).unwrap_err().code, Code::TooDeep);
        assert_eq!(read("{").unwrap_err().code, Code::Malformed);
    }
}
