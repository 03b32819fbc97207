//! Who follows a link: a person or a machine, and whether it is the same one again.

use axum::http::{HeaderMap, header};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Parts of the names, in small letters, by which programs that fetch pages call themselves. Previews come first: WhatsApp itself fetches
/// every link that is shown in a chat.
const MACHINES: [&str; 30] = [
    "whatsapp/",
    "facebookexternalhit",
    "facebookcatalog",
    "meta-external",
    "bot",
    "crawler",
    "spider",
    "preview",
    "scanner",
    "monitoring",
    "slack-imgproxy",
    "bingpreview",
    "google-pagerenderer",
    "google-safety",
    "google-read-aloud",
    "mediapartners-google",
    "inspectiontool",
    "googleother",
    "headlesschrome",
    "phantomjs",
    "lighthouse",
    "embedly",
    "curl/",
    "wget/",
    "python-",
    "go-http-client",
    "node-fetch",
    "axios/",
    "libwww",
    "java/",
];

/// Words that contain one of the above and are telephones.
const TELEPHONES: [&str; 1] = ["cubot"];

/// Headers by which browsers say that nobody has tapped yet.
const PREFETCHING: [&str; 3] = ["purpose", "sec-purpose", "x-moz"];

/// True when no person sees the answer: previews, crawlers, checkers, prefetching browsers, and whoever does not say what it is.
pub fn is_machine(headers: &HeaderMap) -> bool {
    let is_prefetching = PREFETCHING.iter().any(|name| {
        headers
            .get(*name)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.contains("prefetch"))
    });
    let Some(agent) = user_agent(headers) else {
        return true;
    };
    let mut agent = agent.to_ascii_lowercase();
    for telephone in TELEPHONES {
        agent = agent.replace(telephone, "");
    }
    is_prefetching || agent.trim().is_empty() || MACHINES.iter().any(|part| agent.contains(part))
}

fn user_agent(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::USER_AGENT)?.to_str().ok()
}

/// Recognises a visitor without keeping an address.
pub struct Visitors {
    key: Hmac<Sha256>,
}

impl Visitors {
    /// Every process with the same secret recognises the same visitors.
    pub fn new(secret: &str) -> Self {
        let mut key = keyed(secret.as_bytes());
        key.update(b"octopush link visitors");
        let key = key.finalize().into_bytes();
        Self { key: keyed(&key) }
    }

    /// 32 bytes: an address and what asked from it.
    pub fn hash(&self, address: &str, headers: &HeaderMap) -> Vec<u8> {
        let mut mac = self.key.clone();
        mac.update(address.as_bytes());
        mac.update(&[0]);
        mac.update(
            headers
                .get(header::USER_AGENT)
                .map_or(b"", |value| value.as_bytes()),
        );
        mac.finalize().into_bytes().to_vec()
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn asking(agent: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_str(agent).unwrap())])
    }

    #[test]
    fn telephones_and_computers_are_people() {
        for agent in [
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Linux; Android 15; SM-S928B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/468.0]",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:139.0) Gecko/20100101 Firefox/139.0",
        ] {
            assert!(!is_machine(&asking(agent)), "{agent}");
        }
    }

    #[test]
    fn previews_crawlers_and_programs_are_machines() {
        for agent in [
            "WhatsApp/2.24.10.78 A",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "TelegramBot (like TwitterBot)",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36",
            "curl/8.5.0",
            "",
        ] {
            assert!(is_machine(&asking(agent)), "{agent}");
        }
        assert!(is_machine(&HeaderMap::new()), "whoever does not say what it is");
    }

    #[test]
    fn a_browser_that_looks_ahead_is_not_a_tap() {
        let mut headers = asking("Mozilla/5.0 (Windows NT 10.0) Chrome/137.0");
        headers.insert("sec-purpose", HeaderValue::from_static("prefetch;prerender"));
        assert!(is_machine(&headers));
    }

    #[test]
    fn visitors_are_told_apart_and_recognised() {
        let (visitors, other_key) = (Visitors::new("secret"), Visitors::new("another"));
        let headers = asking("Firefox");
        let hash = visitors.hash("192.0.2.1", &headers);
        assert_eq!(hash, Visitors::new("secret").hash("192.0.2.1", &headers));
        assert_ne!(hash, visitors.hash("192.0.2.2", &headers));
        assert_ne!(hash, visitors.hash("192.0.2.1", &asking("Safari")));
        assert_ne!(hash, other_key.hash("192.0.2.1", &headers));
    }
}
