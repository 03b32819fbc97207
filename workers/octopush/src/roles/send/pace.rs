//! The rate of one number: exact, because the number is leased to this process alone.
//!
//! Messages leave evenly, and a late one is made up for at once; whatever happens, no second sees more than Meta allows. Campaigns may use
//! all of it while nobody talks. Customers who write count against it too (reference/whatsapp.md §9.1), so while people are being answered
//! an eighth is left to them.

use super::Lane;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// After Meta said "slower", how long until we dare a little more again.
const RECOVERY: Duration = Duration::from_secs(10);
const SLOWER: f64 = 0.7;
const LEAST: f64 = 0.05;
/// So long after a reply the next ones are expected.
const TALKING: Duration = Duration::from_secs(10);
const RESERVE: f64 = 1.0 / 8.0;
/// What a timer that slept too long may make up for.
const CATCH_UP: Duration = Duration::from_millis(25);
/// A second as it is counted here: some messages take a few milliseconds longer to Meta than others, and there no second may be too full either.
const SECOND: Duration = Duration::from_millis(1008);

/// How fast a number may send now.
pub struct Pace {
    allowed: u32,
    share: f64,
    changed: Instant,
    /// When the next message may leave.
    due: Instant,
    /// Those that left within the last second, oldest first.
    recent: VecDeque<Instant>,
    last_reply: Option<Instant>,
    /// When the next message of a campaign may leave while people talk.
    next_campaign: Instant,
}

impl Pace {
    /// `messages_per_second` is what Meta allows the number.
    pub fn new(messages_per_second: u32) -> Self {
        let now = Instant::now();
        Self {
            allowed: messages_per_second.max(1),
            share: 1.0,
            changed: now,
            due: now,
            recent: VecDeque::new(),
            last_reply: None,
            next_campaign: now,
        }
    }

    /// Takes a permit, or says how long until there is one.
    pub fn check(&mut self, lane: Lane) -> Option<Duration> {
        self.check_at(lane, Instant::now())
    }

    fn check_at(&mut self, lane: Lane, now: Instant) -> Option<Duration> {
        let talking = self.last_reply.is_some_and(|at| now - at < TALKING);
        let mut due = self.due;
        if lane == Lane::Campaign && talking {
            due = due.max(self.next_campaign);
        }
        let rate = self.rate();
        let most = (rate as usize).max(1);
        if let Some(index) = self.recent.len().checked_sub(most) {
            due = due.max(self.recent[index] + SECOND);
        }
        if due > now {
            return Some(due - now);
        }
        self.recent.drain(..(self.recent.len() + 1).saturating_sub(most));
        self.recent.push_back(now);
        let begin = now.checked_sub(CATCH_UP).unwrap_or(now);
        self.due = self.due.max(begin) + Duration::from_secs_f64(1.0 / rate);
        match lane {
            Lane::Reply => self.last_reply = Some(now),
            Lane::Campaign => {
                let gap = Duration::from_secs_f64(1.0 / (rate * (1.0 - RESERVE)));
                self.next_campaign = self.next_campaign.max(begin) + gap;
            }
        }
        None
    }

    fn rate(&self) -> f64 {
        (f64::from(self.allowed) * self.share).max(0.5)
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When permits were given to a lane that always wants one and wakes up to `late` milliseconds after it may.
    fn permits(pace: &mut Pace, lane: Lane, begin: Instant, seconds: u64, late: u64) -> Vec<Instant> {
        let (mut now, mut given) = (begin, Vec::new());
        let mut turn = 0_u64;
        while now < begin + Duration::from_secs(seconds) {
            match pace.check_at(lane, now) {
                None => given.push(now),
                Some(wait) => {
                    turn += 1;
                    now += wait + Duration::from_millis(turn * 7 % (late + 1));
                }
            }
        }
        given
    }

    fn fullest_second(given: &[Instant]) -> usize {
        let within = |first: &Instant| {
            given
                .iter()
                .filter(|at| *at >= first && **at - *first < Duration::from_secs(1))
                .count()
        };
        given.iter().map(within).max().unwrap_or(0)
    }

    #[test]
    fn what_is_allowed_is_reached_and_no_second_exceeds_it() {
        for allowed in [1, 20, 80, 250, 1000] {
            for late in [0, 2, 5] {
                let mut pace = Pace::new(allowed);
                let given = permits(&mut pace, Lane::Campaign, Instant::now(), 10, late);
                assert!(
                    fullest_second(&given) <= allowed as usize,
                    "{allowed}, {late} ms late"
                );
                let rate = given.len() as f64 / 10.0;
                assert!(
                    allowed < 80 || rate >= f64::from(allowed) * 0.99,
                    "{rate} of {allowed}, {late} ms late"
                );
            }
        }
    }

    #[test]
    fn a_pause_is_not_made_up_for_by_a_burst() {
        let mut pace = Pace::new(1000);
        let later = Instant::now() + Duration::from_secs(60);
        let at_once =
            std::iter::from_fn(|| pace.check_at(Lane::Reply, later).is_none().then_some(())).count();
        assert!((1..=26).contains(&at_once), "{at_once}");
    }

    #[test]
    fn a_number_without_throughput_still_moves() {
        let mut pace = Pace::new(0);
        assert_eq!(pace.check(Lane::Reply), None);
        assert!(pace.check(Lane::Reply).unwrap() <= Duration::from_secs(3));
    }

    #[test]
    fn slower_means_fewer() {
        let (mut fast, mut slow) = (Pace::new(100), Pace::new(100));
        slow.slow_down();
        let begin = Instant::now();
        let fast = permits(&mut fast, Lane::Reply, begin, 5, 1).len();
        let slow = permits(&mut slow, Lane::Reply, begin, 5, 1).len();
        assert!((340..=360).contains(&slow) && fast > 490, "{slow}, {fast}");
    }

    #[test]
    fn a_campaign_has_the_whole_rate_until_somebody_is_answered() {
        let begin = Instant::now();
        let mut pace = Pace::new(1000);
        let alone = permits(&mut pace, Lane::Campaign, begin, 5, 1).len();
        let talking = begin + Duration::from_secs(6);
        assert_eq!(pace.check_at(Lane::Reply, talking), None);
        let beside = permits(&mut pace, Lane::Campaign, talking, 5, 1).len();
        assert!(
            alone >= 4950 && (4300..=4400).contains(&beside),
            "{alone}, {beside}"
        );
        // What the campaign leaves is there for replies.
        let now = talking + Duration::from_secs(5);
        assert!(pace.check_at(Lane::Reply, now).unwrap_or_default() <= Duration::from_millis(2));
        let over = permits(&mut pace, Lane::Campaign, now + TALKING + TALKING, 5, 1).len();
        assert!(over >= 4950, "{over}");
    }
}
