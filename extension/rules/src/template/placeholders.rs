//! Finding `{{…}}` in a text.

use std::ops::Range;

/// A variable where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder<'a> {
    /// What stands between the braces, without the spaces around it.
    pub name: &'a str,
    /// With the braces.
    pub range: Range<usize>,
}

/// Every `{{name}}` whose name has letters, digits and underscores; anything else between braces is text.
pub fn placeholders(text: &str) -> Vec<Placeholder<'_>> {
    braced(text)
        .into_iter()
        .filter(|found| is_name(found.name))
        .collect()
}

/// Everything between double braces, whatever it is. Linear in the length of the text.
pub fn braced(text: &str) -> Vec<Placeholder<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(length) = text[from..].find("}}") {
        let close = from + length;
        if let Some(open) = text[from..close].rfind("{{") {
            let open = from + open;
            found.push(Placeholder {
                name: text[open + 2..close].trim(),
                range: open..close + 2,
            });
        }
        from = close + 2;
    }
    found
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The number of a positional variable: digits without a leading zero, from 1.
pub fn number(name: &str) -> Option<u32> {
    let is_plain = !name.starts_with('0') && name.bytes().all(|b| b.is_ascii_digit());
    is_plain.then(|| name.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        placeholders(text).into_iter().map(|found| found.name).collect()
    }

    #[test]
    fn names_are_found_and_other_braces_are_text() {
        assert_eq!(names("Hi {{1}}, {{ first_name }}!"), ["1", "first_name"]);
        assert_eq!(names("{{{1}}} {{a b}} {{}} {{#1}} {{ {{2}} }}"), ["1", "2"]);
        assert!(names("}} {{ {{").is_empty());
    }

    #[test]
    fn numbers_have_no_leading_zero() {
        assert_eq!(number("12"), Some(12));
        assert_eq!(
            (number("0"), number("01"), number(""), number("x1")),
            (None, None, None, None)
        );
    }

    #[test]
    fn a_wall_of_braces_is_read_at_once() {
        assert!(placeholders(&"{{".repeat(500_000)).is_empty());
        assert!(placeholders(&"}}".repeat(500_000)).is_empty());
    }
}
