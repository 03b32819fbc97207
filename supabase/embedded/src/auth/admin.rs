//! User administration with the service key.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use deadpool_postgres::Transaction;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::account::merged;
use super::caller::{JsonBody, Requester, require_admin};
use super::error::{AuthError, Result};
use super::signup::NewUser;
use super::user::{User, normalise_email};
use super::{Auth, audit, begin, password, sql};

#[derive(Deserialize)]
pub struct Page {
    page: Option<String>,
    per_page: Option<String>,
}

/// `GET /admin/users?page=&per_page=`
pub async fn list_users(
    State(auth): State<Arc<Auth>>,
    headers: HeaderMap,
    Query(query): Query<Page>,
) -> Result<Response> {
    require_admin(&auth, &headers)?;
    let number = |text: Option<String>, default: i64| match text.filter(|text| !text.is_empty()) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .ok()
            .filter(|n| (1..=1_000_000).contains(n))
            .ok_or_else(|| AuthError::validation("Bad Pagination Parameters")),
    };
    let page = number(query.page, 1)?;
    let per_page = number(query.per_page, 50)?.min(1000);
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let total: i64 = tx.query_one(sql::USERS_COUNT, &[]).await?.get(0);
    let users = tx
        .query(sql::USERS_PAGE, &[&per_page, &((page - 1) * per_page)])
        .await?
        .iter()
        .map(|row| User::from_row(row).map(|user| user.to_json()))
        .collect::<Result<Vec<Value>>>()?;
    tx.commit().await?;

    let last = (total.max(1) + per_page - 1) / per_page;
    let link =
        |page: i64, rel: &str| format!("</admin/users?page={page}&per_page={per_page}>; rel=\"{rel}\"");
    let links = match page < last {
        true => format!("{}, {}", link(page + 1, "next"), link(last, "last")),
        false => link(last, "last"),
    };
    let mut response = Json(json!({"users": users, "aud": "authenticated"})).into_response();
    response
        .headers_mut()
        .insert("x-total-count", HeaderValue::from(total));
    response.headers_mut().insert(
        header::LINK,
        HeaderValue::from_str(&links).map_err(AuthError::unexpected)?,
    );
    Ok(response)
}

#[derive(Deserialize)]
pub struct UserFields {
    id: Option<Uuid>,
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    email_confirm: Option<bool>,
    role: Option<String>,
    user_metadata: Option<Map<String, Value>>,
    app_metadata: Option<Map<String, Value>>,
    ban_duration: Option<String>,
}

impl UserFields {
    /// Refuses what would otherwise be dropped silently.
    fn check(&self) -> Result<()> {
        if self.phone.as_deref().is_some_and(|phone| !phone.is_empty()) {
            return Err(AuthError::new(
                422,
                "phone_provider_disabled",
                "Phone numbers are not supported",
            ));
        }
        Ok(())
    }

    fn given_role(&self) -> Option<&str> {
        self.role.as_deref().filter(|role| !role.is_empty())
    }

    async fn password_hash(&self) -> Result<Option<String>> {
        match self.password.as_deref().filter(|password| !password.is_empty()) {
            None => Ok(None),
            Some(password) => {
                password::check_rules(password)?;
                password::hash(password).await.map(Some)
            }
        }
    }
}

/// `POST /admin/users`
pub async fn create_user(
    State(auth): State<Arc<Auth>>,
    requester: Requester,
    headers: HeaderMap,
    JsonBody(fields): JsonBody<UserFields>,
) -> Result<Json<Value>> {
    require_admin(&auth, &headers)?;
    fields.check()?;
    let Some(email) = fields.email.as_deref().filter(|email| !email.is_empty()) else {
        return Err(AuthError::validation(
            "Cannot create a user without either an email or phone",
        ));
    };
    let email = normalise_email(email)?;
    let ban = fields.ban_duration.as_deref().map(ban_seconds).transpose()?;
    let hash = fields.password_hash().await?;
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let new = NewUser {
        id: fields.id.unwrap_or_else(Uuid::new_v4),
        role: fields.given_role().unwrap_or("authenticated"),
        encrypted_password: hash.as_deref(),
        confirmed: fields.email_confirm.unwrap_or(false),
        app_metadata: fields.app_metadata.clone().unwrap_or_default(),
        user_metadata: fields.user_metadata.clone().unwrap_or_default(),
        ..NewUser::with_email(&email)
    };
    let user = new.insert(&tx).await?.ok_or_else(email_exists)?;
    if let Some(seconds) = ban {
        tx.execute(sql::SET_BAN, &[&user.id, &seconds]).await?;
    }
    audit(&tx, "user_signedup", &user, &requester).await?;
    let user = user.reload(&tx).await?;
    tx.commit().await?;
    Ok(Json(user.to_json()))
}

/// `GET /admin/users/{id}`
pub async fn get_user(
    State(auth): State<Arc<Auth>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>> {
    require_admin(&auth, &headers)?;
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let user = find(&tx, &id).await?;
    tx.commit().await?;
    Ok(Json(user.to_json()))
}

/// `PUT /admin/users/{id}`
pub async fn update_user(
    State(auth): State<Arc<Auth>>,
    requester: Requester,
    headers: HeaderMap,
    Path(id): Path<String>,
    JsonBody(fields): JsonBody<UserFields>,
) -> Result<Json<Value>> {
    require_admin(&auth, &headers)?;
    fields.check()?;
    let ban = fields.ban_duration.as_deref().map(ban_seconds).transpose()?;
    let email = fields
        .email
        .as_deref()
        .filter(|email| !email.is_empty())
        .map(normalise_email)
        .transpose()?;
    let hash = fields.password_hash().await?;
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let user = find(&tx, &id).await?;
    tx.query_opt(sql::LOCK_USER, &[&user.id]).await?;
    let user = user.reload(&tx).await?;
    if let Some(email) = email.filter(|email| *email != user.email) {
        if User::by_email(&tx, &email).await?.is_some() {
            return Err(email_exists());
        }
        tx.execute(sql::SET_EMAIL, &[&user.id, &email]).await?;
    }
    if let Some(hash) = hash {
        tx.execute(sql::SET_PASSWORD, &[&user.id, &hash]).await?;
        tx.execute(sql::DELETE_SESSIONS_ALL, &[&user.id]).await?;
    }
    if fields.email_confirm == Some(true) {
        tx.execute(sql::CONFIRM_USER, &[&user.id]).await?;
    }
    if let Some(seconds) = ban {
        tx.execute(sql::SET_BAN, &[&user.id, &seconds]).await?;
    }
    let user = user.reload(&tx).await?;
    let role = fields.given_role().map(str::to_owned);
    let user_metadata = merged(&user.user_metadata, fields.user_metadata.unwrap_or_default());
    let app_metadata = merged(&user.app_metadata, fields.app_metadata.unwrap_or_default());
    tx.execute(
        sql::SET_METADATA,
        &[&user.id, &user_metadata, &app_metadata, &role],
    )
    .await?;
    audit(&tx, "user_modified", &user, &requester).await?;
    let user = user.reload(&tx).await?;
    tx.commit().await?;
    Ok(Json(user.to_json()))
}

/// `DELETE /admin/users/{id}`: the row goes; what refers to it decides by its foreign key.
pub async fn delete_user(
    State(auth): State<Arc<Auth>>,
    requester: Requester,
    headers: HeaderMap,
    Path(id): Path<String>,
    JsonBody(options): JsonBody<Map<String, Value>>,
) -> Result<Json<Value>> {
    require_admin(&auth, &headers)?;
    if options.get("should_soft_delete") == Some(&Value::Bool(true)) {
        return Err(AuthError::validation(
            "The embedded stack deletes users for good only",
        ));
    }
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    let user = find(&tx, &id).await?;
    tx.execute(sql::DELETE_USER, &[&user.id]).await.map_err(|error| {
        let error = AuthError::from(error);
        if error.is_unavailable() {
            error
        } else {
            error.saying("Database error deleting user")
        }
    })?;
    audit(&tx, "user_deleted", &user, &requester).await?;
    tx.commit().await?;
    Ok(Json(json!({})))
}

async fn find(tx: &Transaction<'_>, id: &str) -> Result<User> {
    let id: Uuid = id
        .parse()
        .map_err(|_| AuthError::new(404, "validation_failed", "user_id must be an UUID"))?;
    User::by_id(tx, id)
        .await?
        .ok_or_else(|| AuthError::new(404, "user_not_found", "User not found"))
}

/// The refusal of an address that another user has.
pub fn email_exists() -> AuthError {
    AuthError::new(
        422,
        "email_exists",
        "A user with this email address has already been registered",
    )
}

/// Seconds of a duration such as `1h30m` or `45s`; `none` lifts a ban and is zero.
fn ban_seconds(text: &str) -> Result<f64> {
    let invalid =
        || AuthError::validation("invalid format for ban duration: use none or units such as 24h, 90m, 30s");
    if text == "none" {
        return Ok(0.0);
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let split = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(invalid)?;
        let amount: f64 = rest[..split].parse().map_err(|_| invalid())?;
        let unit_end = rest[split..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |at| split + at);
        let factor = match &rest[split..unit_end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            _ => return Err(invalid()),
        };
        total += amount * factor;
        rest = &rest[unit_end..];
    }
    if total > 0.0 { Ok(total) } else { Err(invalid()) }
}

#[cfg(test)]
mod tests {
    use super::ban_seconds;

    #[test]
    fn ban_durations_are_those_of_go() {
        assert_eq!(ban_seconds("1h30m").unwrap(), 5400.0);
        assert_eq!(ban_seconds("45s").unwrap(), 45.0);
        assert_eq!(ban_seconds("none").unwrap(), 0.0);
        for bad in ["", "h", "10", "1d", "-1h", "1hh"] {
            assert!(ban_seconds(bad).is_err(), "{bad:?}");
        }
    }
}
