//! What Supabase's gateway does before a service sees a request: CORS, the project key, and the swap of opaque keys for
//! the JWTs that stand for them.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use subtle::ConstantTimeEq;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

use crate::platform::Platform;

/// Who a project key stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRole {
    Anon,
    Service,
}

/// What a group of routes demands of the project key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyCheck {
    /// Every path needs one.
    Required,
    /// As `Required`, but for what a browser opens from a mail or a provider, and the public key set.
    RequiredExceptAuthLinks,
    /// As `Required`, and the root (the API description) only with the service key.
    RequiredAndServiceForRoot,
    /// The service looks itself: signed and public URLs carry no key.
    Unchecked,
}

/// Carries the JWT a project key stands for to the services.
const CHECKED_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Paths of Auth that a browser opens without any header.
const AUTH_LINKS: [&str; 4] = ["/verify", "/callback", "/authorize", "/.well-known/jwks.json"];

/// Response headers supabase-js reads; without the exposure, counts and auth error codes are lost in a browser.
const EXPOSED: [&str; 9] = [
    "content-range",
    "content-location",
    "content-profile",
    "x-supabase-api-version",
    "x-sb-error-code",
    "x-total-count",
    "proxy-status",
    "location",
    "retry-after",
];

/// Answers every preflight and lets any origin read: access is decided by tokens, never by cookies.
pub fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([
            Method::GET,
            Method::HEAD,
            Method::PUT,
            Method::PATCH,
            Method::POST,
            Method::DELETE,
            Method::OPTIONS,
        ])
        // Mirrored, as clients keep adding headers and a preflight that lacks one fails the whole call.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(
            EXPOSED
                .map(HeaderName::from_static)
                .into_iter()
                .chain([header::LINK])
                .collect::<Vec<_>>(),
        )
        .max_age(Duration::from_secs(3600))
}

/// Middleware: refuses requests without a valid project key where `check` demands one, and rewrites the headers so
/// that the services only ever see JWTs.
pub async fn project_key(
    State((platform, check)): State<(Arc<Platform>, KeyCheck)>,
    mut request: Request,
    next: Next,
) -> Response {
    // Only the gateway says which key a caller has.
    request.headers_mut().remove(CHECKED_KEY);
    let presented = presented_key(request.headers(), request.uri());
    let role = presented.as_deref().and_then(|key| key_role(&platform, key));
    let path = request.uri().path();
    let needed = match check {
        KeyCheck::Unchecked => false,
        KeyCheck::Required | KeyCheck::RequiredAndServiceForRoot => true,
        KeyCheck::RequiredExceptAuthLinks => !AUTH_LINKS.contains(&path),
    };
    if needed && role.is_none() {
        let message = if presented.is_none() {
            "No API key found in request"
        } else {
            "Invalid API key"
        };
        return refusal(message);
    }
    if check == KeyCheck::RequiredAndServiceForRoot && path == "/" && role != Some(KeyRole::Service) {
        return refusal("The API description is open to the service key only");
    }
    if let Some(role) = role {
        let token = match role {
            KeyRole::Anon => &platform.config.anon_key,
            KeyRole::Service => &platform.config.service_role_key,
        };
        let Ok(token_value) = HeaderValue::from_str(token) else {
            return refusal("Invalid API key");
        };
        let Ok(bearer) = HeaderValue::from_str(&format!("Bearer {token}")) else {
            return refusal("Invalid API key");
        };
        let headers = request.headers_mut();
        headers.insert(CHECKED_KEY, token_value);
        if !carries_user_token(headers) {
            headers.insert(header::AUTHORIZATION, bearer);
        }
    } else if !carries_user_token(request.headers()) {
        request.headers_mut().remove(header::AUTHORIZATION);
    }
    next.run(request).await
}

/// What answers where no service does.
pub async fn no_route() -> Response {
    (
        StatusCode::NOT_FOUND,
        Json(json!({"message": "no service answers at this path"})),
    )
        .into_response()
}

/// Whether `Authorization` holds something that is not itself an opaque project key.
fn carries_user_token(headers: &HeaderMap) -> bool {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| !value.is_empty() && !value.starts_with("Bearer sb_"))
}

/// The project key of a request: the `apikey` header, or the query parameter that sockets and links use.
fn presented_key(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    if let Some(value) = headers.get("apikey") {
        return Some(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    let query = uri.query()?;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix("apikey="))
        .map(str::to_owned)
}

/// Which of the project's keys this is, compared in constant time.
fn key_role(platform: &Platform, key: &str) -> Option<KeyRole> {
    let same = |known: &str| bool::from(known.as_bytes().ct_eq(key.as_bytes()));
    let config = &platform.config;
    if same(&config.anon_key) || config.publishable_key.as_deref().is_some_and(same) {
        Some(KeyRole::Anon)
    } else if same(&config.service_role_key) || config.secret_key.as_deref().is_some_and(same) {
        Some(KeyRole::Service)
    } else {
        None
    }
}

fn refusal(message: &str) -> Response {
    let hint = "Send the project's key in the header `apikey`.";
    (
        StatusCode::UNAUTHORIZED,
        Json(json!({"message": message, "hint": hint})),
    )
        .into_response()
}
