//! What a round does to the copy, drawn and then done.

use super::clocks::{self, MetaClock, WorkerClock};
use super::second_worker::SecondWorker;
use crate::faults::victims::Victim;
use crate::stack::{Stack, build};
use crate::wait::until;
use rand::RngExt;
use rand::rngs::StdRng;
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

/// The worker that the copy starts itself.
const FIRST: &str = "first-worker";
const SECOND: &str = "second-worker";

/// A clock's number is the seconds that it is off from now on.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Kill(Victim),
    KillSecondWorker,
    FirstClock(i64),
    SecondClock(i64),
    MetaClock(i64),
}

impl Fault {
    /// Seven rounds in ten kill something, so that something dies under every wrong clock.
    fn draw(random: &mut StdRng) -> Self {
        match random.random::<f64>() {
            c if c < 0.1 => Self::FirstClock(clocks::draw(random)),
            c if c < 0.2 => Self::SecondClock(clocks::draw(random)),
            c if c < 0.3 => Self::MetaClock(clocks::draw(random)),
            c if c < 0.55 => Self::KillSecondWorker,
            _ => Self::Kill(Victim::draw(random.random())),
        }
    }
}

/// How many rounds did what.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Tally {
    pub kills: usize,
    pub worker_clock_jumps: usize,
    pub meta_clock_jumps: usize,
}

/// A copy whose own worker has a clock that can be set.
pub fn start(state: &Path, port_base: u16) -> anyhow::Result<Stack> {
    let clock = WorkerClock::new(state, FIRST)?;
    clock.set(0)?;
    Stack::start_with(state, port_base, &clock.programs(&build())?)
}

/// The copy, and all that is done to it.
pub struct Faults<'a> {
    stack: &'a Stack,
    state: &'a Path,
    http: &'a reqwest::Client,
    random: StdRng,
    first_clock: WorkerClock,
    second_clock: WorkerClock,
    meta_clock: MetaClock,
    second: SecondWorker,
    tally: Tally,
}

impl<'a> Faults<'a> {
    /// Starts the second worker; every clock is wrong from here on.
    pub async fn begin(
        stack: &'a Stack,
        state: &'a Path,
        http: &'a reqwest::Client,
        mut random: StdRng,
    ) -> anyhow::Result<Self> {
        let first_clock = WorkerClock::new(state, FIRST)?;
        let second_clock = WorkerClock::new(state, SECOND)?;
        let mut meta_clock = MetaClock::default();
        let [first, second, meta] = std::array::from_fn(|_| clocks::draw(&mut random));
        first_clock.set(first)?;
        if second_clock.set(second)? {
            println!("the workers' clocks {first:+} s and {second:+} s");
        }
        println!("Meta's clock {meta:+} s");
        meta_clock
            .set(http, stack.get("OCTOPUSH_SANDBOX_URL"), meta)
            .await?;
        Ok(Self {
            stack,
            state,
            http,
            random,
            first_clock,
            second: SecondWorker::start(stack, &second_clock)?,
            second_clock,
            meta_clock,
            tally: Tally::default(),
        })
    }

    /// Some messages' time, then one fault; says which.
    pub async fn round(&mut self) -> anyhow::Result<String> {
        tokio::time::sleep(Duration::from_millis(self.random.random_range(100..1200))).await;
        clocks::sweep()?;
        match Fault::draw(&mut self.random) {
            Fault::Kill(victim) => {
                // The one killed last may still be starting: a round counts when something was really killed.
                until("a process to kill", Duration::from_secs(60), async || {
                    victim.kill(self.stack, self.state).unwrap_or(false)
                })
                .await?;
                self.tally.kills += 1;
                Ok(format!("{victim:?} killed"))
            }
            Fault::KillSecondWorker => {
                self.second.kill_and_start_again(self.stack, &self.second_clock)?;
                self.tally.kills += 1;
                Ok("the second worker killed".to_owned())
            }
            Fault::FirstClock(seconds) if self.first_clock.set(seconds)? => {
                self.tally.worker_clock_jumps += 1;
                Ok(format!("the worker's clock {seconds:+} s"))
            }
            Fault::SecondClock(seconds) if self.second_clock.set(seconds)? => {
                self.tally.worker_clock_jumps += 1;
                Ok(format!("the second worker's clock {seconds:+} s"))
            }
            // Also instead of a worker's where that cannot be set: every round has a fault.
            Fault::FirstClock(seconds) | Fault::SecondClock(seconds) | Fault::MetaClock(seconds) => {
                let sandbox = self.stack.get("OCTOPUSH_SANDBOX_URL");
                self.meta_clock.set(self.http, sandbox, seconds).await?;
                self.tally.meta_clock_jumps += 1;
                Ok(format!("Meta's clock {seconds:+} s"))
            }
        }
    }

    /// No second worker any more; the clocks stay wrong.
    pub fn end(self) -> anyhow::Result<Tally> {
        self.second.stop()?;
        clocks::sweep()?;
        Ok(self.tally)
    }
}
