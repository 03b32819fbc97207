//! Auth: the subset of GoTrue that e-mail and password sign-in needs. Nested at `/auth/v1`.

mod account;
mod admin;
mod admin_links;
mod caller;
mod error;
mod limits;
mod mail;
pub mod mailbox;
mod one_time;
mod password;
mod pkce;
mod recover;
mod redirect;
mod session;
mod settings;
mod signup;
mod sql;
mod token;
mod user;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use axum::routing::{get, post};
use axum::{Router, middleware};
use deadpool_postgres::{Object, Transaction};

use crate::platform::Platform;
use error::{AuthError, Result};
use limits::AttemptLimits;

/// How often buckets that are full again are dropped.
const FORGET_BUCKETS_EVERY: Duration = Duration::from_secs(60);
/// How often mails and flows that nobody can use any more are deleted.
const FORGET_ROWS_EVERY: Duration = Duration::from_secs(3600);

/// What the handlers share.
pub struct Auth {
    platform: Arc<Platform>,
    limits: AttemptLimits,
}

impl Auth {
    /// A connection of the admin pool.
    async fn client(&self) -> Result<Object> {
        Ok(self.platform.pool.get().await?)
    }
}

/// A transaction as `supabase_auth_admin`: triggers on Auth's tables must meet the same rights as on the real one.
async fn begin(client: &mut Object) -> Result<Transaction<'_>> {
    let tx = client.transaction().await?;
    tx.batch_execute(sql::BEGIN).await?;
    Ok(tx)
}

/// Routes below `/auth/v1`.
pub fn router(platform: Arc<Platform>) -> Router {
    let auth = Arc::new(Auth {
        limits: AttemptLimits::new(&platform.config.limits),
        platform,
    });
    tokio::spawn(tend(auth.clone()));
    Router::new()
        .route("/signup", post(signup::sign_up))
        .route("/token", post(token::grant))
        .route("/verify", get(verify::follow_link).post(verify::verify))
        .route("/resend", post(recover::resend))
        .route("/recover", post(recover::recover))
        .route("/otp", post(recover::magic_link))
        .route("/magiclink", post(recover::magic_link))
        .route("/user", get(account::get_user).put(account::update_user))
        .route("/authorize", get(settings::authorize))
        .route("/reauthenticate", get(account::reauthenticate))
        .route("/logout", post(account::logout))
        .route("/settings", get(settings::settings))
        .route("/health", get(settings::health))
        .route("/.well-known/jwks.json", get(settings::jwks))
        .route("/invite", post(admin_links::invite))
        .route("/admin/generate_link", post(admin_links::generate_link))
        .route("/admin/users", get(admin::list_users).post(admin::create_user))
        .route(
            "/admin/users/{id}",
            get(admin::get_user)
                .put(admin::update_user)
                .delete(admin::delete_user),
        )
        .fallback(settings::unknown_path)
        .layer(middleware::from_fn(error::shape_errors))
        .with_state(auth)
}

async fn tend(auth: Arc<Auth>) {
    password::warm_up().await;
    let mut buckets = tokio::time::interval(FORGET_BUCKETS_EVERY);
    let mut rows = tokio::time::interval(FORGET_ROWS_EVERY);
    loop {
        tokio::select! {
            _ = buckets.tick() => auth.limits.forget_idle(),
            _ = rows.tick() => {
                if let Err(error) = forget_old_rows(&auth).await {
                    tracing::debug!(error = error.message(), "old mails and flows are kept until the next turn");
                }
            }
            () = auth.platform.shutdown.cancelled() => return,
        }
    }
}

async fn forget_old_rows(auth: &Auth) -> Result<()> {
    let mut client = auth.client().await?;
    let tx = begin(&mut client).await?;
    tx.batch_execute(sql::FORGET_OLD).await?;
    Ok(tx.commit().await?)
}

/// Notes who did what, in GoTrue's shape.
async fn audit(
    tx: &Transaction<'_>,
    action: &str,
    actor: &user::User,
    requester: &caller::Requester,
) -> Result<()> {
    let payload = serde_json::json!({
        "action": action,
        "actor_id": actor.id,
        "actor_username": actor.email,
        "actor_via_sso": false,
        "log_type": match action {
            "login" | "logout" => "account",
            "token_refreshed" | "token_revoked" => "token",
            "user_signedup" | "user_invited" | "user_deleted" => "team",
            _ => "user",
        },
        "traits": {"provider": "email"},
    });
    tx.execute(sql::INSERT_AUDIT_ENTRY, &[&payload, &requester.ip.to_string()])
        .await?;
    Ok(())
}

/// Ends a transaction that an inner refusal must not undo, such as the revocation of a stolen token's family.
async fn commit_with<T>(tx: Transaction<'_>, outcome: std::result::Result<T, AuthError>) -> Result<T> {
    tx.commit().await?;
    outcome
}
