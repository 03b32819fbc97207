//! Following the write-ahead log of one publication on a temporary slot.
//!
//! The slot lives as long as its connection, as on the real server: what is written while nobody follows is not seen
//! later, and a server that is gone keeps no log back. Broadcasts and table changes have a slot each, so that judging
//! changes under row level security never delays a broadcast.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use pgwire_replication::{ReplicationClient, ReplicationConfig, ReplicationEvent};
use tokio_postgres::config::Host;

use super::pgoutput::{Change, Decoder, Relation};

/// Events between the connection and whoever handles them; beyond, the log waits on the server.
const BUFFERED_EVENTS: usize = 256;
/// How often the position is reported, which lets the server recycle its log.
const STATUS_INTERVAL: Duration = Duration::from_secs(10);
/// Text of values must not depend on the cluster's settings.
pub const SESSION_OPTIONS: &str = "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 \
                               -c bytea_output=hex";

/// A committed change of a row.
pub struct Committed {
    pub relation: Arc<Relation>,
    pub change: Change,
    /// Microseconds since 2000-01-01 UTC.
    pub commit_time_micros: i64,
    /// Of the transaction.
    pub xid: u32,
}

/// A running stream.
pub struct Stream {
    client: ReplicationClient,
    decoder: Decoder,
    commit_time_micros: i64,
    xid: u32,
}

impl Stream {
    /// Connects, makes the slot and starts streaming. Whatever commits after this returns will be seen.
    pub async fn open(
        db: &tokio_postgres::Config,
        publication: &str,
        slot_prefix: &str,
    ) -> anyhow::Result<Self> {
        // Slot names belong to the cluster: a fixed one would keep two databases of it from running at once.
        let slot = format!(
            "{slot_prefix}_{}",
            &uuid::Uuid::new_v4().simple().to_string()[..12]
        );
        let mut client = ReplicationClient::connect_gated(config(db, publication, &slot)?).await?;
        client
            .simple_query(&format!(
                r#"CREATE_REPLICATION_SLOT "{slot}" TEMPORARY LOGICAL pgoutput (SNAPSHOT 'nothing')"#
            ))
            .await
            .context("cannot create the replication slot")?;
        client.start().await?;
        client.wait_started().await.context("cannot start replication")?;
        Ok(Self {
            client,
            decoder: Decoder::default(),
            commit_time_micros: 0,
            xid: 0,
        })
    }

    /// The next change of a row; an error means that the stream is over. May be dropped and called again.
    pub async fn next(&mut self) -> anyhow::Result<Committed> {
        loop {
            match self
                .client
                .recv()
                .await?
                .context("the server ended the replication stream")?
            {
                ReplicationEvent::Begin {
                    commit_time_micros,
                    xid,
                    ..
                } => (self.commit_time_micros, self.xid) = (commit_time_micros, xid),
                ReplicationEvent::XLogData { data, .. } => {
                    if let Some((relation, change)) = self.decoder.read(data)? {
                        return Ok(Committed {
                            relation,
                            change,
                            commit_time_micros: self.commit_time_micros,
                            xid: self.xid,
                        });
                    }
                }
                ReplicationEvent::Commit { end_lsn, .. } => self.client.update_applied_lsn(end_lsn),
                // Other tables fill the log too; the slot must not hold that back.
                ReplicationEvent::KeepAlive { wal_end, .. } => self.client.update_applied_lsn(wal_end),
                ReplicationEvent::Message { .. } | ReplicationEvent::StoppedAt { .. } => {}
            }
        }
    }
}

fn config(db: &tokio_postgres::Config, publication: &str, slot: &str) -> anyhow::Result<ReplicationConfig> {
    let host = match db.get_hosts().first().context("no database host")? {
        Host::Tcp(name) => name.clone(),
        Host::Unix(directory) => directory.to_string_lossy().into_owned(),
    };
    let port = db.get_ports().first().copied().unwrap_or(5432);
    let password = String::from_utf8_lossy(db.get_password().unwrap_or_default());
    let user = db.get_user().context("no database user")?;
    let database = db.get_dbname().context("no database name")?;
    Ok(
        ReplicationConfig::new(host, user, password, database, slot, publication)
            .with_port(port)
            .with_status_interval(STATUS_INTERVAL)
            .with_wakeup_interval(STATUS_INTERVAL)
            .with_buffer_size(BUFFERED_EVENTS)
            .with_options(SESSION_OPTIONS)
            .with_application_name("realtime_replication_connection"),
    )
}

/// Waiting times after failures: short at first, as a restarted server is back within a second or two.
pub struct Backoff {
    next: Duration,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const LAST: Duration = Duration::from_secs(5);

    pub fn new() -> Self {
        Self { next: Self::FIRST }
    }

    /// To be called after a success.
    pub fn reset(&mut self) {
        self.next = Self::FIRST;
    }

    /// How long to wait now.
    pub fn delay(&mut self) -> Duration {
        let delay = self.next;
        self.next = (delay * 2).min(Self::LAST);
        delay
    }
}
