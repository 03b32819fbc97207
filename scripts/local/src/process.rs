//! Starting and ending programs so that none is ever left behind.

use anyhow::{Context, Result, bail};
use rustix::process::{
    Pid, Signal, getppid, kill_process, kill_process_group, set_parent_process_death_signal,
};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// A log is put aside as `.old` when it is larger than this at the start of a run.
const LOG_LIMIT: u64 = 20 * 1024 * 1024;

/// How often something without a notification of its own is looked at.
const POLL: Duration = Duration::from_millis(20);

/// Puts the program into a process group of its own (Ctrl-C in the terminal reaches only this process) and has the
/// kernel send it `signal` when this process dies by whatever cause.
pub fn tie_to_this_process(command: &mut Command, signal: Signal) {
    let parent = Pid::from_raw(std::process::id() as i32);
    command.process_group(0);
    // SAFETY: between fork and exec only async-signal-safe system calls are made, and nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(signal))?;
            // The parent may have died before the line above; then no signal would ever come.
            if getppid() != parent {
                return Err(std::io::ErrorKind::Interrupted.into());
            }
            Ok(())
        });
    }
}

/// Puts the program into a session of its own, so that it lives on when this process and its terminal are gone.
pub fn untie_from_terminal(command: &mut Command) {
    // SAFETY: setsid is async-signal-safe and nothing is allocated.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
}

/// Standard output and error go to the end of the log, standard input is empty.
pub fn log_to(command: &mut Command, log: &Path) -> Result<()> {
    let file = open_log(log)?;
    let copy = file.try_clone().context("cannot duplicate a file descriptor")?;
    command.stdin(Stdio::null()).stdout(file).stderr(copy);
    Ok(())
}

fn open_log(path: &Path) -> Result<File> {
    if fs::metadata(path).is_ok_and(|found| found.len() > LOG_LIMIT) {
        fs::rename(path, path.with_extension("log.old")).ok();
    }
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot open the log {}", path.display()))
}

/// Length of the log now, for [`log_since`].
pub fn log_position(path: &Path) -> u64 {
    fs::metadata(path).map(|found| found.len()).unwrap_or(0)
}

/// The last lines written to the log after `position`, indented.
pub fn log_since(path: &Path, position: u64) -> String {
    let mut text = Vec::new();
    if let Ok(mut file) = File::open(path) {
        let start = position.max(log_position(path).saturating_sub(8 * 1024));
        if file.seek(SeekFrom::Start(start)).is_ok() {
            file.read_to_end(&mut text).ok();
        }
    }
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..]
        .iter()
        .map(|line| format!("    {line}\n"))
        .collect()
}

/// Asks the child and everything it started to end, and ends them when they do not in time.
pub async fn stop(child: &mut Child, signal: Signal, grace: Duration) {
    let Some(group) = child.id().and_then(|id| Pid::from_raw(id as i32)) else {
        return;
    };
    kill_process_group(group, signal).ok();
    if timeout(grace, child.wait()).await.is_err() {
        kill_process_group(group, Signal::KILL).ok();
        child.wait().await.ok();
    }
    // What the program itself may have started and not ended.
    kill_process_group(group, Signal::KILL).ok();
}

/// Signals a process that is not a child of this one.
pub fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        kill_process(pid, signal).ok();
    }
}

/// Waits until the condition holds; `false` when it does not before the deadline.
pub async fn wait_until(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !condition() {
        if Instant::now() >= deadline {
            return false;
        }
        sleep(POLL).await;
    }
    true
}

/// Runs a program to its end; its output is shown only when it fails.
pub async fn run_to_end(what: &str, command: &mut Command, limit: Duration) -> Result<()> {
    tie_to_this_process(command, Signal::TERM);
    // What failed is said by the message; a backtrace would push it out of sight.
    command
        .stdin(Stdio::null())
        .env("RUST_BACKTRACE", "0")
        .kill_on_drop(true);
    let output = match timeout(limit, command.output()).await {
        Ok(output) => output.with_context(|| format!("cannot start {what}"))?,
        Err(_) => bail!("{what} did not end within {} s", limit.as_secs()),
    };
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    let last: String = lines[lines.len().saturating_sub(20)..]
        .iter()
        .map(|line| format!("\n    {line}"))
        .collect();
    bail!("{what} failed ({}):{last}", output.status)
}

/// A command with the given environment on top of this process's own.
pub fn command(program: impl AsRef<OsStr>, variables: &[(String, String)]) -> Command {
    let mut command = Command::new(program);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command
}
