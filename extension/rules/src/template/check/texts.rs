//! Header, body and footer.

use serde_json::Value;

use super::problem::Report;
use super::wording::{count_emoji, has_emoji, has_markup};
use super::{Scope, text};
use crate::template::limits;
use crate::template::placeholders::{Placeholder, braced, number};
use crate::template::text::Examples;

/// Emoji Meta lets a body have.
const MOST_EMOJI: usize = 10;

pub fn check_header(header: &Value, path: &str, scope: Scope, report: &mut Report) {
    let format = header["format"].as_str().unwrap_or_default().to_ascii_uppercase();
    match format.as_str() {
        "TEXT" => check_header_text(header, path, scope, report),
        "IMAGE" | "VIDEO" | "GIF" | "DOCUMENT" => check_sample_file(header, &format, path, report),
        "LOCATION" => {}
        "PRODUCT" => {
            let message = "A header that shows a product can be submitted, but not sent from here.";
            report.warning(path, "unsupported", message);
        }
        _ => {
            let message = "A header is a text, an image, a video, a document or a location.";
            report.error(&format!("{path}/format"), "format", message);
        }
    }
}

/// Our own copy counts: it is uploaded to Meta when the template is submitted.
fn check_sample_file(header: &Value, format: &str, path: &str, report: &mut Report) {
    let handle = &header["example"]["header_handle"][0];
    let has_sample = [handle, &header["media"]["path"]]
        .iter()
        .any(|sample| sample.as_str().is_some_and(|sample| !sample.is_empty()));
    if !has_sample {
        let article = if format == "IMAGE" { "an" } else { "a" };
        let kind = format.to_ascii_lowercase();
        let message = format!("Add {article} {kind} as a sample; Meta looks at it in the review.");
        report.error(path, "sample", message);
    }
}

fn check_header_text(header: &Value, path: &str, scope: Scope, report: &mut Report) {
    let at = format!("{path}/text");
    let words = text(&header["text"], &at, report);
    if !check_length(words, limits::HEADER, "The header", &at, report) {
        return;
    }
    if words.contains(['\n', '\r']) {
        report.error(&at, "line_break", "A header is one line.");
    }
    if has_emoji(words) {
        report.error(&at, "emoji", "A header has no emoji; put them into the body.");
    }
    if has_markup(words) {
        let message = "A header shows *, _ and ~ as they are: bold and italic work only in the body.";
        report.warning(&at, "markup", message);
    }
    let found = check_variables(words, &at, scope, report);
    if found.len() > 1 {
        report.error(&at, "too_many_variables", "A header has at most one variable.");
    }
    check_samples(header, "header_text", &found, path, report);
}

pub fn check_body(body: &Value, path: &str, limit: usize, scope: Scope, report: &mut Report) {
    let at = format!("{path}/text");
    let words = text(&body["text"], &at, report);
    if !check_length(words, limit, "The body", &at, report) {
        return;
    }
    let found = check_variables(words, &at, scope, report);
    check_places(words, &found, &at, report);
    check_samples(body, "body_text", &found, path, report);
    if words.contains("\n\n\n") || words.contains("\r\n\r\n\r\n") {
        let message = "More than one empty line in a row is often rejected.";
        report.warning(&at, "spacing", message);
    }
    if words.contains("     ") || words.contains('\t') {
        let message = "Tabs and more than four spaces in a row are often rejected.";
        report.warning(&at, "spacing", message);
    }
    if count_emoji(words) > MOST_EMOJI {
        let message = format!("More than {MOST_EMOJI} emoji are often rejected.");
        report.warning(&at, "emoji", message);
    }
}

pub fn check_footer(footer: &Value, path: &str, report: &mut Report) {
    let at = format!("{path}/text");
    let words = text(&footer["text"], &at, report);
    if !check_length(words, limits::FOOTER, "The footer", &at, report) {
        return;
    }
    if words.contains("{{") || words.contains("}}") {
        report.error(&at, "variable", "A footer has no variables.");
    }
    if words.contains(['\n', '\r']) {
        report.error(&at, "line_break", "A footer is one line.");
    }
    if has_markup(words) {
        let message = "A footer shows *, _ and ~ as they are: bold and italic work only in the body.";
        report.warning(&at, "markup", message);
    }
    if has_emoji(words) {
        report.warning(&at, "emoji", "Emoji in a footer are often rejected.");
    }
}

/// Whether there is a text to look at further.
fn check_length(words: &str, limit: usize, what: &str, path: &str, report: &mut Report) -> bool {
    if words.trim().is_empty() {
        report.error(path, "missing", format!("{what} has no text."));
        return false;
    }
    let length = words.chars().count();
    if length > limit {
        let message = format!("{what} has {length} characters; {limit} are allowed.");
        report.error(path, "too_long", message);
    }
    true
}

/// The variables of a text, once it is said what is wrong with their names.
fn check_variables<'a>(
    words: &'a str,
    path: &str,
    scope: Scope,
    report: &mut Report,
) -> Vec<Placeholder<'a>> {
    let found = braced(words);
    for (index, one) in found.iter().enumerate() {
        let written = &words[one.range.clone()];
        let is_tight = written.len() == one.name.len() + 4;
        let problem = if scope.is_named {
            name_problem(one.name, is_tight, &found[..index])
        } else {
            number_problem(one.name, is_tight, index)
        };
        if let Some((code, message)) = problem {
            report.error(path, code, format!("{written}: {message}"));
        }
    }
    let mut rest = String::new();
    let mut from = 0;
    for one in &found {
        rest.push_str(&words[from..one.range.start]);
        rest.push(' ');
        from = one.range.end;
    }
    rest.push_str(&words[from..]);
    if rest.contains("{{") || rest.contains("}}") {
        let message = "Double braces belong to variables: write {{1}} or {{first_name}}.";
        report.error(path, "variable", message);
    }
    found
}

fn name_problem(name: &str, is_tight: bool, before: &[Placeholder<'_>]) -> Option<(&'static str, String)> {
    if number(name).is_some() {
        let message = "this template's variables have names, not numbers.";
        return Some(("variable_format", message.into()));
    }
    let is_plain = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let begins_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    if !(is_plain && begins_well && is_tight) {
        let message = "a name has small letters, digits and underscores and begins with a letter.";
        return Some(("variable", message.into()));
    }
    let is_twice = before.iter().any(|one| one.name == name);
    is_twice.then(|| ("variable_order", "each name stands once in a text.".into()))
}

fn number_problem(name: &str, is_tight: bool, index: usize) -> Option<(&'static str, String)> {
    let Some(found) = number(name) else {
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase());
        return Some(if is_name {
            let message = "this template's variables have numbers, not names.";
            ("variable_format", message.into())
        } else {
            (
                "variable",
                "a variable is a number from 1 between double braces.".into(),
            )
        });
    };
    if !is_tight {
        return Some(("variable", "no spaces belong between the braces.".into()));
    }
    (found as usize != index + 1).then(|| {
        let message = format!(
            "variables are numbered in order from 1, each number once; here stands {{{{{}}}}}.",
            index + 1
        );
        ("variable_order", message)
    })
}

fn check_places(words: &str, found: &[Placeholder<'_>], path: &str, report: &mut Report) {
    let trimmed = words.trim();
    let begins = found
        .first()
        .is_some_and(|one| words[..one.range.start].trim().is_empty());
    if begins {
        let message = "A body cannot begin with a variable; write a word such as “Hi” before it.";
        report.error(path, "variable_at_edge", message);
    }
    // A full stop behind it is text enough for Meta.
    if !found.is_empty() && trimmed.ends_with("}}") {
        let message = "A body cannot end with a variable; write something after it.";
        report.error(path, "variable_at_edge", message);
    }
    let are_adjacent = found
        .windows(2)
        .any(|pair| words[pair[0].range.end..pair[1].range.start].trim().is_empty());
    if are_adjacent {
        let message = "Two variables need words between them.";
        report.error(path, "variables_adjacent", message);
    }
    // Meta publishes no formula: two words to a variable and one more is what passes in practice.
    let plain = words.split_whitespace().filter(|word| !word.contains("{{"));
    let (plain, needed) = (plain.count(), found.len() * 2 + 1);
    if !found.is_empty() && plain < needed {
        let message = format!(
            "There are too many variables for so short a text: {} of them need at least {needed} words beside them.",
            found.len()
        );
        report.error(path, "too_many_variables", message);
    }
}

fn check_samples(
    component: &Value,
    key: &'static str,
    found: &[Placeholder<'_>],
    path: &str,
    report: &mut Report,
) {
    let examples = Examples::new(component, key);
    for (index, one) in found.iter().enumerate() {
        if examples.of(one.name, index).is_none() {
            let message = format!(
                "Give {{{{{}}}}} a sample, so that Meta sees what stands there.",
                one.name
            );
            report.error(&format!("{path}/example"), "sample", message);
        }
    }
}
