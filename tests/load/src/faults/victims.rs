//! What is killed, and how it is found: by the address it serves, so that a copy beside ours is never touched.

use crate::stack::Stack;
use anyhow::Context;
use std::path::Path;

/// A process of the copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    Worker,
    Postgres,
    Embedded,
}

impl Victim {
    /// Half the rounds hit the worker, where the money is.
    pub fn draw(chance: f64) -> Self {
        match chance {
            c if c < 0.5 => Self::Worker,
            c if c < 0.8 => Self::Postgres,
            _ => Self::Embedded,
        }
    }

    /// SIGKILL; false when it is not running just now.
    pub fn kill(self, stack: &Stack, state: &Path) -> anyhow::Result<bool> {
        let Some(pid) = self.pid(stack, state)? else {
            return Ok(false);
        };
        let status = std::process::Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status()
            .context("kill")?;
        Ok(status.success())
    }

    fn pid(self, stack: &Stack, state: &Path) -> anyhow::Result<Option<u32>> {
        match self {
            Self::Postgres => Ok(postmaster(state)),
            Self::Worker => by_environment(
                "octopush",
                "OCTOPUSH_WORKER_LISTEN",
                stack.get("OCTOPUSH_WORKER_URL"),
                "run",
            ),
            Self::Embedded => by_environment(
                "supabase-embedded",
                "SUPABASE_LISTEN",
                stack.get("SUPABASE_URL"),
                "serve",
            ),
        }
    }
}

fn postmaster(state: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(state.join("postgres/data/postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok()
}

fn by_environment(program: &str, variable: &str, url: &str, command: &str) -> anyhow::Result<Option<u32>> {
    let address = url.trim_start_matches("http://");
    for entry in std::fs::read_dir("/proc")? {
        let path = entry?.path();
        let Some(pid) = path
            .file_name()
            .and_then(|n| n.to_str())
            .and_then(|n| n.parse().ok())
        else {
            continue;
        };
        let read = |file: &str| std::fs::read(path.join(file)).unwrap_or_default();
        let command_line = String::from_utf8_lossy(&read("cmdline")).into_owned();
        let mut words = command_line.split('\0');
        let is_program = words
            .next()
            .is_some_and(|w| w.rsplit('/').next() == Some(program));
        if !is_program || words.next() != Some(command) {
            continue;
        }
        let environment = read("environ");
        let wanted = format!("{variable}={address}");
        if environment
            .split(|b| *b == 0)
            .any(|pair| pair == wanted.as_bytes())
        {
            return Ok(Some(pid));
        }
    }
    Ok(None)
}
