//! What Meta refuses and what it often rejects.

use serde_json::{Value, json};

use super::{body, errors, problems, template, with_body, with_buttons};

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
fn buttons_in_number_and_order() {
    let reply = |label: &str| json!({"type": "QUICK_REPLY", "text": label});
    let link = |label: &str| json!({"type": "URL", "text": label, "url": "https://a.example/x"});
    let at = "/components/1/buttons";
    let replies: Vec<Value> = (0..11).map(|index| reply(&format!("Answer {index}"))).collect();
    assert_eq!(errors(&with_buttons(json!(replies[..10]))), Vec::<String>::new());
    assert_eq!(
        errors(&with_buttons(json!(replies))),
        [format!("button_count {at}")]
    );
    assert_eq!(errors(&with_buttons(json!([]))), [format!("button_count {at}")]);
    assert_eq!(
        errors(&with_buttons(json!([link("a"), link("b"), link("c")]))),
        [format!("button_count {at}")]
    );
    assert_eq!(
        errors(&with_buttons(json!([reply("a"), link("b"), reply("c")]))),
        [format!("button_order {at}")]
    );
    assert_eq!(
        errors(&with_buttons(json!([link("b"), reply("a"), reply("c")]))),
        Vec::<String>::new()
    );
    assert_eq!(
        errors(&with_buttons(json!([reply("a"), reply("a")]))),
        [format!("label {at}/1/text")]
    );
}

#[test]
fn each_button_needs_what_its_kind_needs() {
    let at = "/components/1/buttons/0";
    for (button, expected) in [
        (json!({"type": "QUICK_REPLY"}), Some("missing /text")),
        (
            json!({"type": "QUICK_REPLY", "text": "x".repeat(26)}),
            Some("label /text"),
        ),
        (
            json!({"type": "QUICK_REPLY", "text": "Yes 👍"}),
            Some("label /text"),
        ),
        (
            json!({"type": "QUICK_REPLY", "text": "{{1}}"}),
            Some("label /text"),
        ),
        (json!({"type": "URL", "text": "a"}), Some("missing /url")),
        (
            json!({"type": "URL", "text": "a", "url": "shop.example"}),
            Some("url /url"),
        ),
        (
            json!({"type": "URL", "text": "a", "url": "https://{{1}}", "example": ["x"]}),
            Some("url /url"),
        ),
        (
            json!({"type": "URL", "text": "a", "url": "https://a.example/{{1}}"}),
            Some("sample /example"),
        ),
        (
            json!({"type": "URL", "text": "a", "url": "https://a.example/{{1}}/b", "example": ["x"]}),
            Some("variable /url"),
        ),
        (
            json!({"type": "URL", "text": "a", "url": "https://a.example/{{2}}", "example": ["x"]}),
            Some("variable /url"),
        ),
        (
            json!({"type": "URL", "text": "a", "url": "https://a.example/{{1}}{{2}}", "example": ["x"]}),
            Some("variable /url"),
        ),
        (
            json!({"type": "URL", "text": "a", "url": format!("https://a.example/{}", "x".repeat(2000))}),
            Some("too_long /url"),
        ),
        (
            json!({"type": "PHONE_NUMBER", "text": "a", "phone_number": "012 345"}),
            Some("phone /phone_number"),
        ),
        (json!({"type": "COPY_CODE"}), Some("sample /example")),
        (
            json!({"type": "COPY_CODE", "example": "x".repeat(21)}),
            Some("code /example"),
        ),
        (json!({"type": "COPY_CODE", "example": ["RAYA30"]}), None),
        (json!({"type": "FLOW", "text": "Book"}), Some("missing ")),
        (json!({"type": "FLOW", "text": "Book", "flow_id": "1"}), None),
        (json!({"type": "OTP", "otp_type": "COPY_CODE"}), Some("category ")),
        (json!({"type": "TELEPORT", "text": "Go"}), None),
    ] {
        let expected: Vec<String> = expected
            .map(|expected| expected.split_once(' ').expect("a code and a path"))
            .map(|(code, path)| format!("{code} {at}{path}"))
            .into_iter()
            .collect();
        assert_eq!(errors(&with_buttons(json!([button]))), expected, "{button}");
    }
}

#[test]
fn tracked_buttons_lead_through_our_own_link() {
    let tracked = |url: &str, links: Value| {
        let mut one = with_buttons(json!([
            {"type": "QUICK_REPLY", "text": "Stop"},
            {"type": "URL", "text": "See", "url": url, "example": ["x"]},
        ]));
        one["links"] = links;
        errors(&one)
    };
    let ours = "https://o.example/t/{{1}}";
    assert_eq!(
        tracked(ours, json!({"1": "https://shop.example/raya?x=1"})),
        Vec::<String>::new()
    );
    assert_eq!(
        tracked(ours, json!({"0": "https://shop.example"})),
        ["link /links/0"]
    );
    assert_eq!(
        tracked(ours, json!({"7": "https://shop.example"})),
        ["link /links/7"]
    );
    assert_eq!(
        tracked(ours, json!({"a/b": "https://shop.example"})),
        ["link /links/a~1b"]
    );
    assert_eq!(
        tracked(ours, json!({"1": "http://shop.example"})),
        ["link /links/1"]
    );
    assert_eq!(
        tracked(ours, json!({"1": "javascript:alert(1)"})),
        ["link /links/1"]
    );
    assert_eq!(tracked(ours, json!({"1": 5})), ["malformed /links/1"]);
    assert_eq!(
        tracked("https://o.example/{{1}}", json!({"1": "https://shop.example"})),
        ["link /links/1"]
    );
}

#[test]
fn authentication_templates_have_a_fixed_shape() {
    let shaped = |components: Value| {
        let mut one = template(components);
        one["category"] = "authentication".into();
        errors(&one)
    };
    let button = json!({"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]});
    let footer = json!({"type": "FOOTER", "code_expiration_minutes": 10});
    let advised = json!({"type": "BODY", "add_security_recommendation": true});
    assert_eq!(shaped(json!([advised, footer, button])), Vec::<String>::new());
    assert_eq!(shaped(json!([advised])), ["missing /components"]);
    assert_eq!(
        shaped(json!([{"type": "BODY", "text": "Your code"}, button])),
        ["fixed_text /components/0/text"]
    );
    for minutes in [json!(0), json!(91), json!("5"), Value::Null] {
        let footer = json!({"type": "FOOTER", "code_expiration_minutes": minutes});
        let expected = "code /components/1/code_expiration_minutes";
        assert_eq!(shaped(json!([advised, footer, button])), [expected]);
    }
    let one_tap = |extra: Value| {
        let mut otp = json!({"type": "OTP", "otp_type": "ONE_TAP"});
        otp.as_object_mut()
            .expect("an object")
            .extend(extra.as_object().expect("an object").clone());
        shaped(json!([advised, {"type": "BUTTONS", "buttons": [otp]}]))
    };
    assert_eq!(
        one_tap(json!({})),
        ["missing /components/1/buttons/0/supported_apps"]
    );
    assert_eq!(
        one_tap(json!({"package_name": "a.b", "signature_hash": "x"})),
        Vec::<String>::new()
    );
    assert_eq!(
        shaped(json!([advised, {"type": "HEADER", "format": "IMAGE"}, {"type": "BUTTONS", "buttons": []}])),
        ["fixed_text /components/1", "button_count /components/2/buttons"]
    );
}

#[test]
fn cards_of_a_carousel_are_alike() {
    let card = |format: &str, reply: &str| {
        json!({"components": [
            {"type": "HEADER", "format": format, "example": {"header_handle": ["4::x"]}},
            body("Look at this", &[]),
            {"type": "BUTTONS", "buttons": [{"type": reply, "text": "Go", "url": "https://a.example/x", "phone_number": "+60123456789"}]},
        ]})
    };
    let with = |cards: Vec<Value>| {
        errors(&template(
            json!([body("Reply STOP", &[]), {"type": "CAROUSEL", "cards": cards}]),
        ))
    };
    let at = "/components/1/cards";
    assert_eq!(with(vec![card("IMAGE", "URL"); 10]), Vec::<String>::new());
    assert_eq!(with(vec![card("IMAGE", "URL")]), [format!("cards {at}")]);
    assert_eq!(with(vec![card("IMAGE", "URL"); 11]), [format!("cards {at}")]);
    assert_eq!(
        with(vec![card("IMAGE", "URL"), card("VIDEO", "URL")]),
        [format!("cards {at}/1")]
    );
    assert_eq!(
        with(vec![card("IMAGE", "URL"), card("IMAGE", "PHONE_NUMBER")]),
        [format!("cards {at}/1")]
    );
    assert_eq!(
        with(vec![json!({"components": []}), json!({"components": []})]),
        [
            format!("missing {at}/0"),
            format!("missing {at}/0"),
            format!("missing {at}/1"),
            format!("missing {at}/1")
        ]
    );
    let mixed = template(json!([
        body("Reply STOP", &[]),
        {"type": "FOOTER", "text": "x"},
        {"type": "CAROUSEL", "cards": [card("IMAGE", "URL"), card("IMAGE", "URL")]},
    ]));
    assert_eq!(errors(&mixed), ["cards /components/1"]);
    let long = json!({"components": [
        {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::x"]}},
        body(&"x".repeat(161), &[]),
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Go"}]},
    ]});
    assert_eq!(
        with(vec![long.clone(), long])[0],
        format!("too_long {at}/0/components/1/text")
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
