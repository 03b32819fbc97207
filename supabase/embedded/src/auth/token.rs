//! `POST /token`: password, refresh token and PKCE code.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::Value;

use super::caller::{JsonBody, Requester};
use super::error::{AuthError, Result};
use super::user::User;
use super::{Auth, begin, commit_with, password, pkce, session};

#[derive(Deserialize)]
pub struct GrantType {
    grant_type: Option<String>,
}

#[derive(Deserialize)]
pub struct Grant {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    refresh_token: Option<String>,
    auth_code: Option<String>,
    code_verifier: Option<String>,
}

/// `POST /token?grant_type=…`
pub async fn grant(
    State(auth): State<Arc<Auth>>,
    requester: Requester,
    Query(query): Query<GrantType>,
    JsonBody(body): JsonBody<Grant>,
) -> Result<Json<Value>> {
    let session = match query.grant_type.as_deref() {
        Some("password") => with_password(&auth, &requester, body).await?,
        Some("refresh_token") => with_refresh_token(&auth, &requester, body).await?,
        Some("pkce") => with_code(&auth, &requester, body).await?,
        Some("id_token" | "web3") => {
            return Err(AuthError::new(
                400,
                "provider_disabled",
                "Only e-mail and password sign-in is offered",
            ));
        }
        _ => {
            return Err(AuthError::new(
                400,
                "invalid_credentials",
                "unsupported_grant_type",
            ));
        }
    };
    Ok(Json(session))
}

async fn with_password(auth: &Auth, requester: &Requester, body: Grant) -> Result<Value> {
    if body.phone.is_some_and(|phone| !phone.is_empty()) {
        return Err(AuthError::new(
            400,
            "phone_provider_disabled",
            "Phone logins are disabled",
        ));
    }
    let Some(email) = body.email.filter(|email| !email.is_empty()) else {
        return Err(AuthError::validation("missing email or phone"));
    };
    let email = email.trim().to_lowercase();
    auth.limits.sign_in(&email, requester.ip)?;
    let refused = || AuthError::new(400, "invalid_credentials", "Invalid login credentials");

    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let user = User::by_email(&tx, &email).await?;
    // No transaction is held while the password is hashed.
    tx.commit().await?;
    drop(client);
    let stored = user.as_ref().and_then(|user| user.encrypted_password.as_deref());
    let fits = password::verify(&body.password.unwrap_or_default(), stored).await?;
    let user = user.filter(|_| fits).ok_or_else(refused)?;
    if user.is_banned() {
        return Err(AuthError::new(400, "user_banned", "User is banned"));
    }
    if user.email_confirmed_at.is_none() {
        return Err(AuthError::new(400, "email_not_confirmed", "Email not confirmed"));
    }
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    // The password may have been changed or the user deleted while it was being hashed.
    let current = User::by_id(&tx, user.id).await?.ok_or_else(refused)?;
    if current.encrypted_password != user.encrypted_password {
        return Err(refused());
    }
    let session = session::open(auth, &tx, &current, "password", requester).await?;
    tx.commit().await?;
    Ok(session)
}

async fn with_refresh_token(auth: &Auth, requester: &Requester, body: Grant) -> Result<Value> {
    let Some(token) = body.refresh_token.filter(|token| !token.is_empty()) else {
        return Err(AuthError::validation("refresh_token required"));
    };
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let outcome = session::refresh(auth, &tx, &token, requester).await?;
    commit_with(tx, outcome).await
}

async fn with_code(auth: &Auth, requester: &Requester, body: Grant) -> Result<Value> {
    let (Some(code), Some(verifier)) = (
        body.auth_code.filter(|c| !c.is_empty()),
        body.code_verifier.filter(|v| !v.is_empty()),
    ) else {
        return Err(AuthError::validation(
            "invalid request: both auth code and code verifier should be non-empty",
        ));
    };
    auth.limits.otp(requester.ip)?;
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let (user_id, method) = pkce::exchange(&tx, &code, &verifier).await?;
    let user = User::by_id(&tx, user_id)
        .await?
        .ok_or_else(|| AuthError::new(404, "user_not_found", "User not found"))?;
    if user.is_banned() {
        return Err(AuthError::new(403, "user_banned", "User is banned"));
    }
    let session = session::open(auth, &tx, &user, &method, requester).await?;
    tx.commit().await?;
    Ok(session)
}
