//! Hands messages to Meta: leases numbers, claims what each may send now, posts, reports.
//!
//! The claim writes the intent. After a crash between intent and report nobody can know whether Meta has the message: it becomes
//! uncertain, and its status webhook settles it (design §5, invariant 4).

mod number;
mod outcome;
mod pace;
mod post;
mod recorder;

use crate::config::Config;
use crate::runtime::backoff::Backoff;
use crate::runtime::database::DatabaseError;
use crate::runtime::listener::{Holder, Wakes};
use crate::runtime::metrics as names;
use chrono::{DateTime, Utc};
use deadpool_postgres::Pool;
use metrics::counter;
use number::{Number, Refill};
use octopush_whatsapp::CloudApi;
use outcome::Outcome;
use post::{Poster, Waiting};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};
use uuid::Uuid;

/// What the role needs from the process.
pub struct Sender {
    pub pool: Pool,
    pub config: Config,
    pub graph: Arc<CloudApi>,
    pub wakes: Arc<Wakes>,
    pub holder: watch::Receiver<Option<Holder>>,
}

struct Lease {
    account_id: Uuid,
    phone_number_id: String,
    access_token: String,
    /// Which token this is: a refusal of an older one says nothing about the number.
    credential_id: Uuid,
    messages_per_second: i32,
    ready: i32,
    /// Until the first that is not ready yet; by the database's clock, ours may be wrong.
    next_ready_seconds: Option<f64>,
}

struct Claimed {
    message_id: Uuid,
    send_try: i32,
    attempt: i32,
    phone: Option<String>,
    bsuid: Option<String>,
    kind: String,
    body: Option<String>,
    payload: Option<Value>,
    reply_to: Option<String>,
    queued_at: DateTime<Utc>,
    lane: Lane,
}

/// What a message is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    /// An answer of a person or a flow (lanes 0 and 1 of the outbox): leaves before every campaign.
    Reply,
    Campaign,
}

impl Lane {
    /// The last lane of the outbox that a claim may take from.
    fn last(self) -> i32 {
        match self {
            Self::Reply => 1,
            Self::Campaign => 2,
        }
    }
}

/// The numbers of this process and what flows between their parts.
struct Numbers {
    by_account: HashMap<Uuid, Number>,
    leases: HashMap<Uuid, Arc<Lease>>,
    tasks: TaskTracker,
    refill: Refill,
    report: mpsc::Sender<Outcome>,
}

/// Why there is a reason to look.
enum Reason {
    /// Something may be ready on any number: ask for leases.
    Any,
    /// These numbers, leased already, have room.
    Room(HashSet<Uuid>),
}

impl Sender {
    /// Sends until cancelled; then lets requests under way finish and records them.
    pub async fn run(mut self, stop: CancellationToken) {
        let (report, outcomes) = mpsc::channel(10_000);
        let (refill, mut refills) = mpsc::unbounded_channel();
        let recorder = tokio::spawn(recorder::run(self.pool.clone(), outcomes, refill.clone()));
        let mut numbers = Numbers {
            by_account: HashMap::new(),
            leases: HashMap::new(),
            tasks: TaskTracker::new(),
            refill,
            report,
        };
        let mut backoff = Backoff::default();
        let mut reason = Reason::Any;
        let mut look_again = Instant::now();
        while !stop.is_cancelled() {
            let current = *self.holder.borrow_and_update();
            let Some(holder) = current else {
                let changed = tokio::select! { changed = self.holder.changed() => changed, () = stop.cancelled() => break };
                if changed.is_err() {
                    break;
                }
                reason = Reason::Any;
                continue;
            };
            match self.round(holder, reason, &mut numbers).await {
                Ok(next) => {
                    backoff.reset();
                    look_again = next.unwrap_or(look_again);
                }
                Err(error) => {
                    counter!(names::WORKER_ERRORS, "role" => "send").increment(1);
                    let delay = backoff.next_delay();
                    warn!(%error, ?delay, "claiming messages failed, trying again as a new holder");
                    // A claim may have been committed although its reply was lost. Nobody posts those messages: as another holder
                    // we find them abandoned, and they become uncertain instead of waiting for ever.
                    self.wakes.new_session.notify_one();
                    tokio::select! { () = tokio::time::sleep(delay) => {} () = stop.cancelled() => {} }
                    reason = Reason::Any;
                    continue;
                }
            }
            let mut roomy = Vec::new();
            reason = tokio::select! {
                () = self.wakes.send.notified() => Reason::Any,
                () = tokio::time::sleep_until(look_again) => Reason::Any,
                _ = refills.recv_many(&mut roomy, 1000) => Reason::Room(roomy.into_iter().collect()),
                changed = self.holder.changed() => if changed.is_err() { break } else { Reason::Any },
                () = stop.cancelled() => break,
            };
        }
        numbers.finish().await;
        recorder.await.ok();
        let holder = *self.holder.borrow();
        if let Some(holder) = holder {
            self.release(holder).await.ok();
        }
        info!("sender stopped");
    }

    /// Claims what every number has room for; after asking for leases, says when to ask again.
    async fn round(
        &self,
        holder: Holder,
        reason: Reason,
        numbers: &mut Numbers,
    ) -> Result<Option<Instant>, DatabaseError> {
        let (accounts, next) = match reason {
            Reason::Any => {
                let mut wait = self.config.poll;
                numbers.leases.clear();
                for lease in self.leases(holder).await? {
                    if let Some(seconds) = lease.next_ready_seconds {
                        // A moment after it: a timer that is early would only ask again.
                        wait = wait.min(Duration::from_secs_f64(seconds.clamp(0.0, 3600.0) + 0.001));
                    }
                    numbers.hold(lease, self);
                }
                let ready = numbers.leases.values().filter(|lease| lease.ready > 0);
                let accounts = ready.map(|lease| lease.account_id).collect();
                (accounts, Some(Instant::now() + wait))
            }
            Reason::Room(accounts) => (accounts, None),
        };
        for account_id in accounts {
            let Some((number, lease)) = numbers.leased(account_id) else {
                continue;
            };
            let Some((lane, room)) = number.room() else {
                continue;
            };
            for claimed in self.claim(holder, account_id, lane, room as i32).await? {
                number.push(Waiting::new(lease.clone(), claimed, numbers.report.clone()));
            }
        }
        Ok(next)
    }

    async fn leases(&self, holder: Holder) -> Result<Vec<Lease>, DatabaseError> {
        let client = self.pool.get().await?;
        let statement = client
            .prepare_cached(include_str!("../../database/queries/lease_numbers.sql"))
            .await?;
        let seconds = self.config.lease.as_secs() as i32;
        let rows = client
            .query(&statement, &[&holder.id, &holder.lock_key, &seconds, &1_i32])
            .await?;
        Ok(rows
            .iter()
            .map(|r| Lease {
                account_id: r.get(0),
                phone_number_id: r.get(1),
                access_token: r.get(2),
                credential_id: r.get(3),
                messages_per_second: r.get(4),
                ready: r.get(5),
                next_ready_seconds: r.get(6),
            })
            .collect())
    }

    async fn claim(
        &self,
        holder: Holder,
        account_id: Uuid,
        lane: Lane,
        limit: i32,
    ) -> Result<Vec<Claimed>, DatabaseError> {
        let client = self.pool.get().await?;
        let statement = client
            .prepare_cached(include_str!("../../database/queries/claim_sends.sql"))
            .await?;
        let rows = client
            .query(&statement, &[&holder.id, &account_id, &limit, &lane.last()])
            .await?;
        Ok(rows
            .iter()
            .map(|r| Claimed {
                message_id: r.get(0),
                send_try: r.get(1),
                attempt: r.get(2),
                phone: r.get(3),
                bsuid: r.get(4),
                kind: r.get(5),
                body: r.get(6),
                payload: r.get(7),
                reply_to: r.get(8),
                queued_at: r.get(9),
                lane: if r.get::<_, i32>(10) <= Lane::Reply.last() {
                    Lane::Reply
                } else {
                    Lane::Campaign
                },
            })
            .collect())
    }

    async fn release(&self, holder: Holder) -> Result<(), DatabaseError> {
        let client = self.pool.get().await?;
        client
            .query_opt(
                include_str!("../../database/queries/release_leases.sql"),
                &[&holder.id],
            )
            .await?;
        Ok(())
    }
}

impl Numbers {
    fn hold(&mut self, lease: Lease, sender: &Sender) {
        let (refill, tasks) = (self.refill.clone(), &self.tasks);
        self.by_account
            .entry(lease.account_id)
            .or_insert_with(|| {
                let poster = Poster {
                    graph: sender.graph.clone(),
                    pool: sender.pool.clone(),
                };
                Number::start(&lease, poster, sender.config.send_concurrency, refill, tasks)
            })
            .adapt(&lease);
        self.leases.insert(lease.account_id, Arc::new(lease));
    }

    fn leased(&self, account_id: Uuid) -> Option<(&Number, &Arc<Lease>)> {
        Some((self.by_account.get(&account_id)?, self.leases.get(&account_id)?))
    }

    /// Posts what was claimed; drops the last sender of outcomes.
    async fn finish(self) {
        drop(self.by_account);
        self.tasks.close();
        self.tasks.wait().await;
    }
}
