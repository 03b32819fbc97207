//! A private Postgres cluster that dies with the test.

use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio_postgres::{Client, NoTls};

const SETTINGS: &str = "fsync = off\nfull_page_writes = off\nwal_level = logical\n\
                        max_connections = 60\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n\
                        shared_buffers = 32MB\nlog_min_messages = fatal\n";

pub struct Cluster {
    home: PathBuf,
    port: u16,
    server: Option<Child>,
}

impl Cluster {
    pub async fn start() -> Self {
        let home = make_home("test");
        let data = home.join("data");
        let copied = Command::new("cp")
            .arg("-a")
            .arg(template())
            .arg(&data)
            .status()
            .expect("cp");
        assert!(copied.success(), "the template was not copied");
        let port = free_port();
        let conf = data.join("postgresql.conf");
        let settings =
            std::fs::read_to_string(&conf).expect("postgresql.conf") + SETTINGS + &format!("port = {port}\n");
        std::fs::write(&conf, settings).expect("postgresql.conf");
        let mut cluster = Self {
            home,
            port,
            server: None,
        };
        cluster.start_again().await;
        cluster
    }

    pub fn url(&self, database: &str) -> String {
        self.url_as("supabase_admin", database)
    }

    pub fn url_as(&self, role: &str, database: &str) -> String {
        format!("postgresql://{role}@127.0.0.1:{}/{database}", self.port)
    }

    pub fn data_directory(&self) -> PathBuf {
        self.home.join("data")
    }

    pub async fn connect(&self, role: &str, database: &str) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url_as(role, database), NoTls)
            .await
            .expect("connect");
        tokio::spawn(connection);
        client
    }

    /// kill -9 of the whole server.
    pub fn crash(&mut self) {
        let mut server = self.server.take().expect("a running server");
        server.kill().expect("kill");
        server.wait().expect("wait");
    }

    /// Starts the server over the data it had; after a crash that includes recovery.
    pub async fn start_again(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let mut server = as_server_user("postgres")
                .arg("-D")
                .arg(self.data_directory())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("postgres");
            let exited = loop {
                if let Some(status) = server.try_wait().expect("try_wait") {
                    break Some(status);
                }
                if tokio_postgres::connect(&self.url("postgres"), NoTls)
                    .await
                    .is_ok()
                {
                    break None;
                }
                assert!(Instant::now() < deadline, "postgres did not start in time");
                tokio::time::sleep(Duration::from_millis(20)).await;
            };
            let Some(status) = exited else {
                self.server = Some(server);
                return;
            };
            // Backends of a killed server take a moment to notice, and hold the shared memory until then.
            let mut errors = String::new();
            let _ = server.stderr.take().expect("piped").read_to_string(&mut errors);
            assert!(
                Instant::now() < deadline,
                "postgres ended with {status}: {errors}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

/// A cluster as initdb leaves it, made once per server version: copying is several times faster than initdb.
fn template() -> PathBuf {
    let version = server_programs().to_string_lossy().replace('/', "-");
    let shared = std::env::temp_dir().join(format!("supabase-embedded-test-template{version}"));
    let lock = std::fs::File::create(shared.with_extension("lock")).expect("lock file");
    lock.lock().expect("lock");
    if shared.exists() {
        return shared;
    }
    let home = make_home("template");
    let unfinished = home.join("data");
    let initdb = as_server_user("initdb")
        .args([
            "--username=supabase_admin",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ])
        .arg("--pgdata")
        .arg(&unfinished)
        .stdout(Stdio::null())
        .status()
        .expect("initdb");
    assert!(initdb.success(), "initdb failed");
    std::fs::rename(&unfinished, &shared).expect("rename");
    let _ = std::fs::remove_dir(&home);
    shared
}

/// A directory the server's user may write.
fn make_home(purpose: &str) -> PathBuf {
    let home = std::env::temp_dir().join(format!("supabase-embedded-{purpose}-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&home).expect("test directory");
    if is_root() {
        let chown = Command::new("chown")
            .arg("postgres")
            .arg(&home)
            .status()
            .expect("chown");
        assert!(chown.success());
    }
    home
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}

/// A program of the newest server installed. Postgres refuses to run as root; and whatever ends the test, even a
/// kill, must end the server.
fn as_server_user(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=KILL");
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    }
    command
        .arg("--")
        .arg(server_programs().join(program))
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/");
    command
}

fn server_programs() -> PathBuf {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("a PostgreSQL server in /usr/lib/postgresql")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| Path::exists(&path.join("bin/postgres")))
        .collect();
    versions.sort_by_key(|path| {
        path.file_name()
            .and_then(|name| name.to_str()?.parse::<u32>().ok())
    });
    versions.pop().expect("a PostgreSQL server").join("bin")
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .expect("a free port")
        .local_addr()
        .expect("address")
        .port()
}
