//! What holds of every template and every value.

use octopush_rules::segment::generate::Generator;
use octopush_rules::template::generate::{template, tokens, values};
use octopush_rules::template::model::{Template, list};
use octopush_rules::template::placeholders::placeholders;
use octopush_rules::template::render::render_template;
use octopush_rules::template::values::one_line;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::{errors, message};

const SEEDS: std::ops::Range<u64> = 0..4_000;

/// The names of a text's variables, each once.
fn names(text: &Value) -> BTreeSet<String> {
    let found = placeholders(text.as_str().unwrap_or_default());
    found.into_iter().map(|one| one.name.to_owned()).collect()
}

fn of_type<'a>(components: &'a Value, kind: &str) -> Option<&'a Value> {
    list(components).iter().find(|one| {
        one["type"]
            .as_str()
            .is_some_and(|text| text.eq_ignore_ascii_case(kind))
    })
}

/// The rules by which Meta, and the sandbox, take a message for a template; written from the other side.
fn accept(defined: &Value, sent: &Value, is_named: bool, is_code: bool) {
    for kind in ["HEADER", "BODY"] {
        let Some(component) = of_type(defined, kind) else {
            assert_eq!(of_type(sent, kind), None);
            continue;
        };
        let given = of_type(sent, kind).map_or(&[][..], |one| list(&one["parameters"]));
        let format = component["format"].as_str().unwrap_or("TEXT");
        if format != "TEXT" {
            let [parameter] = given else {
                panic!("{kind}: one parameter, not {given:?}")
            };
            let name = format.to_lowercase();
            assert_eq!(parameter["type"], *name);
            let file = &parameter[&name];
            assert!(
                name == "location" || file["id"].is_string() != file["link"].is_string(),
                "{file}"
            );
            continue;
        }
        let expected = if is_code {
            BTreeSet::from(["1".to_owned()])
        } else {
            names(&component["text"])
        };
        assert_eq!(given.len(), expected.len(), "{component} {given:?}");
        for parameter in given {
            assert_eq!(parameter["type"], "text");
            accept_value(parameter["text"].as_str().expect("a text"));
        }
        if is_named {
            let by_name = given
                .iter()
                .map(|one| one["parameter_name"].as_str().expect("a name").to_owned());
            assert_eq!(by_name.collect::<BTreeSet<_>>(), expected);
        }
    }
    accept_buttons(defined, sent);
}

fn accept_buttons(defined: &Value, sent: &Value) {
    let buttons = of_type(defined, "BUTTONS").map_or(&[][..], |one| list(&one["buttons"]));
    let mut wanted = BTreeSet::new();
    for (index, button) in buttons.iter().enumerate() {
        let sub_type = match button["type"].as_str().expect("a type") {
            "URL" if names(&button["url"]).is_empty() => continue,
            "URL" | "OTP" => "url",
            "COPY_CODE" => "copy_code",
            "FLOW" => "flow",
            _ => continue,
        };
        wanted.insert((index.to_string(), sub_type.to_owned()));
    }
    let given = list(sent).iter().filter(|one| one["type"] == "button");
    let given: BTreeSet<(String, String)> = given
        .map(|one| {
            let [parameter] = list(&one["parameters"]) else {
                panic!("one parameter: {one}")
            };
            for key in ["text", "coupon_code"] {
                if let Some(text) = parameter[key].as_str() {
                    accept_value(text);
                }
            }
            let text = |key: &str| one[key].as_str().expect("a text").to_owned();
            (text("index"), text("sub_type"))
        })
        .collect();
    assert_eq!(given, wanted);
}

fn accept_value(text: &str) {
    assert!(
        !text.is_empty() && !text.contains(['\n', '\r', '\t']) && !text.contains("     "),
        "{text:?}"
    );
}

#[test]
fn a_template_without_errors_with_all_its_values_is_a_message_meta_takes() {
    let mut with_cards = 0;
    for seed in SEEDS {
        let mut generator = Generator::seeded(seed);
        let template = template(&mut generator);
        assert_eq!(errors(&template), Vec::<String>::new(), "seed {seed}: {template}");
        let values = values(&mut generator, &template);
        let answer = message(&template, &values, &tokens(&template));
        assert_eq!(answer.get("problems"), None, "seed {seed}: {template} {values}");
        let sent = &answer["message"]["components"];
        let is_named = template["parameter_format"] == "named";
        accept(
            &template["components"],
            sent,
            is_named,
            template["category"] == "authentication",
        );
        if let Some(carousel) = of_type(&template["components"], "CAROUSEL") {
            with_cards += 1;
            let (defined, given) = (
                list(&carousel["cards"]),
                list(&of_type(sent, "carousel").expect("cards")["cards"]),
            );
            assert_eq!(defined.len(), given.len());
            for (index, (defined, given)) in defined.iter().zip(given).enumerate() {
                assert_eq!(given["card_index"], index);
                accept(&defined["components"], &given["components"], is_named, false);
            }
        }
        let shown = render_template(&Template::parse(&template), &values);
        assert_eq!(shown["body"], answer["body"]);
    }
    assert!(with_cards > 100);
}

#[test]
fn without_any_one_of_its_values_there_is_no_message() {
    for seed in SEEDS {
        let mut generator = Generator::seeded(seed);
        let template = template(&mut generator);
        let values = values(&mut generator, &template);
        let keys = values.as_object().expect("an object").keys();
        // A flow opens without a token.
        let buttons =
            of_type(&template["components"], "BUTTONS").map_or(json!([]), |one| one["buttons"].clone());
        let is_flow = |key: &str| {
            let index = key
                .strip_prefix("button.")
                .and_then(|index| index.parse::<usize>().ok());
            index.is_some_and(|index| buttons[index]["type"] == "FLOW")
        };
        for key in keys.filter(|key| !is_flow(key)) {
            let mut fewer = values.clone();
            fewer.as_object_mut().expect("an object").remove(key);
            let answer = message(&template, &fewer, &tokens(&template));
            assert_eq!(answer["problems"][0]["key"], **key, "seed {seed}: {template}");
        }
    }
}

proptest! {
    #[test]
    fn values_hold_no_line_break_no_tab_and_no_run_of_spaces(text in "(\\PC|\\s|[\u{0}-\u{20}]){0,60}") {
        if let Some(line) = one_line(&text) {
            prop_assert!(!line.is_empty() && line.trim() == line);
            prop_assert!(!line.contains("  ") && !line.chars().any(char::is_control));
            prop_assert!(line.chars().all(|c| c == ' ' || !c.is_whitespace()));
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect::<String>();
            prop_assert_eq!(letters(&line), letters(&text));
            prop_assert_eq!(one_line(&line), Some(line.clone()));
        }
    }
}
