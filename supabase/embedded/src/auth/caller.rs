//! Who is asking: the bearer token, the client's address, the body.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use deadpool_postgres::Transaction;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::error::{AuthError, Result};
use super::user::User;
use super::{Auth, sql};
use crate::jwt::Claims;

/// Address and program of the client.
pub struct Requester {
    pub ip: IpAddr,
    pub user_agent: String,
}

impl FromRequestParts<Arc<Auth>> for Requester {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, auth: &Arc<Auth>) -> Result<Self> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0.ip())
            .ok_or_else(|| AuthError::unexpected("the listener does not report peer addresses"))?;
        // Only a header the operator names is believed, and of it only what the nearest proxy added.
        let forwarded = auth.platform.config.client_ip_header.as_ref().and_then(|name| {
            let value = parts.headers.get(name)?.to_str().ok()?;
            value.rsplit(',').next()?.trim().parse().ok()
        });
        let user_agent = parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(|text| text.chars().take(512).collect())
            .unwrap_or_default();
        Ok(Self {
            ip: forwarded.unwrap_or(peer),
            user_agent,
        })
    }
}

/// A JSON body whatever its content type says; an empty one reads as `{}`.
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<Auth>> for JsonBody<T> {
    type Rejection = AuthError;

    async fn from_request(request: Request, auth: &Arc<Auth>) -> Result<Self> {
        let bytes = Bytes::from_request(request, auth)
            .await
            .map_err(|_| AuthError::new(413, "request_too_large", "Request body is too large"))?;
        let text: &[u8] = if bytes.iter().all(u8::is_ascii_whitespace) {
            b"{}"
        } else {
            &bytes
        };
        serde_json::from_slice(text).map(Self).map_err(|e| {
            AuthError::new(
                400,
                "bad_json",
                format!("Could not parse request body as JSON: {e}"),
            )
        })
    }
}

/// The verified claims of the bearer token.
pub fn claims(auth: &Auth, headers: &HeaderMap) -> Result<Claims> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| {
            AuthError::new(
                401,
                "no_authorization",
                "This endpoint requires a valid Bearer token",
            )
        })?;
    auth.platform.jwt.verify(token).map_err(|e| {
        AuthError::new(
            403,
            "bad_jwt",
            format!("invalid JWT: unable to parse or verify signature, {e}"),
        )
    })
}

/// Refuses everyone but holders of the service key.
pub fn require_admin(auth: &Auth, headers: &HeaderMap) -> Result<()> {
    match claims(auth, headers)?.role() {
        Some("service_role" | "supabase_admin") => Ok(()),
        _ => Err(AuthError::new(403, "not_admin", "User not allowed")),
    }
}

/// A signed-in user whose session still exists.
pub struct SignedIn {
    pub user: User,
    pub session_id: Option<Uuid>,
}

impl SignedIn {
    /// Looks up the bearer's user and session.
    pub async fn find(auth: &Auth, tx: &Transaction<'_>, headers: &HeaderMap) -> Result<Self> {
        let claims = claims(auth, headers)?;
        let bad = |message: &str| AuthError::new(403, "bad_jwt", message);
        let subject = claims
            .subject()
            .ok_or_else(|| bad("invalid claim: missing sub claim"))?;
        let user_id: Uuid = subject
            .parse()
            .map_err(|_| bad("invalid claim: sub claim must be a UUID"))?;
        let session_id: Option<Uuid> = claims
            .session_id()
            .filter(|id| !id.is_empty())
            .map(str::parse)
            .transpose()
            .map_err(|_| bad("invalid claim: session_id claim must be a UUID"))?;
        let user = User::by_id(tx, user_id).await?.ok_or_else(|| {
            AuthError::new(403, "user_not_found", "User from sub claim in JWT does not exist")
        })?;
        if let Some(session_id) = session_id {
            tx.query_opt(sql::SESSION_EXISTS, &[&session_id, &user_id])
                .await?
                .ok_or_else(|| {
                    AuthError::new(
                        403,
                        "session_not_found",
                        "Session from session_id claim in JWT does not exist",
                    )
                })?;
        }
        if user.is_banned() {
            return Err(AuthError::new(403, "user_banned", "User is banned"));
        }
        Ok(Self { user, session_id })
    }
}
