//! Who a person is (§2.2): a phone-based `wa_id`, a business-scoped user id, or both; neither is promised.

use serde::Serialize;
use serde_json::Value;

use super::Event;
use super::envelope::Place;
use super::reading::{items, text, text_at, text_of, timestamp};

/// What a notification tells about one person. At least one of `wa_id` and `user_id` is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// International digits without `+`; absent when the person hides the number behind a username.
    pub wa_id: Option<String>,
    /// Business-scoped user id (BSUID), as `US.1349…`; the same for all numbers of one business portfolio.
    pub user_id: Option<String>,
    /// The form of it that linked portfolios share.
    pub parent_user_id: Option<String>,
    /// Chosen by the person, may change with every message.
    pub profile_name: Option<String>,
    /// Without the leading `@`. Not a key: handles move between people.
    pub username: Option<String>,
}

impl Identity {
    pub(super) fn is_anonymous(&self) -> bool {
        self.wa_id.is_none() && self.user_id.is_none()
    }

    /// Adds what `contacts[]` of the same notification knows about this person.
    pub(super) fn complete_from(mut self, value: &Value) -> Self {
        let contacts = items(value, "contacts");
        let own = contacts
            .iter()
            .find(|contact| self.is_of(contact))
            .or(match contacts {
                [only] if is_about_one_item(value) && !self.contradicts(only) => Some(only),
                _ => None,
            });
        if let Some(contact) = own {
            self.wa_id = self.wa_id.or_else(|| text(contact, "wa_id"));
            self.user_id = self.user_id.or_else(|| text(contact, "user_id"));
            self.parent_user_id = self.parent_user_id.or_else(|| text(contact, "parent_user_id"));
            self.profile_name = text_at(contact, &["profile", "name"]);
            self.username = text_at(contact, &["profile", "username"])
                .or_else(|| text(contact, "username"))
                .map(|handle| handle.trim_start_matches('@').to_owned());
        }
        self
    }

    fn is_of(&self, contact: &Value) -> bool {
        let same = |own: &Option<String>, key| own.is_some() && *own == text(contact, key);
        same(&self.user_id, "user_id") || same(&self.wa_id, "wa_id")
    }

    fn contradicts(&self, contact: &Value) -> bool {
        let differs = |own: &Option<String>, key| {
            own.is_some() && text(contact, key).is_some_and(|other| own.as_ref() != Some(&other))
        };
        differs(&self.user_id, "user_id") || differs(&self.wa_id, "wa_id")
    }
}

/// With several items a lone contact could be anyone's: lending it to the wrong person would merge two people.
fn is_about_one_item(value: &Value) -> bool {
    ["messages", "statuses", "message_echoes", "user_preferences"]
        .iter()
        .map(|key| items(value, key).len())
        .sum::<usize>()
        == 1
}

/// The same person under new identifiers. Every field may be absent; what is present is certain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct IdentityChange {
    pub phone_number_id: Option<String>,
    pub waba_id: Option<String>,
    pub timestamp: Option<i64>,
    pub previous_wa_id: Option<String>,
    pub wa_id: Option<String>,
    pub previous_user_id: Option<String>,
    pub user_id: Option<String>,
    pub previous_parent_user_id: Option<String>,
    pub parent_user_id: Option<String>,
}

/// The change a system message announces (§3.14), if it announces one.
pub(super) fn change_in_system_message(place: &Place<'_>, message: &Value) -> Option<IdentityChange> {
    let system = message.get("system")?;
    let kind = text(system, "type").unwrap_or_default();
    let is_change = ["user_changed_number", "user_changed_user_id"].contains(&kind.as_str())
        || text_of(system, &["wa_id", "new_wa_id"]).is_some();
    is_change.then(|| IdentityChange {
        phone_number_id: place.phone_number_id.clone(),
        waba_id: place.waba_id.clone(),
        timestamp: timestamp(message, "timestamp"),
        previous_wa_id: text(message, "from"),
        wa_id: text_of(system, &["wa_id", "new_wa_id"]),
        previous_user_id: text(system, "previous_user_id"),
        user_id: text(system, "user_id"),
        previous_parent_user_id: text(system, "previous_parent_user_id"),
        parent_user_id: text(system, "parent_user_id"),
    })
}

pub(super) fn user_id_update(place: &Place<'_>, item: &Value) -> Event {
    let change = IdentityChange {
        phone_number_id: place.phone_number_id.clone(),
        waba_id: place.waba_id.clone(),
        timestamp: timestamp(item, "timestamp"),
        previous_wa_id: None,
        wa_id: text(item, "wa_id"),
        previous_user_id: text_at(item, &["user_id", "previous"]),
        user_id: text_at(item, &["user_id", "current"]),
        previous_parent_user_id: text_at(item, &["parent_user_id", "previous"]),
        parent_user_id: text_at(item, &["parent_user_id", "current"]),
    };
    if change.previous_user_id.is_none() || change.user_id.is_none() {
        return place.unknown("user id update without both ids", item);
    }
    Event::IdentityChange(change)
}
