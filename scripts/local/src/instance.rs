//! What of this copy runs now: told from locks and live processes, never from a pid file alone.

use crate::paths::StateDir;
use crate::secrets::write_private;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The server's process id when it is alive and works in this data directory. A pid file that a crash left behind, even
/// one whose number another program has by now, does not count.
pub fn read_postmaster_pid(data: &Path) -> Option<i32> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid: i32 = text.lines().next()?.trim().parse().ok()?;
    works_in(pid, data).then_some(pid)
}

/// Whether this process lives and works in this folder, as a server does in its data directory.
pub fn works_in(pid: i32, folder: &Path) -> bool {
    match (
        fs::read_link(format!("/proc/{pid}/cwd")),
        fs::canonicalize(folder),
    ) {
        (Ok(works_in), Ok(folder)) => works_in == folder,
        _ => false,
    }
}

/// Held by `up` as long as it runs; the kernel lets go of it however the process ends.
pub struct UpLock(#[allow(dead_code, reason = "held, not read")] File);

/// What the running `up` says about itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UpState {
    pub pid: i32,
    pub port_base: u16,
    pub is_healthy: bool,
}

/// Takes the lock, or `None` when another `up` of this state directory runs.
pub fn take_up_lock(state: &StateDir) -> Result<Option<UpLock>> {
    let path = state.up_lock();
    let file = open_lock(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(UpLock(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// Keeps two programs from making the same database at once; waits for the other.
pub fn take_prepare_lock(state: &StateDir) -> Result<File> {
    let path = state.prepare_lock();
    let file = open_lock(&path)?;
    file.lock()
        .with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

fn open_lock(path: &Path) -> Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))
}

/// What the running `up` wrote; `None` when none runs (a file left behind by a killed one does not count).
pub fn running_up(state: &StateDir) -> Result<Option<UpState>> {
    if take_up_lock(state)?.is_some() {
        return Ok(None);
    }
    let text = fs::read_to_string(state.up_state()).unwrap_or_default();
    // Just started and not written yet: known to run, nothing more.
    Ok(Some(serde_json::from_str(&text).unwrap_or(UpState {
        pid: 0,
        port_base: 0,
        is_healthy: false,
    })))
}

pub fn write_up_state(state: &StateDir, up: &UpState) -> Result<()> {
    write_private(&state.up_state(), &serde_json::to_string(up)?)
}

pub fn remove_up_state(state: &StateDir) {
    fs::remove_file(state.up_state()).ok();
}
