//! One request to Meta and what is reported of it.

use super::number::lock;
use super::outcome::{Fate, ForNumber, Outcome, decide};
use super::pace::Pace;
use super::{Claimed, Lane, Lease};
use crate::roles::apply::callback_data;
use crate::runtime::database::DatabaseError;
use crate::runtime::metrics as names;
use chrono::Utc;
use deadpool_postgres::Pool;
use metrics::{counter, histogram};
use octopush_whatsapp::{CloudApi, OutboundMessage, Recipient, SendError};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use tracing::warn;

/// A message whose intent is on record. Dropped without an outcome, by a panic, it reports itself as uncertain: it may have been posted.
pub struct Waiting {
    lease: Arc<Lease>,
    claimed: Claimed,
    report: mpsc::Sender<Outcome>,
    is_reported: bool,
}

impl Waiting {
    pub fn new(lease: Arc<Lease>, claimed: Claimed, report: mpsc::Sender<Outcome>) -> Self {
        Self {
            lease,
            claimed,
            report,
            is_reported: false,
        }
    }

    pub fn lane(&self) -> Lane {
        self.claimed.lane
    }

    fn outcome(&self, fate: Fate) -> Outcome {
        Outcome {
            account_id: self.lease.account_id,
            message_id: self.claimed.message_id,
            send_try: self.claimed.send_try,
            attempt: self.claimed.attempt,
            fate,
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.is_reported {
            self.report.try_send(self.outcome(Fate::Uncertain)).ok();
        }
    }
}

/// What posting needs.
#[derive(Clone)]
pub struct Poster {
    pub graph: Arc<CloudApi>,
    pub pool: Pool,
}

impl Poster {
    /// Posts, tells the number's state where Meta's answer concerns it, and reports the outcome.
    pub async fn post(&self, mut waiting: Waiting, pace: &Mutex<Pace>) {
        let (lease, claimed) = (&waiting.lease, &waiting.claimed);
        histogram!(names::SEND_QUEUE_SECONDS)
            .record((Utc::now() - claimed.queued_at).as_seconds_f64().max(0.0));
        let result = match message(claimed) {
            Ok(message) => {
                self.graph
                    .send_message(&lease.phone_number_id, &lease.access_token, &message)
                    .await
            }
            Err(error) => Err(error),
        };
        let (fate, for_number) = decide(result, claimed.attempt, claimed.lane);
        let label = match &fate {
            Fate::Accepted { .. } => "accepted",
            Fate::Failed { .. } => "failed",
            Fate::Retry { .. } => "retry",
            Fate::Uncertain => "uncertain",
        };
        counter!(names::SENDS, "outcome" => label).increment(1);
        if let Some(for_number) = for_number {
            self.tell(lease, for_number, pace).await;
        }
        let outcome = waiting.outcome(fate);
        waiting.is_reported = true;
        waiting.report.send(outcome).await.ok();
    }

    async fn tell(&self, lease: &Lease, for_number: ForNumber, pace: &Mutex<Pace>) {
        let outcome: Result<(), DatabaseError> = async {
            let client = self.pool.get().await?;
            match for_number {
                ForNumber::SlowDown => {
                    lock(pace).slow_down();
                    // Other processes and the next leases see it too.
                    client
                        .query_opt(
                            include_str!("../../database/queries/pause_number.sql"),
                            &[&lease.account_id, &1.0_f64],
                        )
                        .await?;
                }
                ForNumber::Suspend { reason } => {
                    warn!(whatsapp_account_id = %lease.account_id, reason, "the number needs a person");
                    client
                        .query_opt(
                            include_str!("../../database/queries/suspend_number.sql"),
                            &[&lease.account_id, &reason, &lease.credential_id],
                        )
                        .await?;
                }
            }
            Ok(())
        }
        .await;
        if let Err(error) = outcome {
            warn!(%error, "the state of a number was not recorded");
        }
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
