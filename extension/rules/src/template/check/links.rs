//! Tracked buttons: a link of ours at Meta, the destination with us.

use serde_json::Value;

use super::buttons::is_web_address;
use super::problem::Report;
use crate::template::limits;
use crate::template::model::{is_kind, list};

/// How the link of a tracked button ends at Meta; the token takes the place of the variable.
const TRACKED_END: &str = "/t/{{1}}";

pub fn check(template: &Value, report: &mut Report) {
    let links = match &template["links"] {
        Value::Object(links) => links,
        Value::Null => return,
        _ => {
            return report.error(
                "/links",
                "malformed",
                "The links are an object by index of their button.",
            );
        }
    };
    let component = list(&template["components"])
        .iter()
        .position(|component| is_kind(&component["type"], "BUTTONS"));
    let buttons = component.map_or(&[][..], |at| list(&template["components"][at]["buttons"]));
    for (index, destination) in links {
        let path = format!("/links/{}", crate::segment::problem::pointer_step(index));
        let button = index.parse().ok().and_then(|at: usize| buttons.get(at));
        let Some(button) = button.filter(|button| is_kind(&button["type"], "URL")) else {
            report.error(&path, "link", "There is no link button at this place to track.");
            continue;
        };
        if !button["url"].as_str().unwrap_or_default().ends_with(TRACKED_END) {
            let message = format!("The link of a tracked button ends in {TRACKED_END}.");
            report.error(&path, "link", message);
        }
        let Some(destination) = destination.as_str() else {
            report.error(&path, "malformed", "The destination is a text.");
            continue;
        };
        if !destination.starts_with("https://") || !is_web_address(destination) {
            let message = "The destination is a whole address that begins with https://.";
            report.error(&path, "link", message);
        }
        if destination.chars().count() > limits::URL {
            let message = format!("The destination has at most {} characters.", limits::URL);
            report.error(&path, "too_long", message);
        }
    }
}
