//! One conversation between a business number and a person: the 24-hour window, and what the page shows.

use serde::Serialize;
use serde_json::Value;

use crate::rates::PairRate;

/// §9.3.
const WINDOW_SECONDS: i64 = 24 * 3600;

/// A message as the page shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    pub id: String,
    pub is_from_customer: bool,
    #[serde(rename = "type")]
    pub kind: String,
    pub content: Value,
    pub context_message_id: Option<String>,
    pub timestamp: i64,
    /// Of our messages: accepted, sent, delivered, read, played, failed.
    pub status: Option<String>,
    pub error_code: Option<i64>,
}

/// Everything between two parties.
#[derive(Debug, Default)]
pub struct Thread {
    pub last_customer_message_at: Option<i64>,
    pub pair_rate: PairRate,
    pub entries: Vec<Entry>,
}

/// Bubbles kept per conversation. The ledger keeps everything; this bounds what a load test leaves behind.
const MAX_ENTRIES: usize = 200;

impl Thread {
    /// Whether free-form messages may be sent at `now`.
    pub fn is_open(&self, now: i64) -> bool {
        self.last_customer_message_at
            .is_some_and(|at| now < at + WINDOW_SECONDS)
    }

    /// Windows only move forward: an old message delivered late does not close a newer one.
    pub fn customer_wrote(&mut self, at: i64) {
        self.last_customer_message_at = Some(self.last_customer_message_at.map_or(at, |last| last.max(at)));
    }

    pub fn add(&mut self, entry: Entry) {
        if self.entries.len() >= MAX_ENTRIES {
            self.entries.drain(..MAX_ENTRIES / 4);
        }
        self.entries.push(entry);
    }

    /// Newest first: statuses are about recent messages.
    pub fn entry_mut(&mut self, id: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().rev().find(|entry| entry.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::Thread;

    #[test]
    fn the_window_is_24_hours_from_the_last_message_and_never_moves_back() {
        let mut thread = Thread::default();
        assert!(!thread.is_open(0));
        thread.customer_wrote(1_000_000);
        assert!(thread.is_open(1_000_000 + 86_399));
        assert!(!thread.is_open(1_000_000 + 86_400));
        thread.customer_wrote(500_000);
        assert!(thread.is_open(1_000_000 + 86_399));
    }
}
