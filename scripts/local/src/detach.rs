//! `up --detach`: the same run in the background, followed until it is healthy.

use crate::instance;
use crate::paths::StateDir;
use crate::process;
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::time::Duration;
use tokio::process::Command;

/// A first start makes the cluster, migrates and seeds.
const START_LIMIT: Duration = Duration::from_secs(300);

/// Starts `up` with the arguments given in the background; returns once it is healthy.
pub async fn run(state: &StateDir, arguments: &[String]) -> Result<()> {
    let log = state.log("up");
    let position = process::log_position(&log);
    let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
    command.arg("up").args(arguments);
    process::log_to(&mut command, &log)?;
    process::untie_from_terminal(&mut command);
    let mut child = command.spawn().context("cannot start in the background")?;

    let mut shown = position;
    let mut ended = None;
    let is_settled = process::wait_until(START_LIMIT, || {
        ended = child.try_wait().ok().flatten();
        show_new(&log, &mut shown);
        ended.is_some()
            || instance::running_up(state)
                .ok()
                .flatten()
                .is_some_and(|up| up.is_healthy && Some(up.pid as u32) == child.id())
    })
    .await;
    show_new(&log, &mut shown);
    if let Some(status) = ended {
        bail!("the start failed ({status}); the whole log: {}", log.display());
    }
    if !is_settled {
        bail!(
            "not healthy after {} s; it goes on in the background, ./scripts/down stops it",
            START_LIMIT.as_secs()
        );
    }
    Ok(())
}

/// Copies to the console what the log has beyond `shown`.
fn show_new(log: &std::path::Path, shown: &mut u64) {
    let mut text = Vec::new();
    let read = fs::File::open(log).and_then(|mut file| {
        file.seek(SeekFrom::Start(*shown))
            .and_then(|_| file.read_to_end(&mut text))
    });
    if let Ok(count) = read {
        *shown += count as u64;
        let mut out = std::io::stdout().lock();
        out.write_all(&text).and_then(|()| out.flush()).ok();
    }
}
