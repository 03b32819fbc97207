//! Interactive messages (§6.2). Written apart from the client's own checks on purpose: a mistake in one shows against the other.

use std::collections::HashSet;

use serde_json::Value;

use super::fields::{missing, required};
use crate::refusal::Refusal;

fn invalid(details: impl Into<String>) -> Refusal {
    Refusal::new(131_009, details)
}

/// A text between one character and `most`.
fn sized<'a>(object: &'a Value, key: &str, what: &str, most: usize) -> Result<&'a str, Refusal> {
    let text = object.get(key).and_then(Value::as_str).unwrap_or_default();
    if text.is_empty() || text.chars().count() > most {
        return Err(invalid(format!(
            "{what} length invalid. Min length: 1, Max length: {most}"
        )));
    }
    Ok(text)
}

fn list<'a>(
    object: &'a Value,
    key: &str,
    what: &str,
    least: usize,
    most: usize,
) -> Result<&'a Vec<Value>, Refusal> {
    let items = object
        .get(key)
        .and_then(Value::as_array)
        .ok_or_else(|| missing(what))?;
    if !(least..=most).contains(&items.len()) {
        return Err(invalid(format!(
            "{what} count invalid. Min: {least}, Max: {most}"
        )));
    }
    Ok(items)
}

pub fn check(content: &Value) -> Result<(), Refusal> {
    if !content.is_object() {
        return Err(Refusal::parameter("Param interactive must be a JSON object."));
    }
    let kind = required(content, "type", "interactive['type']")?;
    let action = content.get("action").filter(|action| action.is_object());
    let action = action.ok_or_else(|| missing("interactive['action']"))?;
    if let Some(footer) = content.get("footer").filter(|footer| !footer.is_null()) {
        sized(footer, "text", "Footer text", 60)?;
    }
    header(content, kind)?;
    let body_limit = if kind == "list" { 4096 } else { 1024 };
    if !(kind == "product" && content.get("body").is_none()) {
        sized(
            content.get("body").unwrap_or(&Value::Null),
            "text",
            "Body text",
            body_limit,
        )?;
    }
    match kind {
        "button" => buttons(action),
        "list" => sections(action),
        "cta_url" => {
            named(action, "cta_url")?;
            let parameters = action
                .get("parameters")
                .ok_or_else(|| missing("action['parameters']"))?;
            sized(parameters, "display_text", "Button display_text", 20)?;
            let url = required(parameters, "url", "action['parameters']['url']")?;
            let is_address =
                reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if is_address {
                Ok(())
            } else {
                Err(invalid("Button url is not valid."))
            }
        }
        "location_request_message" => named(action, "send_location"),
        "contact_request" => named(action, "request_contact_info"),
        "flow" => {
            named(action, "flow")?;
            let parameters = action
                .get("parameters")
                .ok_or_else(|| missing("action['parameters']"))?;
            if required(parameters, "flow_message_version", "flow_message_version")? != "3" {
                return Err(invalid("flow_message_version must be 3."));
            }
            if parameters.get("flow_id").is_none() && parameters.get("flow_name").is_none() {
                return Err(missing("flow_id or flow_name"));
            }
            sized(parameters, "flow_cta", "flow_cta", 30).map(|_| ())
        }
        "product" => {
            required(action, "catalog_id", "action['catalog_id']")?;
            required(action, "product_retailer_id", "action['product_retailer_id']").map(|_| ())
        }
        "product_list" => products(action),
        "catalog_message" => named(action, "catalog_message"),
        "carousel" => cards(action),
        "address_message" | "order_details" | "order_status" | "call_permission_request" | "voice_call" => {
            Ok(())
        }
        other => Err(Refusal::parameter(format!(
            "Param interactive['type'] must be a known type, not {other}"
        ))),
    }
}

fn named(action: &Value, name: &str) -> Result<(), Refusal> {
    if action["name"] == name {
        Ok(())
    } else {
        Err(invalid(format!("action['name'] must be {name}.")))
    }
}

fn header(content: &Value, kind: &str) -> Result<(), Refusal> {
    let Some(header) = content.get("header").filter(|header| !header.is_null()) else {
        return if kind == "product_list" {
            Err(missing("interactive['header']"))
        } else {
            Ok(())
        };
    };
    let format = required(header, "type", "interactive['header']['type']")?;
    match format {
        "text" => sized(header, "text", "Header text", 60).map(|_| ()),
        "image" | "video" | "document" if !matches!(kind, "list" | "product_list") => {
            let file = header
                .get(format)
                .ok_or_else(|| missing(&format!("header['{format}']")))?;
            if file.get("id").is_some() || file.get("link").is_some() {
                return Ok(());
            }
            Err(missing(&format!("header['{format}']['id']")))
        }
        other => Err(invalid(format!(
            "Header of type {other} is not allowed for {kind}."
        ))),
    }
}

fn buttons(action: &Value) -> Result<(), Refusal> {
    let buttons = list(action, "buttons", "Buttons", 1, 3)?;
    let (mut ids, mut titles) = (HashSet::new(), HashSet::new());
    for button in buttons {
        if button["type"] != "reply" {
            return Err(invalid("Button type must be reply."));
        }
        let reply = button.get("reply").ok_or_else(|| missing("button['reply']"))?;
        let id = sized(reply, "id", "Button id", 256)?;
        let title = sized(reply, "title", "Button title", 20)?;
        if !ids.insert(id) {
            return Err(invalid(format!("Duplicated button id {id}.")));
        }
        if !titles.insert(title) {
            return Err(invalid(format!("Duplicated button title {title}.")));
        }
    }
    Ok(())
}

fn sections(action: &Value) -> Result<(), Refusal> {
    sized(action, "button", "List button", 20)?;
    let sections = list(action, "sections", "Sections", 1, 10)?;
    let mut ids = HashSet::new();
    let mut rows_in_all = 0;
    for section in sections {
        titled(section, sections.len())?;
        for row in list(section, "rows", "Rows", 1, 10)? {
            let id = sized(row, "id", "Row id", 200)?;
            sized(row, "title", "Row title", 24)?;
            if row
                .get("description")
                .and_then(Value::as_str)
                .is_some_and(|text| text.chars().count() > 72)
            {
                return Err(invalid("Row description length invalid. Max length: 72"));
            }
            if !ids.insert(id) {
                return Err(invalid(format!("Duplicated row id {id}.")));
            }
            rows_in_all += 1;
        }
    }
    if rows_in_all > 10 {
        return Err(invalid("Total row count exceed max allowed count: 10"));
    }
    Ok(())
}

fn titled(section: &Value, sections: usize) -> Result<(), Refusal> {
    if sections > 1 || section.get("title").is_some() {
        sized(section, "title", "Section title", 24)?;
    }
    Ok(())
}

fn products(action: &Value) -> Result<(), Refusal> {
    required(action, "catalog_id", "action['catalog_id']")?;
    let sections = list(action, "sections", "Sections", 1, 10)?;
    let mut count = 0;
    for section in sections {
        titled(section, sections.len())?;
        for item in list(section, "product_items", "Products", 1, 30)? {
            required(item, "product_retailer_id", "product_retailer_id")?;
            count += 1;
        }
    }
    if count > 30 {
        Err(invalid("Total product count exceed max allowed count: 30"))
    } else {
        Ok(())
    }
}

fn cards(action: &Value) -> Result<(), Refusal> {
    let cards = list(action, "cards", "Cards", 2, 10)?;
    for card in cards {
        if let Some(body) = card.get("body") {
            sized(body, "text", "Card body text", 160)?;
        }
    }
    Ok(())
}
