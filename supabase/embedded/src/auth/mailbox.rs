//! The local mailbox: every mail Auth sends, as a page for people and as JSON for tests.
//!
//! Whoever reads it can take over accounts, so it is served only where the stack is reached by a loopback name (or the
//! operator says otherwise), only under that name, and never to other origins.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::{AuthError, Result};
use super::sql;
use crate::platform::Platform;

/// Mails shown at once.
const PAGE_SIZE: i64 = 100;

const PAGE_HEAD: &str = include_str!("mailbox_head.html");

struct Mail {
    id: Uuid,
    to: String,
    subject: String,
    body_text: String,
    links: Vec<String>,
    token: Option<String>,
    token_hash: Option<String>,
    created_at: DateTime<Utc>,
}

/// Routes below `/mailbox`, empty where the mailbox is switched off.
pub fn router(platform: Arc<Platform>) -> Router {
    if !platform.config.mailbox {
        return Router::new();
    }
    Router::new()
        .route("/", get(page))
        .route("/api/messages", get(messages))
        .layer(middleware::from_fn_with_state(platform.clone(), own_name_only))
        .with_state(platform)
}

/// A page of another site may point a name of its own at this address; only the stack's own names are answered.
async fn own_name_only(State(platform): State<Arc<Platform>>, request: Request, next: Next) -> Response {
    let name = |headers: &HeaderMap| {
        let host = headers.get(header::HOST)?.to_str().ok()?;
        let authority: axum::http::uri::Authority = host.parse().ok()?;
        Some(authority.host().to_ascii_lowercase())
    };
    let known = name(request.headers()).is_some_and(|host| {
        crate::config::is_loopback_name(&host) || platform.config.host() == Some(host.as_str())
    });
    if known {
        next.run(request).await
    } else {
        StatusCode::MISDIRECTED_REQUEST.into_response()
    }
}

#[derive(Deserialize)]
struct Filter {
    to: Option<String>,
}

async fn load(platform: &Platform, filter: Filter) -> Result<Vec<Mail>> {
    let to = filter
        .to
        .map(|to| to.trim().to_lowercase())
        .filter(|to| !to.is_empty());
    let client = platform.pool.get().await?;
    let rows = client.query(sql::MAILS, &[&to, &PAGE_SIZE]).await?;
    Ok(rows
        .iter()
        .map(|row| Mail {
            id: row.get("id"),
            to: row.get("recipient"),
            subject: row.get("subject"),
            body_text: row.get("body_text"),
            links: row.get("links"),
            token: row.get("token"),
            token_hash: row.get("token_hash"),
            created_at: row.get("created_at"),
        })
        .collect())
}

async fn messages(
    State(platform): State<Arc<Platform>>,
    Query(filter): Query<Filter>,
) -> Result<Json<Value>> {
    let mails = load(&platform, filter).await?;
    Ok(Json(
        mails
            .iter()
            .map(|mail| {
                json!({
                    "id": mail.id,
                    "to": mail.to,
                    "subject": mail.subject,
                    "body_text": mail.body_text,
                    "links": mail.links,
                    "token": mail.token,
                    "token_hash": mail.token_hash,
                    "created_at": mail.created_at.to_rfc3339_opts(SecondsFormat::Micros, true),
                })
            })
            .collect(),
    ))
}

async fn page(State(platform): State<Arc<Platform>>, Query(filter): Query<Filter>) -> Response {
    let shown = filter.to.clone().unwrap_or_default();
    match load(&platform, filter).await {
        Ok(mails) => {
            let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
                          frame-ancestors 'none'";
            let headers = [
                (header::CONTENT_SECURITY_POLICY, policy),
                (header::CACHE_CONTROL, "no-store"),
                (header::REFERRER_POLICY, "no-referrer"),
            ];
            (headers, Html(render(&mails, &shown))).into_response()
        }
        Err(AuthError { .. }) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The mailbox cannot be read: the database is unavailable.\n",
        )
            .into_response(),
    }
}

fn render(mails: &[Mail], shown: &str) -> String {
    let mut html = PAGE_HEAD.replace("{to}", &escape(shown));
    if mails.is_empty() {
        html.push_str("<p>No mail yet. Sign up or ask for a new password, then reload this page.</p>\n");
    }
    for mail in mails {
        let time = mail.created_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let _ = write!(
            html,
            "<article aria-labelledby=\"m{id}\">\n<h2 id=\"m{id}\">{subject}</h2>\n<p class=\"meta\">To <b>{to}</b>, \
             <time datetime=\"{time}\">{time}</time></p>\n<pre>{body}</pre>\n",
            id = mail.id,
            subject = escape(&mail.subject),
            to = escape(&mail.to),
            body = with_links(&mail.body_text, &mail.links),
        );
        html.push_str("</article>\n");
    }
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// The escaped body with its known links made followable; no other text ever becomes markup.
fn with_links(body: &str, links: &[String]) -> String {
    let mut html = escape(body);
    for link in links
        .iter()
        .filter(|link| link.starts_with("http://") || link.starts_with("https://"))
    {
        let escaped = escape(link);
        html = html.replace(&escaped, &format!("<a href=\"{escaped}\">{escaped}</a>"));
    }
    html
}

fn escape(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut escaped, c| {
            match c {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&#39;"),
                other => escaped.push(other),
            }
            escaped
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_mail_becomes_markup() {
        let mail = Mail {
            id: Uuid::nil(),
            to: "<script>alert(1)</script>@x".to_owned(),
            subject: "\"><img src=x>".to_owned(),
            body_text: "see http://a/?x=1&y=<b> and javascript:alert(1)".to_owned(),
            links: vec!["http://a/?x=1&y=<b>".to_owned(), "javascript:alert(1)".to_owned()],
            token: None,
            token_hash: None,
            created_at: Utc::now(),
        };
        let html = render(&[mail], "'\"><i>");
        for bad in ["<script", "<img", "<b> and", "<i>", "href=\"javascript"] {
            assert!(!html.contains(bad), "{bad}");
        }
        assert!(html.contains("<a href=\"http://a/?x=1&amp;y=&lt;b&gt;\">"));
    }
}
