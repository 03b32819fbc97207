//! Reading Meta's webhooks (§2–§5): one body in, a flat list of typed events with owned data out.
//!
//! Nothing inside a JSON body is ever an error: every entry, change, message and status is read on its own, and one that cannot be
//! understood becomes [`Event::Unknown`] with its raw value, so that it is kept, shown, and never costs its siblings.

mod account;
mod body_text;
mod envelope;
mod identity;
mod message;
mod reading;
mod status;
mod templates;

use serde::Serialize;
use serde_json::Value;

pub use account::{
    AccountAlert, AccountReview, AccountUpdate, BusinessCapability, Fault, PhoneNumberName,
    PhoneNumberQuality, SecurityEvent, UserPreference, UsernameUpdate,
};
pub use identity::{Identity, IdentityChange};
pub use message::{Echo, InboundMessage, MessageEdit, MessageRevoke};
pub use status::{DeliveryStatus, StatusUpdate};
pub use templates::{
    TemplateCategory, TemplateComponents, TemplateKey, TemplateMiscategorized, TemplateQuality,
    TemplateStatus,
};

/// The body is not JSON, even after mending what can be mended.
#[derive(Debug, thiserror::Error)]
#[error("webhook body is not JSON: {0}")]
pub struct ParseError(#[from] serde_json::Error);

/// One thing Meta reports. Strings and JSON in it can be stored in Postgres as they are (no U+0000, no unpaired surrogates).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A customer wrote, or WhatsApp says something about the customer in the thread (`kind` system).
    Message(Box<InboundMessage>),
    /// A message we sent moved on. Never a payment's or a call's status.
    Status(Box<StatusUpdate>),
    /// A customer changed a message sent earlier.
    MessageEdit(Box<MessageEdit>),
    /// A customer took a message back.
    MessageRevoke(MessageRevoke),
    /// A colleague wrote on the phone of a number that also lives in the WhatsApp Business app: outbound, opens no window.
    Echo(Box<Echo>),
    /// The identifiers of a customer changed (field `user_id_update`; most arrive as system messages instead).
    IdentityChange(IdentityChange),
    /// A customer stopped or resumed marketing inside WhatsApp.
    UserPreference(UserPreference),
    TemplateStatus(TemplateStatus),
    TemplateQuality(TemplateQuality),
    TemplateCategory(TemplateCategory),
    TemplateComponents(TemplateComponents),
    TemplateMiscategorized(TemplateMiscategorized),
    PhoneNumberQuality(PhoneNumberQuality),
    PhoneNumberName(PhoneNumberName),
    BusinessCapability(BusinessCapability),
    AccountUpdate(AccountUpdate),
    AccountReview(AccountReview),
    AccountAlert(AccountAlert),
    UsernameUpdate(UsernameUpdate),
    Security(SecurityEvent),
    /// `value.errors`: something went wrong on the number as a whole, no message is involved.
    Fault(Fault),
    /// A known field that is none of the product's concern, or a status that is not a delivery's (`field` then is
    /// `messages.statuses.<type>`): kept, not acted upon.
    Other {
        waba_id: Option<String>,
        phone_number_id: Option<String>,
        field: String,
        value: Value,
    },
    /// Something that could not be read: `reason` says why, `raw` is the smallest part that holds it.
    Unknown {
        waba_id: Option<String>,
        phone_number_id: Option<String>,
        field: Option<String>,
        reason: String,
        raw: Value,
    },
}

/// Reads a webhook body.
///
/// # Errors
/// Only when the body is not JSON. JSON of any shape gives events, at worst one [`Event::Unknown`].
pub fn parse(body: &[u8]) -> Result<Vec<Event>, ParseError> {
    Ok(envelope::events(&reading::parse_document(body)?))
}
