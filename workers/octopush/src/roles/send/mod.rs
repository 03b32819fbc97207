//! Hands messages to Meta: leases numbers, claims what each may send now, posts, reports.
//!
//! The claim writes the intent. After a crash between intent and report nobody can know whether Meta has the message: it becomes
//! uncertain, and its status webhook settles it (design §5, invariant 4).

mod outcome;
mod pace;
mod recorder;

use super::apply::callback_data;
use crate::config::Config;
use crate::runtime::backoff::Backoff;
use crate::runtime::database::DatabaseError;
use crate::runtime::listener::{Holder, Wakes};
use crate::runtime::metrics as names;
use chrono::{DateTime, Utc};
use deadpool_postgres::Pool;
use metrics::{counter, histogram};
use octopush_whatsapp::{CloudApi, OutboundMessage, Recipient, SendError};
use outcome::{Fate, ForNumber, Outcome, decide};
use pace::Pace;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
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

struct Number {
    pace: Arc<Mutex<Pace>>,
    slots: Arc<Semaphore>,
}

struct Lease {
    account_id: Uuid,
    phone_number_id: String,
    access_token: String,
    messages_per_second: i32,
    ready: i32,
    next_ready_at: Option<DateTime<Utc>>,
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
}

impl Sender {
    /// Sends until cancelled; then lets requests under way finish and records them.
    pub async fn run(mut self, stop: CancellationToken) {
        let (report, outcomes) = mpsc::channel(10_000);
        let recorder = tokio::spawn(recorder::run(self.pool.clone(), outcomes, self.wakes.clone()));
        let requests = TaskTracker::new();
        let mut numbers: HashMap<Uuid, Number> = HashMap::new();
        let mut backoff = Backoff::default();
        while !stop.is_cancelled() {
            let current = *self.holder.borrow_and_update();
            let Some(holder) = current else {
                let changed = tokio::select! { changed = self.holder.changed() => changed, () = stop.cancelled() => break };
                if changed.is_err() {
                    break;
                }
                continue;
            };
            let wait = match self.round(holder, &mut numbers, &requests, &report).await {
                Ok(wait) => {
                    backoff.reset();
                    wait
                }
                Err(error) => {
                    counter!(names::WORKER_ERRORS, "role" => "send").increment(1);
                    let delay = backoff.next_delay();
                    warn!(%error, ?delay, "claiming messages failed, trying again as a new holder");
                    // A claim may have been committed although its reply was lost. Nobody posts those messages: as another holder
                    // we find them abandoned, and they become uncertain instead of waiting for ever.
                    self.wakes.new_session.notify_one();
                    tokio::select! { () = tokio::time::sleep(delay) => {} () = stop.cancelled() => {} }
                    continue;
                }
            };
            tokio::select! {
                () = self.wakes.send.notified() => {}
                () = tokio::time::sleep(wait) => {}
                changed = self.holder.changed() => if changed.is_err() { break },
                () = stop.cancelled() => {}
            }
        }
        requests.close();
        requests.wait().await;
        drop(report);
        recorder.await.ok();
        let holder = *self.holder.borrow();
        if let Some(holder) = holder {
            self.release(holder).await.ok();
        }
        info!("sender stopped");
    }

    /// Claims and posts what every leased number may send now; says how long until there is a reason to look again.
    async fn round(
        &self,
        holder: Holder,
        numbers: &mut HashMap<Uuid, Number>,
        requests: &TaskTracker,
        report: &mpsc::Sender<Outcome>,
    ) -> Result<Duration, DatabaseError> {
        let mut wait = self.config.poll;
        for lease in self.leases(holder).await? {
            let number = numbers.entry(lease.account_id).or_insert_with(|| Number {
                pace: Arc::new(Mutex::new(Pace::new(lease.messages_per_second.unsigned_abs()))),
                slots: Arc::new(Semaphore::new(self.config.send_concurrency)),
            });
            if let Some(at) = lease.next_ready_at {
                wait = wait.min((at - Utc::now()).to_std().unwrap_or(Duration::from_millis(1)));
            }
            let wanted = (lease.ready.max(0) as usize).min(number.slots.available_permits());
            if wanted == 0 {
                continue;
            }
            let taken = lock(&number.pace).take(wanted, lease.messages_per_second.unsigned_abs());
            let permitted = match taken {
                Ok(permitted) => permitted,
                Err(until) => {
                    wait = wait.min(until);
                    continue;
                }
            };
            if permitted < wanted {
                // The pace allows the next one soon; do not sleep until the poll.
                wait = Duration::ZERO;
            }
            let lease = Arc::new(lease);
            for claimed in self.claim(holder, lease.account_id, permitted as i32).await? {
                let slot = number
                    .slots
                    .clone()
                    .acquire_owned()
                    .await
                    .expect("the semaphore is never closed");
                let (graph, pool, pace) = (self.graph.clone(), self.pool.clone(), number.pace.clone());
                let lease = lease.clone();
                let mut unreported = Unreported::new(&claimed, report.clone());
                requests.spawn(async move {
                    let outcome = post(&graph, &lease, &claimed, &pace, &pool).await;
                    unreported.report(outcome).await;
                    drop(slot);
                });
            }
        }
        Ok(wait)
    }

    async fn leases(&self, holder: Holder) -> Result<Vec<Lease>, DatabaseError> {
        let client = self.pool.get().await?;
        let statement = client
            .prepare_cached(include_str!("../../database/queries/lease_numbers.sql"))
            .await?;
        let seconds = self.config.lease.as_secs() as i32;
        let cap = self.config.send_concurrency as i32;
        let rows = client
            .query(&statement, &[&holder.id, &holder.lock_key, &seconds, &cap])
            .await?;
        Ok(rows
            .iter()
            .map(|r| Lease {
                account_id: r.get(0),
                phone_number_id: r.get(1),
                access_token: r.get(2),
                messages_per_second: r.get(3),
                ready: r.get(4),
                next_ready_at: r.get(5),
            })
            .collect())
    }

    async fn claim(
        &self,
        holder: Holder,
        account_id: Uuid,
        limit: i32,
    ) -> Result<Vec<Claimed>, DatabaseError> {
        let client = self.pool.get().await?;
        let statement = client
            .prepare_cached(include_str!("../../database/queries/claim_sends.sql"))
            .await?;
        let rows = client
            .query(&statement, &[&holder.id, &account_id, &limit])
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

/// Reports a request whose task ended without an outcome, by a panic, as uncertain: it may have been written.
struct Unreported {
    report: mpsc::Sender<Outcome>,
    if_lost: Option<Outcome>,
}

impl Unreported {
    fn new(claimed: &Claimed, report: mpsc::Sender<Outcome>) -> Self {
        let if_lost = Outcome {
            message_id: claimed.message_id,
            send_try: claimed.send_try,
            attempt: claimed.attempt,
            fate: Fate::Uncertain,
        };
        Self {
            report,
            if_lost: Some(if_lost),
        }
    }

    async fn report(&mut self, outcome: Outcome) {
        self.if_lost = None;
        self.report.send(outcome).await.ok();
    }
}

impl Drop for Unreported {
    fn drop(&mut self) {
        if let Some(outcome) = self.if_lost.take() {
            self.report.try_send(outcome).ok();
        }
    }
}

async fn post(
    graph: &CloudApi,
    lease: &Lease,
    claimed: &Claimed,
    pace: &Mutex<Pace>,
    pool: &Pool,
) -> Outcome {
    histogram!(names::SEND_QUEUE_SECONDS).record((Utc::now() - claimed.queued_at).as_seconds_f64().max(0.0));
    let result = match message(claimed) {
        Ok(message) => {
            graph
                .send_message(&lease.phone_number_id, &lease.access_token, &message)
                .await
        }
        Err(error) => Err(error),
    };
    let (fate, for_number) = decide(result, claimed.attempt);
    let label = match &fate {
        Fate::Accepted { .. } => "accepted",
        Fate::Failed { .. } => "failed",
        Fate::Retry { .. } => "retry",
        Fate::Uncertain => "uncertain",
    };
    counter!(names::SENDS, "outcome" => label).increment(1);
    match for_number {
        None => {}
        Some(ForNumber::SlowDown) => {
            lock(pace).slow_down();
            // Other processes and the next leases see it too.
            tell(
                pool,
                include_str!("../../database/queries/pause_number.sql"),
                &[&lease.account_id, &1.0_f64],
            )
            .await;
        }
        Some(ForNumber::Suspend { reason }) => {
            warn!(whatsapp_account_id = %lease.account_id, reason, "the number needs a person");
            tell(
                pool,
                include_str!("../../database/queries/suspend_number.sql"),
                &[&lease.account_id, &reason],
            )
            .await;
        }
    }
    Outcome {
        message_id: claimed.message_id,
        send_try: claimed.send_try,
        attempt: claimed.attempt,
        fate,
    }
}

fn message(claimed: &Claimed) -> Result<OutboundMessage, SendError> {
    // A contact always has one of the two (contacts__identity__check); an empty address is refused before anything is posted.
    let to = Recipient::from_contact(claimed.phone.as_deref(), claimed.bsuid.as_deref())
        .unwrap_or_else(|| Recipient::UserId(String::new()));
    Ok(OutboundMessage::from_stored(
        to,
        &claimed.kind,
        claimed.body.as_deref(),
        claimed.payload.as_ref(),
    )?
    .in_reply_to(claimed.reply_to.clone())
    .with_callback_data(callback_data(claimed.message_id, claimed.send_try)))
}

async fn tell(pool: &Pool, sql: &str, parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)]) {
    let outcome: Result<(), DatabaseError> = async {
        pool.get().await?.query_opt(sql, parameters).await?;
        Ok(())
    }
    .await;
    if let Err(error) = outcome {
        warn!(%error, "the state of a number was not recorded");
    }
}

fn lock(pace: &Mutex<Pace>) -> std::sync::MutexGuard<'_, Pace> {
    pace.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
