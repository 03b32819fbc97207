//! Limits of interactive messages by their type (§6.2). Types without documented limits pass: Meta decides.

use serde_json::Value;

use super::limits::{InvalidMessage, at_most, distinct, required, web_address, within};

type Check = Result<(), InvalidMessage>;

pub(super) fn check(interactive: &Value) -> Check {
    let Some(kind) = text(interactive, "/type") else {
        return Err(InvalidMessage::new("interactive.type", "is missing"));
    };
    if let Some(footer) = text(interactive, "/footer/text") {
        at_most("interactive.footer.text", footer, 60)?;
    }
    header(interactive, kind)?;
    match kind {
        "button" => {
            body(interactive, 1024)?;
            buttons(interactive)
        }
        "list" => {
            body(interactive, 4096)?;
            list(interactive)
        }
        "cta_url" => {
            body(interactive, 1024)?;
            let path = "/action/parameters";
            let parameters = interactive.pointer(path).unwrap_or(&Value::Null);
            within(
                "interactive.action.parameters.display_text",
                string(parameters, "display_text"),
                20,
            )?;
            web_address("interactive.action.parameters.url", string(parameters, "url"))
        }
        "location_request_message" | "contact_request" => body(interactive, 1024),
        "flow" => {
            body(interactive, 1024)?;
            let parameters = interactive.pointer("/action/parameters").unwrap_or(&Value::Null);
            within(
                "interactive.action.parameters.flow_cta",
                string(parameters, "flow_cta"),
                30,
            )?;
            if string(parameters, "flow_id").is_empty() && string(parameters, "flow_name").is_empty() {
                return Err(InvalidMessage::new(
                    "interactive.action.parameters",
                    "needs flow_id or flow_name",
                ));
            }
            Ok(())
        }
        "product" => {
            let action = interactive.get("action").unwrap_or(&Value::Null);
            required("interactive.action.catalog_id", string(action, "catalog_id"))?;
            required(
                "interactive.action.product_retailer_id",
                string(action, "product_retailer_id"),
            )
        }
        "product_list" => {
            body(interactive, 1024)?;
            products(interactive)
        }
        "catalog_message" => body(interactive, 1024),
        "carousel" => carousel(interactive),
        _ => Ok(()),
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

fn string<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list_at<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn body(interactive: &Value, limit: usize) -> Check {
    within(
        "interactive.body.text",
        text(interactive, "/body/text").unwrap_or_default(),
        limit,
    )
}

fn header(interactive: &Value, kind: &str) -> Check {
    let Some(header) = interactive.get("header").filter(|header| !header.is_null()) else {
        return if kind == "product_list" {
            Err(InvalidMessage::new(
                "interactive.header",
                "is required for a list of products",
            ))
        } else {
            Ok(())
        };
    };
    match string(header, "type") {
        "text" => within("interactive.header.text", string(header, "text"), 60),
        other if matches!(kind, "list" | "product_list") => Err(InvalidMessage::new(
            "interactive.header.type",
            format!("{other} is not allowed in a list"),
        )),
        "image" | "video" | "document" | "gif" => Ok(()),
        other => Err(InvalidMessage::new(
            "interactive.header.type",
            format!("{other} is not a kind of header"),
        )),
    }
}

fn buttons(interactive: &Value) -> Check {
    let buttons = list_at(interactive, "/action/buttons");
    if !(1..=3).contains(&buttons.len()) {
        return Err(InvalidMessage::new(
            "interactive.action.buttons",
            "must be 1 to 3",
        ));
    }
    let replies: Vec<&Value> = buttons
        .iter()
        .map(|button| button.get("reply").unwrap_or(&Value::Null))
        .collect();
    for (index, reply) in replies.iter().enumerate() {
        let field = format!("interactive.action.buttons[{index}].reply");
        within(&format!("{field}.id"), string(reply, "id"), 256)?;
        within(&format!("{field}.title"), string(reply, "title"), 20)?;
    }
    let of = |key| replies.iter().map(|reply| string(reply, key)).collect::<Vec<_>>();
    distinct("interactive.action.buttons.id", &of("id"))?;
    distinct("interactive.action.buttons.title", &of("title"))
}

fn list(interactive: &Value) -> Check {
    within(
        "interactive.action.button",
        text(interactive, "/action/button").unwrap_or_default(),
        20,
    )?;
    let sections = list_at(interactive, "/action/sections");
    if !(1..=10).contains(&sections.len()) {
        return Err(InvalidMessage::new(
            "interactive.action.sections",
            "must be 1 to 10",
        ));
    }
    let mut ids = Vec::new();
    for (index, section) in sections.iter().enumerate() {
        let field = format!("interactive.action.sections[{index}]");
        section_title(&field, section, sections.len())?;
        let rows = list_at(section, "/rows");
        if rows.is_empty() {
            return Err(InvalidMessage::new(field, "has no rows"));
        }
        for row in rows {
            within(&format!("{field}.rows.id"), string(row, "id"), 200)?;
            within(&format!("{field}.rows.title"), string(row, "title"), 24)?;
            at_most(
                &format!("{field}.rows.description"),
                string(row, "description"),
                72,
            )?;
            ids.push(string(row, "id"));
        }
    }
    if ids.len() > 10 {
        return Err(InvalidMessage::new(
            "interactive.action.sections",
            "hold more than 10 rows in total",
        ));
    }
    distinct("interactive.action.sections.rows.id", &ids)
}

fn section_title(field: &str, section: &Value, sections: usize) -> Check {
    let title = string(section, "title");
    if sections > 1 {
        required(&format!("{field}.title"), title)?;
    }
    at_most(&format!("{field}.title"), title, 24)
}

fn products(interactive: &Value) -> Check {
    required(
        "interactive.action.catalog_id",
        text(interactive, "/action/catalog_id").unwrap_or_default(),
    )?;
    let sections = list_at(interactive, "/action/sections");
    if !(1..=10).contains(&sections.len()) {
        return Err(InvalidMessage::new(
            "interactive.action.sections",
            "must be 1 to 10",
        ));
    }
    let mut count = 0;
    for (index, section) in sections.iter().enumerate() {
        section_title(
            &format!("interactive.action.sections[{index}]"),
            section,
            sections.len(),
        )?;
        count += list_at(section, "/product_items").len();
    }
    if !(1..=30).contains(&count) {
        return Err(InvalidMessage::new(
            "interactive.action.sections",
            "must hold 1 to 30 products",
        ));
    }
    Ok(())
}

fn carousel(interactive: &Value) -> Check {
    body(interactive, 1024)?;
    let cards = list_at(interactive, "/action/cards");
    if !(2..=10).contains(&cards.len()) {
        return Err(InvalidMessage::new("interactive.action.cards", "must be 2 to 10"));
    }
    for (index, card) in cards.iter().enumerate() {
        let text = text(card, "/body/text").unwrap_or_default();
        at_most(&format!("interactive.action.cards[{index}].body.text"), text, 160)?;
    }
    Ok(())
}
