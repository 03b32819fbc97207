//! What one client, and all of them together, may use. Defaults are those of the real self-hosted server where it has one;
//! each can be set in the environment.

use anyhow::Context;

/// Limits of the Realtime server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Sockets open at once (`SUPABASE_REALTIME_MAX_CONNECTIONS`). The real default of 200 is for a shared host.
    pub connections: usize,
    /// Channels joined on one socket (`SUPABASE_REALTIME_MAX_CHANNELS`).
    pub channels: usize,
    /// Joins of one socket per second (`SUPABASE_REALTIME_MAX_JOINS_PER_SECOND`).
    pub joins_per_second: u32,
    /// Messages a socket may send per second, averaged over a minute (`SUPABASE_REALTIME_MAX_EVENTS_PER_SECOND`).
    pub events_per_second: u32,
    /// Size of one broadcast or presence payload in bytes (`SUPABASE_REALTIME_MAX_PAYLOAD_BYTES`).
    pub payload_bytes: usize,
    /// Bytes that may wait for one slow client before it is closed (`SUPABASE_REALTIME_MAX_QUEUED_BYTES`).
    pub queued_bytes: usize,
    /// Presence calls of one channel in `presence_window_seconds` (`SUPABASE_REALTIME_MAX_PRESENCE_CALLS`).
    pub presence_calls: u32,
    /// `SUPABASE_REALTIME_PRESENCE_WINDOW_SECONDS`.
    pub presence_window_seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1000,
            channels: 100,
            joins_per_second: 100,
            events_per_second: 100,
            payload_bytes: 3_000_000,
            queued_bytes: 8 * 1024 * 1024,
            presence_calls: 5,
            presence_window_seconds: 30,
        }
    }
}

impl Limits {
    /// The defaults, overridden by the environment.
    pub fn from_env() -> anyhow::Result<Self> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        fn number<T: std::str::FromStr>(
            lookup: &impl Fn(&str) -> Option<String>,
            name: &str,
            default: T,
        ) -> anyhow::Result<T> {
            let name = format!("SUPABASE_REALTIME_{name}");
            match lookup(&name) {
                None => Ok(default),
                Some(text) => {
                    let value = text.parse().ok();
                    value.with_context(|| format!("{name} must be a whole number, not {text:?}"))
                }
            }
        }
        let default = Self::default();
        Ok(Self {
            connections: number(&lookup, "MAX_CONNECTIONS", default.connections)?,
            channels: number(&lookup, "MAX_CHANNELS", default.channels)?,
            joins_per_second: number(&lookup, "MAX_JOINS_PER_SECOND", default.joins_per_second)?,
            events_per_second: number(&lookup, "MAX_EVENTS_PER_SECOND", default.events_per_second)?,
            payload_bytes: number(&lookup, "MAX_PAYLOAD_BYTES", default.payload_bytes)?,
            queued_bytes: number(&lookup, "MAX_QUEUED_BYTES", default.queued_bytes)?,
            presence_calls: number(&lookup, "MAX_PRESENCE_CALLS", default.presence_calls)?,
            presence_window_seconds: number(
                &lookup,
                "PRESENCE_WINDOW_SECONDS",
                default.presence_window_seconds,
            )?,
        })
    }
}

/// Allows `per_second` on average over `window_seconds`, in whatever bursts.
#[derive(Debug)]
pub struct Allowance {
    per_second: f64,
    most: f64,
    left: f64,
    at: std::time::Instant,
}

impl Allowance {
    /// A full allowance.
    pub fn new(per_second: u32, window_seconds: u32, now: std::time::Instant) -> Self {
        let most = f64::from(per_second) * f64::from(window_seconds);
        Self {
            per_second: f64::from(per_second),
            most,
            left: most,
            at: now,
        }
    }

    /// `calls` at once, and as many again in every `window_seconds`.
    pub fn burst(calls: u32, window_seconds: u32, now: std::time::Instant) -> Self {
        let most = f64::from(calls);
        Self {
            per_second: most / f64::from(window_seconds.max(1)),
            most,
            left: most,
            at: now,
        }
    }

    /// Takes one, unless none is left.
    pub fn take(&mut self, now: std::time::Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.left = (self.left + passed * self.per_second).min(self.most);
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn the_environment_overrides_and_nonsense_is_named() {
        let limits =
            Limits::from_lookup(|name| (name == "SUPABASE_REALTIME_MAX_CHANNELS").then(|| "7".to_owned()))
                .unwrap();
        assert_eq!(
            limits,
            Limits {
                channels: 7,
                ..Limits::default()
            }
        );
        let error = Limits::from_lookup(|name| name.ends_with("MAX_CONNECTIONS").then(|| "many".to_owned()))
            .unwrap_err()
            .to_string();
        assert!(error.contains("SUPABASE_REALTIME_MAX_CONNECTIONS"), "{error}");
    }

    #[test]
    fn an_allowance_refills_with_time_up_to_its_burst() {
        let start = Instant::now();
        let mut allowance = Allowance::new(2, 3, start);
        for _ in 0..6 {
            assert!(allowance.take(start));
        }
        assert!(!allowance.take(start));
        assert!(allowance.take(start + Duration::from_millis(500)));
        assert!(!allowance.take(start + Duration::from_millis(500)));
        let later = start + Duration::from_secs(3600);
        for _ in 0..6 {
            assert!(allowance.take(later));
        }
        assert!(!allowance.take(later));
    }
}
