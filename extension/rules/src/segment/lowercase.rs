//! Lower case as PostgreSQL's `lower()` makes it.

/// Each character by its simple mapping, as the C library and PostgreSQL's built-in provider do: no character becomes
/// two, and a sigma at the end of a word is like any other.
///
/// The same over every code point as PostgreSQL 15 on glibc 2.36 under C.UTF-8 (tests/segment_lowercase.rs). A server
/// whose library knows newer letters folds these too; rules that hold them compare them as they are written here.
pub fn lowercase(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().map(lower).collect()
}

fn lower(character: char) -> char {
    if is_newer_than_the_server(character) {
        return character;
    }
    // U+0130 (capital I with dot) is the only character whose full mapping is longer than its simple one.
    if character == '\u{130}' {
        return 'i';
    }
    let mut mapped = character.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => character,
    }
}

/// Capitals that Unicode 16 and 17 added: Latin, Garay and Beria Erfe.
fn is_newer_than_the_server(character: char) -> bool {
    matches!(character,
        '\u{1C89}' | '\u{A7CB}' | '\u{A7CC}' | '\u{A7CE}' | '\u{A7D2}' | '\u{A7D4}' | '\u{A7DA}' | '\u{A7DC}'
        | '\u{10D50}'..='\u{10D65}' | '\u{16EA0}'..='\u{16EB8}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_dotted_capital_i_has_a_longer_full_mapping() {
        let longer: Vec<char> = ('\0'..=char::MAX)
            .filter(|c| c.to_lowercase().count() != 1)
            .collect();
        assert_eq!(longer, ['\u{130}']);
    }

    #[test]
    fn words_of_several_scripts() {
        for (text, lowered) in [
            ("ÀÉ İ", "àé i"),
            ("ΟΔΟΣ", "οδοσ"),
            ("ПРИВЕТ", "привет"),
            ("ẞ", "ß"),
            ("你好 🎉", "你好 🎉"),
        ] {
            assert_eq!(lowercase(text), lowered);
        }
    }
}
