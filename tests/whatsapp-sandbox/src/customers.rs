//! The people on the other side: who they are and how they behave.

use serde::{Deserialize, Serialize};

use crate::ids;

/// How a person's phone reacts to our messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// sent, delivered, read.
    #[default]
    Normal,
    /// Read receipts are off: sent, delivered.
    NoReceipts,
    /// The phone is off: sent.
    NeverDelivered,
    /// Not even sent.
    Silent,
    /// The chat is open: sent, read.
    ReadAtOnce,
    /// Voice notes are played: sent, delivered, read, played.
    Plays,
    /// `failed` with `fail_code`, after acceptance.
    Fails,
    /// `failed` with `fail_code`, after `sent`.
    FailsAfterSent,
    /// Refused with `fail_code` at once.
    Refused,
    /// Templates are accepted as `held_for_quality_assessment`, then dropped with 132015.
    Held,
    /// Templates fail with 131050 and a `stop` preference is reported.
    StopsMarketing,
}

/// A person with WhatsApp.
#[derive(Debug, Clone, Serialize)]
pub struct Customer {
    /// Digits of the number, also the key here.
    pub phone: String,
    pub name: String,
    pub username: Option<String>,
    pub user_id: String,
    pub parent_user_id: Option<String>,
    /// Notifications leave out the number: only `user_id` identifies the person.
    pub hides_phone: bool,
    pub behaviour: Behaviour,
    pub fail_code: i64,
}

/// Changes to a person, as `/admin/customers/{phone}` takes them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CustomerChange {
    pub name: Option<String>,
    pub username: Option<String>,
    pub user_id: Option<String>,
    pub parent_user_id: Option<String>,
    pub hides_phone: Option<bool>,
    pub behaviour: Option<Behaviour>,
    pub fail_code: Option<i64>,
}

/// Numbers with a fixed behaviour: `+60 19-999 00NN`, listed in the README.
const MAGIC_PREFIX: &str = "601999900";

impl Customer {
    pub fn new(phone: &str) -> Self {
        let (behaviour, fail_code, hides_phone) = magic(phone);
        Self {
            phone: phone.to_owned(),
            name: format!(
                "Customer {}",
                phone.get(phone.len().saturating_sub(4)..).unwrap_or(phone)
            ),
            username: None,
            user_id: ids::user_id(phone),
            parent_user_id: None,
            hides_phone,
            behaviour,
            fail_code,
        }
    }

    pub fn apply(&mut self, change: CustomerChange) {
        self.name = change.name.unwrap_or_else(|| std::mem::take(&mut self.name));
        self.username = change.username.or_else(|| self.username.take());
        self.user_id = change
            .user_id
            .unwrap_or_else(|| std::mem::take(&mut self.user_id));
        self.parent_user_id = change.parent_user_id.or_else(|| self.parent_user_id.take());
        self.hides_phone = change.hides_phone.unwrap_or(self.hides_phone);
        self.behaviour = change.behaviour.unwrap_or(self.behaviour);
        self.fail_code = change.fail_code.unwrap_or(self.fail_code);
    }
}

fn magic(phone: &str) -> (Behaviour, i64, bool) {
    let fails = |code| (Behaviour::Fails, code, false);
    match phone.strip_prefix(MAGIC_PREFIX) {
        Some("01") => fails(131_026),
        Some("02") => fails(131_049),
        Some("03") => (Behaviour::StopsMarketing, 131_050, false),
        Some("04") => fails(130_472),
        Some("05") => fails(131_053),
        Some("06") => (Behaviour::Refused, 131_026, false),
        Some("07") => (Behaviour::NoReceipts, 0, false),
        Some("08") => (Behaviour::NeverDelivered, 0, false),
        Some("09") => (Behaviour::Silent, 0, false),
        Some("10") => (Behaviour::ReadAtOnce, 0, false),
        Some("11") => (Behaviour::Normal, 0, true),
        Some("12") => (Behaviour::FailsAfterSent, 131_000, false),
        Some("13") => (Behaviour::Plays, 0, false),
        Some("14") => (Behaviour::Held, 132_015, false),
        Some("15") => fails(131_047),
        _ => (Behaviour::Normal, 131_026, false),
    }
}

/// Who a number dialled reaches. Meta rewrites mobile numbers of Brazil (the ninth digit goes, in most areas) and Mexico (a 1 comes).
pub fn wa_id(digits: &str) -> String {
    if let Some(rest) = digits.strip_prefix("55")
        && rest.len() == 11
        && rest.as_bytes()[2] == b'9'
        && rest[..2].parse::<u8>().is_ok_and(|area| area > 30)
    {
        return format!("55{}{}", &rest[..2], &rest[3..]);
    }
    match digits.strip_prefix("52") {
        Some(rest) if rest.len() == 10 => format!("521{rest}"),
        _ => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Behaviour, Customer, wa_id};

    #[test]
    fn rewrites_what_meta_rewrites() {
        assert_eq!(wa_id("5531987654321"), "553187654321");
        assert_eq!(wa_id("5511987654321"), "5511987654321");
        assert_eq!(wa_id("525512345678"), "5215512345678");
        assert_eq!(wa_id("5215512345678"), "5215512345678");
        assert_eq!(wa_id("60120000101"), "60120000101");
    }

    #[test]
    fn magic_numbers_behave_and_others_do_not() {
        assert_eq!(Customer::new("60199990004").behaviour, Behaviour::Fails);
        assert!(Customer::new("60199990011").hides_phone);
        assert_eq!(Customer::new("60199990099").behaviour, Behaviour::Normal);
        assert_eq!(Customer::new("60120000101").name, "Customer 0101");
    }
}
