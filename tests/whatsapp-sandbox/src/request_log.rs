//! Every call to the Graph API in the order of arrival, for tests that measure pace and order.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::Value;

/// Calls remembered; older ones are forgotten. Two minutes at a thousand a second.
const CAPACITY: usize = 120_000;

/// A call.
#[derive(Debug, Clone, Serialize)]
pub struct RequestRecord {
    /// From 1, without gaps.
    pub seq: u64,
    /// Microseconds since the sandbox started; never goes back.
    pub arrived_at_us: u64,
    pub arrived_at_ms: i64,
    pub method: String,
    pub path: String,
    /// The JSON body of sends.
    pub body: Option<Value>,
    pub http_status: u16,
    /// Meta's code of a refusal.
    pub error_code: Option<i64>,
    /// `pending`, `answered`, `dropped_before` (not taken), `dropped_after` (taken, no answer), `bad_gateway` (taken, HTTP 502).
    pub outcome: &'static str,
}

#[derive(Debug, Default)]
pub struct RequestLog {
    records: VecDeque<RequestRecord>,
    last_seq: u64,
}

impl RequestLog {
    /// Notes an arrival; what became of it is told to [`RequestLog::finish`].
    pub fn arrive(&mut self, method: &str, path: &str, body: Option<Value>, at_us: u64, at_ms: i64) -> u64 {
        self.last_seq += 1;
        if self.records.len() == CAPACITY {
            self.records.pop_front();
        }
        self.records.push_back(RequestRecord {
            seq: self.last_seq,
            arrived_at_us: at_us,
            arrived_at_ms: at_ms,
            method: method.to_owned(),
            path: path.to_owned(),
            body,
            http_status: 0,
            error_code: None,
            outcome: "pending",
        });
        self.last_seq
    }

    pub fn finish(&mut self, seq: u64, http_status: u16, error_code: Option<i64>, outcome: &'static str) {
        let first = self.records.front().map_or(0, |record| record.seq);
        let index = seq
            .checked_sub(first)
            .and_then(|index| usize::try_from(index).ok());
        if let Some(record) = index.and_then(|index| self.records.get_mut(index)) {
            record.http_status = http_status;
            record.error_code = error_code;
            record.outcome = outcome;
        }
    }

    /// Records after `since`, oldest first, and the number of the newest.
    pub fn since(&self, since: u64, limit: usize) -> (Vec<&RequestRecord>, u64) {
        let first = self.records.front().map_or(0, |record| record.seq);
        let skip = usize::try_from((since + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        (
            self.records.iter().skip(skip).take(limit).collect(),
            self.last_seq,
        )
    }
}
