//! The state REST answers from: a pool as `authenticator` and the schema it has read, renewed when Postgres says so.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use postrust_core::config::RoleSettings;
use postrust_core::{AppConfig, SchemaCache};
use postrust_server::AppState;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::sync::{mpsc, watch};
use tokio_postgres::config::Host;
use tokio_postgres::{AsyncMessage, Client, NoTls};

use super::serving::Serving;
use super::shape;
use crate::jwt::Keys;
use crate::platform::Platform;

/// The values Supabase runs PostgREST with.
const SCHEMA: &str = "public";
const MAX_ROWS: i64 = 1000;
const POOL_SIZE: u32 = 10;
const POOL_WAIT: Duration = Duration::from_secs(10);
/// Above any request a browser should send; uploads go to Storage.
pub const MAX_BODY_BYTES: usize = 20 * 1024 * 1024;

/// A migration notifies once per statement: they are gathered until it is quiet this long, but not forever.
const QUIET: Duration = Duration::from_millis(50);
const GATHER_AT_MOST: Duration = Duration::from_millis(500);

/// Between attempts to reach a database that is gone.
const RETRY: Duration = Duration::from_millis(250);

const ROLE_TIMEOUTS: &str = include_str!("role_timeouts.sql");

/// What the REST handler shares.
pub struct Backend {
    platform: Arc<Platform>,
    current: watch::Sender<Option<Arc<Serving>>>,
}

/// A connection that hears `NOTIFY pgrst`. Its end is the sign that the database went away.
struct Listener {
    _client: Client,
    notified: mpsc::Receiver<()>,
}

impl Backend {
    /// Nothing is read until [`Backend::keep_current`] runs.
    pub fn new(platform: Arc<Platform>) -> Arc<Self> {
        Arc::new(Self {
            platform,
            current: watch::Sender::new(None),
        })
    }

    /// The state to answer from, or nothing while the database cannot be reached.
    pub fn current(&self) -> Option<Arc<Serving>> {
        self.current.borrow().clone()
    }

    /// Completes when the database is lost.
    pub async fn lost(&self) {
        let mut current = self.current.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = current.wait_for(Option::is_none).await;
    }

    /// The project's keys.
    pub fn keys(&self) -> &Keys {
        &self.platform.jwt
    }

    /// Reads the schema, follows its changes and reconnects, until the server stops.
    pub async fn keep_current(self: Arc<Self>) {
        let shutdown = self.platform.shutdown.clone();
        tokio::select! {
            () = self.follow_forever() => {}
            () = shutdown.cancelled() => {}
        }
    }

    async fn follow_forever(&self) {
        let mut reported = false;
        loop {
            match self.attach().await {
                Ok(listener) => {
                    reported = false;
                    let cause = self.follow(listener).await;
                    // Tried again at once: one dropped connection is not a database that is down.
                    tracing::info!(
                        cause = format!("{cause:#}"),
                        "the schema listener lost its connection"
                    );
                }
                Err(cause) => {
                    if !reported {
                        tracing::warn!(
                            cause = format!("{cause:#}"),
                            "REST cannot read the database, retrying"
                        );
                        reported = true;
                    }
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// Listens first and reads then, so that no change falls between.
    async fn attach(&self) -> anyhow::Result<Listener> {
        let connected = self.platform.config.db.connect(NoTls).await;
        if connected.is_err() {
            // Only this counts as lost: what was read before still serves if reading again fails for another reason.
            self.current.send_replace(None);
        }
        let (client, mut connection) = connected.context("cannot connect to listen for schema changes")?;
        // One place is enough: a second notification before the first is handled says nothing new.
        let (sender, notified) = mpsc::channel(1);
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if matches!(message, AsyncMessage::Notification(_)) {
                    let _ = sender.try_send(());
                }
            }
        });
        client.batch_execute("listen pgrst").await?;
        self.load().await?;
        Ok(Listener {
            _client: client,
            notified,
        })
    }

    /// Reloads on every notification; returns why it ended.
    async fn follow(&self, mut listener: Listener) -> anyhow::Error {
        while listener.notified.recv().await.is_some() {
            let gather = async {
                while let Ok(Some(())) = tokio::time::timeout(QUIET, listener.notified.recv()).await {}
            };
            let _ = tokio::time::timeout(GATHER_AT_MOST, gather).await;
            if let Err(cause) = self.load().await {
                return cause.context("cannot read the schema again");
            }
        }
        anyhow::anyhow!("the connection closed")
    }

    async fn load(&self) -> anyhow::Result<()> {
        // A pool of its own for every schema read: statements prepared for the old one must not be run again.
        let login = self.connect_options("authenticator", &self.platform.config.authenticator_password)?;
        let pool = |login| {
            PgPoolOptions::new()
                .max_connections(POOL_SIZE)
                .acquire_timeout(POOL_WAIT)
                .connect_lazy_with(login)
        };
        let any = pool(login.clone());
        let reading = pool(login.options([("default_transaction_read_only", "on")]));
        // PostgREST knows every relation and lets Postgres refuse; this reader lists only what the login may become
        // someone to use, and would answer 404 for the rest. So it reads as supabase_admin.
        let db = &self.platform.config.db;
        let password = String::from_utf8_lossy(db.get_password().unwrap_or_default());
        let reader = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(POOL_WAIT)
            .connect_lazy_with(self.connect_options(db.get_user().unwrap_or("supabase_admin"), &password)?);
        let serving = self.read(&reader, any, reading).await;
        reader.close().await;
        let serving = serving?;
        if let Some(previous) = self.current.send_replace(Some(Arc::new(serving))) {
            tokio::spawn(async move { previous.close().await });
        }
        tracing::debug!("REST has read the schema");
        Ok(())
    }

    async fn read(&self, reader: &PgPool, any: PgPool, reading: PgPool) -> anyhow::Result<Serving> {
        let mut config = AppConfig::default();
        config.db_schemas = vec![SCHEMA.to_owned()];
        config.db_extra_search_path = vec!["public".to_owned(), "extensions".to_owned()];
        config.db_anon_role = Some("anon".to_owned());
        config.db_max_rows = Some(MAX_ROWS);
        config.max_body_size = MAX_BODY_BYTES;
        config.jwt_secret = Some(self.platform.config.jwt_secret.clone());
        config.compat_mode = true;
        config.openapi_server_proxy_uri = Some(format!("{}/rest/v1", self.platform.config.url));
        config.role_settings = role_timeouts(reader).await?;
        let mut schema =
            SchemaCache::load_with_search_path(reader, &config.db_schemas, &config.db_extra_search_path)
                .await?;
        shape::complete(&mut schema);
        let state = |pool| {
            AppState::new(pool, schema.clone(), config.clone())
                .map_err(|e| anyhow::anyhow!("SUPABASE_JWT_SECRET: {e}"))
        };
        let (any, reading) = (state(any)?, state(reading)?);
        Ok(Serving::new(SCHEMA, schema, config, any, reading))
    }

    /// Where `db_url` points, logging in as `role`.
    fn connect_options(&self, role: &str, password: &str) -> anyhow::Result<PgConnectOptions> {
        let config = &self.platform.config;
        let mut options = PgConnectOptions::new_without_pgpass()
            .username(role)
            .password(password)
            .application_name("supabase-embedded rest");
        options = match config.db.get_hosts().first() {
            Some(Host::Tcp(host)) => options.host(host),
            Some(Host::Unix(directory)) => options.socket(directory),
            None => bail!("SUPABASE_DB_URL names no host"),
        };
        if let Some(port) = config.db.get_ports().first() {
            options = options.port(*port);
        }
        if let Some(database) = config.db.get_dbname() {
            options = options.database(database);
        }
        Ok(options)
    }
}

/// What `alter role … set statement_timeout` says of the roles requests run as. The login's own applies otherwise,
/// and Postgres does not apply another role's settings by itself.
async fn role_timeouts(pool: &PgPool) -> anyhow::Result<HashMap<String, RoleSettings>> {
    let rows: Vec<(String, String)> = sqlx::query_as(ROLE_TIMEOUTS).fetch_all(pool).await?;
    let mut timeouts = HashMap::new();
    for (role, setting) in rows {
        let mut settings = RoleSettings::default();
        settings.statement_timeout = Some(
            milliseconds(&setting).with_context(|| format!("statement_timeout of {role}: {setting:?}"))?,
        );
        timeouts.insert(role, settings);
    }
    Ok(timeouts)
}

/// A duration as Postgres writes its settings: milliseconds unless a unit follows.
fn milliseconds(setting: &str) -> Option<u64> {
    let text = setting.trim().trim_matches('\'');
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let amount: u64 = text[..digits].parse().ok()?;
    let factor = match text[digits..].trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    amount.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn durations_are_read_as_postgres_reads_them() {
        assert_eq!(milliseconds("3s"), Some(3000));
        assert_eq!(milliseconds("250"), Some(250));
        assert_eq!(milliseconds("'2min'"), Some(120_000));
        assert_eq!(milliseconds("0"), Some(0));
        assert_eq!(milliseconds("soon"), None);
    }
}
