//! What every service of the stack shares: settings, the admin pool, the keys and the end of the run.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::NoTls;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::jwt::Keys;
use crate::realtime::Realtime;

/// Shared by all services of one running stack.
pub struct Platform {
    pub config: Config,
    /// Connections as `supabase_admin`. Act for a caller only inside a transaction that does `set local role`.
    pub pool: Pool,
    pub jwt: Keys,
    /// Topics, subscriptions and limits of Realtime: its routes and its background tasks meet here.
    pub realtime: Realtime,
    /// Fires when the server is asked to stop; background tasks and sockets must end then.
    pub shutdown: CancellationToken,
}

impl Platform {
    /// Builds the platform; connects to nothing yet, so that it also starts while the database is down.
    pub fn new(config: Config) -> anyhow::Result<Arc<Self>> {
        // "Verified" costs one empty round trip per checkout and keeps a restarted Postgres from surfacing as an error.
        let manager = Manager::from_config(
            config.db.clone(),
            NoTls,
            ManagerConfig {
                recycling_method: RecyclingMethod::Verified,
            },
        );
        let pool = Pool::builder(manager)
            .max_size(16)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts {
                wait: Some(Duration::from_secs(10)),
                create: Some(Duration::from_secs(5)),
                recycle: Some(Duration::from_secs(5)),
            })
            .build()?;
        let jwt = Keys::new(&config.jwt_secret);
        Ok(Arc::new(Self {
            config,
            pool,
            jwt,
            realtime: Realtime::from_env()?,
            shutdown: CancellationToken::new(),
        }))
    }
}
