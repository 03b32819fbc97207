//! Tokens as Realtime takes them: on top of a valid signature they must name a role and an end.

use crate::jwt::{Claims, JwtError, Keys};

/// Why a token is refused, as the real server words it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub code: &'static str,
    pub message: &'static str,
}

/// Checks `token`.
pub fn confirm(keys: &Keys, token: &str) -> Result<Claims, Refusal> {
    let claims = keys.verify(token).map_err(|error| match error {
        JwtError::Malformed => Refusal {
            code: "MalformedJWT",
            message: "The token provided is not a valid JWT",
        },
        JwtError::BadSignature => Refusal {
            code: "JwtSignatureError",
            message: "Failed to validate JWT signature",
        },
        JwtError::Expired => Refusal {
            code: "InvalidJWTToken",
            message: "Token has expired",
        },
        JwtError::NotYetValid => Refusal {
            code: "InvalidJWTToken",
            message: "Token is not valid yet",
        },
    })?;
    if claims.role().is_none() || claims.expires_at().is_none() {
        return Err(Refusal {
            code: "InvalidJWTToken",
            message: "Fields `role` and `exp` are required in JWT",
        });
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jwt::epoch_seconds;

    #[test]
    fn role_and_exp_are_required() {
        let keys = Keys::new("a-test-secret-of-at-least-thirty-two-bytes");
        let later = epoch_seconds() + 60;
        for (claims, accepted) in [
            (json!({"role": "anon", "exp": later}), true),
            (json!({"role": "anon"}), false),
            (json!({"exp": later}), false),
            (json!({"role": "", "exp": later}), false),
            (json!({"role": "anon", "exp": later - 120}), false),
        ] {
            let token = keys.mint(&claims).unwrap();
            assert_eq!(confirm(&keys, &token).is_ok(), accepted, "{claims}");
        }
        assert_eq!(confirm(&keys, "x").unwrap_err().code, "MalformedJWT");
    }
}
