//! What a signed-in user may do with their own account.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::caller::{JsonBody, Requester, SignedIn};
use super::error::{AuthError, Result};
use super::{Auth, audit, begin, password, sql};

/// `GET /user`
pub async fn get_user(State(auth): State<Arc<Auth>>, headers: HeaderMap) -> Result<Json<Value>> {
    // Before the database is asked, so that a missing token is a refusal even while it is down.
    super::caller::claims(&auth, &headers)?;
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let caller = SignedIn::find(&auth, &tx, &headers).await?;
    tx.commit().await?;
    Ok(Json(caller.user.to_json()))
}

#[derive(Deserialize)]
pub struct Change {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    data: Option<Map<String, Value>>,
}

/// `PUT /user`: password and metadata. The e-mail address cannot be changed here.
pub async fn update_user(
    State(auth): State<Arc<Auth>>,
    requester: Requester,
    headers: HeaderMap,
    JsonBody(change): JsonBody<Change>,
) -> Result<Json<Value>> {
    super::caller::claims(&auth, &headers)?;
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let caller = SignedIn::find(&auth, &tx, &headers).await?;
    tx.commit().await?;
    // No connection is held while passwords are hashed.
    drop(client);
    let user = caller.user;
    let other_address = |email: &String| !email.is_empty() && email.trim().to_lowercase() != user.email;
    if change.email.as_ref().is_some_and(other_address) {
        return Err(AuthError::new(
            422,
            "email_change_not_supported",
            "The embedded stack cannot change e-mail addresses; an administrator can",
        ));
    }
    if change.phone.as_deref().is_some_and(|phone| !phone.is_empty()) {
        return Err(AuthError::new(
            422,
            "phone_provider_disabled",
            "Phone numbers are not supported",
        ));
    }
    let mut new_hash = None;
    if let Some(new_password) = change.password.as_deref().filter(|p| !p.is_empty()) {
        password::check_rules(new_password)?;
        let stored = user.encrypted_password.as_deref();
        if password::verify(new_password, stored).await? {
            return Err(AuthError::new(
                422,
                "same_password",
                "New password should be different from the old password.",
            ));
        }
        new_hash = Some(password::hash(new_password).await?);
    }

    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    tx.query_opt(sql::LOCK_USER, &[&user.id]).await?;
    let user = SignedIn::find(&auth, &tx, &headers).await?.user;
    if let Some(hash) = new_hash {
        tx.execute(sql::SET_PASSWORD, &[&user.id, &hash]).await?;
        // A new password means the old one may be known to others: their sessions and open links end.
        tx.execute(sql::DELETE_SESSIONS_OTHERS, &[&user.id, &caller.session_id])
            .await?;
        tx.execute(
            sql::DELETE_ONE_TIME_TOKEN,
            &[&user.id, &vec!["confirmation_token", "recovery_token"]],
        )
        .await?;
    }
    if let Some(data) = change.data {
        let metadata = merged(&user.user_metadata, data);
        let unchanged: Option<&str> = None;
        tx.execute(
            sql::SET_METADATA,
            &[&user.id, &metadata, &user.app_metadata, &unchanged],
        )
        .await?;
    }
    audit(&tx, "user_modified", &user, &requester).await?;
    let user = user.reload(&tx).await?;
    tx.commit().await?;
    Ok(Json(user.to_json()))
}

/// `changes` over `current`; null removes a key.
pub fn merged(current: &Value, changes: Map<String, Value>) -> Value {
    let mut metadata = current.as_object().cloned().unwrap_or_default();
    for (name, value) in changes {
        if value.is_null() {
            metadata.remove(&name);
        } else {
            metadata.insert(name, value);
        }
    }
    Value::Object(metadata)
}

/// `GET /reauthenticate`: only needed where a password change asks for a nonce, which it does not here.
pub async fn reauthenticate() -> Result<Json<Value>> {
    Err(AuthError::new(
        422,
        "reauthentication_not_supported",
        "The embedded stack changes passwords without a reauthentication code",
    ))
}

#[derive(Deserialize)]
pub struct Scope {
    scope: Option<String>,
}

/// `POST /logout?scope=global|local|others`
pub async fn logout(
    State(auth): State<Arc<Auth>>,
    requester: Requester,
    headers: HeaderMap,
    Query(query): Query<Scope>,
) -> Result<StatusCode> {
    super::caller::claims(&auth, &headers)?;
    let scope = query
        .scope
        .as_deref()
        .filter(|scope| !scope.is_empty())
        .unwrap_or("global");
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let SignedIn { user, session_id } = SignedIn::find(&auth, &tx, &headers).await?;
    match (scope, session_id) {
        ("global", _) | ("local", None) => tx.execute(sql::DELETE_SESSIONS_ALL, &[&user.id]).await?,
        ("local", Some(id)) => tx.execute(sql::DELETE_SESSION, &[&id]).await?,
        ("others", id) => {
            tx.execute(sql::DELETE_SESSIONS_OTHERS, &[&user.id, &id as &Option<Uuid>])
                .await?
        }
        _ => {
            return Err(AuthError::validation(format!(
                "Unsupported logout scope {scope:?}"
            )));
        }
    };
    audit(&tx, "logout", &user, &requester).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
