//! Template sends (§6.3): the template must exist, be approved, and get exactly the values it asks for.

use serde_json::{Value, json};

use super::fields::required;
use super::free_form;
use crate::media::MediaStore;
use crate::refusal::Refusal;
use crate::templates::{Template, TemplateStore, variables};

pub fn check<'a>(
    content: &Value,
    templates: &'a TemplateStore,
    waba_id: &str,
    media: &MediaStore,
    now: i64,
) -> Result<&'a Template, Refusal> {
    if !content.is_object() {
        return Err(Refusal::parameter("Param template must be a JSON object."));
    }
    let name = required(content, "name", "template['name']")?;
    let language = content.get("language").filter(|language| language.is_object());
    let language =
        language.ok_or_else(|| Refusal::parameter("Param template['language'] must be a JSON object."))?;
    let code = required(language, "code", "template['language']['code']")?;
    let template = templates
        .find(waba_id, name, code)
        .ok_or_else(|| absent(name, code))?;
    match template.status.as_str() {
        "APPROVED" => {}
        "PAUSED" => {
            return Err(Refusal::new(
                132_015,
                format!("Template {name} is paused for low quality."),
            ));
        }
        "DISABLED" => {
            return Err(Refusal::new(
                132_016,
                format!("Template {name} is disabled for low quality."),
            ));
        }
        _ => return Err(absent(name, code)),
    }
    let components = content
        .get("components")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let of = |kind: &str| {
        components.iter().find(|component| {
            component["type"]
                .as_str()
                .is_some_and(|t| t.eq_ignore_ascii_case(kind))
        })
    };
    header(template, of("header"), media, now)?;
    let text = template
        .component("BODY")
        .and_then(|body| body["text"].as_str())
        .unwrap_or_default();
    texts("body", text, template.is_named, of("body"))?;
    buttons(template, components)?;
    let length = filled(text, template.is_named, &parameters(of("body")))
        .chars()
        .count();
    if length > 1024 {
        return Err(Refusal::new(
            132_005,
            format!("The body is {length} characters long after substitution, 1024 are allowed."),
        ));
    }
    Ok(template)
}

fn absent(name: &str, code: &str) -> Refusal {
    Refusal::new(
        132_001,
        format!("template name ({name}) does not exist in {code}"),
    )
}

fn parameters(component: Option<&Value>) -> Vec<&Value> {
    component
        .and_then(|component| component["parameters"].as_array())
        .into_iter()
        .flatten()
        .collect()
}

fn count_mismatch(place: &str, given: usize, expected: usize) -> Refusal {
    Refusal::new(
        132_000,
        format!(
            "{place}: number of localizable_params ({given}) does not match the expected number of params ({expected})"
        ),
    )
}

fn texts(place: &str, text: &str, is_named: bool, component: Option<&Value>) -> Result<(), Refusal> {
    let names = variables(text);
    let given = parameters(component);
    if given.len() != names.len() {
        return Err(count_mismatch(place, given.len(), names.len()));
    }
    for (index, parameter) in given.iter().enumerate() {
        if is_named {
            let name = parameter
                .get("parameter_name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if name.is_empty() {
                return Err(Refusal::parameter("Parameter name is missing or empty"));
            }
            if !names.contains(&name) {
                return Err(Refusal::parameter(format!(
                    "Invalid parameter: {name} is not in the template"
                )));
            }
        }
        let text = match parameter["type"].as_str().unwrap_or_default() {
            "text" => parameter.get("text").and_then(Value::as_str),
            kind @ ("currency" | "date_time") => parameter[kind]["fallback_value"].as_str(),
            other => {
                return Err(Refusal::new(
                    132_012,
                    format!("{place}: expected text, received {other}"),
                ));
            }
        };
        value(place, index, text)?;
    }
    Ok(())
}

/// Refused by Meta in every variable: emptiness, line breaks, tabs, more than four spaces in a row.
fn value(place: &str, index: usize, text: Option<&str>) -> Result<(), Refusal> {
    match text {
        None | Some("") => Err(Refusal::new(
            131_008,
            format!("{place}: parameter {} has no text value.", index + 1),
        )),
        Some(text) if text.contains(['\n', '\r', '\t']) || text.contains("     ") => Err(Refusal::new(
            132_018,
            format!(
                "{place}: parameter {} cannot have new-line/tab characters or more than 4 consecutive spaces",
                index + 1
            ),
        )),
        Some(_) => Ok(()),
    }
}

fn header(template: &Template, given: Option<&Value>, media: &MediaStore, now: i64) -> Result<(), Refusal> {
    let Some(header) = template.component("HEADER") else {
        return match parameters(given).len() {
            0 => Ok(()),
            count => Err(count_mismatch("header", count, 0)),
        };
    };
    match header["format"].as_str().unwrap_or("TEXT") {
        "TEXT" => texts(
            "header",
            header["text"].as_str().unwrap_or_default(),
            template.is_named,
            given,
        ),
        format => {
            let parameters = parameters(given);
            let [parameter] = parameters.as_slice() else {
                return Err(Refusal::new(
                    132_012,
                    format!("header: Format mismatch, expected {format}, received UNKNOWN"),
                ));
            };
            let kind = parameter["type"].as_str().unwrap_or("unknown");
            if !kind.eq_ignore_ascii_case(format) {
                let received = kind.to_uppercase();
                return Err(Refusal::new(
                    132_012,
                    format!("header: Format mismatch, expected {format}, received {received}"),
                ));
            }
            match kind {
                "image" | "video" | "document" => {
                    free_form::file(kind, parameter.get(kind).unwrap_or(&Value::Null), media, now)
                }
                _ => Ok(()),
            }
        }
    }
}

fn buttons(template: &Template, components: &[Value]) -> Result<(), Refusal> {
    let defined = template
        .component("BUTTONS")
        .and_then(|component| component["buttons"].as_array())
        .map_or(&[][..], Vec::as_slice);
    let index_of = |component: &Value| {
        component["index"]
            .as_u64()
            .or_else(|| component["index"].as_str().and_then(|index| index.parse().ok()))
    };
    let given: Vec<(&Value, Option<u64>)> = components
        .iter()
        .filter(|component| {
            component["type"]
                .as_str()
                .is_some_and(|kind| kind.eq_ignore_ascii_case("button"))
        })
        .map(|component| (component, index_of(component)))
        .collect();
    for (component, index) in &given {
        let button = index.and_then(|index| defined.get(usize::try_from(index).ok()?));
        let Some(button) = button else {
            return Err(Refusal::new(132_012, "buttons: there is no button at this index"));
        };
        let sub_type = component["sub_type"].as_str().unwrap_or_default();
        let expected = match button["type"].as_str().unwrap_or_default() {
            "OTP" => "url".to_owned(),
            other => other.to_lowercase(),
        };
        if !sub_type.eq_ignore_ascii_case(&expected) {
            return Err(Refusal::new(
                132_012,
                format!("buttons: expected sub_type {expected}, received {sub_type}"),
            ));
        }
    }
    for (index, button) in defined.iter().enumerate() {
        let wants_value = match button["type"].as_str().unwrap_or_default() {
            "URL" | "OTP" => !variables(button["url"].as_str().unwrap_or_default()).is_empty(),
            "COPY_CODE" => true,
            _ => false,
        };
        let component = given
            .iter()
            .find(|(_, at)| *at == u64::try_from(index).ok())
            .map(|(component, _)| *component);
        let parameter = parameters(component).first().copied();
        if wants_value {
            let text = parameter.and_then(|parameter| {
                parameter["text"]
                    .as_str()
                    .or_else(|| parameter["coupon_code"].as_str())
            });
            if text.is_none_or(str::is_empty) {
                let kind = button["type"].as_str().unwrap_or_default();
                return Err(Refusal::new(
                    131_008,
                    format!("buttons: Button at index {index} of type {kind} requires a parameter"),
                ));
            }
        }
    }
    Ok(())
}

fn filled(text: &str, is_named: bool, parameters: &[&Value]) -> String {
    let mut filled = text.to_owned();
    for (index, name) in variables(text).into_iter().enumerate() {
        let parameter = if is_named {
            parameters
                .iter()
                .find(|parameter| parameter["parameter_name"] == name)
        } else {
            parameters.get(index)
        };
        let value = parameter.map_or("", |parameter| {
            parameter["text"]
                .as_str()
                .or_else(|| parameter["currency"]["fallback_value"].as_str())
                .or_else(|| parameter["date_time"]["fallback_value"].as_str())
                .unwrap_or_default()
        });
        filled = filled.replacen(&format!("{{{{{name}}}}}"), value, 1);
    }
    filled
}

/// What the customer sees of it, for the page: texts filled in, buttons, and what was sent.
pub fn rendered(template: &Template, content: &Value) -> Value {
    let components = content
        .get("components")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let given = |kind: &str| {
        parameters(components.iter().find(|component| {
            component["type"]
                .as_str()
                .is_some_and(|t| t.eq_ignore_ascii_case(kind))
        }))
    };
    let text = |kind: &str| {
        template
            .component(&kind.to_uppercase())
            .and_then(|component| component["text"].as_str())
            .map(|text| filled(text, template.is_named, &given(kind)))
    };
    json!({
        "name": template.name,
        "language": {"code": template.language},
        "components": components,
        "shown": {
            "header": text("header"),
            "body": text("body"),
            "footer": text("footer"),
            "buttons": template.component("BUTTONS").map(|component| component["buttons"].clone()),
        },
    })
}
