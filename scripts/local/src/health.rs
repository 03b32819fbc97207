//! Is it up? One question a process.

use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::NoTls;

/// How one look may take; on loopback an answer that takes longer is no healthy one.
const LOOK_LIMIT: Duration = Duration::from_secs(2);

/// What to ask.
#[derive(Clone)]
pub enum Health {
    /// A GET that must answer 2xx.
    Http { url: String, api_key: Option<String> },
    /// A connection that must answer a query.
    Postgres { url: String },
}

impl Health {
    pub fn http(url: String) -> Self {
        Self::Http { url, api_key: None }
    }

    /// One look.
    pub async fn is_good(&self, client: &reqwest::Client) -> bool {
        timeout(LOOK_LIMIT, self.look(client)).await.unwrap_or(false)
    }

    async fn look(&self, client: &reqwest::Client) -> bool {
        match self {
            Self::Http { url, api_key } => {
                let mut request = client.get(url);
                if let Some(key) = api_key {
                    request = request.header("apikey", key);
                }
                request
                    .send()
                    .await
                    .is_ok_and(|answer| answer.status().is_success())
            }
            Self::Postgres { url } => {
                let Ok((client, connection)) = tokio_postgres::connect(url, NoTls).await else {
                    return false;
                };
                let driver = tokio::spawn(connection);
                let answer = client.simple_query("select 1").await;
                drop(client);
                driver.await.ok();
                answer.is_ok()
            }
        }
    }
}

/// The client for [`Health`]: loopback only, so a proxy of the environment must not come between.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client without TLS settings can always be made")
}
