//! The rate of one number: exact, because the number is leased to this process alone.

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// After Meta said "slower", how long until we dare a little more again.
const RECOVERY: Duration = Duration::from_secs(10);
const SLOWER: f64 = 0.7;
const LEAST: f64 = 0.05;

/// How fast a number may send now.
pub struct Pace {
    allowed: u32,
    share: f64,
    changed: Instant,
    limiter: DefaultDirectRateLimiter,
    clock: DefaultClock,
}

impl Pace {
    /// `messages_per_second` is what Meta allows the number.
    pub fn new(messages_per_second: u32) -> Self {
        let allowed = messages_per_second.max(1);
        Self {
            allowed,
            share: 1.0,
            changed: Instant::now(),
            limiter: limiter(allowed, 1.0),
            clock: DefaultClock::default(),
        }
    }

    /// Takes up to `wanted` permits. With none left: how long until the next.
    pub fn take(&mut self, wanted: usize, messages_per_second: u32) -> Result<usize, Duration> {
        self.adapt(messages_per_second.max(1));
        for taken in 0..wanted {
            if let Err(not_until) = self.limiter.check() {
                if taken > 0 {
                    return Ok(taken);
                }
                return Err(not_until.wait_time_from(self.clock.now()));
            }
        }
        Ok(wanted)
    }

    /// Meta answered 130429.
    pub fn slow_down(&mut self) {
        self.set(self.allowed, (self.share * SLOWER).max(LEAST));
    }

    fn adapt(&mut self, allowed: u32) {
        if allowed != self.allowed {
            self.set(allowed, self.share);
        } else if self.share < 1.0 && self.changed.elapsed() >= RECOVERY {
            self.set(allowed, (self.share + 0.1).min(1.0));
        }
    }

    fn set(&mut self, allowed: u32, share: f64) {
        self.allowed = allowed;
        self.share = share;
        self.changed = Instant::now();
        self.limiter = limiter(allowed, share);
    }
}

fn limiter(allowed: u32, share: f64) -> DefaultDirectRateLimiter {
    // A bucket lets its burst through on top of a second's refill, so the burst is taken off the rate: no window of one second
    // exceeds what Meta allows. A twentieth keeps fast numbers from waking for every single message.
    let burst = (allowed / 20).max(1);
    let rate = (f64::from(allowed) * share - f64::from(burst)).max(0.5);
    let quota = Quota::with_period(Duration::from_secs_f64(1.0 / rate))
        .unwrap_or_else(|| Quota::per_second(NonZeroU32::MIN))
        .allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN));
    RateLimiter::direct(quota)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_than_the_burst_at_once() {
        let mut pace = Pace::new(1000);
        assert_eq!(pace.take(500, 1000), Ok(50));
        assert!(pace.take(1, 1000).is_err());
    }

    #[test]
    fn a_number_without_throughput_still_moves() {
        let mut pace = Pace::new(0);
        assert_eq!(pace.take(5, 0), Ok(1));
        assert!(pace.take(1, 0).unwrap_err() <= Duration::from_secs(3));
    }

    #[test]
    fn slower_means_longer_waits() {
        let mut fast = Pace::new(100);
        let mut slow = Pace::new(100);
        slow.slow_down();
        fast.take(5, 100).unwrap();
        slow.take(5, 100).unwrap();
        assert!(slow.take(1, 100).unwrap_err() > fast.take(1, 100).unwrap_err());
    }
}
