//! What Meta refuses and what it often rejects.

use serde_json::{Value, json};

use super::{body, errors, problems, template, with_body};

#[test]
fn a_good_template_has_no_problems() {
    let good = template(json!([
        {"type": "HEADER", "format": "TEXT", "text": "Hi {{1}}", "example": {"header_text": ["Aisyah"]}},
        body("Hi {{1}}, our _Raya_ sale ends on {{2}}. We hope to see you!", &["Aisyah", "Sunday"]),
        {"type": "FOOTER", "text": "Reply STOP to opt out"},
        {"type": "BUTTONS", "buttons": [
            {"type": "QUICK_REPLY", "text": "Stop"},
            {"type": "URL", "text": "See offers", "url": "https://shop.example/{{1}}", "example": ["raya"]},
            {"type": "PHONE_NUMBER", "text": "Call us", "phone_number": "+60123456789"},
        ]},
    ]));
    assert_eq!(problems(&good), Vec::<String>::new());
}

#[test]
fn what_a_template_consists_of_must_be_there_and_have_the_right_shape() {
    assert_eq!(errors(&json!([])), ["malformed "]);
    assert_eq!(
        errors(&json!({})),
        [
            "missing /name",
            "missing /language",
            "missing /category",
            "missing /components"
        ]
    );
    let odd = json!({"name": 1, "language": [], "category": {}, "parameter_format": 5, "components": "x", "links": 3});
    let codes = errors(&odd);
    for path in [
        "/name",
        "/language",
        "/category",
        "/parameter_format",
        "/components",
        "/links",
    ] {
        assert!(codes.contains(&format!("malformed {path}")), "{path}: {codes:?}");
    }
    assert_eq!(
        errors(&template(json!([{}, {"type": "BODY", "text": ["x"]}]))),
        [
            "malformed /components/0",
            "malformed /components/1/text",
            "missing /components/1/text"
        ]
    );
    let empty_buttons = template(json!([body("Hello", &[]), {"type": "BUTTONS"}, {"type": "CAROUSEL"}]));
    assert!(errors(&empty_buttons).contains(&"malformed /components/2".into()));
}

#[test]
fn names_languages_and_categories() {
    let mut one = with_body("Hello, reply STOP to opt out.", &[]);
    for (key, value, expected) in [
        ("name", json!("Raya Sale"), Some("error name /name")),
        ("name", json!("a".repeat(513)), Some("error too_long /name")),
        ("name", json!("a".repeat(512)), None),
        ("language", json!("en-US"), Some("error language /language")),
        ("language", json!("english"), Some("error language /language")),
        ("language", json!("zh_CN"), None),
        ("language", json!("tlh"), Some("warning language /language")),
        ("category", json!("news"), Some("error category /category")),
        ("category", json!("MARKETING"), None),
        ("parameter_format", json!("NAMED"), None),
        (
            "parameter_format",
            json!("both"),
            Some("error format /parameter_format"),
        ),
    ] {
        let before = std::mem::replace(&mut one[key], value.clone());
        let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(problems(&one), expected, "{key} {value}");
        one[key] = before;
    }
}

#[test]
fn variables_of_a_body() {
    for (text, code) in [
        ("{{1}} is here for you today", "variable_at_edge"),
        ("\n {{1}} is here for you today", "variable_at_edge"),
        ("We wait for you here, {{1}}", "variable_at_edge"),
        (
            "We greet you {{1}} {{2}} at the shop today, dear",
            "variables_adjacent",
        ),
        (
            "We greet you {{1}}{{2}} at the shop today, dear",
            "variables_adjacent",
        ),
        ("Hi {{2}}, how are you doing?", "variable_order"),
        (
            "Hi {{1}} dear, and again {{1}} how are you doing?",
            "variable_order",
        ),
        ("Hi {{0}}, how are you doing?", "variable"),
        ("Hi {{name}}, how are you doing?", "variable_format"),
        ("Hi {{ 1 }}, how are you doing?", "variable"),
        ("Hi {{#1}}, how are you doing?", "variable"),
        ("Hi {{1}, how are you doing?", "variable"),
        ("Hi {{1, how are you doing?", "variable"),
        ("Hi 1}}, how are you doing?", "variable"),
    ] {
        let found = errors(&with_body(text, &["a", "b"]));
        assert!(
            found.contains(&format!("{code} /components/0/text")),
            "{text}: {found:?}"
        );
    }
    let packed = with_body("Hi {{1}} and {{2}} bye", &["a", "b"]);
    assert_eq!(errors(&packed), ["too_many_variables /components/0/text"]);
    assert_eq!(
        errors(&with_body("Hi {{1}} and so {{2}} bye now", &["a", "b"])),
        Vec::<String>::new()
    );
}

#[test]
fn named_variables() {
    let named = |text: &str, names: &[&str]| {
        let samples: Vec<Value> = names
            .iter()
            .map(|name| json!({"param_name": name, "example": "x"}))
            .collect();
        let mut one =
            template(json!([{"type": "BODY", "text": text, "example": {"body_text_named_params": samples}}]));
        one["parameter_format"] = "named".into();
        errors(&one)
    };
    let at = "/components/0/text";
    assert_eq!(
        named("Hi {{first_name}}, how are you?", &["first_name"]),
        Vec::<String>::new()
    );
    assert_eq!(
        named("Hi {{1}}, how are you?", &["1"]),
        [format!("variable_format {at}")]
    );
    assert_eq!(
        named("Hi {{First}}, how are you?", &["First"]),
        [format!("variable {at}")]
    );
    let twice = named("Hi {{a}}, how are you doing, {{a}} and yours?", &["a"]);
    assert_eq!(twice, [format!("variable_order {at}")]);
    assert_eq!(
        named("Hi {{a}}, how are you?", &["b"]),
        ["sample /components/0/example"]
    );
}

#[test]
fn every_variable_needs_a_sample() {
    let text = "Hi {{1}}, your order {{2}} is on its way.";
    assert_eq!(errors(&with_body(text, &["a"])), ["sample /components/0/example"]);
    assert_eq!(
        errors(&with_body(text, &["a", " "])),
        ["sample /components/0/example"]
    );
    let flat = template(json!([{"type": "BODY", "text": text, "example": {"body_text": ["a", "b"]}}]));
    assert_eq!(errors(&flat), Vec::<String>::new());
    let image = |extra: Value| {
        let mut header = json!({"type": "HEADER", "format": "IMAGE"});
        header
            .as_object_mut()
            .expect("an object")
            .extend(extra.as_object().expect("an object").clone());
        errors(&template(json!([header, body("Hello", &[])])))
    };
    assert_eq!(image(json!({})), ["sample /components/0"]);
    assert_eq!(
        image(json!({"example": {"header_handle": ["4::x"]}})),
        Vec::<String>::new()
    );
    assert_eq!(
        image(json!({"media": {"path": "o/u/f.png", "mime": "image/png"}})),
        Vec::<String>::new()
    );
}

#[test]
fn lengths_are_counted_in_characters() {
    assert_eq!(errors(&with_body(&"订".repeat(1024), &[])), Vec::<String>::new());
    assert_eq!(
        errors(&with_body(&"a".repeat(1025), &[])),
        ["too_long /components/0/text"]
    );
    let parts = |header: usize, footer: usize| {
        errors(&template(json!([
            {"type": "HEADER", "format": "TEXT", "text": "h".repeat(header)},
            body("Hello", &[]),
            {"type": "FOOTER", "text": "f".repeat(footer)},
        ])))
    };
    assert_eq!(parts(60, 60), Vec::<String>::new());
    assert_eq!(
        parts(61, 61),
        ["too_long /components/0/text", "too_long /components/2/text"]
    );
    assert_eq!(
        parts(0, 0),
        ["missing /components/0/text", "missing /components/2/text"]
    );
}

#[test]
fn headers_and_footers_are_one_plain_line() {
    let parts = |header: &str, footer: &str| {
        problems(&template(json!([
            {"type": "HEADER", "format": "TEXT", "text": header},
            body("Reply STOP to opt out", &[]),
            {"type": "FOOTER", "text": footer},
        ])))
    };
    let (header, footer) = ("/components/0/text", "/components/2/text");
    assert_eq!(parts("5 * 3 * 2 and file_name_x", "a"), Vec::<String>::new());
    assert_eq!(
        parts("*Raya*", "~old~ price"),
        [
            format!("warning markup {header}"),
            format!("warning markup {footer}")
        ]
    );
    assert_eq!(
        parts("Raya 🎉", "Bye 👋"),
        [format!("error emoji {header}"), format!("warning emoji {footer}")]
    );
    assert_eq!(
        parts("a\nb", "a\nb"),
        [
            format!("error line_break {header}"),
            format!("error line_break {footer}")
        ]
    );
    assert_eq!(parts("a", "Bye {{1}}"), [format!("error variable {footer}")]);
}

#[test]
fn each_component_once_and_unknown_ones_are_kept() {
    let twice =
        template(json!([body("Reply STOP", &[]), body("Again", &[]), {"type": "HOLOGRAM", "depth": 3}]));
    assert_eq!(
        problems(&twice),
        ["error duplicate /components/1", "warning unknown /components/2"]
    );
}

#[test]
fn wording_that_reviews_stumble_over() {
    let utility = |text: &str| {
        let mut one = with_body(text, &[]);
        one["category"] = "utility".into();
        problems(&one)
    };
    let promotional = ["warning promotional /components/0/text"];
    for text in [
        "Now 30% off!",
        "A DISCOUNT for you",
        "Diskaun hebat",
        "Don’t miss it",
        "Beli sekarang.",
    ] {
        assert_eq!(utility(text), promotional, "{text}");
    }
    for text in [
        "Your wholesale order left",
        "Discounted? No",
        "Your dealer called",
        "Pesanan anda siap",
    ] {
        assert_eq!(utility(text), Vec::<String>::new(), "{text}");
    }
    let marketing = |text: &str| problems(&with_body(text, &[]));
    assert_eq!(marketing("Big sale"), ["warning opt_out /components"]);
    for text in [
        "Big sale. Reply STOP",
        "Balas HENTI untuk berhenti",
        "Click unsubscribe.",
    ] {
        assert_eq!(marketing(text), Vec::<String>::new(), "{text}");
    }
    let short = ["warning short_link /components/0/text"];
    assert_eq!(utility("See https://bit.ly/abc now"), short);
    assert_eq!(utility("See wa.me/60123 now"), short);
    assert_eq!(
        utility("See https://rabbit.ly/abc and plot.co/x"),
        Vec::<String>::new()
    );
    let spaced = utility("a\n\n\nb     c 😀😀😀😀😀😀😀😀😀😀😀");
    assert_eq!(
        spaced,
        [
            "warning spacing /components/0/text",
            "warning spacing /components/0/text",
            "warning emoji /components/0/text"
        ]
    );
}
