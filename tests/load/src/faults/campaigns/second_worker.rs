//! Another worker beside the copy's own, with every role but the webhooks' address.

use crate::stack::Stack;
use anyhow::Context;
use std::process::{Child, Command, Stdio};

/// A child process; gone with this value.
pub struct SecondWorker(Child);

impl SecondWorker {
    pub fn start(stack: &Stack) -> anyhow::Result<Self> {
        let child = Command::new(stack.program("octopush"))
            .arg("run")
            .envs(stack.settings())
            .env("OCTOPUSH_WORKER_LISTEN", "127.0.0.1:0")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("a second worker")?;
        Ok(Self(child))
    }

    /// SIGKILL, and at once another.
    pub fn kill_and_start_again(&mut self, stack: &Stack) -> anyhow::Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        *self = Self::start(stack)?;
        Ok(())
    }

    pub fn stop(mut self) -> anyhow::Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for SecondWorker {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
