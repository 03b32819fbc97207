//! How fast a number may send: in all (§9.1: 80 a second, in and out together) and to one person (one in six seconds, 45 in reserve).
//!
//! Meta publishes the rates, not the algorithm. Both are buckets here: a full one takes a burst of its size, then the rate holds.

use std::time::{Duration, Instant};

/// Seconds between two messages to one person once the reserve is spent.
const PAIR_INTERVAL: f64 = 6.0;
const PAIR_RESERVE: f64 = 45.0;

/// Tokens that come back at a constant rate.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    filled_at: Instant,
}

impl Bucket {
    fn take(bucket: &mut Option<Self>, now: Instant, size: f64, per_second: f64) -> bool {
        let bucket = bucket.get_or_insert(Self {
            tokens: size,
            filled_at: now,
        });
        let elapsed = now.saturating_duration_since(bucket.filled_at).as_secs_f64();
        bucket.tokens = (bucket.tokens + elapsed * per_second).min(size);
        bucket.filled_at = now;
        let is_allowed = bucket.tokens >= 1.0;
        if is_allowed {
            bucket.tokens -= 1.0;
        }
        is_allowed
    }
}

/// Messages a second of one number.
#[derive(Debug, Clone)]
pub struct Throughput {
    per_second: u32,
    bucket: Option<Bucket>,
}

impl Throughput {
    /// 0 means without limit.
    pub fn new(per_second: u32) -> Self {
        Self {
            per_second,
            bucket: None,
        }
    }

    pub fn per_second(&self) -> u32 {
        self.per_second
    }

    /// Whether one more message may pass now; `throttle` lowers the limit further.
    pub fn take(&mut self, now: Instant, throttle: Option<u32>) -> bool {
        let limit = match (self.per_second, throttle) {
            (0, None) => return true,
            (0, Some(throttle)) => throttle,
            (own, throttle) => own.min(throttle.unwrap_or(own)),
        };
        if limit == 0 {
            return false;
        }
        Bucket::take(&mut self.bucket, now, f64::from(limit), f64::from(limit))
    }

    /// A customer's message counts too, and is never refused.
    pub fn count_inbound(&mut self, now: Instant) {
        if self.per_second > 0 {
            self.take(now, None);
        }
    }
}

/// Messages from one number to one person.
#[derive(Debug, Clone, Default)]
pub struct PairRate(Option<Bucket>);

impl PairRate {
    pub fn take(&mut self, now: Instant) -> bool {
        Bucket::take(
            &mut self.0,
            now,
            PAIR_RESERVE,
            Duration::from_secs(1).as_secs_f64() / PAIR_INTERVAL,
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{PairRate, Throughput};

    #[test]
    fn a_number_takes_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let mut number = Throughput::new(80);
        assert_eq!((0..100).filter(|_| number.take(start, None)).count(), 80);
        let later = start + Duration::from_millis(500);
        assert_eq!((0..100).filter(|_| number.take(later, None)).count(), 40);
    }

    #[test]
    fn inbound_messages_use_the_same_allowance() {
        let now = Instant::now();
        let mut number = Throughput::new(10);
        (0..4).for_each(|_| number.count_inbound(now));
        assert_eq!((0..10).filter(|_| number.take(now, None)).count(), 6);
    }

    #[test]
    fn throttling_wins_over_the_number_and_zero_is_no_limit() {
        let now = Instant::now();
        assert_eq!(
            (0..10).filter(|_| Throughput::new(80).take(now, Some(0))).count(),
            0
        );
        let mut number = Throughput::new(0);
        assert_eq!((0..1000).filter(|_| number.take(now, None)).count(), 1000);
        assert_eq!((0..10).filter(|_| number.take(now, Some(3))).count(), 3);
    }

    #[test]
    fn a_pair_has_a_reserve_and_then_waits_six_seconds() {
        let start = Instant::now();
        let mut pair = PairRate::default();
        assert_eq!((0..60).filter(|_| pair.take(start)).count(), 45);
        assert!(!pair.take(start + Duration::from_millis(5_900)));
        assert!(pair.take(start + Duration::from_millis(6_100)));
        assert!(!pair.take(start + Duration::from_millis(6_200)));
    }
}
