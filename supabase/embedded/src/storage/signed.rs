//! Signed URLs. Rights are judged when a URL is signed; whoever holds it may use it until it expires.

use serde_json::{Value, json};

use super::error::StorageError;
use super::objects::Key;
use crate::jwt::{JwtError, Keys, epoch_seconds};

/// A signed upload URL holds for two hours.
const UPLOAD_SECONDS: i64 = 2 * 3600;
/// Keeps a URL for one use from serving another.
const DOWNLOAD: &str = "download";
const UPLOAD: &str = "upload";

/// What a signed upload URL grants.
pub struct UploadGrant {
    pub owner: Option<String>,
    pub upsert: bool,
}

/// A token to read one object.
pub fn mint_download(keys: &Keys, key: Key<'_>, seconds: i64) -> Result<String, StorageError> {
    mint(
        keys,
        &json!({ "url": key.to_string(), "scope": DOWNLOAD }),
        seconds,
    )
}

/// A token to store one object.
pub fn mint_upload(
    keys: &Keys,
    key: Key<'_>,
    owner: Option<&str>,
    upsert: bool,
) -> Result<String, StorageError> {
    let claims = json!({ "url": key.to_string(), "scope": UPLOAD, "owner": owner, "upsert": upsert });
    mint(keys, &claims, UPLOAD_SECONDS)
}

fn mint(keys: &Keys, claims: &Value, seconds: i64) -> Result<String, StorageError> {
    let mut claims = claims.clone();
    let now = epoch_seconds();
    claims["iat"] = now.into();
    claims["exp"] = now.saturating_add(seconds).into();
    keys.mint(&claims).map_err(StorageError::Internal)
}

/// Checks a token to read `key`.
pub fn check_download(keys: &Keys, token: Option<&str>, key: Key<'_>) -> Result<(), StorageError> {
    check(keys, token, key, DOWNLOAD).map(|_| ())
}

/// Checks a token to store `key`.
pub fn check_upload(keys: &Keys, token: Option<&str>, key: Key<'_>) -> Result<UploadGrant, StorageError> {
    let claims = check(keys, token, key, UPLOAD)?;
    Ok(UploadGrant {
        owner: claims["owner"].as_str().map(str::to_owned),
        upsert: claims["upsert"].as_bool().unwrap_or(false),
    })
}

fn check(keys: &Keys, token: Option<&str>, key: Key<'_>, scope: &str) -> Result<Value, StorageError> {
    let token = token.filter(|token| !token.is_empty()).ok_or_else(|| {
        StorageError::InvalidRequest("querystring must have required property 'token'".into())
    })?;
    let claims = keys.verify(token).map_err(|error| {
        StorageError::InvalidJwt(match error {
            JwtError::Expired => r#""exp" claim timestamp check failed"#,
            JwtError::NotYetValid => r#""nbf" claim timestamp check failed"#,
            JwtError::BadSignature => "signature verification failed",
            JwtError::Malformed => "Invalid Compact JWS",
        })
    })?;
    if claims.text("url") != Some(&key.to_string()) || claims.text("scope") != Some(scope) {
        return Err(StorageError::InvalidSignature);
    }
    Ok(claims.as_json().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key<'_> = Key {
        bucket: "media",
        name: "a/b.png",
    };

    fn keys() -> Keys {
        Keys::new("a-test-secret-of-at-least-thirty-two-bytes")
    }

    #[test]
    fn a_token_serves_its_object_and_its_use_only() {
        let keys = keys();
        let token = mint_download(&keys, KEY, 60).unwrap();
        assert!(check_download(&keys, Some(&token), KEY).is_ok());
        let other = Key {
            bucket: "media",
            name: "a/c.png",
        };
        assert!(matches!(
            check_download(&keys, Some(&token), other),
            Err(StorageError::InvalidSignature)
        ));
        assert!(matches!(
            check_upload(&keys, Some(&token), KEY),
            Err(StorageError::InvalidSignature)
        ));
        let upload = mint_upload(&keys, KEY, Some("ann"), true).unwrap();
        assert!(check_download(&keys, Some(&upload), KEY).is_err());
        let grant = check_upload(&keys, Some(&upload), KEY).unwrap();
        assert_eq!((grant.owner.as_deref(), grant.upsert), (Some("ann"), true));
    }

    #[test]
    fn expired_missing_and_foreign_tokens_are_refused() {
        let keys = keys();
        let expired = mint_download(&keys, KEY, -1).unwrap();
        assert!(matches!(
            check_download(&keys, Some(&expired), KEY),
            Err(StorageError::InvalidJwt(_))
        ));
        assert!(check_download(&keys, None, KEY).is_err());
        assert!(check_download(&keys, Some(""), KEY).is_err());
        let user = keys
            .mint(&json!({ "role": "authenticated", "sub": "u" }))
            .unwrap();
        assert!(matches!(
            check_download(&keys, Some(&user), KEY),
            Err(StorageError::InvalidSignature)
        ));
    }
}
