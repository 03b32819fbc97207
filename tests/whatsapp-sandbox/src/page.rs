//! The page for playing a customer: plain files, served from the binary.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::world::World;

pub fn router() -> Router<Arc<World>> {
    Router::new()
        .route(
            "/",
            get(|| async { file("text/html; charset=utf-8", include_str!("../page/index.html")) }),
        )
        .route(
            "/page/style.css",
            get(|| async { file("text/css; charset=utf-8", include_str!("../page/style.css")) }),
        )
        .route(
            "/page/{script}",
            get(
                |axum::extract::Path(script): axum::extract::Path<String>| async move {
                    match script.as_str() {
                        "app.js" => file("text/javascript; charset=utf-8", include_str!("../page/app.js"))
                            .into_response(),
                        "bubbles.js" => file(
                            "text/javascript; charset=utf-8",
                            include_str!("../page/bubbles.js"),
                        )
                        .into_response(),
                        "faults.js" => file(
                            "text/javascript; charset=utf-8",
                            include_str!("../page/faults.js"),
                        )
                        .into_response(),
                        _ => axum::http::StatusCode::NOT_FOUND.into_response(),
                    }
                },
            ),
        )
}

fn file(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    (
        [
            (header::CONTENT_TYPE, content_type),
            (header::CACHE_CONTROL, "no-cache"),
        ],
        text,
    )
}
