//! Whom a message goes to.

/// A person by phone or by business-scoped user id, or a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// E.164 with `+`. Without it Meta would prefix the business number's country and write to a stranger, so [`Recipient::phone`] adds
    /// it to bare digits.
    Phone(String),
    /// Business-scoped user id.
    UserId(String),
    Group(String),
}

impl Recipient {
    /// From an international number, with or without `+` (a `wa_id` has none).
    #[must_use]
    pub fn phone(number: &str) -> Self {
        let number = number.trim();
        Self::Phone(if number.starts_with('+') {
            number.to_owned()
        } else {
            format!("+{number}")
        })
    }

    /// By phone when there is one, else by business-scoped user id; `None` without either.
    #[must_use]
    pub fn from_contact(wa_id: Option<&str>, user_id: Option<&str>) -> Option<Self> {
        match (wa_id, user_id) {
            (Some(number), _) if !number.is_empty() => Some(Self::phone(number)),
            (_, Some(id)) if !id.is_empty() => Some(Self::UserId(id.to_owned())),
            _ => None,
        }
    }

    /// The address as it is sent.
    #[must_use]
    pub fn address(&self) -> &str {
        match self {
            Self::Phone(address) | Self::UserId(address) | Self::Group(address) => address,
        }
    }

    pub(super) fn recipient_type(&self) -> &'static str {
        if matches!(self, Self::Group(_)) {
            "group"
        } else {
            "individual"
        }
    }

    pub(super) fn field(&self) -> (&'static str, &str) {
        match self {
            Self::UserId(id) => ("recipient", id),
            Self::Phone(address) | Self::Group(address) => ("to", address),
        }
    }
}
