//! Templates an account has from the start: one for each thing a send can get right or wrong.

use serde_json::{Value, json};

use super::{Template, variables};

/// The business's id of the first; the others count on.
const FIRST_ID: u64 = 400_000_000_000_001;

pub fn all(waba_id: &str) -> Vec<Template> {
    let body = |text: &str| json!({"type": "BODY", "text": text});
    let samples = vec![
        sample(
            "hello_world",
            "en_US",
            "UTILITY",
            "APPROVED",
            vec![
                json!({"type": "HEADER", "format": "TEXT", "text": "Hello World"}),
                body(
                    "Welcome and congratulations!! This message demonstrates your ability to send a message template.",
                ),
                json!({"type": "FOOTER", "text": "WhatsApp Business Platform sample message"}),
            ],
        ),
        sample(
            "order_update",
            "en",
            "UTILITY",
            "APPROVED",
            vec![body(
                "Hi {{1}}, your order {{2}} is now {{3}}. Thank you for shopping with us.",
            )],
        ),
        sample(
            "order_update",
            "ms",
            "UTILITY",
            "APPROVED",
            vec![body("Hai {{1}}, pesanan {{2}} anda kini {{3}}. Terima kasih.")],
        ),
        sample(
            "appointment_reminder",
            "en",
            "UTILITY",
            "APPROVED",
            vec![
                body("Hi {{first_name}}, we expect you on {{day}} at {{time}}. Reply to change it."),
                json!({"type": "BUTTONS", "buttons": [
                {"type": "QUICK_REPLY", "text": "Confirm"}, {"type": "QUICK_REPLY", "text": "Change"}]}),
            ],
        ),
        sample(
            "raya_sale",
            "en",
            "MARKETING",
            "APPROVED",
            vec![
                json!({"type": "HEADER", "format": "IMAGE"}),
                body("Hi {{1}}, our Raya sale has started: 30 % off until Sunday."),
                json!({"type": "FOOTER", "text": "Reply STOP to opt out"}),
                json!({"type": "BUTTONS", "buttons": [
                {"type": "URL", "text": "See offers", "url": "https://shop.example/t/{{1}}"},
                {"type": "QUICK_REPLY", "text": "Stop promotions"}]}),
            ],
        ),
        sample(
            "login_code",
            "en",
            "AUTHENTICATION",
            "APPROVED",
            vec![
                body("*{{1}}* is your verification code."),
                json!({"type": "BUTTONS", "buttons": [
                {"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code", "url": "https://www.whatsapp.com/otp/code/?code={{1}}"}]}),
            ],
        ),
        sample(
            "paused_offer",
            "en",
            "MARKETING",
            "PAUSED",
            vec![body("This offer was reported too often.")],
        ),
        sample(
            "disabled_offer",
            "en",
            "MARKETING",
            "DISABLED",
            vec![body("This offer was reported far too often.")],
        ),
        sample(
            "pending_offer",
            "en",
            "MARKETING",
            "PENDING",
            vec![body("Nobody has looked at this offer yet.")],
        ),
        sample(
            "rejected_offer",
            "en",
            "MARKETING",
            "REJECTED",
            vec![body("Somebody has looked at this offer.")],
        ),
    ];
    let own = |(template, id): (Template, u64)| Template {
        id: id.to_string(),
        waba_id: waba_id.to_owned(),
        ..template
    };
    samples.into_iter().zip(FIRST_ID..).map(own).collect()
}

fn sample(name: &str, language: &str, category: &str, status: &str, components: Vec<Value>) -> Template {
    let is_variable_named = |component: &Value| {
        let names = variables(component["text"].as_str().unwrap_or_default()).into_iter();
        names.map(str::to_owned).any(|name| name.parse::<u32>().is_err())
    };
    Template {
        id: String::new(),
        waba_id: String::new(),
        name: name.to_owned(),
        language: language.to_owned(),
        status: status.to_owned(),
        category: category.to_owned(),
        is_named: components.iter().any(is_variable_named),
        components,
        rejected_reason: (status == "REJECTED").then(|| "PROMOTIONAL".to_owned()),
        quality: "UNKNOWN".to_owned(),
        previous_category: None,
        correct_category: None,
        created_at: 1_790_000_000,
        edits: Vec::new(),
    }
}
