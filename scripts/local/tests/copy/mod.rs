//! One scratch copy: a state directory and ports of its own, stopped and removed in the end whatever happens.
#![allow(dead_code, reason = "each test program uses its part")]

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

pub struct Copy {
    pub state: PathBuf,
    pub base: u16,
    pub port: u16,
}

impl Copy {
    pub fn new(name: &str) -> Self {
        let state = std::env::temp_dir().join(format!("octopush-local-{}-{name}", std::process::id()));
        fs::remove_dir_all(&state).ok();
        let base = free_ports();
        Self {
            state,
            base,
            port: base + 4,
        }
    }

    pub fn home(&self) -> PathBuf {
        self.state.join("postgres")
    }

    pub fn data(&self) -> PathBuf {
        self.home().join("data")
    }

    /// The program with nothing of the tester's environment that would change what it does.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_octopush-local"));
        command.env_clear();
        for kept in ["PATH", "HOME", "TMPDIR", "LANG", "OCTOPUSH_PG_BIN"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command
            .env("OCTOPUSH_STATE_DIR", &self.state)
            .env("OCTOPUSH_PORT_BASE", self.base.to_string());
        command
            .env("OCTOPUSH_ROOT", repository())
            .env("OCTOPUSH_BIN_DIR", programs());
        command.args(arguments);
        command
    }

    /// Runs to the end, which must be a good one; what it said, or its last line when that is a connection string.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("the program starts");
        assert!(
            output.status.success(),
            "{arguments:?} failed:\n{}",
            text(&output)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub fn fails(&self, arguments: &[&str]) -> String {
        self.fails_with(arguments, &[])
    }

    pub fn fails_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> String {
        let output = self
            .command(arguments)
            .envs(environment.iter().copied())
            .output()
            .expect("the program starts");
        assert!(
            !output.status.success(),
            "{arguments:?} should have failed:\n{}",
            text(&output)
        );
        text(&output)
    }

    pub fn query(&self, url: &str, sql: &str) -> String {
        self.try_query(url, sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub fn try_query(&self, url: &str, sql: &str) -> Result<String, String> {
        let output = Command::new("psql")
            .args(["-XAtqc", sql, url])
            .output()
            .expect("psql starts");
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        } else {
            Err(text(&output))
        }
    }

    pub fn server_pid(&self) -> i32 {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).expect("pid file");
        text.lines()
            .next()
            .expect("a line")
            .trim()
            .parse()
            .expect("a number")
    }

    pub fn is_alive(&self, pid: i32) -> bool {
        is_alive(pid)
    }

    /// Ends a process the hard way and waits until it and the server's other processes are gone.
    pub fn kill(&self, pid: i32) {
        let killed = Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status()
            .expect("kill starts");
        assert!(killed.success());
        wait_for("the process to be gone", || !is_alive(pid));
        let data = fs::canonicalize(self.data()).unwrap_or_default();
        wait_for("the server's processes to be gone", || {
            processes_in(&data).is_empty()
        });
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.command(&["down"]).output().ok();
        for pid in processes_in(&fs::canonicalize(self.data()).unwrap_or_default()) {
            Command::new("kill").args(["-9", &pid.to_string()]).output().ok();
        }
        fs::remove_dir_all(&self.state).ok();
    }
}

/// Polls until the condition holds; a failed test when it does not within half a minute.
pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "waited 30 s for {what}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// A process that exists and is more than an unreaped exit status.
pub fn is_alive(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit_once(')')
            .is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
    })
}

/// Processes whose working directory is this one.
pub fn processes_in(folder: &Path) -> Vec<i32> {
    all_processes()
        .filter(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder))
        .collect()
}

/// Processes that were started with this state directory in their environment.
pub fn processes_of(state: &Path) -> Vec<i32> {
    let variable = format!("OCTOPUSH_STATE_DIR={}", state.display());
    let own = std::process::id() as i32;
    all_processes()
        .filter(|pid| *pid != own && is_alive(*pid))
        .filter(|pid| {
            fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
                environment
                    .split(|byte| *byte == 0)
                    .any(|entry| entry == variable.as_bytes())
            })
        })
        .collect()
}

fn all_processes() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc")
        .expect("/proc")
        .flatten()
        .filter_map(|entry| entry.file_name().to_string_lossy().parse().ok())
}

pub fn text(output: &Output) -> String {
    [output.stdout.clone(), output.stderr.clone()]
        .into_iter()
        .map(|part| String::from_utf8_lossy(&part).into_owned())
        .collect()
}

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the repository")
}

fn programs() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_octopush-local"))
        .parent()
        .expect("a folder")
        .to_owned()
}

/// The first of ten ports in a row that nobody listens on. Below the range the kernel hands out, and each test program
/// begins elsewhere, so that programs running at once do not choose the same.
fn free_ports() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % 900) as u16 * 10;
    (0..900)
        .map(|_| 20_000 + (start + TAKEN.fetch_add(10, Ordering::Relaxed)) % 9_000)
        .find(|base| (*base..*base + 10).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()))
        .expect("ten free ports in a row")
}
