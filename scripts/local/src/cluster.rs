//! The private PostgreSQL cluster of one copy. The system's own clusters are never touched.

use crate::instance::{read_postmaster_pid, works_in};
use crate::paths::{StateDir, private_dir};
use crate::postgres_bin::{self, ServerUser};
use crate::process;
use crate::secrets::write_private;
use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use sha2::{Digest, Sha256};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

/// Settings that hold for every copy; the port, sockets and memory are added at each start.
const SERVER_SETTINGS: &str = include_str!("cluster/postgresql.conf");

/// A cluster of tests may lose everything in a crash of the machine.
const VOLATILE_SETTINGS: &str = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n";

/// Where clusters lie whose state directory the server's user cannot reach.
const SHARED_HOME: &str = "/var/lib/octopush";

/// The longest path of a Unix socket (`sun_path`), less the file name Postgres adds.
const SOCKET_DIR_LIMIT: usize = 107 - "/.s.PGSQL.65535.lock".len();

/// A data directory, made or still to be made.
pub struct Cluster {
    home: PathBuf,
    bin: PathBuf,
    user: Option<ServerUser>,
    port: u16,
    is_volatile: bool,
    log: PathBuf,
}

impl Cluster {
    /// Finds the place and the programs; makes and starts nothing.
    pub fn locate(state: &StateDir, port: u16, is_volatile: bool) -> Result<Self> {
        let user = postgres_bin::server_user()?;
        let home = home_for(state, user)?;
        let major = fs::read_to_string(home.join("data/PG_VERSION")).ok();
        let bin = postgres_bin::find(major.as_deref().map(str::trim))?;
        Ok(Self {
            home,
            bin,
            user,
            port,
            is_volatile,
            log: state.log("postgres"),
        })
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Makes the cluster when there is none. `true` when it was made now.
    pub async fn initialise(&self, superuser_password: &str) -> Result<bool> {
        let unfinished = self.home.join("data.unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)
                .with_context(|| format!("cannot remove {}", unfinished.display()))?;
            println!("  removed a half-made cluster that an interrupted start left behind");
        }
        let fingerprint = hex::encode(&Sha256::digest(superuser_password)[..16]);
        let made_with = self.home.join("made-with");
        if let Found::Whole = self.inspect()? {
            if fs::read_to_string(&made_with).is_ok_and(|known| known != fingerprint) {
                bail!(
                    "the database in {} was made with another secrets.json than the present one, so nothing could sign in. Nothing was \
                     changed. Restore secrets.json, or delete {} to start afresh",
                    self.data().display(),
                    self.home.display()
                );
            }
            return Ok(false);
        }
        private_dir(&self.home, 0o700)?;
        self.give_to_server(&self.home)?;
        let password_file = self.home.join("password");
        write_private(&password_file, superuser_password)?;
        self.give_to_server(&password_file)?;
        let mut initdb = self.as_server("initdb");
        initdb
            .arg("--pgdata")
            .arg(&unfinished)
            .arg("--pwfile")
            .arg(&password_file)
            .args([
                "--username=supabase_admin",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--data-checksums",
            ]);
        if self.is_volatile {
            initdb.arg("--no-sync");
        }
        let made = process::run_to_end("initdb", &mut initdb, Duration::from_secs(120)).await;
        fs::remove_file(&password_file).ok();
        made?;
        write_private(&made_with, &fingerprint)?;
        // Only a whole cluster ever carries the name that is started.
        fs::remove_dir(self.data()).ok();
        fs::rename(&unfinished, self.data()).context("cannot put the new cluster in its place")?;
        Ok(true)
    }

    fn inspect(&self) -> Result<Found> {
        let data = self.data();
        let Ok(folder) = fs::metadata(&data) else {
            return Ok(Found::Nothing);
        };
        let expected = self
            .user
            .map_or_else(|| rustix::process::geteuid().as_raw(), |user| user.uid);
        if folder.uid() != expected {
            bail!(
                "the database in {} belongs to user {} and cannot be started as user {expected}. Start as the user who made it, or set \
                 OCTOPUSH_STATE_DIR to another directory",
                data.display(),
                folder.uid()
            );
        }
        let is_empty = fs::read_dir(&data).is_ok_and(|mut entries| entries.next().is_none());
        if is_empty {
            return Ok(Found::Nothing);
        }
        let missing: Vec<&str> = [
            "PG_VERSION",
            "global/pg_control",
            "postgresql.conf",
            "pg_hba.conf",
            "pg_wal",
        ]
        .into_iter()
        .filter(|part| !data.join(part).exists())
        .collect();
        if missing.is_empty() {
            return Ok(Found::Whole);
        }
        bail!(
            "the database in {} is not whole: {} missing. Nothing was changed. If nothing in it is needed, delete {} and start again; \
             else restore it from a backup",
            data.display(),
            if missing.len() == 1 {
                format!("{} is", missing[0])
            } else {
                format!("{} are", missing.join(", "))
            },
            self.home.display()
        )
    }

    /// The id of the running server, if it runs on this data directory.
    pub fn running(&self) -> Option<i32> {
        read_postmaster_pid(&self.data())
    }

    /// The port of the running server, which may be another than this copy's.
    pub fn running_port(&self) -> Option<u16> {
        self.running()?;
        // The fourth line of postmaster.pid.
        fs::read_to_string(self.data().join("postmaster.pid"))
            .ok()?
            .lines()
            .nth(3)?
            .trim()
            .parse()
            .ok()
    }

    /// The server in the foreground, with its settings freshly written.
    pub fn server(&self) -> Result<Command> {
        self.write_settings()?;
        self.discard_stale_lock_files();
        let mut server = self.as_server("postgres");
        server.arg("-D").arg(self.data());
        process::log_to(&mut server, &self.log)?;
        Ok(server)
    }

    /// After a crash the number in a lock file may belong to any other program by now, or to an exit status that nobody
    /// collects (in containers both happen often), and Postgres would take either for a server at work. A file whose
    /// process is gone it sees through itself.
    fn discard_stale_lock_files(&self) {
        if self.running().is_some() {
            return;
        }
        let socket_lock = self.home.join(format!(".s.PGSQL.{}.lock", self.port));
        for file in [self.data().join("postmaster.pid"), socket_lock] {
            let pid = fs::read_to_string(&file)
                .ok()
                .and_then(|text| text.lines().next()?.trim().parse::<i32>().ok());
            if pid.is_some_and(|pid| Path::new(&format!("/proc/{pid}")).exists()) {
                fs::remove_file(&file).ok();
            }
        }
    }

    fn write_settings(&self) -> Result<()> {
        let data = self.data();
        let main = data.join("postgresql.conf");
        let text = fs::read_to_string(&main).with_context(|| format!("cannot read {}", main.display()))?;
        let include = "include = 'octopush.conf'";
        if !text.lines().any(|line| line == include) {
            write_private(&main, &format!("{text}\n{include}\n"))?;
            self.give_to_server(&main)?;
        }
        let sockets = if self.home.as_os_str().len() <= SOCKET_DIR_LIMIT {
            self.home.display().to_string()
        } else {
            String::new()
        };
        let mut settings = format!(
            "{SERVER_SETTINGS}\nport = {}\nunix_socket_directories = '{}'\nshared_buffers = {}MB\neffective_cache_size = {}MB\n",
            self.port,
            sockets.replace('\'', "''"),
            memory_share(4, 128, 1024),
            memory_share(2, 512, 8192),
        );
        if self.is_volatile {
            settings.push_str(VOLATILE_SETTINGS);
        }
        let own = data.join("octopush.conf");
        write_private(&own, &settings)?;
        self.give_to_server(&own)
    }

    /// Starts the server so that it lives on after this program.
    pub async fn start_detached(&self) -> Result<()> {
        let mut server = self.server()?;
        process::untie_from_terminal(&mut server);
        let position = process::log_position(&self.log);
        let mut child = server.spawn().context("cannot start postgres")?;
        let mut ended = None;
        let is_ready = process::wait_until(Duration::from_secs(60), || {
            ended = child.try_wait().ok().flatten();
            ended.is_some() || self.is_ready()
        })
        .await;
        if let Some(status) = ended {
            bail!(
                "postgres ended at once ({status}):\n{}",
                process::log_since(&self.log, position)
            );
        }
        if !is_ready {
            bail!("postgres is not ready after 60 s; see {}", self.log.display());
        }
        Ok(())
    }

    /// Whether the server says it accepts connections (the last line of its pid file).
    pub fn is_ready(&self) -> bool {
        self.running().is_some()
            && fs::read_to_string(self.data().join("postmaster.pid"))
                .is_ok_and(|text| text.lines().nth(7).is_some_and(|status| status.trim() == "ready"))
    }

    /// Stops the server if it runs: fast, so that open sessions are rolled back; then at once when it does not listen.
    pub async fn stop(&self) -> Result<bool> {
        let Some(pid) = self.running() else {
            return Ok(false);
        };
        for (signal, limit) in [(Signal::INT, 30), (Signal::QUIT, 10), (Signal::KILL, 5)] {
            process::signal(pid, signal);
            // The process, not its pid file: the file goes a moment earlier.
            if process::wait_until(Duration::from_secs(limit), || !works_in(pid, &self.data())).await {
                return Ok(true);
            }
        }
        bail!("postgres (pid {pid}) does not end")
    }

    /// Deletes a stopped cluster with all its databases.
    pub fn delete(&self) -> Result<()> {
        if self.running().is_some() {
            bail!("Postgres runs in {}", self.home.display());
        }
        if self.home.exists() {
            fs::remove_dir_all(&self.home)
                .with_context(|| format!("cannot delete {}", self.home.display()))?;
        }
        Ok(())
    }

    fn as_server(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        // A folder the server's user may enter, whatever this one's is; and no PG* setting meant for clients.
        command
            .current_dir(if self.home.is_dir() {
                self.home.as_path()
            } else {
                Path::new("/")
            })
            .env_clear();
        command
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C.UTF-8");
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    fn give_to_server(&self, path: &Path) -> Result<()> {
        let Some(user) = self.user else { return Ok(()) };
        chown(path, Some(user.uid), Some(user.gid))
            .with_context(|| format!("cannot give {} to the user postgres", path.display()))
    }
}

enum Found {
    Nothing,
    Whole,
}

/// `postgres/` of the state directory; or, when this is root and the server's user cannot get there (a checkout below
/// /root), a place of its own in /var/lib, whose path the state directory keeps.
fn home_for(state: &StateDir, user: Option<ServerUser>) -> Result<PathBuf> {
    let usual = state.path().join("postgres");
    let Some(user) = user else { return Ok(usual) };
    if can_enter(state.path(), user) {
        return Ok(usual);
    }
    let note = state.path().join("postgres.path");
    if let Ok(path) = fs::read_to_string(&note) {
        return Ok(PathBuf::from(path));
    }
    private_dir(Path::new(SHARED_HOME), 0o711)?;
    // A new state directory in an old one's place has new secrets: it must not find the old one's database.
    let home = Path::new(SHARED_HOME).join(hex::encode(rand::random::<[u8; 8]>()));
    write_private(&note, &home.display().to_string())?;
    Ok(home)
}

/// Whether the user may pass through every folder of the path.
fn can_enter(path: &Path, user: ServerUser) -> bool {
    path.ancestors().all(|folder| {
        fs::metadata(folder).is_ok_and(|found| {
            let mode = found.permissions().mode();
            let bit = if found.uid() == user.uid {
                0o100
            } else if found.gid() == user.gid {
                0o010
            } else {
                0o001
            };
            mode & bit != 0
        })
    })
}

/// The machine's memory divided, in MB, within bounds.
fn memory_share(divisor: u64, least: u64, most: u64) -> u64 {
    let kilobytes = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| {
            text.lines()
                .next()?
                .split_whitespace()
                .nth(1)?
                .parse::<u64>()
                .ok()
        })
        .unwrap_or(0);
    (kilobytes / 1024 / divisor).clamp(least, most)
}
