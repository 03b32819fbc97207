//! Every fixture under `fixtures/`: a webhook body and the events it must give, in order. Of an event only the fields that the fixture
//! names are compared; `null` means absent or null.

use std::fs;
use std::path::{Path, PathBuf};

use octopush_whatsapp::webhook;
use serde_json::Value;

fn fixtures(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            fixtures(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

/// The first place where `actual` is not what `expected` asks for.
fn difference(path: &str, expected: &Value, actual: &Value) -> Option<String> {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => expected.iter().find_map(|(key, expected)| {
            difference(
                &format!("{path}.{key}"),
                expected,
                actual.get(key).unwrap_or(&Value::Null),
            )
        }),
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => expected
            .iter()
            .zip(actual)
            .enumerate()
            .find_map(|(index, (expected, actual))| {
                difference(&format!("{path}[{index}]"), expected, actual)
            }),
        _ => (expected != actual).then(|| format!("{path}: expected {expected}, got {actual}")),
    }
}

#[test]
fn every_fixture_gives_its_events() {
    let mut paths = Vec::new();
    fixtures(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"),
        &mut paths,
    );
    assert!(paths.len() > 100, "only {} fixtures found", paths.len());
    let mut failures = Vec::new();
    for path in paths {
        let fixture: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let body = serde_json::to_vec(&fixture["webhook"]).unwrap();
        let events = serde_json::to_value(webhook::parse(&body).unwrap()).unwrap();
        let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display();
        let counts = [&fixture["events"], &events].map(|list| list.as_array().unwrap().len());
        if counts[0] != counts[1] {
            failures.push(format!(
                "{name}: expected {} events, got {}: {events:#}",
                counts[0], counts[1]
            ));
        } else if let Some(difference) = difference("events", &fixture["events"], &events) {
            failures.push(format!("{name}: {difference}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
