//! Buttons: how many of which kind, in which order, and what each of them needs.

use serde_json::Value;

use super::problem::Report;
use super::text;
use super::wording::{has_emoji, has_markup};
use crate::template::limits;
use crate::template::model::is_kind;
use crate::template::placeholders::{braced, number};

/// How many of a kind a message may have, in Meta's words and ours.
const MOST: [(&str, usize, &str); 8] = [
    ("URL", 2, "two buttons with links"),
    ("PHONE_NUMBER", 1, "one button that calls"),
    ("COPY_CODE", 1, "one button that copies a code"),
    ("FLOW", 1, "one button that opens a flow"),
    ("OTP", 1, "one button for a one-time code"),
    ("CATALOG", 1, "one button that opens the catalogue"),
    ("MPM", 1, "one button that shows products"),
    ("VOICE_CALL", 1, "one button that calls on WhatsApp"),
];

pub fn check(component: &Value, path: &str, most: usize, report: &mut Report) {
    let Some(buttons) = component["buttons"].as_array() else {
        return report.error(path, "malformed", "The buttons are a list.");
    };
    let at = format!("{path}/buttons");
    if buttons.is_empty() {
        report.error(&at, "button_count", "Add a button, or remove the buttons.");
    }
    if buttons.len() > most {
        report.error(
            &at,
            "button_count",
            format!("At most {most} buttons are allowed."),
        );
    }
    for (kind, most, words) in MOST {
        let count = buttons
            .iter()
            .filter(|button| is_kind(&button["type"], kind))
            .count();
        if count > most {
            report.error(&at, "button_count", format!("A message has at most {words}."));
        }
    }
    // Quick replies stand together: all before the others or all after.
    let runs = buttons
        .chunk_by(|a, b| is_kind(&a["type"], "QUICK_REPLY") == is_kind(&b["type"], "QUICK_REPLY"))
        .count();
    if runs > 2 {
        let message = "Put the quick replies together, all before or all after the other buttons.";
        report.error(&at, "button_order", message);
    }
    let mut labels: Vec<&str> = Vec::new();
    for (index, button) in buttons.iter().enumerate() {
        let path = format!("{at}/{index}");
        check_button(button, &path, report);
        let label = button["text"].as_str().unwrap_or_default().trim();
        if !label.is_empty() && labels.contains(&label) {
            report.error(
                &format!("{path}/text"),
                "label",
                format!("Two buttons are called “{label}”."),
            );
        }
        labels.push(label);
    }
}

fn check_button(button: &Value, path: &str, report: &mut Report) {
    let Some(kind) = button["type"].as_str().map(str::to_ascii_uppercase) else {
        return report.error(path, "malformed", "A button has a type.");
    };
    // WhatsApp writes these itself.
    let has_own_words = matches!(kind.as_str(), "COPY_CODE" | "OTP" | "CATALOG" | "MPM");
    check_label(button, path, !has_own_words, report);
    match kind.as_str() {
        "URL" => check_url(button, path, report),
        "PHONE_NUMBER" => check_phone(button, path, report),
        "COPY_CODE" => check_coupon(button, path, report),
        "FLOW" => check_flow(button, path, report),
        "OTP" => report.error(
            path,
            "category",
            "A one-time code needs the category authentication.",
        ),
        "MPM" => report.warning(
            path,
            "unsupported",
            "A button that shows products can be submitted, but not sent from here.",
        ),
        "QUICK_REPLY" | "CATALOG" | "SPM" | "VOICE_CALL" | "REQUEST_CONTACT_INFO" => {}
        _ => {
            let message =
                format!("{kind} is a button we do not know. It is kept, and Meta decides about it.");
            report.warning(path, "unknown", message);
        }
    }
}

fn check_label(button: &Value, path: &str, is_needed: bool, report: &mut Report) {
    let at = format!("{path}/text");
    let label = text(&button["text"], &at, report);
    if label.trim().is_empty() {
        if is_needed {
            report.error(&at, "missing", "Write what stands on the button.");
        }
        return;
    }
    let length = label.chars().count();
    if length > limits::LABEL {
        let message = format!(
            "A button has {} characters at most; this has {length}.",
            limits::LABEL
        );
        report.error(&at, "label", message);
    }
    if label.contains("{{") || label.contains(['\n', '\r']) || has_emoji(label) || has_markup(label) {
        let message = "A button has no variables, line breaks, emoji or formatting.";
        report.error(&at, "label", message);
    }
}

fn check_url(button: &Value, path: &str, report: &mut Report) {
    let at = format!("{path}/url");
    let url = text(&button["url"], &at, report);
    if url.is_empty() {
        return report.error(&at, "missing", "Write where the button leads.");
    }
    let found = braced(url);
    let fixed = found.first().map_or(url, |one| &url[..one.range.start]);
    // Behind the host alone a variable would go on with it, and choose another.
    let is_open = !found.is_empty() && fixed.matches('/').count() < 3;
    if !is_web_address(fixed) || is_open {
        let message = "A link begins with https:// and has a domain and no spaces.";
        report.error(&at, "url", message);
    }
    if url.chars().count() > limits::URL {
        report.error(
            &at,
            "too_long",
            format!("A link has at most {} characters.", limits::URL),
        );
    }
    let is_end = |range: &std::ops::Range<usize>| range.end == url.len();
    match found.as_slice() {
        [] if url.contains("{{") || url.contains("}}") => {
            report.error(&at, "variable", "The variable of a link is written {{1}}.");
        }
        [] => {}
        [one] if is_end(&one.range) && number(one.name) == Some(1) && one.range.len() == 5 => {
            let example = &button["example"];
            let example = example.as_str().or_else(|| example[0].as_str());
            if example.is_none_or(|example| example.trim().is_empty()) {
                let message = "Give the link a sample of how it ends, so that Meta can try it.";
                report.error(&format!("{path}/example"), "sample", message);
            }
        }
        [_] => report.error(
            &at,
            "variable",
            "A link may have {{1}} at its very end, and nowhere else.",
        ),
        _ => report.error(&at, "variable", "A link has at most one variable."),
    }
}

/// `http(s)://`, a host and nothing that cannot stand in a link. The host is fixed: no variable may choose it.
pub fn is_web_address(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let is_host = |host: &str| {
        // The links of a developer's own copy, which only the sandbox is told.
        (host.contains('.') || host.split(':').next() == Some("localhost"))
            && !host.starts_with('.')
            && !host.contains("..")
            && !host.contains('@')
            && host
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | ':'))
    };
    host.is_some_and(is_host)
        && !url.contains(|c: char| c.is_whitespace() || c.is_control() || "{}<>\"".contains(c))
}

fn check_phone(button: &Value, path: &str, report: &mut Report) {
    let at = format!("{path}/phone_number");
    let phone = text(&button["phone_number"], &at, report);
    let digits = phone.strip_prefix('+').unwrap_or(phone);
    let is_number = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if phone.is_empty() {
        report.error(&at, "missing", "Write the number the button calls.");
    } else if !is_number || phone.len() > limits::PHONE {
        let message = "Write the number with its country code and without spaces, such as +60123456789.";
        report.error(&at, "phone", message);
    }
}

fn check_coupon(button: &Value, path: &str, report: &mut Report) {
    let example = &button["example"];
    let example = example
        .as_str()
        .or_else(|| example[0].as_str())
        .unwrap_or_default();
    if example.trim().is_empty() {
        report.error(&format!("{path}/example"), "sample", "Give a sample of the code.");
    } else if example.chars().count() > limits::COUPON {
        let message = format!("A code has at most {} characters.", limits::COUPON);
        report.error(&format!("{path}/example"), "code", message);
    }
}

fn check_flow(button: &Value, path: &str, report: &mut Report) {
    let given = ["flow_id", "flow_name", "flow_json"]
        .iter()
        .filter(|key| !button[**key].is_null() && button[**key] != "")
        .count();
    if given != 1 {
        report.error(path, "missing", "Choose the flow the button opens.");
    }
}
