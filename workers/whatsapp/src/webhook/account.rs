//! What happens to numbers, accounts and preferences (§5.6–§5.9). Most of these name no phone number id: they are keyed by the
//! WhatsApp Business account, and some by the displayed number only.

use serde::Serialize;
use serde_json::Value;

use super::Event;
use super::envelope::Place;
use super::identity::Identity;
use super::reading::{text, text_at, timestamp};
use crate::error::ReportedError;

/// A customer's choice about marketing, made inside WhatsApp.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UserPreference {
    pub phone_number_id: Option<String>,
    pub waba_id: Option<String>,
    pub contact: Identity,
    pub category: String,
    /// `stop` or `resume`; anything else is not consent.
    pub value: String,
    pub detail: Option<String>,
    pub timestamp: Option<i64>,
}

/// A number's messaging limit or throughput moved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhoneNumberQuality {
    pub waba_id: Option<String>,
    /// Digits; the only key this notification has.
    pub display_phone_number: Option<String>,
    pub change: String,
    /// `TIER_250`, `TIER_2K`, … as given under whichever name this version uses.
    pub current_limit: Option<String>,
    pub old_limit: Option<String>,
}

/// The display name of a number was decided upon.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhoneNumberName {
    pub waba_id: Option<String>,
    pub display_phone_number: Option<String>,
    pub decision: String,
    pub requested_verified_name: Option<String>,
    pub rejection_reason: Option<String>,
}

/// How many people the portfolio may write to, how many numbers it may hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BusinessCapability {
    pub waba_id: Option<String>,
    /// A number (−1: unlimited) or a `TIER_…` name, as text.
    pub max_daily_conversations: Option<String>,
    pub raw: Value,
}

/// Restrictions, bans, partners, verification of an account.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccountUpdate {
    pub waba_id: Option<String>,
    /// As Meta names it: `ACCOUNT_RESTRICTION`, `DISABLED_UPDATE`, `PARTNER_REMOVED`, …
    pub change: String,
    pub raw: Value,
}

/// The outcome of an account's review.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccountReview {
    pub waba_id: Option<String>,
    pub decision: String,
}

/// Something Meta wants a person to look at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccountAlert {
    pub waba_id: Option<String>,
    pub severity: Option<String>,
    pub alert_type: String,
    pub description: Option<String>,
    pub raw: Value,
}

/// The business's own username moved on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UsernameUpdate {
    pub waba_id: Option<String>,
    pub display_phone_number: Option<String>,
    pub username: Option<String>,
    pub status: String,
}

/// The two-step verification PIN of a number was changed or asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SecurityEvent {
    pub waba_id: Option<String>,
    pub display_phone_number: Option<String>,
    pub change: String,
}

/// An error of the number or the account as a whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fault {
    pub waba_id: Option<String>,
    pub phone_number_id: Option<String>,
    pub error: ReportedError,
}

pub(super) fn fault(place: &Place<'_>, item: &Value) -> Event {
    if !item.is_object() {
        return place.unknown("error of a strange shape", item);
    }
    Event::Fault(Fault {
        waba_id: place.waba_id.clone(),
        phone_number_id: place.phone_number_id.clone(),
        error: ReportedError::read(item),
    })
}

pub(super) fn user_preference(place: &Place<'_>, item: &Value) -> Event {
    let contact = Identity {
        wa_id: text(item, "wa_id"),
        user_id: text(item, "user_id"),
        parent_user_id: text(item, "parent_user_id"),
        ..Identity::default()
    }
    .complete_from(place.value);
    match text(item, "value") {
        Some(value) if !contact.is_anonymous() => Event::UserPreference(UserPreference {
            phone_number_id: place.phone_number_id.clone(),
            waba_id: place.waba_id.clone(),
            contact,
            category: text(item, "category").unwrap_or_else(|| "marketing_messages".to_owned()),
            value,
            detail: text(item, "detail"),
            timestamp: timestamp(item, "timestamp").or(place.entry_time),
        }),
        _ => place.unknown("preference without person or value", item),
    }
}

pub(super) fn phone_number_quality(place: &Place<'_>) -> Event {
    match text(place.value, "event") {
        Some(change) => Event::PhoneNumberQuality(PhoneNumberQuality {
            waba_id: place.waba_id.clone(),
            display_phone_number: text(place.value, "display_phone_number"),
            change,
            current_limit: text(place.value, "max_daily_conversations_per_business")
                .or_else(|| text(place.value, "current_limit")),
            old_limit: text(place.value, "old_limit"),
        }),
        None => place.unknown("quality update without event", place.value),
    }
}

pub(super) fn phone_number_name(place: &Place<'_>) -> Event {
    match text(place.value, "decision") {
        Some(decision) => Event::PhoneNumberName(PhoneNumberName {
            waba_id: place.waba_id.clone(),
            display_phone_number: text(place.value, "display_phone_number"),
            decision,
            requested_verified_name: text(place.value, "requested_verified_name"),
            rejection_reason: text(place.value, "rejection_reason").filter(|reason| reason != "NONE"),
        }),
        None => place.unknown("name update without decision", place.value),
    }
}

pub(super) fn business_capability(place: &Place<'_>) -> Event {
    Event::BusinessCapability(BusinessCapability {
        waba_id: place.waba_id.clone(),
        max_daily_conversations: text(place.value, "max_daily_conversations_per_business")
            .or_else(|| text(place.value, "max_daily_conversation_per_phone")),
        raw: place.value.clone(),
    })
}

pub(super) fn account_update(place: &Place<'_>) -> Event {
    match text(place.value, "event") {
        Some(change) => Event::AccountUpdate(AccountUpdate {
            // Partner events come under the id of the portfolio.
            waba_id: text_at(place.value, &["waba_info", "waba_id"]).or_else(|| place.waba_id.clone()),
            change,
            raw: place.value.clone(),
        }),
        None => place.unknown("account update without event", place.value),
    }
}

pub(super) fn account_review(place: &Place<'_>) -> Event {
    match text(place.value, "decision") {
        Some(decision) => Event::AccountReview(AccountReview {
            waba_id: place.waba_id.clone(),
            decision,
        }),
        None => place.unknown("review without decision", place.value),
    }
}

pub(super) fn account_alert(place: &Place<'_>) -> Event {
    let Some(info) = place.value.get("alert_info").filter(|info| info.is_object()) else {
        return place.unknown("alert without content", place.value);
    };
    Event::AccountAlert(AccountAlert {
        waba_id: place.waba_id.clone(),
        severity: text(info, "alert_severity"),
        alert_type: text(info, "alert_type").unwrap_or_else(|| "UNKNOWN".to_owned()),
        description: text(info, "alert_description"),
        raw: place.value.clone(),
    })
}

pub(super) fn username(place: &Place<'_>) -> Event {
    match text(place.value, "status") {
        Some(status) => Event::UsernameUpdate(UsernameUpdate {
            waba_id: place.waba_id.clone(),
            display_phone_number: text(place.value, "display_phone_number"),
            username: text(place.value, "username").map(|name| name.trim_start_matches('@').to_owned()),
            status,
        }),
        None => place.unknown("username update without status", place.value),
    }
}

pub(super) fn security(place: &Place<'_>) -> Event {
    match text(place.value, "event") {
        Some(change) => Event::Security(SecurityEvent {
            waba_id: place.waba_id.clone(),
            display_phone_number: text(place.value, "display_phone_number"),
            change,
        }),
        None => place.unknown("security notice without event", place.value),
    }
}
