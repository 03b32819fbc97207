//! Authentication templates: WhatsApp writes the words, we choose the options.

use serde_json::Value;

use super::problem::Report;
use super::text;
use super::wording::has_emoji;
use crate::template::limits;
use crate::template::model::{is_kind, list};

const OTP_TYPES: [&str; 3] = ["COPY_CODE", "ONE_TAP", "ZERO_TAP"];

pub fn check_whole(components: &[Value], report: &mut Report) {
    let has_buttons = components
        .iter()
        .any(|component| is_kind(&component["type"], "BUTTONS"));
    if !has_buttons {
        let message = "An authentication template needs its button for the code.";
        report.error("/components", "missing", message);
    }
}

pub fn check_body(body: &Value, path: &str, report: &mut Report) {
    if !body["text"].is_null() {
        let message = "WhatsApp writes the text of authentication templates; leave it out.";
        report.error(&format!("{path}/text"), "fixed_text", message);
    }
    let advice = &body["add_security_recommendation"];
    if !advice.is_null() && !advice.is_boolean() {
        let message = "The advice not to share the code is on or off.";
        report.error(
            &format!("{path}/add_security_recommendation"),
            "malformed",
            message,
        );
    }
}

pub fn check_footer(footer: &Value, path: &str, report: &mut Report) {
    if !footer["text"].is_null() {
        let message = "The footer of an authentication template tells only when the code expires.";
        report.error(&format!("{path}/text"), "fixed_text", message);
    }
    let minutes = footer["code_expiration_minutes"].as_u64();
    if minutes.is_none_or(|minutes| !limits::CODE_MINUTES.contains(&minutes)) {
        let message = format!(
            "A code expires after {} to {} minutes.",
            limits::CODE_MINUTES.start(),
            limits::CODE_MINUTES.end()
        );
        report.error(&format!("{path}/code_expiration_minutes"), "code", message);
    }
}

pub fn check_buttons(component: &Value, path: &str, report: &mut Report) {
    let at = format!("{path}/buttons");
    let [button] = list(&component["buttons"]) else {
        let message = "An authentication template has exactly one button, for the code.";
        return report.error(&at, "button_count", message);
    };
    let at = format!("{at}/0");
    if !is_kind(&button["type"], "OTP") {
        let message = "The button of an authentication template is for the code.";
        return report.error(&format!("{at}/type"), "button_count", message);
    }
    let kind = button["otp_type"]
        .as_str()
        .unwrap_or_default()
        .to_ascii_uppercase();
    if !OTP_TYPES.contains(&kind.as_str()) {
        let message = "Choose whether the button copies the code or fills it in.";
        report.error(&format!("{at}/otp_type"), "code", message);
    } else if kind != "COPY_CODE" && !has_app(button) {
        let message = "To fill in the code, name your app's package and its signature hash.";
        report.error(&format!("{at}/supported_apps"), "missing", message);
    }
    let label_path = format!("{at}/text");
    let label = text(&button["text"], &label_path, report);
    if label.chars().count() > limits::LABEL || label.contains("{{") || has_emoji(label) {
        let message = format!(
            "A button has at most {} characters, without variables or emoji.",
            limits::LABEL
        );
        report.error(&label_path, "label", message);
    }
}

/// Either form: the list of apps, or the older two keys of one.
fn has_app(button: &Value) -> bool {
    let is_app = |app: &Value| {
        ["package_name", "signature_hash"]
            .iter()
            .all(|key| app[*key].as_str().is_some_and(|text| !text.is_empty()))
    };
    let apps = list(&button["supported_apps"]);
    is_app(button) || (!apps.is_empty() && apps.iter().all(is_app))
}
