//! Our lower case is PostgreSQL's.

use octopush_rules::segment::lowercase::lowercase;
use std::collections::HashMap;

/// What `lower()` changes, `from>to` in hexadecimal, as PostgreSQL 15 on Debian 12 answers under C.UTF-8 to
/// `select to_hex(i) || '>' || to_hex(ascii(lower(chr(i)))) from generate_series(1, 1114111) i
///  where i not between 55296 and 57343 and lower(chr(i)) <> chr(i)`.
const LOWER_OF_POSTGRES: &str = include_str!("lower_of_postgres.txt");

#[test]
fn every_code_point_is_lowered_as_postgres_does() {
    let code_point = |text: &str| {
        char::from_u32(u32::from_str_radix(text, 16).expect("hexadecimal")).expect("a character")
    };
    let lowered: HashMap<char, char> = LOWER_OF_POSTGRES
        .split_whitespace()
        .map(|pair| pair.split_once('>').expect("a pair"))
        .map(|(from, to)| (code_point(from), code_point(to)))
        .collect();
    assert!(lowered.len() > 1_400, "only {} pairs", lowered.len());
    for character in '\u{1}'..=char::MAX {
        let expected = lowered.get(&character).copied().unwrap_or(character);
        assert_eq!(
            lowercase(&character.to_string()),
            expected.to_string(),
            "U+{:04X}",
            u32::from(character)
        );
    }
}
