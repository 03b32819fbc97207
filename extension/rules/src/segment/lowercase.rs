//! Lower case as PostgreSQL's `lower()` makes it.

/// Each character by its simple mapping, as the C library and PostgreSQL's built-in provider do: no character becomes
/// two, and a sigma at the end of a word is like any other.
///
/// U+0130 (capital I with dot) is the only character whose full mapping is longer; its simple one is `i`.
pub fn lowercase(text: &str) -> String {
    text.chars().map(lower).collect()
}

fn lower(character: char) -> char {
    if character == '\u{130}' {
        return 'i';
    }
    let mut mapped = character.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_dotted_capital_i_has_a_longer_full_mapping() {
        let longer: Vec<char> = ('\0'..=char::MAX).filter(|c| c.to_lowercase().count() != 1).collect();
        assert_eq!(longer, ['\u{130}']);
    }

    #[test]
    fn words_of_several_scripts() {
        for (text, lowered) in [("ÀÉ İ", "àé i"), ("ΟΔΟΣ", "οδοσ"), ("ПРИВЕТ", "привет"), ("ẞ", "ß"), ("你好 🎉", "你好 🎉")] {
            assert_eq!(lowercase(text), lowered);
        }
    }
}
