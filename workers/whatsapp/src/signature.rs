//! `X-Hub-Signature-256`: HMAC-SHA256 of the raw request bytes, keyed with the app secret.
//!
//! The bytes must be those received: Meta escapes some characters in a way that no parse-and-serialise round trip reproduces.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The header Meta signs webhooks with.
pub const HEADER: &str = "X-Hub-Signature-256";

const PREFIX: &str = "sha256=";

fn digest(secret: &[u8], body: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(body);
    mac.finalize().into_bytes().into()
}

/// True when `header` is the signature of `body` under one of `secrets` (several while a secret is being rotated).
///
/// Every secret is tried and compared in constant time, so that the answer's timing tells nothing about any of them.
/// Without a secret nothing is ever valid.
#[must_use]
pub fn verify(secrets: &[&[u8]], header: Option<&str>, body: &[u8]) -> bool {
    let Some(hex_digest) = header.and_then(|value| value.trim().strip_prefix(PREFIX)) else {
        return false;
    };
    let mut given = [0_u8; 32];
    if hex::decode_to_slice(hex_digest, &mut given).is_err() {
        return false;
    }
    let mut valid = subtle::Choice::from(0);
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        valid |= digest(secret, body).ct_eq(&given);
    }
    valid.into()
}

/// The header value for `body`: `sha256=` and 64 lowercase hexadecimal digits.
#[must_use]
pub fn sign(secret: &[u8], body: &[u8]) -> String {
    format!("{PREFIX}{}", hex::encode(digest(secret, body)))
}

/// HMAC-SHA256 of the access token under the app secret, in hexadecimal: the `appsecret_proof` some apps demand (§10.2).
#[must_use]
pub fn app_secret_proof(secret: &[u8], access_token: &str) -> String {
    hex::encode(digest(secret, access_token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{sign, verify};

    const SECRET: &[u8] = b"test_app_secret";
    const OTHER: &[u8] = b"otro_secreto";
    const COMPACT: &[u8] = br#"{"object":"whatsapp_business_account","entry":[]}"#;
    const SPACED: &[u8] = br#"{"object": "whatsapp_business_account", "entry": []}"#;
    const COMPACT_DIGEST: &str = "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756";

    #[test]
    fn agrees_with_the_published_vectors() {
        assert_eq!(sign(SECRET, COMPACT), format!("sha256={COMPACT_DIGEST}"));
        assert_eq!(
            sign(SECRET, SPACED),
            "sha256=56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a"
        );
        assert_eq!(
            sign(OTHER, COMPACT),
            "sha256=769b03d8c2ae6498f2d1e1f7299c0ba55448c69d741e7b0bb243d852d8a8d8c7"
        );
    }

    #[test]
    fn accepts_any_of_several_secrets() {
        let header = sign(OTHER, COMPACT);
        assert!(verify(&[SECRET, OTHER], Some(&header), COMPACT));
        assert!(verify(&[OTHER, SECRET], Some(&header), COMPACT));
        assert!(!verify(&[SECRET], Some(&header), COMPACT));
    }

    #[test]
    fn refuses_everything_else() {
        let good = sign(SECRET, COMPACT);
        assert!(verify(&[SECRET], Some(&good), COMPACT));
        assert!(!verify(&[SECRET], Some(&good), SPACED), "other bytes");
        assert!(!verify(&[], Some(&good), COMPACT), "no secret configured");
        assert!(
            !verify(&[b""], Some(&sign(b"", COMPACT)), COMPACT),
            "an empty secret must not open the door"
        );
        for header in [
            None,
            Some(""),
            Some("sha256="),
            Some(COMPACT_DIGEST),
            Some(&good[..good.len() - 1]),
            Some(&format!("{good}0")),
            Some(&good.replace("sha256", "sha1")),
            Some("sha256=zz"),
            Some("sha256=é"),
        ] {
            assert!(!verify(&[SECRET], header, COMPACT), "{header:?}");
        }
    }

    #[test]
    fn hashes_bytes_not_text() {
        let body = [0xff, 0x00, 0xc3, 0x28];
        assert!(verify(&[SECRET], Some(&sign(SECRET, &body)), &body));
    }
}
