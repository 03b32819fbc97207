//! Mails on request: recovery, a repeated confirmation, a sign-in link.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::caller::{JsonBody, Requester};
use super::error::{AuthError, Result};
use super::one_time::Kind;
use super::pkce::Challenge;
use super::signup::{NewUser, ReturnTo};
use super::user::{User, normalise_email};
use super::{Auth, audit, begin, mail, redirect};

#[derive(Deserialize)]
pub struct MailRequest {
    email: Option<String>,
    phone: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    create_user: Option<bool>,
    data: Option<Map<String, Value>>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

impl MailRequest {
    fn challenge(&self) -> Result<Option<Challenge>> {
        Challenge::parse(
            self.code_challenge.as_deref(),
            self.code_challenge_method.as_deref(),
        )
    }

    fn address(&self, when_missing: &str) -> Result<String> {
        match self.email.as_deref().filter(|email| !email.is_empty()) {
            Some(email) => normalise_email(email),
            None => Err(AuthError::validation(when_missing)),
        }
    }
}

/// `POST /recover`: the same answer whether or not the address is known.
pub async fn recover(
    State(auth): State<Arc<Auth>>,
    requester: Requester,
    Query(query): Query<ReturnTo>,
    JsonBody(body): JsonBody<MailRequest>,
) -> Result<Json<Value>> {
    auth.limits.otp(requester.ip)?;
    let email = body.address("Password recovery requires an email")?;
    let challenge = body.challenge()?;
    let redirect_to = redirect::allowed_or_site(&auth.platform.config, query.redirect_to.as_deref());
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    if let Some(user) = User::by_email(&tx, &email).await? {
        mail::check_interval(&auth, user.recovery_sent_at, user.asked_at)?;
        mail::send_link(
            &auth,
            &tx,
            &user,
            Kind::Recovery,
            &redirect_to,
            challenge.as_ref(),
        )
        .await?;
        audit(&tx, "user_recovery_requested", &user, &requester).await?;
        tx.commit().await?;
    }
    Ok(Json(json!({})))
}

/// `POST /resend`
pub async fn resend(
    State(auth): State<Arc<Auth>>,
    requester: Requester,
    Query(query): Query<ReturnTo>,
    JsonBody(body): JsonBody<MailRequest>,
) -> Result<Json<Value>> {
    auth.limits.otp(requester.ip)?;
    match body.kind.as_deref().unwrap_or_default() {
        "signup" => {}
        "" => {
            return Err(AuthError::validation(
                "Missing one of these types: signup, email_change, sms, phone_change",
            ));
        }
        _ => {
            return Err(AuthError::validation(
                "Only mails of the type signup can be sent again",
            ));
        }
    }
    let email = body.address("Type provided requires an email address")?;
    let challenge = body.challenge()?;
    let redirect_to = redirect::allowed_or_site(&auth.platform.config, query.redirect_to.as_deref());
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let unconfirmed = User::by_email(&tx, &email)
        .await?
        .filter(|user| user.email_confirmed_at.is_none());
    if let Some(user) = unconfirmed {
        mail::check_interval(&auth, user.confirmation_sent_at, user.asked_at)?;
        mail::send_link(&auth, &tx, &user, Kind::Signup, &redirect_to, challenge.as_ref()).await?;
        audit(&tx, "user_confirmation_requested", &user, &requester).await?;
        tx.commit().await?;
    }
    Ok(Json(json!({})))
}

/// `POST /otp`: a sign-in link for a known address, a sign-up confirmation for a new one.
pub async fn magic_link(
    State(auth): State<Arc<Auth>>,
    requester: Requester,
    Query(query): Query<ReturnTo>,
    JsonBody(body): JsonBody<MailRequest>,
) -> Result<Json<Value>> {
    auth.limits.otp(requester.ip)?;
    if body.phone.as_deref().is_some_and(|phone| !phone.is_empty()) {
        return Err(AuthError::new(
            400,
            "phone_provider_disabled",
            "Phone sign-in is not offered",
        ));
    }
    let email = body.address("One of email or phone must be set")?;
    let challenge = body.challenge()?;
    let redirect_to = redirect::allowed_or_site(&auth.platform.config, query.redirect_to.as_deref());
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let user = match User::by_email(&tx, &email).await? {
        Some(user) => user,
        None if body.create_user == Some(false) => {
            return Err(AuthError::new(422, "otp_disabled", "Signups not allowed for otp"));
        }
        None => {
            let new = NewUser {
                user_metadata: body.data.unwrap_or_default(),
                ..NewUser::with_email(&email)
            };
            match new.insert(&tx).await? {
                Some(user) => user,
                None => User::by_email(&tx, &email)
                    .await?
                    .ok_or_else(|| AuthError::unexpected("a user was neither created nor found"))?,
            }
        }
    };
    let (kind, last_sent) = match user.email_confirmed_at {
        Some(_) => (Kind::MagicLink, user.recovery_sent_at),
        None => (Kind::Signup, user.confirmation_sent_at),
    };
    mail::check_interval(&auth, last_sent, user.asked_at)?;
    mail::send_link(&auth, &tx, &user, kind, &redirect_to, challenge.as_ref()).await?;
    tx.commit().await?;
    Ok(Json(json!({})))
}
