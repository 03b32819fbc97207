//! The rate of one number: exact, because the number is leased to this process alone.
//!
//! Campaigns may use all of it while nobody talks. Customers who write count against it too (reference/whatsapp.md §9.1), so while people
//! are being answered an eighth is left to them.

use super::Lane;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// After Meta said "slower", how long until we dare a little more again.
const RECOVERY: Duration = Duration::from_secs(10);
const SLOWER: f64 = 0.7;
const LEAST: f64 = 0.05;
/// So long after a reply the next ones are expected.
const TALKING: Duration = Duration::from_secs(10);
const RESERVE: f64 = 1.0 / 8.0;
/// What a timer that slept too long may make up for.
const CATCH_UP: Duration = Duration::from_millis(10);

/// How fast a number may send now.
pub struct Pace {
    allowed: u32,
    share: f64,
    changed: Instant,
    limiter: DefaultDirectRateLimiter,
    clock: DefaultClock,
    last_reply: Option<Instant>,
    /// When the next message of a campaign may leave while people talk.
    next_campaign: Instant,
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
            last_reply: None,
            next_campaign: Instant::now(),
        }
    }

    /// Takes a permit, or says how long until there is one.
    pub fn check(&mut self, lane: Lane) -> Option<Duration> {
        let now = Instant::now();
        let talking = self.last_reply.is_some_and(|at| now - at < TALKING);
        if lane == Lane::Campaign && talking && self.next_campaign > now {
            return Some(self.next_campaign - now);
        }
        if let Err(not_until) = self.limiter.check() {
            return Some(not_until.wait_time_from(self.clock.now()));
        }
        match lane {
            Lane::Reply => self.last_reply = Some(now),
            Lane::Campaign => {
                let (rate, _) = quota(self.allowed, self.share);
                let gap = Duration::from_secs_f64(1.0 / (rate * (1.0 - RESERVE)));
                let due = now.checked_sub(CATCH_UP).unwrap_or(now);
                self.next_campaign = self.next_campaign.max(due) + gap;
            }
        }
        None
    }

    /// Meta answered 130429.
    pub fn slow_down(&mut self) {
        self.set(self.allowed, (self.share * SLOWER).max(LEAST));
    }

    /// What Meta allows the number now; also where a slowed pace recovers, so it is called again and again.
    pub fn adapt(&mut self, messages_per_second: u32) {
        let allowed = messages_per_second.max(1);
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

/// Messages a second and burst. A bucket lets its burst through on top of a second's refill, so the burst is taken off the rate, and a
/// little more for the jitter of the network: no window of one second exceeds what Meta allows. Timers tick in milliseconds: a burst of
/// a hundredth makes up for what a tick slept too long.
fn quota(allowed: u32, share: f64) -> (f64, u32) {
    let burst = (allowed / 100).max(1);
    let rate = (f64::from(allowed) * share - f64::from(burst) + 0.5).max(0.5);
    (rate, burst)
}

fn limiter(allowed: u32, share: f64) -> DefaultDirectRateLimiter {
    let (rate, burst) = quota(allowed, share);
    let quota = Quota::with_period(Duration::from_secs_f64(1.0 / rate))
        .unwrap_or_else(|| Quota::per_second(NonZeroU32::MIN))
        .allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN));
    RateLimiter::direct(quota)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(pace: &mut Pace, lane: Lane) -> usize {
        std::iter::from_fn(|| pace.check(lane).is_none().then_some(())).count()
    }

    #[test]
    fn never_more_than_the_burst_at_once() {
        let mut pace = Pace::new(1000);
        assert!((10..20).contains(&taken(&mut pace, Lane::Reply)));
    }

    #[test]
    fn a_number_without_throughput_still_moves() {
        let mut pace = Pace::new(0);
        assert_eq!(pace.check(Lane::Reply), None);
        assert!(pace.check(Lane::Reply).unwrap() <= Duration::from_secs(3));
    }

    #[test]
    fn slower_means_longer_waits() {
        let mut fast = Pace::new(100);
        let mut slow = Pace::new(100);
        slow.slow_down();
        assert_eq!((fast.check(Lane::Reply), slow.check(Lane::Reply)), (None, None));
        assert!(slow.check(Lane::Reply).unwrap() > fast.check(Lane::Reply).unwrap());
    }

    #[test]
    fn no_second_exceeds_what_is_allowed() {
        for allowed in [1, 20, 80, 250, 1000] {
            let (rate, burst) = quota(allowed, 1.0);
            assert!(rate.floor() as u32 + burst <= allowed, "{allowed}");
            assert!(allowed < 50 || rate >= f64::from(allowed) * 0.99, "{allowed}");
        }
    }

    #[test]
    fn a_campaign_has_the_whole_rate_while_nobody_is_answered() {
        let mut pace = Pace::new(1000);
        pace.next_campaign = Instant::now() + Duration::from_secs(60);
        assert_eq!(pace.check(Lane::Campaign), None);
    }

    #[test]
    fn beside_replies_a_campaign_leaves_an_eighth() {
        let mut pace = Pace::new(1000);
        let begin = Instant::now();
        assert_eq!(pace.check(Lane::Reply), None);
        let mut count = 0_u32;
        while begin.elapsed() < Duration::from_millis(300) {
            count += u32::from(pace.check(Lane::Campaign).is_none());
        }
        let most = begin.elapsed().as_secs_f64() * 1000.0 * (1.0 - RESERVE) + 12.0;
        assert!(f64::from(count) <= most, "{count} of at most {most}");
        assert!(count > 50, "{count}");
    }

    #[test]
    fn a_conversation_that_ended_reserves_nothing() {
        let mut pace = Pace::new(1000);
        pace.last_reply = Instant::now().checked_sub(TALKING);
        pace.next_campaign = Instant::now() + Duration::from_secs(60);
        assert_eq!(pace.check(Lane::Campaign), None);
    }
}
