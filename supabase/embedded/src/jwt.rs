//! HS256 JSON web tokens signed with the project's shared secret.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::Value;

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// Not three base64url parts of JSON, or the claims are no object.
    #[error("token is malformed")]
    Malformed,
    /// Signed with another key or algorithm.
    #[error("signature is invalid")]
    BadSignature,
    /// `exp` has passed.
    #[error("token is expired")]
    Expired,
    /// `nbf` is still ahead.
    #[error("token is not valid yet")]
    NotYetValid,
}

/// The claims of a token whose signature and times have been checked.
#[derive(Debug, Clone)]
pub struct Claims(Value);

impl Claims {
    /// A claim that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// The Postgres role the bearer acts as.
    pub fn role(&self) -> Option<&str> {
        self.text("role").filter(|role| !role.is_empty())
    }

    /// The user id, for tokens of signed-in users.
    pub fn subject(&self) -> Option<&str> {
        self.text("sub")
    }

    /// The auth session the token was minted for.
    pub fn session_id(&self) -> Option<&str> {
        self.text("session_id")
    }

    /// Expiry in seconds since the epoch; project keys may have none.
    pub fn expires_at(&self) -> Option<i64> {
        number(&self.0, "exp")
    }

    /// All claims, as Postgres gets them in `request.jwt.claims`.
    pub fn as_json(&self) -> &Value {
        &self.0
    }
}

/// Signing and verification with one shared secret.
pub struct Keys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Keys {
    /// Keys for `secret`, taken as plain bytes as GoTrue and PostgREST do.
    pub fn new(secret: &str) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // Times are checked in `verify`: with serde_json's arbitrary_precision the library cannot read number claims.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Self {
            encoding: EncodingKey::from_secret(secret.as_bytes()),
            decoding: DecodingKey::from_secret(secret.as_bytes()),
            validation,
        }
    }

    /// Checks signature, `exp` and `nbf` and returns the claims.
    pub fn verify(&self, token: &str) -> Result<Claims, JwtError> {
        use jsonwebtoken::errors::ErrorKind;
        let data =
            jsonwebtoken::decode::<Value>(token, &self.decoding, &self.validation).map_err(|e| {
                match e.kind() {
                    ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => JwtError::BadSignature,
                    _ => JwtError::Malformed,
                }
            })?;
        if !data.claims.is_object() {
            return Err(JwtError::Malformed);
        }
        let now = epoch_seconds();
        if has(&data.claims, "exp") && number(&data.claims, "exp").ok_or(JwtError::Malformed)? <= now {
            return Err(JwtError::Expired);
        }
        if has(&data.claims, "nbf") && number(&data.claims, "nbf").ok_or(JwtError::Malformed)? > now {
            return Err(JwtError::NotYetValid);
        }
        Ok(Claims(data.claims))
    }

    /// Signs `claims`, which must be a JSON object.
    pub fn mint(&self, claims: &Value) -> anyhow::Result<String> {
        Ok(jsonwebtoken::encode(
            &Header::new(Algorithm::HS256),
            claims,
            &self.encoding,
        )?)
    }
}

/// A project key: a JWT that names only a role and, as Supabase's own legacy keys, lives ten years.
pub fn project_key(keys: &Keys, role: &str) -> anyhow::Result<String> {
    let now = epoch_seconds();
    let ten_years = 10 * 365 * 24 * 3600;
    keys.mint(
        &serde_json::json!({"iss": "supabase-embedded", "role": role, "iat": now, "exp": now + ten_years}),
    )
}

/// Seconds since the epoch by the system clock.
pub fn epoch_seconds() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs() as i64)
}

fn has(claims: &Value, name: &str) -> bool {
    claims.get(name).is_some_and(|v| !v.is_null())
}

fn number(claims: &Value, name: &str) -> Option<i64> {
    let value = claims.get(name)?;
    value.as_i64().or_else(|| value.as_f64().map(|f| f as i64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECRET: &str = "a-test-secret-of-at-least-thirty-two-bytes";

    #[test]
    fn a_minted_token_is_verified_and_keeps_its_claims() {
        let keys = Keys::new(SECRET);
        let token = keys
            .mint(&json!({"role": "authenticated", "sub": "u", "exp": epoch_seconds() + 60}))
            .unwrap();
        let claims = keys.verify(&token).unwrap();
        assert_eq!(claims.role(), Some("authenticated"));
        assert_eq!(claims.subject(), Some("u"));
        assert!(claims.expires_at().unwrap() > epoch_seconds());
    }

    #[test]
    fn refusals_say_why() {
        let keys = Keys::new(SECRET);
        let expired = keys.mint(&json!({"exp": epoch_seconds() - 1})).unwrap();
        assert_eq!(keys.verify(&expired).unwrap_err(), JwtError::Expired);
        let early = keys.mint(&json!({"nbf": epoch_seconds() + 60})).unwrap();
        assert_eq!(keys.verify(&early).unwrap_err(), JwtError::NotYetValid);
        let foreign = Keys::new("another-secret-of-at-least-thirty-two-bytes!")
            .mint(&json!({"role": "service_role"}))
            .unwrap();
        assert_eq!(keys.verify(&foreign).unwrap_err(), JwtError::BadSignature);
        let odd = keys.mint(&json!({"exp": "soon"})).unwrap();
        assert_eq!(keys.verify(&odd).unwrap_err(), JwtError::Malformed);
        assert_eq!(keys.verify("not a token").unwrap_err(), JwtError::Malformed);
    }

    #[test]
    fn an_unsigned_token_is_refused() {
        use base64::Engine;
        let b64 = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let token = format!(
            "{}.{}.",
            b64.encode(r#"{"alg":"none","typ":"JWT"}"#),
            b64.encode(r#"{"role":"service_role"}"#)
        );
        assert!(Keys::new(SECRET).verify(&token).is_err());
    }
}
