//! When requests to send arrived at the sandbox: the rate, and the fullest second.

use crate::stack::Stack;
use crate::wait::until;
use serde::Deserialize;
use std::time::Duration;

/// The sandbox remembers this many calls.
const CAPACITY: usize = 120_000;

/// One accepted send.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Microseconds since the sandbox started.
    pub at_us: u64,
    /// Epoch, to compare with what happened elsewhere.
    pub at_ms: i64,
    /// The message's id.
    pub callback_data: Option<String>,
}

#[derive(Deserialize)]
struct Calls {
    requests: Vec<Call>,
    last_seq: u64,
}

#[derive(Deserialize)]
struct Call {
    arrived_at_us: u64,
    arrived_at_ms: i64,
    path: String,
    body: Option<serde_json::Value>,
    http_status: u16,
}

/// Sends of one number since `mark`, all that the sandbox took.
pub struct Arrivals(pub Vec<Arrival>);

/// The newest call: what comes later is ours.
pub async fn mark(stack: &Stack) -> anyhow::Result<u64> {
    Ok(calls(stack, 0, 1).await?.last_seq)
}

async fn calls(stack: &Stack, since: u64, limit: usize) -> anyhow::Result<Calls> {
    let url = format!(
        "{}/admin/requests?since={since}&limit={limit}",
        stack.get("OCTOPUSH_SANDBOX_URL")
    );
    Ok(reqwest::get(url).await?.error_for_status()?.json().await?)
}

/// Waits until so many calls have come since `mark`.
pub async fn wait(stack: &Stack, since: u64, count: u64, patience: Duration) -> anyhow::Result<()> {
    until(
        &format!("{count} requests reach the sandbox"),
        patience,
        async || mark(stack).await.is_ok_and(|seq| seq >= since + count),
    )
    .await
}

impl Arrivals {
    pub async fn since(stack: &Stack, since: u64, phone_number_id: &str) -> anyhow::Result<Self> {
        let calls = calls(stack, since, CAPACITY).await?;
        let suffix = format!("/{phone_number_id}/messages");
        let mut arrivals: Vec<Arrival> = calls
            .requests
            .into_iter()
            .filter(|call| call.http_status == 200 && call.path.ends_with(&suffix))
            .map(|call| Arrival {
                at_us: call.arrived_at_us,
                at_ms: call.arrived_at_ms,
                callback_data: call
                    .body
                    .and_then(|body| Some(body["biz_opaque_callback_data"].as_str()?.to_owned())),
            })
            .collect();
        arrivals.sort_unstable_by_key(|arrival| arrival.at_us);
        Ok(Self(arrivals))
    }

    /// Only those of the first so many seconds.
    pub fn first_seconds(mut self, seconds: u64) -> Self {
        let end = self.0.first().map_or(0, |first| first.at_us) + seconds * 1_000_000;
        self.0.retain(|arrival| arrival.at_us < end);
        self
    }

    pub fn per_second(&self) -> f64 {
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else {
            return 0.0;
        };
        (self.0.len() - 1) as f64 * 1e6 / (last.at_us - first.at_us).max(1) as f64
    }

    /// How many came in the fullest second, wherever it begins.
    pub fn fullest_second(&self) -> usize {
        let mut begin = 0;
        let mut most = 0;
        for (end, arrival) in self.0.iter().enumerate() {
            while arrival.at_us - self.0[begin].at_us >= 1_000_000 {
                begin += 1;
            }
            most = most.max(end - begin + 1);
        }
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(step_us: u64, count: u64) -> Arrivals {
        let arrival = |n| Arrival {
            at_us: n * step_us,
            at_ms: 0,
            callback_data: None,
        };
        Arrivals((0..count).map(arrival).collect())
    }

    #[test]
    fn rates_and_windows_are_counted_right() {
        let steady = every(12_500, 800);
        assert!((steady.per_second() - 80.0).abs() < 0.001);
        assert_eq!(steady.fullest_second(), 80);
        assert_eq!(every(10_000, 300).fullest_second(), 100);
        assert_eq!(steady.first_seconds(2).0.len(), 160);
    }
}
