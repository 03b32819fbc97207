//! Identifiers of the kinds Meta hands out.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Distinct in this process and, by its random start, from those of processes before it: stored ids must not meet new ones.
fn next() -> u64 {
    static COUNTER: OnceLock<AtomicU64> = OnceLock::new();
    COUNTER
        .get_or_init(|| AtomicU64::new(rand::random::<u64>() >> 1))
        .fetch_add(1, Ordering::Relaxed)
}

/// A message id: base64 of a record that holds the person's number, as Meta's does.
pub fn message_id(user: &str, outbound: bool) -> String {
    let mut record = vec![0x1c, 0x18, u8::try_from(user.len()).unwrap_or(0)];
    record.extend_from_slice(user.as_bytes());
    record.extend_from_slice(&[0x15, 0x02, 0x00, if outbound { 0x11 } else { 0x12 }, 0x18, 0x14]);
    record.extend_from_slice(format!("{:020X}", u128::from(next()) << 8).as_bytes());
    record.push(0);
    format!("wamid.{}", STANDARD.encode(record))
}

/// Fifteen or sixteen decimal digits, as objects have.
pub fn object_id() -> String {
    format!("{}", 1_000_000_000_000_000 + next() % 8_000_000_000_000_000)
}

/// What support asks for.
pub fn trace_id() -> String {
    format!("A{}", URL_SAFE_NO_PAD.encode(next().to_be_bytes()))
}

/// An opaque token that nobody guesses.
pub fn secret() -> String {
    format!("EAAS{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
}

/// The business-scoped id of a person: the same for the same number, so that restarts do not make strangers of customers.
pub fn user_id(phone: &str) -> String {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(phone.as_bytes());
    let number = digest
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{}.{number:020}", country(phone))
}

/// The two letters of the countries the samples use; others are unknown to the stand-in and written as `XX`.
fn country(phone: &str) -> &'static str {
    const COUNTRIES: &[(&str, &str)] = &[
        ("60", "MY"),
        ("65", "SG"),
        ("62", "ID"),
        ("66", "TH"),
        ("55", "BR"),
        ("52", "MX"),
        ("44", "GB"),
        ("91", "IN"),
        ("1", "US"),
    ];
    COUNTRIES
        .iter()
        .find(|(prefix, _)| phone.starts_with(prefix))
        .map_or("XX", |(_, country)| country)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{message_id, object_id, user_id};

    #[test]
    fn never_gives_the_same_id_twice() {
        let ids: HashSet<_> = (0..10_000).map(|_| message_id("60120000101", true)).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(
            ids.iter()
                .all(|id| id.starts_with("wamid.HBgL") && id.len() < 128)
        );
        assert_ne!(object_id(), object_id());
    }

    #[test]
    fn a_person_keeps_the_same_user_id() {
        assert_eq!(user_id("60120000101"), user_id("60120000101"));
        assert_ne!(user_id("60120000101"), user_id("60120000102"));
        assert!(user_id("60120000101").starts_with("MY."));
    }
}
