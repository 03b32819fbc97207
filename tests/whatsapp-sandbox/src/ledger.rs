//! Every message the stand-in accepted: the proof of what a customer got, and how often.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

/// A state a message went through.
#[derive(Debug, Clone, Serialize)]
pub struct StatusRecord {
    pub status: &'static str,
    /// Seconds, as the webhook says.
    pub timestamp: i64,
    /// Whether the receiver acknowledged it with 200.
    pub is_delivered: bool,
    pub error_code: Option<i64>,
}

/// An accepted message.
#[derive(Debug, Clone, Serialize)]
pub struct LedgerEntry {
    /// From 1, without gaps, in the order of acceptance.
    pub seq: u64,
    pub wa_message_id: String,
    pub phone_number_id: String,
    /// The number or id as it was typed.
    pub input: String,
    /// Digits of the person reached.
    pub wa_id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub biz_opaque_callback_data: Option<String>,
    /// Template name, when it is one.
    pub template: Option<String>,
    pub accepted_at_ms: i64,
    /// Microseconds since the sandbox started, never going back.
    pub accepted_at_us: u64,
    pub statuses: Vec<StatusRecord>,
}

/// Counts over the whole ledger.
#[derive(Debug, Serialize)]
pub struct LedgerView<'a> {
    pub total: usize,
    pub per_recipient: BTreeMap<&'a str, u64>,
    pub per_callback_data: BTreeMap<&'a str, u64>,
    /// Callback data seen more than once: a message sent twice.
    pub duplicates: BTreeMap<&'a str, u64>,
    /// Messages without callback data.
    pub without_callback_data: u64,
    /// How many messages are in which state now.
    pub states: BTreeMap<&'a str, u64>,
    pub messages: Vec<&'a LedgerEntry>,
}

/// What of the ledger is asked for.
#[derive(Debug, Default, Clone)]
pub struct LedgerQuery {
    pub phone_number_id: Option<String>,
    pub wa_id: Option<String>,
    pub callback_data: Option<String>,
    pub since: u64,
    pub limit: Option<usize>,
    /// Totals, duplicates and states only.
    pub is_summary: bool,
}

#[derive(Debug, Default)]
pub struct Ledger {
    entries: Vec<LedgerEntry>,
    by_message_id: HashMap<String, usize>,
}

impl Ledger {
    pub fn push(&mut self, mut entry: LedgerEntry) -> u64 {
        entry.seq = self.entries.len() as u64 + 1;
        let seq = entry.seq;
        self.by_message_id
            .insert(entry.wa_message_id.clone(), self.entries.len());
        self.entries.push(entry);
        seq
    }

    pub fn get(&self, wa_message_id: &str) -> Option<&LedgerEntry> {
        self.by_message_id
            .get(wa_message_id)
            .map(|&index| &self.entries[index])
    }

    pub fn get_mut(&mut self, wa_message_id: &str) -> Option<&mut LedgerEntry> {
        self.by_message_id
            .get(wa_message_id)
            .map(|&index| &mut self.entries[index])
    }

    /// The receiver acknowledged these statuses.
    pub fn mark_delivered(&mut self, wa_message_id: &str, status: &str) {
        if let Some(entry) = self.get_mut(wa_message_id) {
            for record in entry.statuses.iter_mut().filter(|record| record.status == status) {
                record.is_delivered = true;
            }
        }
    }

    pub fn view(&self, query: &LedgerQuery) -> LedgerView<'_> {
        let matches = |entry: &&LedgerEntry| {
            query
                .phone_number_id
                .as_ref()
                .is_none_or(|id| *id == entry.phone_number_id)
                && query.wa_id.as_ref().is_none_or(|id| *id == entry.wa_id)
                && query
                    .callback_data
                    .as_ref()
                    .is_none_or(|data| entry.biz_opaque_callback_data.as_ref() == Some(data))
        };
        let mut view = LedgerView {
            total: 0,
            per_recipient: BTreeMap::new(),
            per_callback_data: BTreeMap::new(),
            duplicates: BTreeMap::new(),
            without_callback_data: 0,
            states: BTreeMap::new(),
            messages: Vec::new(),
        };
        for entry in self.entries.iter().filter(matches) {
            view.total += 1;
            *view.per_recipient.entry(&entry.wa_id).or_default() += 1;
            match &entry.biz_opaque_callback_data {
                Some(data) => *view.per_callback_data.entry(data).or_default() += 1,
                None => view.without_callback_data += 1,
            }
            let state = entry.statuses.last().map_or("accepted", |record| record.status);
            *view.states.entry(state).or_default() += 1;
            if !query.is_summary
                && entry.seq > query.since
                && query.limit.is_none_or(|limit| view.messages.len() < limit)
            {
                view.messages.push(entry);
            }
        }
        view.duplicates = view
            .per_callback_data
            .iter()
            .filter(|(_, count)| **count > 1)
            .map(|(data, count)| (*data, *count))
            .collect();
        if query.is_summary {
            view.per_recipient.clear();
            view.per_callback_data.clear();
        }
        view
    }
}
