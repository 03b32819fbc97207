//! Sign-up.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use deadpool_postgres::Transaction;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::caller::{JsonBody, Requester};
use super::error::{AuthError, Result};
use super::one_time::Kind;
use super::pkce::Challenge;
use super::user::{User, made_up_user, normalise_email};
use super::{Auth, audit, begin, mail, password, redirect, session, sql};

/// Where the mailed link returns to.
#[derive(Deserialize)]
pub struct ReturnTo {
    pub redirect_to: Option<String>,
}

#[derive(Deserialize)]
pub struct SignUp {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    data: Option<Map<String, Value>>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// `POST /signup`
pub async fn sign_up(
    State(auth): State<Arc<Auth>>,
    requester: Requester,
    Query(query): Query<ReturnTo>,
    JsonBody(body): JsonBody<SignUp>,
) -> Result<Json<Value>> {
    auth.limits.otp(requester.ip)?;
    if body.phone.is_some_and(|phone| !phone.is_empty()) {
        return Err(AuthError::new(
            400,
            "phone_provider_disabled",
            "Phone signups are disabled",
        ));
    }
    let Some(email) = body.email.filter(|email| !email.is_empty()) else {
        return Err(AuthError::new(
            422,
            "anonymous_provider_disabled",
            "Anonymous sign-ins are disabled",
        ));
    };
    let Some(password) = body.password.filter(|password| !password.is_empty()) else {
        return Err(AuthError::validation("Signup requires a valid password"));
    };
    let email = normalise_email(&email)?;
    password::check_rules(&password)?;
    let challenge = Challenge::parse(
        body.code_challenge.as_deref(),
        body.code_challenge_method.as_deref(),
    )?;
    let data = body.data.unwrap_or_default();
    let config = &auth.platform.config;
    let redirect_to = redirect::allowed_or_site(config, query.redirect_to.as_deref());
    // Before anything is looked up, so that an address that is taken costs the same time.
    let hash = password::hash(&password).await?;

    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let mut existing = User::by_email(&tx, &email).await?;
    let mut created = None;
    if existing.is_none() {
        let new = NewUser {
            encrypted_password: Some(&hash),
            confirmed: config.autoconfirm,
            user_metadata: data.clone(),
            ..NewUser::with_email(&email)
        };
        created = new.insert(&tx).await?;
        if created.is_none() {
            existing = User::by_email(&tx, &email).await?;
        }
    }
    let answer = match (created, existing) {
        (Some(user), _) if config.autoconfirm => {
            audit(&tx, "user_signedup", &user, &requester).await?;
            session::open(&auth, &tx, &user, "password", &requester).await?
        }
        (Some(user), _) => {
            audit(&tx, "user_confirmation_requested", &user, &requester).await?;
            mail::send_link(&auth, &tx, &user, Kind::Signup, &redirect_to, challenge.as_ref()).await?;
            user.reload(&tx).await?.to_json()
        }
        (None, Some(user)) if user.email_confirmed_at.is_none() => {
            mail::check_interval(&auth, user.confirmation_sent_at, user.asked_at)?;
            // The user as first signed up stays: whoever repeats the sign-up has not proved to be the same person.
            mail::send_link(&auth, &tx, &user, Kind::Signup, &redirect_to, challenge.as_ref()).await?;
            user.reload(&tx).await?.to_json()
        }
        (None, Some(_)) if config.autoconfirm => {
            return Err(AuthError::new(
                422,
                "user_already_exists",
                "User already registered",
            ));
        }
        (None, Some(_)) => made_up_user(&email, &Value::Object(data)),
        (None, None) => return Err(AuthError::unexpected("a user was neither created nor found")),
    };
    tx.commit().await.map_err(saving_failed)?;
    Ok(Json(answer))
}

/// A user about to be inserted.
pub struct NewUser<'a> {
    pub id: Uuid,
    pub email: &'a str,
    pub role: &'a str,
    pub encrypted_password: Option<&'a str>,
    pub confirmed: bool,
    pub invited: bool,
    pub app_metadata: Map<String, Value>,
    pub user_metadata: Map<String, Value>,
}

impl<'a> NewUser<'a> {
    /// An unconfirmed user without a password.
    pub fn with_email(email: &'a str) -> Self {
        Self {
            id: Uuid::new_v4(),
            email,
            role: "authenticated",
            encrypted_password: None,
            confirmed: false,
            invited: false,
            app_metadata: Map::new(),
            user_metadata: Map::new(),
        }
    }

    /// Inserts user and e-mail identity; `None` when the address (or id) is taken.
    pub async fn insert(self, tx: &Transaction<'_>) -> Result<Option<User>> {
        let mut identity_data = self.user_metadata;
        for (name, value) in [
            ("sub", json!(self.id)),
            ("email", json!(self.email)),
            ("email_verified", json!(self.confirmed)),
            ("phone_verified", json!(false)),
        ] {
            identity_data.insert(name.into(), value);
        }
        let identity_data = Value::Object(identity_data);
        let mut app_metadata = self.app_metadata;
        app_metadata.insert("provider".into(), json!("email"));
        app_metadata.insert("providers".into(), json!(["email"]));
        let inserted = tx
            .execute(
                sql::INSERT_USER,
                &[
                    &self.id,
                    &self.role,
                    &self.email,
                    &self.encrypted_password.unwrap_or_default(),
                    &self.confirmed,
                    &self.invited,
                    &Value::Object(app_metadata),
                    &identity_data,
                ],
            )
            .await
            .map_err(saving_failed)?;
        if inserted == 0 {
            return Ok(None);
        }
        tx.execute(sql::INSERT_IDENTITY, &[&self.id, &identity_data])
            .await
            .map_err(saving_failed)?;
        User::by_id(tx, self.id).await
    }
}

/// A trigger of the application refused the row, most likely: said as GoTrue says it.
fn saving_failed(error: tokio_postgres::Error) -> AuthError {
    let error = AuthError::from(error);
    if error.is_unavailable() {
        error
    } else {
        error.saying("Database error saving new user")
    }
}
