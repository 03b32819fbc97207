//! Invitations and links made with the service key.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use deadpool_postgres::Transaction;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::admin::email_exists;
use super::caller::{JsonBody, Requester, require_admin};
use super::error::{AuthError, Result};
use super::one_time::{self, Kind};
use super::signup::{NewUser, ReturnTo};
use super::user::{User, normalise_email};
use super::{Auth, audit, begin, mail, password, redirect};

#[derive(Deserialize)]
pub struct LinkRequest {
    #[serde(rename = "type")]
    kind: Option<String>,
    email: Option<String>,
    password: Option<String>,
    data: Option<Map<String, Value>>,
    redirect_to: Option<String>,
}

impl LinkRequest {
    fn address(&self) -> Result<String> {
        normalise_email(self.email.as_deref().unwrap_or_default())
    }
}

/// `POST /invite`
pub async fn invite(
    State(auth): State<Arc<Auth>>,
    requester: Requester,
    headers: HeaderMap,
    Query(query): Query<ReturnTo>,
    JsonBody(body): JsonBody<LinkRequest>,
) -> Result<Json<Value>> {
    require_admin(&auth, &headers)?;
    let email = body.address()?;
    let redirect_to = redirect::allowed_or_site(&auth.platform.config, query.redirect_to.as_deref());
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let user = invited_user(&tx, &email, body.data.unwrap_or_default()).await?;
    mail::check_interval(&auth, user.confirmation_sent_at, user.asked_at)?;
    mail::send_link(&auth, &tx, &user, Kind::Invite, &redirect_to, None).await?;
    audit(&tx, "user_invited", &user, &requester).await?;
    let user = user.reload(&tx).await?;
    tx.commit().await?;
    Ok(Json(user.to_json()))
}

/// `POST /admin/generate_link`: the link is returned, no mail is sent.
pub async fn generate_link(
    State(auth): State<Arc<Auth>>,
    requester: Requester,
    headers: HeaderMap,
    JsonBody(body): JsonBody<LinkRequest>,
) -> Result<Json<Value>> {
    require_admin(&auth, &headers)?;
    let email = body.address()?;
    let kind = Kind::parse(body.kind.as_deref().unwrap_or_default())?;
    let redirect_to = redirect::allowed_or_site(&auth.platform.config, body.redirect_to.as_deref());
    let mut hash = None;
    if kind == Kind::Signup {
        let Some(password) = body.password.as_deref().filter(|password| !password.is_empty()) else {
            return Err(AuthError::validation("Signup requires a valid password"));
        };
        password::check_rules(password)?;
        hash = Some(password::hash(password).await?);
    }
    let data = body.data.unwrap_or_default();
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let (user, kind) = match kind {
        Kind::Recovery => (existing(&tx, &email).await?, kind),
        Kind::Invite => (invited_user(&tx, &email, data).await?, kind),
        Kind::Signup => {
            let new = NewUser {
                encrypted_password: hash.as_deref(),
                user_metadata: data,
                ..NewUser::with_email(&email)
            };
            (created_or_unconfirmed(&tx, new).await?, kind)
        }
        Kind::MagicLink => match User::by_email(&tx, &email).await? {
            Some(user) => (user, kind),
            // Whoever follows a sign-in link for a new address signs up by it.
            None => {
                let new = NewUser {
                    user_metadata: data,
                    ..NewUser::with_email(&email)
                };
                (created_or_unconfirmed(&tx, new).await?, Kind::Signup)
            }
        },
        Kind::Email => {
            return Err(AuthError::validation(
                "Invalid email action link type requested: email",
            ));
        }
    };
    let issued = one_time::issue(&auth, &tx, &user, mail::purpose_of(kind), None).await?;
    audit(&tx, "user_link_generated", &user, &requester).await?;
    let mut answer = user.reload(&tx).await?.to_json();
    tx.commit().await?;
    answer["action_link"] = json!(mail::action_link(&auth, kind, &issued.hash, &redirect_to));
    answer["email_otp"] = json!(issued.code);
    answer["hashed_token"] = json!(issued.hash);
    answer["verification_type"] = json!(kind.name());
    answer["redirect_to"] = json!(redirect_to);
    Ok(Json(answer))
}

async fn existing(tx: &Transaction<'_>, email: &str) -> Result<User> {
    User::by_email(tx, email)
        .await?
        .ok_or_else(|| AuthError::new(404, "user_not_found", "User with this email not found"))
}

async fn invited_user(tx: &Transaction<'_>, email: &str, data: Map<String, Value>) -> Result<User> {
    let new = NewUser {
        invited: true,
        user_metadata: data,
        ..NewUser::with_email(email)
    };
    created_or_unconfirmed(tx, new).await
}

async fn created_or_unconfirmed(tx: &Transaction<'_>, new: NewUser<'_>) -> Result<User> {
    let email = new.email;
    if let Some(user) = new.insert(tx).await? {
        return Ok(user);
    }
    let user = existing(tx, email).await?;
    if user.email_confirmed_at.is_some() {
        Err(email_exists())
    } else {
        Ok(user)
    }
}
