//! Carousels: two to ten cards that look alike.

use serde_json::Value;

use super::problem::Report;
use super::{Scope, buttons, texts};
use crate::template::limits;
use crate::template::model::{is_kind, list};

pub fn check(component: &Value, path: &str, scope: Scope, report: &mut Report) {
    let Some(cards) = component["cards"].as_array() else {
        return report.error(path, "malformed", "A carousel has a list of cards.");
    };
    let at = format!("{path}/cards");
    if !limits::CARDS.contains(&cards.len()) {
        let message = format!(
            "A carousel has {} to {} cards.",
            limits::CARDS.start(),
            limits::CARDS.end()
        );
        report.error(&at, "cards", message);
    }
    for (index, card) in cards.iter().enumerate() {
        check_card(card, &format!("{at}/{index}"), scope, report);
    }
    let mut shapes = cards.iter().map(shape);
    let first = shapes.next();
    for (index, other) in shapes.enumerate() {
        if Some(&other) != first.as_ref() {
            let message =
                "Every card needs the same parts as the first: kind of header, body, and buttons in order.";
            report.error(&format!("{at}/{}", index + 1), "cards", message);
        }
    }
}

fn check_card(card: &Value, path: &str, scope: Scope, report: &mut Report) {
    let Some(components) = card["components"].as_array() else {
        return report.error(path, "malformed", "A card has a list of components.");
    };
    let (mut has_header, mut has_buttons) = (false, false);
    let mut seen: Vec<String> = Vec::new();
    for (index, component) in components.iter().enumerate() {
        let path = format!("{path}/components/{index}");
        let kind = component["type"]
            .as_str()
            .unwrap_or_default()
            .to_ascii_uppercase();
        if seen.contains(&kind) {
            report.error(&path, "duplicate", "A card has each part once.");
        }
        match kind.as_str() {
            "HEADER" => {
                has_header = true;
                check_card_header(component, &path, scope, report);
            }
            "BODY" => texts::check_body(component, &path, limits::CARD_BODY, scope, report),
            "BUTTONS" => {
                has_buttons = true;
                buttons::check(component, &path, limits::CARD_BUTTONS, report);
            }
            _ => report.error(&path, "cards", "A card has a header, a body and buttons."),
        }
        seen.push(kind);
    }
    if !has_header {
        report.error(path, "missing", "A card begins with an image or a video.");
    }
    if !has_buttons {
        report.error(path, "missing", "A card needs at least one button.");
    }
}

fn check_card_header(header: &Value, path: &str, scope: Scope, report: &mut Report) {
    let is_allowed = ["IMAGE", "VIDEO", "PRODUCT"]
        .iter()
        .any(|format| is_kind(&header["format"], format));
    if is_allowed {
        texts::check_header(header, path, scope, report);
    } else {
        report.error(
            &format!("{path}/format"),
            "cards",
            "A card begins with an image or a video.",
        );
    }
}

/// What must be equal of all cards.
fn shape(card: &Value) -> Vec<String> {
    let mut parts = Vec::new();
    for component in list(&card["components"]) {
        let upper = |value: &Value| value.as_str().unwrap_or_default().to_ascii_uppercase();
        parts.push(format!(
            "{} {}",
            upper(&component["type"]),
            upper(&component["format"])
        ));
        parts.extend(
            list(&component["buttons"])
                .iter()
                .map(|button| upper(&button["type"])),
        );
    }
    parts
}
