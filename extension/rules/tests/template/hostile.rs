//! Components that no one would write, and nothing may fall over.

use octopush_rules::campaign::variables::check_campaign_variables;
use octopush_rules::segment::context::Context;
use octopush_rules::template::check::check_template;
use octopush_rules::template::model::Template;
use octopush_rules::template::render::render_template;
use octopush_rules::template::variables::template_variables;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{message, with_body};

fn use_everywhere(template: &Value, values: &Value) {
    let problems = check_template(template);
    assert!(problems.as_array().expect("a list").len() <= 100);
    let parsed = Template::parse(template);
    template_variables(&parsed);
    render_template(&parsed, values);
    check_campaign_variables(&parsed, values, &Context::default());
    message(template, values, values);
}

/// Any JSON, with the words of templates in it far too often.
fn json() -> impl Strategy<Value = Value> {
    const WORDS: [&str; 24] = [
        "type",
        "HEADER",
        "BODY",
        "FOOTER",
        "BUTTONS",
        "CAROUSEL",
        "URL",
        "text",
        "url",
        "buttons",
        "cards",
        "components",
        "format",
        "IMAGE",
        "example",
        "body_text",
        "category",
        "authentication",
        "links",
        "{{1}}",
        "}}{{",
        "header.media",
        "body.1",
        "0",
    ];
    let word = prop_oneof![3 => prop::sample::select(&WORDS[..]).prop_map(str::to_owned), 1 => ".{0,12}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(word.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_survived(template in json(), values in json()) {
        use_everywhere(&template, &values);
    }

    #[test]
    fn any_components_are_survived(components in json(), values in json(), category in "marketing|utility|authentication") {
        let template = json!({"name": "a", "language": "en", "category": category, "components": components, "links": values});
        use_everywhere(&template, &values);
    }

    #[test]
    fn any_text_is_survived(text in "([{]{1,3}[a-z0-9 _]{0,4}[}]{1,3}|.|\\s){0,40}") {
        let template = with_body(&text, &[]);
        use_everywhere(&template, &json!({"body.1": text}));
    }
}

#[test]
fn huge_texts_and_lists_are_survived_quickly() {
    let began = std::time::Instant::now();
    let variables: String = (1..5_000).map(|index| format!("{{{{{index}}}}} ")).collect();
    use_everywhere(&with_body(&variables, &[]), &json!({}));
    use_everywhere(
        &with_body(&"{{1}}".repeat(20_000), &[]),
        &json!({"body.1": "x".repeat(100_000)}),
    );
    let buttons = vec![json!({"type": "URL", "text": "a", "url": "{{1}}{{2}}"}); 20_000];
    use_everywhere(&super::with_buttons(json!(buttons)), &json!({}));
    // A fraction of this when linear; the second would take gigabytes if it were filled in to its end.
    assert!(began.elapsed().as_secs() < 10);
}
