//! Random templates and values for tests, here and in other crates (feature `testing`).
//!
//! Templates are what Meta takes, in every kind of header, button and carousel; values are what people write, line
//! breaks and far too many spaces among them. The same seed makes the same on every machine.

use serde_json::{Map, Value, json};

use super::model::Template;
use super::variables::template_variables;
use crate::segment::generate::Generator;

const WORDS: [&str; 16] = [
    "hello",
    "your",
    "order",
    "is",
    "ready",
    "pesanan",
    "anda",
    "sudah",
    "siap",
    "terima",
    "kasih",
    "*today*",
    "naïve",
    "订单",
    "مرحبا",
    "see you",
];
const NAMES: [&str; 6] = ["first_name", "order_id", "day", "x1", "place_of_pickup", "a"];
const VALUES: [&str; 12] = [
    "Aisyah",
    "  Nur   Aisyah ",
    "line\nbreak",
    "tab\tand\r\nmore",
    "a          b",
    "{{1}}",
    "*bold*",
    "👩‍👧 é 订",
    "0",
    "\u{a0}x\u{2028}y",
    "https://example.com/?a=1&b=2",
    "\"quoted\\",
];

/// A template without errors.
pub fn template(generator: &mut Generator) -> Value {
    let category = *generator.pick(&["marketing", "utility", "authentication"]);
    let is_named = generator.chance(40);
    let mut template = json!({
        "name": format!("template_{}", generator.below(1_000)),
        "language": generator.pick(&["en", "en_US", "ms", "zh_CN", "fil"]),
        "category": category,
        "parameter_format": if is_named { "named" } else { "positional" },
    });
    if category == "authentication" {
        template["components"] = authentication(generator);
        return template;
    }
    let mut components = Vec::new();
    let has_cards = generator.chance(20);
    if !has_cards && generator.chance(60) {
        components.push(header(generator, is_named, false));
    }
    components.push(body(generator, is_named, 3));
    if has_cards {
        components.push(carousel(generator, is_named));
    } else {
        if generator.chance(50) {
            components.push(json!({"type": "FOOTER", "text": "Reply STOP to opt out"}));
        }
        if generator.chance(70) {
            let buttons = buttons(generator);
            template["links"] = links(generator, &buttons);
            components.push(json!({"type": "BUTTONS", "buttons": buttons}));
        }
    }
    template["components"] = components.into();
    template
}

/// A value for everything the template asks for.
pub fn values(generator: &mut Generator, template: &Value) -> Value {
    let template = Template::parse(template);
    let mut values = Map::new();
    for variable in template_variables(&template).as_array().into_iter().flatten() {
        let key = variable["key"].as_str().unwrap_or_default();
        let value = match variable["kind"].as_str().unwrap_or_default() {
            "image" | "video" | "document" if generator.chance(50) => json!({"id": "1234567890"}),
            "image" | "video" | "document" => {
                json!({"link": "https://example.com/file", "filename": "offer.pdf"})
            }
            "location" => json!({"latitude": 3.139, "longitude": "101.6869", "name": "Shop"}),
            "code" => json!(generator.pick(&["123456", "RAYA30"])),
            _ => json!(generator.pick(&VALUES)),
        };
        values.insert(key.to_owned(), value);
    }
    Value::Object(values)
}

/// A token for every tracked button.
pub fn tokens(template: &Value) -> Value {
    let links = template["links"].as_object().into_iter().flatten();
    let token = |(index, _): (&String, &Value)| (index.clone(), json!("AbCdEfGhIjKlMnOpQrStUv"));
    Value::Object(links.map(token).collect())
}

fn authentication(generator: &mut Generator) -> Value {
    let mut components = vec![json!({"type": "BODY", "add_security_recommendation": generator.chance(50)})];
    if generator.chance(50) {
        components.push(json!({"type": "FOOTER", "code_expiration_minutes": 1 + generator.below(90)}));
    }
    let button = if generator.chance(50) {
        json!({"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"})
    } else {
        json!({"type": "OTP", "otp_type": "ONE_TAP", "supported_apps": [
            {"package_name": "com.example.app", "signature_hash": "K8a/AINcGX7"}]})
    };
    components.push(json!({"type": "BUTTONS", "buttons": [button]}));
    components.into()
}

fn header(generator: &mut Generator, is_named: bool, is_card: bool) -> Value {
    let format = if is_card {
        "IMAGE"
    } else {
        generator.pick(&["TEXT", "IMAGE", "VIDEO", "GIF", "DOCUMENT", "LOCATION"])
    };
    match format {
        "TEXT" => {
            let (text, names) = sentence(generator, is_named, 1);
            with_samples(
                json!({"type": "HEADER", "format": "TEXT", "text": text}),
                "header_text",
                &names,
                is_named,
            )
        }
        "LOCATION" => json!({"type": "HEADER", "format": "LOCATION"}),
        _ => json!({"type": "HEADER", "format": format, "example": {"header_handle": ["4::aW1hZ2U="]}}),
    }
}

fn body(generator: &mut Generator, is_named: bool, most: usize) -> Value {
    let (text, names) = sentence(generator, is_named, most);
    with_samples(
        json!({"type": "BODY", "text": text}),
        "body_text",
        &names,
        is_named,
    )
}

/// Words with up to `most` variables among them, none at the edges; short enough for a header.
fn sentence(generator: &mut Generator, is_named: bool, most: usize) -> (String, Vec<String>) {
    let mut names: Vec<String> = Vec::new();
    let (begin, end) = if most == 1 {
        ("Hi", ".")
    } else {
        ("Hi there", " and good day.")
    };
    let mut text = begin.to_owned();
    let count = generator.below(most + 1);
    for (index, name) in NAMES.into_iter().take(count).enumerate() {
        let name = if is_named {
            name.to_owned()
        } else {
            (index + 1).to_string()
        };
        let word = if most == 1 { "dear" } else { generator.pick(&WORDS) };
        text.push_str(&format!(", {word} {{{{{name}}}}} again"));
        names.push(name);
    }
    text.push_str(end);
    (text, names)
}

fn with_samples(mut component: Value, key: &str, names: &[String], is_named: bool) -> Value {
    if names.is_empty() {
        return component;
    }
    component["example"] = if is_named {
        let params: Vec<Value> = names
            .iter()
            .map(|name| json!({"param_name": name, "example": "sample"}))
            .collect();
        json!({format!("{key}_named_params"): params})
    } else if key == "body_text" {
        json!({key: [vec!["sample"; names.len()]]})
    } else {
        json!({key: ["sample"]})
    };
    component
}

/// Quick replies first, then the others, each kind as often as Meta allows.
fn buttons(generator: &mut Generator) -> Vec<Value> {
    let mut buttons: Vec<Value> = (0..generator.below(3))
        .map(|index| json!({"type": "QUICK_REPLY", "text": format!("Answer {index}")}))
        .collect();
    for index in 0..generator.below(3) {
        let label = format!("Open {index}");
        buttons.push(match generator.below(3) {
            0 => json!({"type": "URL", "text": label, "url": "https://example.com/shop"}),
            1 => json!({"type": "URL", "text": label, "url": "https://example.com/o/{{1}}", "example": ["abc"]}),
            _ => json!({"type": "URL", "text": label, "url": "https://link.example/t/{{1}}", "example": ["abc"]}),
        });
    }
    let others = [
        json!({"type": "PHONE_NUMBER", "text": "Call us", "phone_number": "+60123456789"}),
        json!({"type": "COPY_CODE", "example": "RAYA30"}),
        json!({"type": "FLOW", "text": "Book", "flow_id": "77"}),
        json!({"type": "CATALOG", "text": "View catalog"}),
    ];
    for other in others {
        if buttons.is_empty() || generator.chance(25) {
            buttons.push(other);
        }
    }
    buttons
}

fn links(generator: &mut Generator, buttons: &[Value]) -> Value {
    let mut links = Map::new();
    for (index, button) in buttons.iter().enumerate() {
        if button["url"] == "https://link.example/t/{{1}}" && generator.chance(70) {
            links.insert(index.to_string(), "https://shop.example/raya".into());
        }
    }
    Value::Object(links)
}

fn carousel(generator: &mut Generator, is_named: bool) -> Value {
    let has_variable = generator.chance(50);
    let cards: Vec<Value> = (0..2 + generator.below(9))
        .map(|index| {
            let url = if has_variable {
                "https://example.com/o/{{1}}"
            } else {
                "https://example.com/o"
            };
            json!({"components": [
                header(generator, is_named, true),
                body(generator, is_named, 1),
                {"type": "BUTTONS", "buttons": [
                    {"type": "QUICK_REPLY", "text": format!("More {index}")},
                    {"type": "URL", "text": "Buy", "url": url, "example": ["abc"]},
                ]},
            ]})
        })
        .collect();
    json!({"type": "CAROUSEL", "cards": cards})
}
