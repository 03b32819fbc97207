//! What is true afterwards, compared with what was promised.

use super::traffic::Promises;
use crate::organisation::Organisation;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::Client;
use uuid::Uuid;

/// Counts of everything that must be zero, and a few that need not.
#[derive(Debug, Default, Serialize)]
pub struct Verdict {
    pub inbound_promised: usize,
    pub inbound_lost: usize,
    pub inbound_doubled: usize,
    pub outbound_promised: usize,
    pub outbound_lost: usize,
    pub outbound_doubled: usize,
    pub uncertain: usize,
    /// Uncertain although Meta has the message, or certain although it has not.
    pub uncertain_wrong: usize,
    pub failed: usize,
    pub counters_wrong: i64,
    pub previews_wrong: i64,
}

impl Verdict {
    /// Nothing lost, nothing doubled, every counter a recount.
    pub fn is_clean(&self) -> bool {
        self.inbound_lost
            + self.inbound_doubled
            + self.outbound_lost
            + self.outbound_doubled
            + self.uncertain_wrong
            == 0
            && self.counters_wrong == 0
            && self.previews_wrong == 0
    }
}

/// Looks at the database and at what the sandbox accepted.
pub async fn judge(
    database: &Client,
    sandbox: &str,
    organisation: &Organisation,
    promises: &Promises,
) -> anyhow::Result<Verdict> {
    let accepted = accepted(sandbox).await?;
    let mut verdict = Verdict {
        inbound_promised: promises.inbound.len(),
        outbound_promised: promises.outbound.len(),
        ..Verdict::default()
    };

    let mut stored: BTreeMap<String, usize> = BTreeMap::new();
    for row in database
        .query(
            "select wa_message_id from public.messages where org_id = $1 and direction = 'inbound'",
            &[&organisation.org_id],
        )
        .await?
    {
        *stored.entry(row.get(0)).or_default() += 1;
    }
    verdict.inbound_lost = promises
        .inbound
        .iter()
        .filter(|id| !stored.contains_key(*id))
        .count();
    verdict.inbound_doubled = stored.values().filter(|n| **n > 1).count();

    let mut seen = BTreeSet::new();
    for row in database
        .query("select id, status, is_uncertain from public.messages where org_id = $1 and direction = 'outbound'", &[&organisation.org_id])
        .await?
    {
        let (id, status, is_uncertain): (Uuid, String, bool) = (row.get(0), row.get(1), row.get(2));
        seen.insert(id);
        let times = accepted.get(&id.to_string()).copied().unwrap_or(0);
        verdict.outbound_doubled += usize::from(times > 1);
        verdict.uncertain += usize::from(is_uncertain);
        verdict.failed += usize::from(status == "failed");
        // Uncertain = exactly those of which no status ever came.
        verdict.uncertain_wrong += usize::from(is_uncertain != (times == 0 && status == "pending"));
        verdict.outbound_lost += usize::from(times == 0 && !is_uncertain && status != "failed");
    }
    verdict.outbound_lost += promises.outbound.difference(&seen).count();

    let row = database
        .query_one(include_str!("../../sql/recount.sql"), &[&organisation.org_id])
        .await?;
    verdict.counters_wrong = row.get(0);
    verdict.previews_wrong = row.get(1);
    Ok(verdict)
}

/// How often the sandbox accepted each callback data.
async fn accepted(sandbox: &str) -> anyhow::Result<BTreeMap<String, usize>> {
    let ledger: Value = reqwest::get(format!("{sandbox}/admin/ledger"))
        .await?
        .error_for_status()?
        .json()
        .await?;
    let counts = ledger["per_callback_data"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    Ok(counts
        .into_iter()
        .map(|(data, n)| (data, n.as_u64().unwrap_or(0) as usize))
        .collect())
}
