//! What Auth says about itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde_json::{Map, Value, json};

use super::Auth;
use super::error::AuthError;

/// Providers clients may ask about; only e-mail is offered.
const PROVIDERS: [&str; 21] = [
    "anonymous_users",
    "apple",
    "azure",
    "bitbucket",
    "discord",
    "facebook",
    "figma",
    "fly",
    "github",
    "gitlab",
    "google",
    "kakao",
    "keycloak",
    "linkedin_oidc",
    "notion",
    "phone",
    "slack_oidc",
    "spotify",
    "twitch",
    "twitter",
    "zoom",
];

/// `GET /settings`
pub async fn settings(State(auth): State<Arc<Auth>>) -> Json<Value> {
    let mut external: Map<String, Value> = PROVIDERS
        .iter()
        .map(|name| ((*name).into(), json!(false)))
        .collect();
    external.insert("email".into(), json!(true));
    Json(json!({
        "external": external,
        "disable_signup": false,
        "mailer_autoconfirm": auth.platform.config.autoconfirm,
        "phone_autoconfirm": false,
        "sms_provider": "",
        "saml_enabled": false,
    }))
}

/// `GET /health`: that the process answers, as on GoTrue; the gateway's own `/health` asks the database too.
pub async fn health() -> Json<Value> {
    Json(json!({
        "version": concat!("embedded-", env!("CARGO_PKG_VERSION")),
        "name": "supabase-embedded auth",
        "description": "User registration and authentication, the subset of GoTrue that e-mail sign-in needs",
    }))
}

/// `GET /.well-known/jwks.json`: no keys, since a shared secret is never published; clients then ask `/user`.
pub async fn jwks() -> Json<Value> {
    Json(json!({"keys": []}))
}

/// `GET /authorize`: sign-in through another provider, of which none is enabled.
pub async fn authorize() -> AuthError {
    AuthError::validation("Unsupported provider: provider is not enabled")
}

/// Endpoints of GoTrue that are not part of the subset.
pub async fn unknown_path(uri: Uri) -> AuthError {
    AuthError::new(
        404,
        "not_found",
        format!("The embedded Auth server has no endpoint {}", uri.path()),
    )
}
