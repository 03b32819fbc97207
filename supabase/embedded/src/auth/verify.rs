//! `/verify`: the link in a mail, and the code or token hash a page sends itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use deadpool_postgres::Transaction;
use serde::Deserialize;
use serde_json::Value;

use super::caller::{JsonBody, Requester};
use super::error::{AuthError, Result};
use super::one_time::{self, Kind, PKCE_PREFIX, Purpose};
use super::user::{User, normalise_email};
use super::{Auth, audit, begin, mail, pkce, redirect, session, sql};

#[derive(Deserialize)]
pub struct Link {
    token: Option<String>,
    token_hash: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    redirect_to: Option<String>,
}

#[derive(Deserialize)]
pub struct Verification {
    #[serde(rename = "type")]
    kind: Option<String>,
    token: Option<String>,
    token_hash: Option<String>,
    email: Option<String>,
    phone: Option<String>,
}

/// `POST /verify`
pub async fn verify(
    State(auth): State<Arc<Auth>>,
    requester: Requester,
    JsonBody(body): JsonBody<Verification>,
) -> Result<Json<Value>> {
    auth.limits.otp(requester.ip)?;
    if body.phone.is_some_and(|phone| !phone.is_empty()) {
        return Err(AuthError::new(
            400,
            "phone_provider_disabled",
            "Phone verification is not offered",
        ));
    }
    let kind = Kind::parse(body.kind.as_deref().unwrap_or_default())?;
    let given = |field: Option<String>| field.filter(|text| !text.is_empty());
    let (token, token_hash, email) = (given(body.token), given(body.token_hash), given(body.email));
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let (user, purpose) = match (token_hash, token, email) {
        (Some(hash), None, None) => one_time::take_by_hash(&auth, &tx, kind, &hash).await?,
        (Some(_), _, _) => {
            return Err(AuthError::validation(
                "Only the token_hash and type should be provided",
            ));
        }
        (None, Some(code), Some(email)) => {
            let email = normalise_email(&email)?;
            auth.limits.code_guess(&email)?;
            one_time::take_by_code(&auth, &tx, kind, &email, &code).await?
        }
        (None, Some(_), None) => {
            return Err(AuthError::validation(
                "Only an email address or phone number should be provided on verify",
            ));
        }
        (None, None, _) => return Err(AuthError::validation("Verify requires a token or a token hash")),
    };
    let user = apply(&tx, &user, purpose, &requester).await?;
    let session = session::open(&auth, &tx, &user, "otp", &requester).await?;
    tx.commit().await?;
    Ok(Json(session))
}

/// `GET /verify`: answers with a redirect whatever happens, since a person is looking at a browser.
pub async fn follow_link(
    State(auth): State<Arc<Auth>>,
    requester: Requester,
    Query(link): Query<Link>,
) -> Response {
    let target = redirect::allowed_or_site(&auth.platform.config, link.redirect_to.as_deref());
    let token = link.token.or(link.token_hash).unwrap_or_default();
    let is_pkce = token.starts_with(PKCE_PREFIX);
    let location = match follow(&auth, &requester, link.kind.as_deref(), &token, is_pkce).await {
        Ok(Followed::Code(code)) => redirect::with_pairs(&target, &[("code", &code)], true, false),
        Ok(Followed::Session(session, kind)) => {
            let field = |name: &str| match &session[name] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let names = [
                "access_token",
                "expires_at",
                "expires_in",
                "refresh_token",
                "token_type",
            ];
            let values = names.map(field);
            let mut pairs: Vec<(&str, &str)> = names
                .iter()
                .copied()
                .zip(values.iter().map(String::as_str))
                .collect();
            pairs.extend([("type", kind.name()), ("sb", "")]);
            redirect::with_pairs(&target, &pairs, false, true)
        }
        Err(error) => {
            let class = if error.is_server_fault() {
                "server_error"
            } else {
                "access_denied"
            };
            let pairs = [
                ("error", class),
                ("error_code", error.code()),
                ("error_description", error.message()),
                ("sb", ""),
            ];
            redirect::with_pairs(&target, &pairs, is_pkce, true)
        }
    };
    match HeaderValue::from_str(&location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(e) => AuthError::unexpected(e).into_response(),
    }
}

enum Followed {
    Session(Value, Kind),
    Code(String),
}

async fn follow(
    auth: &Auth,
    requester: &Requester,
    kind: Option<&str>,
    token: &str,
    is_pkce: bool,
) -> Result<Followed> {
    auth.limits.otp(requester.ip)?;
    let kind = Kind::parse(kind.unwrap_or_default())?;
    if token.is_empty() {
        return Err(AuthError::validation("Verify requires a token or a token hash"));
    }
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let (user, purpose) = one_time::take_by_hash(auth, &tx, kind, token).await?;
    let user = apply(&tx, &user, purpose, requester).await?;
    let followed = if is_pkce {
        let lifetime = auth.platform.config.otp_expiry;
        let code = pkce::issue_code(&tx, user.id, mail::flow_name(kind), lifetime)
            .await?
            .ok_or_else(|| {
                AuthError::new(
                    404,
                    "flow_state_not_found",
                    "invalid flow state, no valid flow state found",
                )
            })?;
        Followed::Code(code)
    } else {
        Followed::Session(session::open(auth, &tx, &user, "otp", requester).await?, kind)
    };
    tx.commit().await?;
    Ok(followed)
}

/// What a used token does: either kind proves that the address is the user's.
async fn apply(tx: &Transaction<'_>, user: &User, purpose: Purpose, requester: &Requester) -> Result<User> {
    if purpose == Purpose::Recovery {
        tx.execute(sql::CLEAR_RECOVERY, &[&user.id]).await?;
    }
    if user.email_confirmed_at.is_none() {
        tx.execute(sql::CONFIRM_USER, &[&user.id]).await?;
        audit(tx, "user_signedup", user, requester).await?;
    }
    user.reload(tx).await
}
