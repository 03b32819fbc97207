//! Words and signs that reviews stumble over.

use serde_json::Value;

use super::problem::Report;
use crate::template::model::{Category, is_kind, list};

/// Words that make Meta call a template marketing, in English and Malay; each stands between other words as it is.
const PROMOTIONAL: [&str; 40] = [
    "% off",
    "discount",
    "discounts",
    "promo",
    "promos",
    "promotion",
    "promotions",
    "sale",
    "special offer",
    "offers",
    "limited time",
    "last chance",
    "hurry",
    "shop now",
    "buy now",
    "buy one",
    "free gift",
    "voucher",
    "vouchers",
    "coupon",
    "cashback",
    "exclusive",
    "deal",
    "deals",
    "don't miss",
    "flash sale",
    "new arrivals",
    "clearance",
    "diskaun",
    "jualan",
    "promosi",
    "tawaran",
    "percuma",
    "beli sekarang",
    "baucar",
    "ganjaran",
    "jangan lepaskan",
    "harga istimewa",
    "murah",
    "masa terhad",
];

/// Words by which people are told how to stop messages.
const OPT_OUT: [&str; 8] = [
    "stop",
    "opt out",
    "opt-out",
    "unsubscribe",
    "henti",
    "berhenti",
    "hentikan",
    "batal langganan",
];

/// Hosts that hide where a link leads.
const SHORTENERS: [&str; 14] = [
    "wa.me",
    "bit.ly",
    "tinyurl.com",
    "t.co",
    "goo.gl",
    "ow.ly",
    "is.gd",
    "cutt.ly",
    "rebrand.ly",
    "rb.gy",
    "s.id",
    "shorturl.at",
    "buff.ly",
    "api.whatsapp.com",
];

pub fn check(components: &[Value], category: Option<Category>, report: &mut Report) {
    let mut texts = Vec::new();
    collect(components, "/components", &mut texts);
    for (path, text) in &texts {
        if let Some(host) = short_link(text) {
            let message =
                format!("{host} hides where a link leads, which Meta often rejects; write the full address.");
            report.warning(path, "short_link", message);
        }
    }
    match category {
        Some(Category::Utility) => warn_of_advertising(&texts, report),
        Some(Category::Marketing) => miss_opt_out(&texts, report),
        _ => {}
    }
}

fn warn_of_advertising(texts: &[(String, &str)], report: &mut Report) {
    for (path, text) in texts {
        if let Some(word) = first_word(text, &PROMOTIONAL) {
            let message = format!(
                "“{word}” reads like advertising: Meta will likely make this a marketing template, with its price and its need of consent."
            );
            report.warning(path, "promotional", message);
        }
    }
}

fn miss_opt_out(texts: &[(String, &str)], report: &mut Report) {
    let is_told = texts.iter().any(|(_, text)| first_word(text, &OPT_OUT).is_some());
    if !texts.is_empty() && !is_told {
        let message = "Tell people how to stop such messages, for example in the footer: “Reply STOP to opt out”. Fewer block you then.";
        report.warning("/components", "opt_out", message);
    }
}

/// Every text people read, and every link, with its path.
fn collect<'a>(components: &'a [Value], path: &str, texts: &mut Vec<(String, &'a str)>) {
    for (index, component) in components.iter().enumerate() {
        let path = format!("{path}/{index}");
        if let Some(text) = component["text"].as_str() {
            texts.push((format!("{path}/text"), text));
        }
        for (at, button) in list(&component["buttons"]).iter().enumerate() {
            for key in ["text", "url"] {
                if let Some(text) = button[key].as_str() {
                    texts.push((format!("{path}/buttons/{at}/{key}"), text));
                }
            }
        }
        if is_kind(&component["type"], "CAROUSEL") {
            for (at, card) in list(&component["cards"]).iter().enumerate() {
                collect(
                    list(&card["components"]),
                    &format!("{path}/cards/{at}/components"),
                    texts,
                );
            }
        }
    }
}

/// The first of the words that stands in the text by itself, in any case.
fn first_word<'a>(text: &str, words: &[&'a str]) -> Option<&'a str> {
    let lower = text.to_lowercase().replace('’', "'");
    words.iter().copied().find(|word| stands_alone(&lower, word))
}

fn stands_alone(text: &str, word: &str) -> bool {
    let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        // “30% off” has a digit before its sign.
        (word.starts_with('%') || is_edge(before)) && is_edge(after)
    })
}

fn short_link(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let is_host = |host: &&str| {
        lower.match_indices(*host).any(|(at, _)| {
            let before = lower[..at].chars().next_back();
            let after = lower[at + host.len()..].chars().next();
            before.is_none_or(|c| !c.is_alphanumeric() && c != '.' && c != '-') && after == Some('/')
        })
    };
    SHORTENERS.into_iter().find(|host| is_host(host))
}

pub fn has_emoji(text: &str) -> bool {
    text.chars().any(is_emoji)
}

pub fn count_emoji(text: &str) -> usize {
    text.chars().filter(|c| is_emoji(*c)).count()
}

/// Pictures, not the signs that join or colour them; ™ and © are letters to Meta.
fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1f3fa}' | '\u{1f400}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}'
        | '\u{2b05}'..='\u{2b07}' | '\u{2b1b}' | '\u{2b1c}' | '\u{2b50}' | '\u{2b55}' | '\u{231a}' | '\u{231b}'
        | '\u{23e9}'..='\u{23f3}' | '\u{20e3}')
}

/// Whether something stands between the signs of bold, italic, struck or code.
pub fn has_markup(text: &str) -> bool {
    text.contains("```") || ['*', '_', '~'].into_iter().any(|sign| is_enclosed(text, sign))
}

/// A sign at the beginning of a word and the same at the end of one, as WhatsApp reads them.
fn is_enclosed(text: &str, sign: char) -> bool {
    let is_outside = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != sign);
    let is_inside = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace() && c != sign);
    let mut is_open = false;
    for (at, _) in text.match_indices(sign) {
        let (before, after) = (text[..at].chars().next_back(), text[at + 1..].chars().next());
        if is_open && is_inside(before) && is_outside(after) {
            return true;
        }
        is_open = is_open || (is_outside(before) && is_inside(after));
    }
    false
}
