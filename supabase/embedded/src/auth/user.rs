//! Users as Auth reads them and as clients see them.

use chrono::{DateTime, SecondsFormat, Utc};
use deadpool_postgres::Transaction;
use serde_json::{Map, Value, json};
use tokio_postgres::Row;
use uuid::Uuid;

use super::error::{AuthError, Result};
use super::sql;

/// A row of `auth.users` with its identities.
#[derive(Debug, Clone)]
pub struct User {
    pub id: Uuid,
    pub email: String,
    pub role: String,
    pub encrypted_password: Option<String>,
    pub email_confirmed_at: Option<DateTime<Utc>>,
    pub confirmation_sent_at: Option<DateTime<Utc>>,
    pub recovery_sent_at: Option<DateTime<Utc>>,
    pub email_change: Option<String>,
    pub email_change_sent_at: Option<DateTime<Utc>>,
    pub banned_until: Option<DateTime<Utc>>,
    pub is_anonymous: bool,
    pub app_metadata: Value,
    pub user_metadata: Value,
    pub phone: String,
    /// The database's time when the row was read.
    pub asked_at: DateTime<Utc>,
    invited_at: Option<DateTime<Utc>>,
    confirmed_at: Option<DateTime<Utc>>,
    last_sign_in_at: Option<DateTime<Utc>>,
    created_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
    identities: Value,
}

impl User {
    /// Finds a user by id.
    pub async fn by_id(tx: &Transaction<'_>, id: Uuid) -> Result<Option<Self>> {
        tx.query_opt(sql::USER_BY_ID, &[&id])
            .await?
            .map(|row| Self::from_row(&row))
            .transpose()
    }

    /// Finds a user by a normalised address.
    pub async fn by_email(tx: &Transaction<'_>, email: &str) -> Result<Option<Self>> {
        tx.query_opt(sql::USER_BY_EMAIL, &[&email])
            .await?
            .map(|row| Self::from_row(&row))
            .transpose()
    }

    /// Reads the user again after a change in the same transaction.
    pub async fn reload(&self, tx: &Transaction<'_>) -> Result<Self> {
        Self::by_id(tx, self.id)
            .await?
            .ok_or_else(|| AuthError::unexpected("user vanished inside a transaction"))
    }

    /// Reads a row of `supabase_embedded.auth_users`.
    pub fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            email: row.try_get::<_, Option<String>>("email")?.unwrap_or_default(),
            role: row.try_get::<_, Option<String>>("role")?.unwrap_or_default(),
            encrypted_password: row.try_get("encrypted_password")?,
            email_confirmed_at: row.try_get("email_confirmed_at")?,
            confirmation_sent_at: row.try_get("confirmation_sent_at")?,
            recovery_sent_at: row.try_get("recovery_sent_at")?,
            email_change: row
                .try_get::<_, Option<String>>("email_change")?
                .filter(|e| !e.is_empty()),
            email_change_sent_at: row.try_get("email_change_sent_at")?,
            banned_until: row.try_get("banned_until")?,
            is_anonymous: row.try_get("is_anonymous")?,
            app_metadata: row.try_get("app_metadata")?,
            user_metadata: row.try_get("user_metadata")?,
            phone: row.try_get("phone")?,
            asked_at: row.try_get("asked_at")?,
            invited_at: row.try_get("invited_at")?,
            confirmed_at: row.try_get("confirmed_at")?,
            last_sign_in_at: row.try_get("last_sign_in_at")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
            identities: row.try_get("identities")?,
        })
    }

    /// Whether the user may not sign in at present.
    pub fn is_banned(&self) -> bool {
        self.banned_until.is_some_and(|until| until > self.asked_at)
    }

    /// The user as clients see it.
    pub fn to_json(&self) -> Value {
        let mut user = Map::new();
        user.insert("id".into(), json!(self.id));
        user.insert("aud".into(), json!("authenticated"));
        user.insert("role".into(), json!(self.role));
        user.insert("email".into(), json!(self.email));
        user.insert("phone".into(), json!(self.phone));
        for (name, time) in [
            ("email_confirmed_at", self.email_confirmed_at),
            ("invited_at", self.invited_at),
            ("confirmation_sent_at", self.confirmation_sent_at),
            ("recovery_sent_at", self.recovery_sent_at),
            ("email_change_sent_at", self.email_change_sent_at),
            ("confirmed_at", self.confirmed_at),
            ("last_sign_in_at", self.last_sign_in_at),
            ("banned_until", self.banned_until),
            ("created_at", self.created_at),
            ("updated_at", self.updated_at),
        ] {
            if let Some(time) = time {
                user.insert(name.into(), json!(rfc3339(time)));
            }
        }
        if let Some(new_email) = &self.email_change {
            user.insert("new_email".into(), json!(new_email));
        }
        user.insert("app_metadata".into(), self.app_metadata.clone());
        user.insert("user_metadata".into(), self.user_metadata.clone());
        user.insert("identities".into(), self.identities_json());
        user.insert("is_anonymous".into(), json!(self.is_anonymous));
        Value::Object(user)
    }

    fn identities_json(&self) -> Value {
        let mut identities = self.identities.clone();
        for identity in identities.as_array_mut().into_iter().flatten() {
            for name in ["last_sign_in_at", "created_at", "updated_at"] {
                let time = identity[name]
                    .as_str()
                    .and_then(|text| text.parse::<DateTime<Utc>>().ok());
                if let Some(time) = time {
                    identity[name] = json!(rfc3339(time));
                }
            }
        }
        identities
    }
}

/// What sign-up answers for an address that is taken: shaped like a user, so that the answer reveals nothing that
/// GoTrue's own does not.
pub fn made_up_user(email: &str, metadata: &Value) -> Value {
    let now = rfc3339(Utc::now());
    json!({
        "id": Uuid::new_v4(),
        "aud": "authenticated",
        "role": "",
        "email": email,
        "phone": "",
        "confirmation_sent_at": now,
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "user_metadata": metadata,
        "identities": [],
        "created_at": now,
        "updated_at": now,
        "is_anonymous": false,
    })
}

/// Lower case, trimmed, and of the shape local@domain; anything finer is for the confirmation mail to find out.
pub fn normalise_email(raw: &str) -> Result<String> {
    let email = raw.trim().to_lowercase();
    let valid = email.len() <= 255
        && email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && local.len() <= 64
                && !domain.is_empty()
                && !domain.contains('@')
                && !domain.starts_with(['.', '-'])
                && !domain.ends_with(['.', '-'])
                && domain
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '.' || c == '-')
        })
        && !email.contains(|c: char| c.is_whitespace() || c.is_control() || "<>()[]\\,;:\"".contains(c));
    if valid {
        Ok(email)
    } else {
        Err(AuthError::validation(
            "Unable to validate email address: invalid format",
        ))
    }
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::normalise_email;

    #[test]
    fn addresses_are_lower_cased_and_nonsense_is_refused() {
        assert_eq!(normalise_email(" Ana@Example.COM ").unwrap(), "ana@example.com");
        assert_eq!(normalise_email("a+b@localhost").unwrap(), "a+b@localhost");
        for bad in [
            "",
            "ana",
            "@example.com",
            "ana@",
            "a b@example.com",
            "a@b@c",
            "a@.com",
            "a\n@b.com",
            "<a>@b.com",
        ] {
            assert!(normalise_email(bad).is_err(), "{bad:?}");
        }
    }
}
