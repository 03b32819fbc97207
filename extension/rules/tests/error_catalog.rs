//! The catalogue keeps its promises: unique codes, complete texts, a page that matches, and no unknown code in the SQL.

use octopush_rules::error_catalog::{ERROR_CATALOG, find, markdown};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn codes_are_unique_and_well_formed() {
    let shape = regex::Regex::new(r"^[A-Z]+_\d{3}$").expect("pattern");
    let mut seen = HashSet::new();
    for entry in ERROR_CATALOG {
        assert!(shape.is_match(entry.code), "{} is not DOMAIN_NNN", entry.code);
        assert!(seen.insert(entry.code), "{} is listed twice", entry.code);
    }
}

#[test]
fn every_entry_has_texts_and_an_error_status() {
    for entry in ERROR_CATALOG {
        assert!(
            (400..600).contains(&entry.http_status),
            "{}: {}",
            entry.code,
            entry.http_status
        );
        assert!(
            !entry.message.is_empty() && !entry.message.ends_with('.'),
            "{}: message",
            entry.code
        );
        assert!(
            entry.hint.ends_with('.'),
            "{}: the hint is a sentence",
            entry.code
        );
        assert!(
            !format!("{}{}", entry.message, entry.hint).contains('|'),
            "{}: breaks the table",
            entry.code
        );
    }
}

#[test]
fn codes_of_one_domain_stand_together_and_in_order() {
    let mut domains: Vec<&str> = Vec::new();
    let mut last_number = 0;
    for entry in ERROR_CATALOG {
        let (domain, number) = entry.code.split_once('_').expect("DOMAIN_NNN");
        let number: u32 = number.parse().expect("a number");
        if domains.last() != Some(&domain) {
            assert!(!domains.contains(&domain), "{domain} appears in two places");
            domains.push(domain);
            last_number = 0;
        }
        assert!(number > last_number, "{} is out of order", entry.code);
        last_number = number;
    }
}

#[test]
fn the_codes_of_the_requirements_are_all_there() {
    let families = [
        ("AUTH", 5),
        ("CONTACT", 5),
        ("WA", 7),
        ("CAMPAIGN", 4),
        ("FLOW", 5),
        ("TEMPLATE", 3),
    ];
    for (domain, count) in families {
        for number in 1..=count {
            let code = format!("{domain}_{number:03}");
            assert!(find(&code).is_some(), "{code} is missing");
        }
    }
}

#[test]
fn the_page_of_error_codes_is_current() {
    let path = repository().join("docs/error-codes.md");
    if std::env::var_os("OCTOPUSH_WRITE_DOCS").is_some() {
        std::fs::write(&path, markdown()).expect("docs/error-codes.md is writable");
    }
    let page = std::fs::read_to_string(&path).expect("docs/error-codes.md is readable");
    assert!(
        page == markdown(),
        "docs/error-codes.md is stale: OCTOPUSH_WRITE_DOCS=1 cargo nextest run --release -p octopush-rules error_codes"
    );
}

#[test]
fn sql_names_only_codes_of_the_catalogue() {
    let raised = regex::Regex::new(r"'([A-Z]+_\d{3})'|raise_error\(\s*'([^']*)'").expect("pattern");
    let mut folders = vec![repository().join("sql")];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(&folder).expect("folder is readable") {
            let path = item.expect("folder entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "sql") {
                let text = std::fs::read_to_string(&path).expect("SQL file is readable");
                for found in raised.captures_iter(&text) {
                    let code = found.get(1).or(found.get(2)).expect("one of the two").as_str();
                    assert!(
                        find(code).is_some(),
                        "{}: {code} is not in the catalogue",
                        path.display()
                    );
                }
            }
        }
    }
}
