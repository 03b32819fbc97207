//! Sessions: access tokens, refresh tokens and their rotation.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use deadpool_postgres::Transaction;
use serde_json::{Value, json};
use uuid::Uuid;

use super::caller::Requester;
use super::error::{AuthError, Result};
use super::user::User;
use super::{Auth, audit, sql};
use crate::jwt::epoch_seconds;

/// Opens a session for a user who has just proved who they are by `method`.
pub async fn open(
    auth: &Auth,
    tx: &Transaction<'_>,
    user: &User,
    method: &str,
    requester: &Requester,
) -> Result<Value> {
    let session_id = Uuid::new_v4();
    let refresh_token = new_refresh_token();
    let none: Option<&str> = None;
    tx.execute(
        sql::INSERT_SESSION,
        &[&session_id, &user.id, &requester.user_agent, &requester.ip],
    )
    .await?;
    tx.execute(sql::INSERT_AMR_CLAIM, &[&session_id, &method]).await?;
    tx.execute(
        sql::INSERT_REFRESH_TOKEN,
        &[&refresh_token, &user.id, &none, &session_id],
    )
    .await?;
    tx.execute(sql::TOUCH_SIGN_IN, &[&user.id]).await?;
    let user = user.reload(tx).await?;
    audit(tx, "login", &user, requester).await?;
    describe(auth, tx, &user, session_id, &refresh_token).await
}

/// Exchanges a refresh token. The inner refusal must be committed: it may have revoked a family.
pub async fn refresh(
    auth: &Auth,
    tx: &Transaction<'_>,
    token: &str,
    requester: &Requester,
) -> Result<Result<Value>> {
    let refusal = |code, what: &str| AuthError::new(400, code, format!("Invalid Refresh Token: {what}"));
    let Some(row) = tx.query_opt(sql::REFRESH_TOKEN_SESSION, &[&token]).await? else {
        return Err(refusal("refresh_token_not_found", "Refresh Token Not Found"));
    };
    let Some(session_id) = row.get::<_, Option<Uuid>>(0) else {
        return Err(refusal("session_not_found", "No Valid Session Found"));
    };
    // One refresh of a session at a time: the second of two that race must see what the first one did.
    let Some(session) = tx.query_opt(sql::LOCK_SESSION, &[&session_id]).await? else {
        return Err(refusal("session_not_found", "No Valid Session Found"));
    };
    if session.get("is_expired") {
        return Err(refusal("session_expired", "Session Expired"));
    }
    let Some(user) = User::by_id(tx, session.get("user_id")).await? else {
        return Err(refusal("session_not_found", "No Valid Session Found"));
    };
    if user.is_banned() {
        return Err(refusal("user_banned", "User Banned"));
    }
    let reuse_interval = f64::from(auth.platform.config.refresh_token_reuse_interval);
    let state = tx
        .query_one(sql::REFRESH_TOKEN, &[&token, &reuse_interval])
        .await?;
    let active: Option<String> = state.get("token");
    let parent_of_active: Option<String> = state.get("parent");
    let is_revoked: Option<bool> = state.get("revoked");
    let issued = if is_revoked != Some(true) {
        swap(tx, token, user.id, session_id).await?
    } else if let (Some(active), true) = (active, parent_of_active.as_deref() == Some(token)) {
        // The client lost the answer that brought the active token, so it gets that one again.
        active
    } else if state.get("is_past_reuse") {
        tx.execute(sql::REVOKE_SESSION_TOKENS, &[&session_id]).await?;
        audit(tx, "token_revoked", &user, requester).await?;
        return Ok(Err(refusal("refresh_token_already_used", "Already Used")));
    } else {
        swap(tx, token, user.id, session_id).await?
    };
    tx.execute(
        sql::TOUCH_SESSION,
        &[&session_id, &requester.user_agent, &requester.ip],
    )
    .await?;
    audit(tx, "token_refreshed", &user, requester).await?;
    describe(auth, tx, &user, session_id, &issued).await.map(Ok)
}

async fn swap(tx: &Transaction<'_>, token: &str, user_id: Uuid, session_id: Uuid) -> Result<String> {
    let successor = new_refresh_token();
    tx.execute(sql::REVOKE_REFRESH_TOKEN, &[&token]).await?;
    tx.execute(
        sql::INSERT_REFRESH_TOKEN,
        &[&successor, &user_id, &Some(token), &session_id],
    )
    .await?;
    Ok(successor)
}

/// The session as clients see it, with a fresh access token.
async fn describe(
    auth: &Auth,
    tx: &Transaction<'_>,
    user: &User,
    session_id: Uuid,
    refresh_token: &str,
) -> Result<Value> {
    let methods: Vec<Value> = tx
        .query(sql::AMR_CLAIMS, &[&session_id])
        .await?
        .iter()
        .map(|row| json!({"method": row.get::<_, String>(0), "timestamp": row.get::<_, i64>(1)}))
        .collect();
    let config = &auth.platform.config;
    let issued_at = epoch_seconds();
    let expires_at = issued_at + i64::from(config.jwt_expiry);
    let access_token = auth
        .platform
        .jwt
        .mint(&json!({
            "iss": format!("{}/auth/v1", config.url),
            "sub": user.id,
            "aud": "authenticated",
            "exp": expires_at,
            "iat": issued_at,
            "email": user.email,
            "phone": user.phone,
            "app_metadata": user.app_metadata,
            "user_metadata": user.user_metadata,
            "role": user.role,
            "aal": "aal1",
            "amr": methods,
            "session_id": session_id,
            "is_anonymous": user.is_anonymous,
        }))
        .map_err(AuthError::unexpected)?;
    Ok(json!({
        "access_token": access_token,
        "token_type": "bearer",
        "expires_in": config.jwt_expiry,
        "expires_at": expires_at,
        "refresh_token": refresh_token,
        "user": user.to_json(),
    }))
}

fn new_refresh_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}
