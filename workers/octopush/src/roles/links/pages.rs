//! Pages for people whose link leads nowhere: whole in themselves, no script, both themes.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// 404.
pub fn unknown_link() -> Response {
    page(StatusCode::NOT_FOUND, include_str!("unknown_link.html"))
}

/// 503: the link may well be right.
pub fn unavailable() -> Response {
    let mut response = page(StatusCode::SERVICE_UNAVAILABLE, include_str!("unavailable.html"));
    let soon = header::HeaderValue::from_static("5");
    response.headers_mut().insert(header::RETRY_AFTER, soon);
    response
}

fn page(status: StatusCode, html: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ];
    (status, headers, html).into_response()
}
