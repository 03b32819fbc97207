//! What people type, paste and import, and what becomes of it.

use octopush_rules::phone::normalize_phone;
use proptest::prelude::*;

fn malaysian(raw: &str) -> Option<String> {
    normalize_phone(raw, "MY")
}

#[test]
fn malaysian_mobile_numbers_in_every_usual_spelling_are_one_number() {
    let spellings = [
        "012-345 6789",
        "0123456789",
        "012 345 6789",
        "012.345.6789",
        "(012) 345-6789",
        "123456789",
        "60123456789",
        "+60123456789",
        "+60 12-345 6789",
        "+60 (0)12-345 6789",
        "(+60) 12 345 6789",
        "+60-012-3456789",
        "0060123456789",
        "00 60 12 345 6789",
        "  012-345 6789\t",
        "\u{202A}+60 12-345 6789\u{202C}",
        "\u{FEFF}012\u{00A0}345\u{2011}6789",
        "０１２３４５６７８９",
        "＋６０１２３４５６７８９",
        "٠١٢٣٤٥٦٧٨٩",
    ];
    for spelling in spellings {
        assert_eq!(
            malaysian(spelling).as_deref(),
            Some("+60123456789"),
            "{spelling:?}"
        );
    }
}

#[test]
fn malaysian_numbers_of_other_lengths_and_kinds() {
    let cases = [
        ("011-1234 5678", "+601112345678"),
        ("03-2162 1234", "+60321621234"),
        ("04-226 1234", "+6042261234"),
        ("088-212 345", "+6088212345"),
        ("1-800-88-1234", "+601800881234"),
    ];
    for (raw, e164) in cases {
        assert_eq!(malaysian(raw).as_deref(), Some(e164), "{raw:?}");
    }
}

#[test]
fn numbers_of_other_countries_keep_their_country() {
    let cases = [
        ("+65 9123 4567", "+6591234567"),
        ("0065 9123 4567", "+6591234567"),
        ("+1 (415) 555-2671", "+14155552671"),
        ("+62 812-3456-7890", "+6281234567890"),
        ("+39 06 6982 0000", "+390669820000"),
        ("+44 20 7946 0958", "+442079460958"),
        ("+880 1712-345678", "+8801712345678"),
        ("+800 1234 5678", "+80012345678"),
    ];
    for (raw, e164) in cases {
        assert_eq!(malaysian(raw).as_deref(), Some(e164), "{raw:?}");
        assert_eq!(
            normalize_phone(raw, "").as_deref(),
            Some(e164),
            "{raw:?} without a region"
        );
    }
}

#[test]
fn the_region_decides_what_a_local_number_is() {
    assert_eq!(normalize_phone("9123 4567", "SG").as_deref(), Some("+6591234567"));
    assert_eq!(normalize_phone("9123 4567", "sg").as_deref(), Some("+6591234567"));
    assert_eq!(
        normalize_phone("0812-3456-7890", "ID").as_deref(),
        Some("+6281234567890")
    );
    assert_eq!(
        normalize_phone("(415) 555-2671", "US").as_deref(),
        Some("+14155552671")
    );
    assert_eq!(
        normalize_phone("011 60 12-345 6789", "US").as_deref(),
        Some("+60123456789")
    );
    assert_eq!(
        normalize_phone("00 60 12-345 6789", "US").as_deref(),
        Some("+60123456789")
    );
    assert_eq!(
        normalize_phone("00 60 12-345 6789", "SG").as_deref(),
        Some("+60123456789")
    );
    assert_eq!(malaysian("9123 4567"), None);
    // The trunk prefix of the caller's country (1) is no part of the number called.
    assert_eq!(
        normalize_phone("011 44 117 496 0123", "US").as_deref(),
        Some("+441174960123")
    );
}

#[test]
fn without_a_known_region_only_international_numbers_are_accepted() {
    for region in ["", "XX", "MYS", "malaysia", "60", "ÄÖ", "001"] {
        assert_eq!(normalize_phone("012-345 6789", region), None, "{region:?}");
        assert_eq!(
            normalize_phone("+60 12-345 6789", region).as_deref(),
            Some("+60123456789"),
            "{region:?}"
        );
    }
}

#[test]
fn what_is_no_number_is_refused() {
    let refused = [
        "",
        " ",
        "+",
        "++60123456789",
        "+60+123456789",
        "60123456789+",
        "0",
        "12",
        "999",
        "012-345",
        "012-345 678",
        "012-345 67890",
        "+60 12-345 67890",
        "+6012345678901234",
        "+60 12-345 678",
        "abc",
        "012-345 6789 Ali",
        "Ali 012-345 6789",
        "1-800-FLOWERS",
        "012-345 6789 x12",
        "012-345 6789 ext. 12",
        "012-345 6789;ext=12",
        "tel:+60123456789",
        "012-345 6789, 013-345 6789",
        "012-345 6789\n013-345 6789",
        "012-345 6789 / 013-345 6789",
        "012*345#6789",
        "ali@example.com",
        "+999 123456789",
        "+0 123456789",
        "+000 60123456789",
        "000000000000",
        "1e10",
        "☎ 0123456789",
        "0123456789\0",
    ];
    for raw in refused {
        assert_eq!(malaysian(raw), None, "{raw:?}");
    }
}

#[test]
fn very_long_text_is_refused_without_being_read() {
    assert_eq!(malaysian(&"1".repeat(5_000_000)), None);
    assert_eq!(malaysian(&format!("{}0123456789", " ".repeat(100))), None);
}

fn is_e164(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn any_text_gives_e164_or_nothing(raw in any::<String>(), region in "[A-Za-z]{0,3}") {
        if let Some(number) = normalize_phone(&raw, &region) {
            prop_assert!(is_e164(&number), "{raw:?} became {number}");
        }
    }

    #[test]
    fn digits_in_any_region_give_e164_or_nothing(raw in "\\+?[0-9]{0,18}", region in "[A-Z]{2}") {
        if let Some(number) = normalize_phone(&raw, &region) {
            prop_assert!(is_e164(&number), "{raw:?} in {region} became {number}");
        }
    }

    #[test]
    fn a_normalised_number_stays_as_it_is_in_every_region(
        raw in "\\+?[0-9 ()-]{6,18}", region in "MY|SG|ID|US|GB|IT|RU|HU|BR|CN|JP|MX|AR", other in "[A-Z]{2}",
    ) {
        if let Some(number) = normalize_phone(&raw, &region) {
            let again = normalize_phone(&number, &other);
            prop_assert_eq!(again.as_deref(), Some(number.as_str()));
        }
    }

    #[test]
    fn separators_do_not_change_a_malaysian_mobile_number(
        subscriber in "[2-9][0-9]{6}", gap in "[ .()\\-]{0,3}", at in 0usize..10,
    ) {
        let plain = format!("012{subscriber}");
        let spaced = format!("{}{gap}{}", &plain[..at], &plain[at..]);
        let expected = Some(format!("+6012{subscriber}"));
        prop_assert_eq!(malaysian(&plain), expected.clone());
        prop_assert_eq!(malaysian(&spaced), expected);
    }
}
