//! What Meta demands of a template before anyone reviews it (§8.2).

use serde_json::Value;

use crate::refusal::Refusal;

/// A submission that passed.
#[derive(Debug, Clone)]
pub struct Submission {
    pub name: String,
    pub language: String,
    pub category: String,
    pub is_named: bool,
    pub components: Vec<Value>,
}

/// Template errors are error 100 with a subcode and a text for users.
pub fn refuse(subcode: i64, title: &str, message: &str) -> Refusal {
    Refusal {
        title: title.to_owned(),
        user_message: Some(message.to_owned()),
        ..Refusal::new(100, "")
    }
    .with_subcode(subcode)
}

fn format_error(message: &str) -> Refusal {
    refuse(
        2_388_047,
        "Message template components have a wrong format",
        message,
    )
}

/// The names between double braces, in order.
pub fn variables(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else {
            break;
        };
        found.push(name.trim());
        rest = after;
    }
    found
}

/// Checks the body of a creation (or of an edit, with name and language taken from what exists).
pub fn check_submission(body: &Value) -> Result<Submission, Refusal> {
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = text("name");
    let is_name = (1..=512).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_name {
        return Err(Refusal::parameter(
            "Param name must be lowercase alphanumeric characters and underscores",
        ));
    }
    let language = text("language");
    let is_language = matches!(
        language.split_once('_'),
        None | Some((_, "AF" | "CN" | "HK" | "TW")) | Some(("en" | "es" | "pt", _))
    ) && (2..=6).contains(&language.len())
        && language
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if !is_language {
        return Err(Refusal::parameter(format!(
            "Param language is not a valid language code: {language}"
        )));
    }
    let category = text("category").to_ascii_uppercase();
    if !["MARKETING", "UTILITY", "AUTHENTICATION"].contains(&category.as_str()) {
        return Err(Refusal::parameter(
            "Param category must be one of {AUTHENTICATION, MARKETING, UTILITY}",
        ));
    }
    let is_named = text("parameter_format").eq_ignore_ascii_case("named");
    let components = check_components(body.get("components"), is_named, &category)?;
    Ok(Submission {
        name: name.to_owned(),
        language: language.to_owned(),
        category: reassigned(category, &components),
        is_named,
        components,
    })
}

/// Meta approves what is called utility and reads like advertising as marketing.
fn reassigned(category: String, components: &[Value]) -> String {
    let reads_like_advertising = components.iter().any(|component| {
        let text = component["text"].as_str().unwrap_or_default().to_lowercase();
        ["% off", "discount", "promo", " sale"]
            .iter()
            .any(|word| text.contains(word))
    });
    if category == "UTILITY" && reads_like_advertising {
        "MARKETING".to_owned()
    } else {
        category
    }
}

pub fn check_components(
    components: Option<&Value>,
    is_named: bool,
    category: &str,
) -> Result<Vec<Value>, Refusal> {
    let components = components
        .and_then(Value::as_array)
        .ok_or_else(|| Refusal::parameter("The parameter components is required."))?;
    let mut checked = Vec::new();
    let mut seen = Vec::new();
    for component in components {
        let kind = component["type"]
            .as_str()
            .unwrap_or_default()
            .to_ascii_uppercase();
        if seen.contains(&kind) {
            return Err(format_error(&format!("There is more than one {kind} component.")));
        }
        match kind.as_str() {
            "HEADER" => check_header(component, is_named)?,
            "BODY" => check_body(component, is_named, category)?,
            "FOOTER" => check_footer(component)?,
            "BUTTONS" => check_buttons(component)?,
            "CAROUSEL" | "LIMITED_TIME_OFFER" | "CALL_PERMISSION_REQUEST" => {}
            _ => return Err(Refusal::parameter(format!("Unexpected component type {kind}"))),
        }
        let mut component = component.clone();
        component["type"] = kind.as_str().into();
        if let Some(format) = component
            .get("format")
            .and_then(Value::as_str)
            .map(str::to_ascii_uppercase)
        {
            component["format"] = format.into();
        }
        checked.push(component);
        seen.push(kind);
    }
    if !seen.iter().any(|kind| kind == "BODY") {
        return Err(format_error("A template needs a BODY component."));
    }
    Ok(checked)
}

fn text_within(component: &Value, limit: usize, kind: &str) -> Result<String, Refusal> {
    let text = component["text"].as_str().unwrap_or_default();
    if text.is_empty() {
        return Err(format_error(&format!("The {kind} has no text.")));
    }
    if text.chars().count() > limit {
        return Err(refuse(
            2_388_040,
            "Message template is too long",
            &format!("The {kind} may have {limit} characters."),
        ));
    }
    Ok(text.to_owned())
}

fn check_header(component: &Value, is_named: bool) -> Result<(), Refusal> {
    match component["format"]
        .as_str()
        .unwrap_or_default()
        .to_ascii_uppercase()
        .as_str()
    {
        "TEXT" => {
            let text = text_within(component, 60, "header")?;
            if check_variables(&text, is_named)?.len() > 1 {
                return Err(format_error("A header may have one variable."));
            }
            check_examples(component, &text, is_named, "header_text")
        }
        "IMAGE" | "VIDEO" | "DOCUMENT" | "GIF" => {
            let has_sample = component
                .pointer("/example/header_handle/0")
                .is_some_and(Value::is_string);
            if has_sample {
                return Ok(());
            }
            Err(refuse(
                2_388_273,
                "Missing sample",
                "A media header needs example.header_handle.",
            ))
        }
        "LOCATION" | "PRODUCT" => Ok(()),
        other => Err(Refusal::parameter(format!("Unexpected header format {other}"))),
    }
}

fn check_body(component: &Value, is_named: bool, category: &str) -> Result<(), Refusal> {
    if category == "AUTHENTICATION" {
        return if component.get("text").is_some() {
            Err(format_error("The text of an authentication template is fixed."))
        } else {
            Ok(())
        };
    }
    let text = text_within(component, 1024, "body")?;
    let names = check_variables(&text, is_named)?;
    let trimmed = text.trim();
    if trimmed.starts_with("{{") || trimmed.ends_with("}}") {
        return Err(refuse(
            2_388_299,
            "Leading or trailing variables",
            "Variables can't be at the start or end of the template.",
        ));
    }
    let packed: String = text.split_whitespace().collect();
    if packed.contains("}}{{") {
        return Err(format_error("Variables must have text between them."));
    }
    // Meta publishes no formula; at least three words to a variable is what passes in practice.
    let words = text
        .split_whitespace()
        .filter(|word| !word.contains("{{"))
        .count();
    if !names.is_empty() && words < names.len() * 2 + 1 {
        return Err(refuse(
            2_388_293,
            "Too many variables for the length of the message",
            "Remove variables or lengthen the message.",
        ));
    }
    check_examples(component, &text, is_named, "body_text")
}

fn check_footer(component: &Value) -> Result<(), Refusal> {
    if component.get("code_expiration_minutes").is_some() {
        return Ok(());
    }
    let text = text_within(component, 60, "footer")?;
    if text.contains("{{") {
        return Err(refuse(
            2_388_073,
            "Footer format is wrong",
            "A footer has no variables.",
        ));
    }
    Ok(())
}

fn check_variables(text: &str, is_named: bool) -> Result<Vec<&str>, Refusal> {
    let names = variables(text);
    for (index, name) in names.iter().enumerate() {
        let is_good = if is_named {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
                && !name.bytes().all(|b| b.is_ascii_digit())
                && !names[..index].contains(name)
        } else {
            name.parse() == Ok(index + 1)
        };
        if !is_good {
            return Err(refuse(
                2_388_072,
                "Invalid variable",
                &format!(
                    "{{{{{name}}}}} is not allowed here: number variables from 1, or name them all in lowercase."
                ),
            ));
        }
    }
    Ok(names)
}

fn check_examples(component: &Value, text: &str, is_named: bool, key: &str) -> Result<(), Refusal> {
    let names = variables(text);
    if names.is_empty() {
        return Ok(());
    }
    let example = &component["example"];
    let count = if is_named {
        example[format!("{key}_named_params")]
            .as_array()
            .map_or(0, Vec::len)
    } else {
        let list = example[key].as_array();
        // body_text is a list of lists, and also seen flat.
        list.map_or(0, |list| {
            list.first()
                .and_then(Value::as_array)
                .map_or(list.len(), Vec::len)
        })
    };
    if count == names.len() {
        return Ok(());
    }
    Err(refuse(
        2_388_043,
        "Message template is missing sample content",
        &format!(
            "{} variables need as many samples, {count} were given.",
            names.len()
        ),
    ))
}

fn check_buttons(component: &Value) -> Result<(), Refusal> {
    let Some(buttons) = component["buttons"]
        .as_array()
        .filter(|buttons| (1..=10).contains(&buttons.len()))
    else {
        return Err(format_error("A template has one to ten buttons."));
    };
    let kinds: Vec<String> = buttons
        .iter()
        .map(|button| button["type"].as_str().unwrap_or_default().to_ascii_uppercase())
        .collect();
    for (kind, most) in [
        ("URL", 2),
        ("PHONE_NUMBER", 1),
        ("COPY_CODE", 1),
        ("FLOW", 1),
        ("OTP", 1),
    ] {
        if kinds.iter().filter(|given| *given == kind).count() > most {
            return Err(format_error(&format!(
                "At most {most} {kind} buttons are allowed."
            )));
        }
    }
    // Quick replies stand together: all before the others or all after.
    let runs = kinds
        .chunk_by(|a, b| (a == "QUICK_REPLY") == (b == "QUICK_REPLY"))
        .count();
    if runs > 2 {
        return Err(format_error("Quick replies must stand together."));
    }
    for (button, kind) in buttons.iter().zip(&kinds) {
        let label = button["text"].as_str().unwrap_or_default();
        if label.chars().count() > 25 || (label.is_empty() && !matches!(kind.as_str(), "COPY_CODE" | "OTP")) {
            return Err(format_error("A button's label has 1 to 25 characters."));
        }
        if kind == "URL" {
            let url = button["url"].as_str().unwrap_or_default();
            let names = variables(url);
            let is_good = url.starts_with("http")
                && url.len() <= 2000
                && names.len() <= 1
                && (names.is_empty()
                    || (url.ends_with("}}") && button["example"].as_array().is_some_and(|e| !e.is_empty())));
            if !is_good {
                return Err(format_error(
                    "A URL button takes one variable, at its end, with an example.",
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
