//! One-time tokens: the six-digit code and the hash in the link that a mail carries.

use deadpool_postgres::Transaction;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha224;
use tokio_postgres::Row;
use uuid::Uuid;

use super::error::{AuthError, Result};
use super::pkce::Challenge;
use super::user::User;
use super::{Auth, sql};

/// Marks the token of a flow that ends in an auth code.
pub const PKCE_PREFIX: &str = "pkce_";

/// What following a token does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Confirmation,
    Recovery,
}

impl Purpose {
    fn token_type(self) -> &'static str {
        match self {
            Self::Confirmation => "confirmation_token",
            Self::Recovery => "recovery_token",
        }
    }

    fn from_token_type(name: &str) -> Self {
        match name {
            "confirmation_token" => Self::Confirmation,
            _ => Self::Recovery,
        }
    }
}

/// A freshly made token.
pub struct Issued {
    pub code: String,
    pub hash: String,
}

/// Makes a token for the user, replacing the one of the same purpose.
pub async fn issue(
    auth: &Auth,
    tx: &Transaction<'_>,
    user: &User,
    purpose: Purpose,
    challenge: Option<&Challenge>,
) -> Result<Issued> {
    let code = format!("{:06}", rand::random_range(0..1_000_000u32));
    let mut hash = hash_of(&auth.platform.config.jwt_secret, &user.email, &code);
    if challenge.is_some() {
        hash.insert_str(0, PKCE_PREFIX);
    }
    let id = Uuid::new_v4();
    tx.execute(
        sql::SAVE_ONE_TIME_TOKEN,
        &[&id, &user.id, &purpose.token_type(), &hash, &user.email],
    )
    .await?;
    match purpose {
        Purpose::Confirmation => {
            tx.execute(sql::SET_CONFIRMATION, &[&user.id, &hash, &false])
                .await?
        }
        Purpose::Recovery => tx.execute(sql::SET_RECOVERY, &[&user.id, &hash]).await?,
    };
    Ok(Issued { code, hash })
}

/// What a client says it verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Signup,
    Invite,
    MagicLink,
    Recovery,
    Email,
}

impl Kind {
    /// Reads the `type` of a request.
    pub fn parse(name: &str) -> Result<Self> {
        Ok(match name {
            "signup" => Self::Signup,
            "invite" => Self::Invite,
            "magiclink" => Self::MagicLink,
            "recovery" => Self::Recovery,
            "email" => Self::Email,
            "" => return Err(AuthError::validation("Verify requires a verification type")),
            _ => return Err(AuthError::validation("Unsupported verification type")),
        })
    }

    /// The name links carry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signup => "signup",
            Self::Invite => "invite",
            Self::MagicLink => "magiclink",
            Self::Recovery => "recovery",
            Self::Email => "email",
        }
    }

    fn token_types(self) -> Vec<&'static str> {
        match self {
            Self::Signup | Self::Invite => vec!["confirmation_token"],
            Self::MagicLink | Self::Recovery => vec!["recovery_token"],
            Self::Email => vec!["confirmation_token", "recovery_token"],
        }
    }
}

/// Uses up the token with this hash. Its row stays locked, so of two at once only one gets through.
pub async fn take_by_hash(
    auth: &Auth,
    tx: &Transaction<'_>,
    kind: Kind,
    hash: &str,
) -> Result<(User, Purpose)> {
    let lifetime = f64::from(auth.platform.config.otp_expiry);
    let row = tx
        .query_opt(
            sql::ONE_TIME_TOKEN_BY_HASH,
            &[&hash, &kind.token_types(), &lifetime],
        )
        .await?;
    take(tx, row, || expired("Email link is invalid or has expired")).await
}

/// Uses up the token a code typed by hand stands for.
pub async fn take_by_code(
    auth: &Auth,
    tx: &Transaction<'_>,
    kind: Kind,
    email: &str,
    code: &str,
) -> Result<(User, Purpose)> {
    let refusal = || expired("Token has expired or is invalid");
    let Some(user) = User::by_email(tx, email).await? else {
        return Err(refusal());
    };
    let hash = hash_of(&auth.platform.config.jwt_secret, email, code);
    let hashes = [format!("{PKCE_PREFIX}{hash}"), hash];
    let lifetime = f64::from(auth.platform.config.otp_expiry);
    let row = tx
        .query_opt(
            sql::ONE_TIME_TOKEN_OF_USER,
            &[&user.id, &kind.token_types(), &hashes.as_slice(), &lifetime],
        )
        .await?;
    take(tx, row, refusal).await
}

async fn take(
    tx: &Transaction<'_>,
    row: Option<Row>,
    refusal: impl Fn() -> AuthError,
) -> Result<(User, Purpose)> {
    let row = row
        .filter(|row| !row.get::<_, bool>("is_expired"))
        .ok_or_else(&refusal)?;
    let user = User::by_id(tx, row.get("user_id")).await?.ok_or_else(&refusal)?;
    if user.is_banned() {
        return Err(AuthError::new(403, "user_banned", "User is banned"));
    }
    let token_type: String = row.get("token_type");
    tx.execute(
        sql::DELETE_ONE_TIME_TOKEN,
        &[&user.id, &vec![token_type.as_str()]],
    )
    .await?;
    Ok((user, Purpose::from_token_type(&token_type)))
}

fn expired(message: &str) -> AuthError {
    AuthError::new(403, "otp_expired", message)
}

/// Keyed, unlike GoTrue's plain SHA-224 of address and code: who knows the address could compute the hash of every code and try them as
/// links, past the limit on wrong codes. To clients it is opaque either way.
fn hash_of(secret: &str, address: &str, code: &str) -> String {
    let mut mac = Hmac::<Sha224>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(address.as_bytes());
    mac.update(code.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_hash_needs_the_secret_the_address_and_the_code() {
        let hash = super::hash_of("secret", "a@b.c", "123456");
        assert_eq!(hash, super::hash_of("secret", "a@b.c", "123456"));
        assert_ne!(hash, super::hash_of("another", "a@b.c", "123456"));
        assert_ne!(hash, super::hash_of("secret", "x@b.c", "123456"));
        assert_ne!(hash, super::hash_of("secret", "a@b.c", "123457"));
    }
}
