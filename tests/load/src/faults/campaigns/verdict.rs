//! What is true afterwards: the ledger against what the sandbox took, and the counters against the ledger.

use super::fault::Tally;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;
use tokio_postgres::Client;
use uuid::Uuid;

/// Counts; most must be zero.
#[derive(Debug, Default, Serialize)]
pub struct Verdict {
    pub faults: Tally,
    pub campaigns: usize,
    pub recipients: usize,
    pub taken: usize,
    /// Meta took more than one message of a campaign for a person.
    pub doubled: usize,
    /// Neither taken nor uncertain nor failed.
    pub missing: usize,
    /// Taken, and the ledger does not say so.
    pub not_recorded: usize,
    pub uncertain: usize,
    /// Uncertain although Meta has it.
    pub uncertain_wrong: usize,
    /// Meta was asked to send something the database knows nothing of.
    pub unknown: usize,
    pub failed: usize,
    pub counters_wrong: i64,
    /// The database says that nobody waits, and somebody does.
    pub left_open: usize,
}

impl Verdict {
    /// Everybody once.
    pub fn is_clean(&self) -> bool {
        self.campaigns > 0
            && self.doubled
                + self.missing
                + self.not_recorded
                + self.uncertain_wrong
                + self.unknown
                + self.left_open
                == 0
            && self.counters_wrong == 0
    }
}

pub async fn judge(database: &Client, sandbox: &str, campaigns: &[Uuid]) -> anyhow::Result<Verdict> {
    let ledger: Value = reqwest::get(format!("{sandbox}/admin/ledger?limit=0"))
        .await?
        .error_for_status()?
        .json()
        .await?;
    let mut of_message: HashMap<Uuid, (Uuid, Uuid)> = HashMap::new();
    let messages = "select id, campaign_id, contact_id from public.messages where campaign_id = any ($1)";
    for row in database.query(messages, &[&campaigns]).await? {
        of_message.insert(row.get(0), (row.get(1), row.get(2)));
    }
    let mut verdict = Verdict {
        campaigns: campaigns.len(),
        ..Verdict::default()
    };
    let mut taken: HashMap<(Uuid, Uuid), u64> = HashMap::new();
    for (data, count) in ledger["per_callback_data"].as_object().into_iter().flatten() {
        let id = data.split(':').next().and_then(|id| id.parse().ok());
        match id.and_then(|id: Uuid| of_message.get(&id)) {
            Some(recipient) => *taken.entry(*recipient).or_default() += count.as_u64().unwrap_or(0),
            None => verdict.unknown += 1,
        }
    }
    verdict.unknown += ledger["without_callback_data"].as_u64().unwrap_or(0) as usize;
    verdict.taken = taken.len();
    verdict.doubled = taken.values().filter(|count| **count > 1).count();
    let recipients = "select campaign_id, contact_id, status, is_uncertain from public.campaign_recipients
        where campaign_id = any ($1) and status not in ('excluded', 'held_out')";
    for row in database.query(recipients, &[&campaigns]).await? {
        let key: (Uuid, Uuid) = (row.get(0), row.get(1));
        let (status, is_uncertain): (String, bool) = (row.get(2), row.get(3));
        let is_taken = taken.contains_key(&key);
        verdict.recipients += 1;
        verdict.uncertain += usize::from(is_uncertain);
        verdict.uncertain_wrong += usize::from(is_uncertain && is_taken);
        verdict.failed += usize::from(status == "failed");
        verdict.missing += usize::from(!is_taken && !is_uncertain && status != "failed");
        verdict.not_recorded +=
            usize::from(is_taken && !matches!(status.as_str(), "sent" | "delivered" | "read"));
        verdict.left_open += usize::from(!is_uncertain && matches!(status.as_str(), "waiting" | "queued"));
    }
    verdict.counters_wrong = database
        .query_one(include_str!("../../../sql/campaigns/recount.sql"), &[&campaigns])
        .await?
        .get(0);
    Ok(verdict)
}
