//! Another worker beside the copy's own, with every role but the webhooks' address.

use super::clocks::WorkerClock;
use crate::stack::Stack;
use anyhow::Context;
use std::fs::OpenOptions;
use std::process::{Child, Command};

/// A child process; gone with this value.
pub struct SecondWorker(Child);

impl SecondWorker {
    pub fn start(stack: &Stack, clock: &WorkerClock) -> anyhow::Result<Self> {
        let log = OpenOptions::new()
            .append(true)
            .create(true)
            .open(stack.log("second-worker"))?;
        let child = Command::new(stack.program("octopush"))
            .arg("run")
            .envs(stack.settings())
            .envs(clock.environment())
            .env("OCTOPUSH_WORKER_LISTEN", "127.0.0.1:0")
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("a second worker")?;
        Ok(Self(child))
    }

    /// SIGKILL, and at once another.
    pub fn kill_and_start_again(&mut self, stack: &Stack, clock: &WorkerClock) -> anyhow::Result<()> {
        self.kill()?;
        *self = Self::start(stack, clock)?;
        Ok(())
    }

    pub fn stop(mut self) -> anyhow::Result<()> {
        self.kill()
    }

    fn kill(&mut self) -> anyhow::Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for SecondWorker {
    fn drop(&mut self) {
        self.kill().ok();
    }
}
