//! What the outside world asks of campaigns: tracked links that people tap, and callbacks that report what a tap led to.
//!
//! The database knows the links; here a request is told apart (person or machine) and answered. Tokens, addresses and bodies are never
//! logged, and a visitor is kept only as a keyed hash.

mod conversions;
mod pages;
mod visitor;

use crate::config::{Config, Secret};
use crate::runtime::database::DatabaseError;
use crate::runtime::metrics as names;
use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use deadpool_postgres::Pool;
use metrics::{counter, histogram};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::warn;
use visitor::{Visitors, is_machine};

/// How long a visitor may wait for the database before being asked to try again.
const PATIENCE: Duration = Duration::from_secs(2);
/// 128 random bits in base64url.
const TOKEN_LENGTH: usize = 22;
/// A callback carries a handful of short fields.
const MOST_CALLBACK_BYTES: usize = 16 * 1024;

struct Links {
    pool: Pool,
    visitors: Visitors,
    client_address_header: Option<HeaderName>,
}

/// The routes `/t/{token}` and `/conversions/{org_id}`. The server must hand over the peer's address.
pub fn router(config: &Config, pool: Pool) -> Router {
    let key = config.app_secrets.first().map_or("", |Secret(secret)| secret);
    let links = Arc::new(Links {
        pool,
        visitors: Visitors::new(key),
        client_address_header: config.client_address_header.clone(),
    });
    Router::new()
        .route("/t/{token}", get(follow))
        .route("/conversions/{org_id}", post(conversions::receive))
        .layer(DefaultBodyLimit::max(MOST_CALLBACK_BYTES))
        .with_state(links)
}

/// `HEAD` comes here too: link checkers ask with it, people never do.
async fn follow(
    State(links): State<Arc<Links>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(token): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let started = Instant::now();
    let machine = method == Method::HEAD || is_machine(&headers);
    let answer = if has_shape_of_token(&token) {
        let address = links.client_address(peer, &headers);
        let visitor = links.visitors.hash(&address, &headers);
        links.destination(&token, machine, &visitor).await
    } else {
        Ok(None)
    };
    let (outcome, response) = match answer {
        Ok(Some(destination)) => (if machine { "machine" } else { "person" }, redirect(&destination)),
        Ok(None) => ("unknown", pages::unknown_link()),
        Err(error) => {
            counter!(names::WORKER_ERRORS, "role" => "links").increment(1);
            warn!(%error, "a link could not be looked up");
            ("unavailable", pages::unavailable())
        }
    };
    counter!(names::LINKS_FOLLOWED, "outcome" => outcome).increment(1);
    histogram!(names::LINK_SECONDS).record(started.elapsed().as_secs_f64());
    response
}

impl Links {
    async fn destination(
        &self,
        token: &str,
        machine: bool,
        visitor: &[u8],
    ) -> Result<Option<String>, LookupError> {
        let asking = async {
            let client = self.pool.get().await?;
            let statement = client
                .prepare_cached(include_str!("../../database/queries/follow_link.sql"))
                .await?;
            let row = client
                .query_one(&statement, &[&token, &machine, &visitor])
                .await?;
            Ok::<_, DatabaseError>(row.get(0))
        };
        Ok(tokio::time::timeout(PATIENCE, asking).await??)
    }

    /// Behind a proxy the peer is the proxy, and the header it sets names the client last.
    fn client_address(&self, peer: SocketAddr, headers: &HeaderMap) -> String {
        self.client_address_header
            .as_ref()
            .and_then(|name| headers.get_all(name).iter().next_back()?.to_str().ok())
            .and_then(|value| value.rsplit(',').next())
            .map(|address| address.trim().to_owned())
            .unwrap_or_else(|| peer.ip().to_string())
    }
}

/// Why the database did not answer.
#[derive(Debug, thiserror::Error)]
enum LookupError {
    #[error("{0}")]
    Database(#[from] DatabaseError),
    #[error("no answer in time")]
    Late(#[from] tokio::time::error::Elapsed),
}

fn has_shape_of_token(token: &str) -> bool {
    token.len() == TOKEN_LENGTH
        && token
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn redirect(destination: &str) -> Response {
    let headers = [
        (header::LOCATION, destination),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (StatusCode::FOUND, headers).into_response()
}

#[cfg(test)]
mod tests {
    use super::has_shape_of_token;

    #[test]
    fn only_what_may_be_a_token_is_looked_up() {
        assert!(has_shape_of_token("AbCdEfGhIjKlMnOpQrSt-_"));
        for odd in [
            "",
            "short",
            "AbCdEfGhIjKlMnOpQrSt-_x",
            "AbCdEfGhIjKlMnOpQrSt'_",
            "AbCdEfGhIjKlMnOpQrSé_",
        ] {
            assert!(!has_shape_of_token(odd), "{odd}");
        }
    }
}
