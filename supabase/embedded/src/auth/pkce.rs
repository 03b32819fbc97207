//! PKCE: the code challenge of a flow and its proof.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use deadpool_postgres::Transaction;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::error::{AuthError, Result};
use super::sql;

/// How long an auth code may be exchanged, in seconds (GoTrue's default).
const CODE_LIFETIME_SECONDS: f64 = 300.0;

/// A validated challenge.
pub struct Challenge {
    method: &'static str,
    value: String,
}

impl Challenge {
    /// Both fields or neither must be there.
    pub fn parse(challenge: Option<&str>, method: Option<&str>) -> Result<Option<Self>> {
        let given = |field: Option<&str>| field.filter(|text| !text.is_empty()).map(str::to_owned);
        let (value, method) = match (given(challenge), given(method)) {
            (None, None) => return Ok(None),
            (Some(value), Some(method)) => (value, method),
            _ => {
                return Err(AuthError::validation(
                    "PKCE flow requires code_challenge_method and code_challenge",
                ));
            }
        };
        let method = match method.to_ascii_lowercase().as_str() {
            "s256" => "s256",
            "plain" => "plain",
            _ => {
                return Err(AuthError::validation(
                    "code_challenge_method must be s256 or plain",
                ));
            }
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        if !(43..=128).contains(&value.len()) || !value.chars().all(allowed) {
            return Err(AuthError::validation(
                "code challenge must have 43 to 128 characters of the unreserved URL alphabet",
            ));
        }
        Ok(Some(Self { method, value }))
    }

    /// Opens a flow for the user; its code is handed out once the mailed link is followed.
    pub async fn open(&self, tx: &Transaction<'_>, user_id: Uuid, purpose: &str) -> Result<()> {
        let auth_code = Uuid::new_v4().to_string();
        tx.execute(
            sql::INSERT_FLOW_STATE,
            &[&user_id, &auth_code, &self.method, &self.value, &purpose],
        )
        .await?;
        Ok(())
    }
}

/// The code of the user's latest open flow. `lifetime_seconds` is that of the mailed link.
pub async fn issue_code(
    tx: &Transaction<'_>,
    user_id: Uuid,
    purpose: &str,
    lifetime_seconds: u32,
) -> Result<Option<String>> {
    let lifetime = f64::from(lifetime_seconds);
    let row = tx
        .query_opt(sql::ISSUE_AUTH_CODE, &[&user_id, &purpose, &lifetime])
        .await?;
    Ok(row.map(|row| row.get(0)))
}

/// Exchanges a code for the user it stands for and how they signed in. A wrong verifier does not use the code up.
pub async fn exchange(tx: &Transaction<'_>, auth_code: &str, verifier: &str) -> Result<(Uuid, String)> {
    let row = tx
        .query_opt(sql::FLOW_STATE_BY_CODE, &[&auth_code, &CODE_LIFETIME_SECONDS])
        .await?;
    let user_id = row.as_ref().and_then(|row| row.get::<_, Option<Uuid>>("user_id"));
    let (Some(row), Some(user_id)) = (row, user_id) else {
        return Err(AuthError::new(
            404,
            "flow_state_not_found",
            "invalid flow state, no valid flow state found",
        ));
    };
    if row.get("is_expired") {
        return Err(AuthError::new(
            422,
            "flow_state_expired",
            "invalid flow state, flow state has expired",
        ));
    }
    if !proves(
        row.get("code_challenge_method"),
        row.get("code_challenge"),
        verifier,
    ) {
        return Err(AuthError::new(
            400,
            "bad_code_verifier",
            "code challenge does not match previously saved code verifier",
        ));
    }
    tx.execute(sql::DELETE_FLOW_STATE, &[&auth_code]).await?;
    Ok((user_id, row.get("authentication_method")))
}

fn proves(method: &str, challenge: &str, verifier: &str) -> bool {
    let presented = match method {
        "s256" => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())),
        _ => verifier.to_owned(),
    };
    bool::from(presented.as_bytes().ct_eq(challenge.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7636_is_proved() {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(proves(
            "s256",
            challenge,
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        ));
        assert!(!proves(
            "s256",
            challenge,
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"
        ));
        assert!(!proves("s256", challenge, challenge));
        assert!(proves("plain", challenge, challenge));
    }

    #[test]
    fn half_a_challenge_is_refused() {
        assert!(Challenge::parse(None, None).unwrap().is_none());
        assert!(Challenge::parse(Some(""), Some("")).unwrap().is_none());
        assert!(
            Challenge::parse(Some(&"a".repeat(43)), Some("S256"))
                .unwrap()
                .is_some()
        );
        for (challenge, method) in [
            (Some("a".repeat(43)), None),
            (None, Some("s256")),
            (Some("short".to_owned()), Some("s256")),
            (Some("a".repeat(43)), Some("md5")),
        ] {
            assert!(Challenge::parse(challenge.as_deref(), method).is_err());
        }
    }
}
