//! Waiting longer after each failure, never in step with other processes.

use rand::RngExt;
use std::time::Duration;

/// Exponential back-off with jitter between half and all of the step.
#[derive(Debug)]
pub struct Backoff {
    step: Duration,
    first: Duration,
    most: Duration,
}

impl Backoff {
    /// Starts at `first`, doubles up to `most`.
    pub fn new(first: Duration, most: Duration) -> Self {
        Self {
            step: first,
            first,
            most,
        }
    }

    /// Something worked: start over.
    pub fn reset(&mut self) {
        self.step = self.first;
    }

    /// The next time to wait.
    pub fn next_delay(&mut self) -> Duration {
        let step = self.step;
        self.step = (self.step * 2).min(self.most);
        step.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(10))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_its_limit_and_starts_over() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(400));
        let delays: Vec<_> = (0..5).map(|_| backoff.next_delay()).collect();
        assert!(delays[0] <= Duration::from_millis(100));
        assert!(delays[4] >= Duration::from_millis(200) && delays[4] <= Duration::from_millis(400));
        backoff.reset();
        assert!(backoff.next_delay() <= Duration::from_millis(100));
    }
}
