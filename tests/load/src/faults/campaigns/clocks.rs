//! Clocks that are wrong and jump: of each worker by libfaketime, of Meta by the sandbox's own switch. The database's stays right: it is the
//! one whose word counts.

use crate::faults::surroundings::set;
use anyhow::{Context, ensure};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::json;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Minutes: longer than every lease, wait and poll of the workers, so that one of them judged by the wrong clock would show.
const MOST_SECONDS: i64 = 600;

/// `$LIB` is the dynamic linker's own; the variant for programs with threads.
const LIBRARY: &str = "/usr/$LIB/faketime/libfaketimeMT.so.1";

/// Whether a clock can be faked here, found out by doing it.
static CAN_FAKE: LazyLock<bool> = LazyLock::new(|| {
    let works = probe();
    if let Err(problem) = &works {
        eprintln!(
            "SKIPPED: the workers' clocks stay right, only Meta's is wrong. libfaketime does not work here ({problem:#}); \
             `apt-get install libfaketime` brings it."
        );
    }
    works.is_ok()
});

/// Seconds that a clock is off; never zero.
pub fn draw(random: &mut StdRng) -> i64 {
    let seconds = random.random_range(1..=MOST_SECONDS);
    if random.random_bool(0.5) {
        seconds
    } else {
        -seconds
    }
}

/// The clock of one worker; a process that is started again keeps it.
pub struct WorkerClock {
    folder: PathBuf,
    worker: &'static str,
}

impl WorkerClock {
    /// Of a worker of the copy in this folder. It lies beside it: whoever starts the copy empties the folder.
    pub fn new(state: &Path, worker: &'static str) -> anyhow::Result<Self> {
        let mut folder = std::path::absolute(state)?.into_os_string();
        folder.push("-clocks");
        let clock = Self {
            folder: folder.into(),
            worker,
        };
        std::fs::create_dir_all(&clock.folder)?;
        if !clock.file().exists() {
            clock.set(0)?;
        }
        Ok(clock)
    }

    fn file(&self) -> PathBuf {
        self.folder.join(self.worker)
    }

    /// Lets it jump, within a second also in the running process; false where it cannot.
    pub fn set(&self, seconds: i64) -> anyhow::Result<bool> {
        // In one step: half a file would be read as another time.
        let new = self.file().with_extension("new");
        std::fs::write(&new, format!("{seconds:+}\n"))?;
        std::fs::rename(&new, self.file())?;
        Ok(*CAN_FAKE)
    }

    /// What the worker has to be started with.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        if *CAN_FAKE {
            environment(&self.file())
        } else {
            Vec::new()
        }
    }

    /// The programs of a build, of which `octopush` alone has this clock: who starts them all hands the same environment to all.
    pub fn programs(&self, build: &Path) -> anyhow::Result<PathBuf> {
        let build = std::path::absolute(build)?;
        let programs = self.folder.join(format!("{}-programs", self.worker));
        std::fs::remove_dir_all(&programs).ok();
        std::fs::create_dir(&programs)?;
        for name in ["octopush-local", "supabase-embedded", "whatsapp-sandbox"] {
            symlink(build.join(name), programs.join(name))?;
        }
        let octopush = build.join("octopush");
        let mut script = "#!/bin/sh\nexec env".to_owned();
        for (name, value) in self.environment() {
            script += &format!(" {name}={}", quoted(&value)?);
        }
        script += &format!(" {} \"$@\"\n", quoted(&octopush.display().to_string())?);
        let path = programs.join("octopush");
        std::fs::write(&path, script)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        Ok(programs)
    }
}

/// Clocks that measure stay as they are, as on a machine whose time is set.
fn environment(file: &Path) -> Vec<(&'static str, String)> {
    [
        ("LD_PRELOAD", LIBRARY),
        ("FAKETIME_TIMESTAMP_FILE", &file.display().to_string()),
        ("FAKETIME_CACHE_DURATION", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("NO_FAKE_STAT", "1"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

fn quoted(text: &str) -> anyhow::Result<String> {
    ensure!(!text.contains('\''), "{text}: a path with a quote in it");
    Ok(format!("'{text}'"))
}

/// Takes away what libfaketime leaves of processes that were killed; another with such a number would stumble over it.
pub fn sweep() -> anyhow::Result<()> {
    for entry in std::fs::read_dir("/dev/shm")? {
        let entry = entry?;
        let name = entry.file_name().into_string().unwrap_or_default();
        let pid = name
            .strip_prefix("faketime_shm_")
            .or_else(|| name.strip_prefix("sem.faketime_sem_"));
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            std::fs::remove_file(entry.path()).ok();
        }
    }
    Ok(())
}

fn probe() -> anyhow::Result<()> {
    let file = std::env::temp_dir().join(format!("octopush-clock-{}", std::process::id()));
    std::fs::write(&file, format!("+{MOST_SECONDS}\n"))?;
    let ask = |environment: Vec<(&str, String)>| -> anyhow::Result<i64> {
        let answer = Command::new("date").arg("+%s").envs(environment).output()?;
        let text = String::from_utf8(answer.stdout)?;
        text.trim().parse().context("date tells no time")
    };
    let right = ask(Vec::new())?;
    let wrong = ask(environment(&file));
    std::fs::remove_file(&file)?;
    let off = wrong? - right;
    ensure!(
        (MOST_SECONDS..MOST_SECONDS + 60).contains(&off),
        "a clock set {MOST_SECONDS} s ahead is {off} s ahead"
    );
    Ok(())
}

/// Meta's clock: what it stamps on statuses.
#[derive(Default)]
pub struct MetaClock(i64);

impl MetaClock {
    pub async fn set(&mut self, http: &reqwest::Client, sandbox: &str, seconds: i64) -> anyhow::Result<()> {
        set(
            http,
            sandbox,
            "clock",
            &json!({ "advance_seconds": seconds - self.0 }),
        )
        .await?;
        self.0 = seconds;
        Ok(())
    }
}
