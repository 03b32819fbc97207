//! A whole copy of the product, started by `octopush-local` in a folder of its own.

use anyhow::{Context, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio_postgres::{Client, NoTls};

/// A running copy and its settings.
pub struct Stack {
    settings: BTreeMap<String, String>,
    state: PathBuf,
    port_base: u16,
    bin: PathBuf,
    programs: PathBuf,
}

impl Stack {
    /// Starts everything in a folder made anew: figures and proofs must not depend on what an earlier run left.
    pub fn start(state: &Path, port_base: u16) -> anyhow::Result<Self> {
        Self::start_with(state, port_base, &build())
    }

    /// The same, but what runs comes from another folder than the build's.
    pub fn start_with(state: &Path, port_base: u16, programs: &Path) -> anyhow::Result<Self> {
        let mut stack = Self {
            settings: BTreeMap::new(),
            state: state.to_owned(),
            port_base,
            bin: build(),
            programs: std::path::absolute(programs)?,
        };
        if state.exists() {
            stack.local(&["down"])?;
            std::fs::remove_dir_all(state)
                .with_context(|| format!("{} cannot be removed", state.display()))?;
        }
        ensure!(
            stack.local(&["up", "--detach", "--no-seed"])?,
            "the copy under {} did not come up",
            state.display()
        );
        stack.settings = read_settings(&state.join("local.env"))?;
        Ok(stack)
    }

    /// Stops everything.
    pub fn stop(&self) -> anyhow::Result<()> {
        ensure!(
            self.local(&["down"])?,
            "the copy under {} did not stop",
            self.state.display()
        );
        Ok(())
    }

    /// Runs `octopush-local` on this copy.
    pub fn local(&self, arguments: &[&str]) -> anyhow::Result<bool> {
        let status = Command::new(self.bin.join("octopush-local"))
            .arg("--state-dir")
            .arg(&self.state)
            .args(["--port-base", &self.port_base.to_string()])
            .args(arguments)
            .env("OCTOPUSH_BIN_DIR", &self.programs)
            .status()
            .context("octopush-local does not start: build it with `cargo build --release`")?;
        Ok(status.success())
    }

    /// A setting of `local.env`.
    pub fn get(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", String::as_str)
    }

    /// All settings, for a process to be started beside it.
    pub fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }

    /// The log of one of its processes.
    pub fn log(&self, process: &str) -> PathBuf {
        self.state.join("logs").join(format!("{process}.log"))
    }

    /// A program of this build.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// As the superuser of the private cluster, on one of its databases.
    pub async fn database(&self, name: &str) -> anyhow::Result<Client> {
        connect(&self.database_url(name)).await
    }

    /// Connection string of a database of the private cluster.
    pub fn database_url(&self, name: &str) -> String {
        with_database(self.get("OCTOPUSH_DATABASE_URL"), name)
    }

    /// The same for the workers' role.
    pub fn worker_url(&self, name: &str) -> String {
        with_database(self.get("OCTOPUSH_WORKER_DATABASE_URL"), name)
    }

    /// Makes the database anew, migrated and empty.
    pub fn prepare(&self, name: &str) -> anyhow::Result<()> {
        self.local(&["drop-database", "--database", name])?;
        ensure!(
            self.local(&["prepare", "--database", name])?,
            "database {name} could not be prepared"
        );
        Ok(())
    }
}

/// The folder of the programs that were built.
pub fn build() -> PathBuf {
    PathBuf::from(std::env::var("OCTOPUSH_BIN_DIR").unwrap_or_else(|_| "target/release".into()))
}

/// Connects; the connection is driven in the background.
pub async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The same server, another database.
pub fn with_database(url: &str, name: &str) -> String {
    let end = url.find('?').unwrap_or(url.len());
    let slash = url[..end].rfind('/').unwrap_or(end);
    format!("{}/{name}{}", &url[..slash], &url[end..])
}

fn read_settings(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(text
        .lines()
        .map(|line| line.trim_start_matches("export "))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches(['"', '\'']).to_owned()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn another_database_of_the_same_server() {
        assert_eq!(
            with_database("postgres://u:p@h:5/postgres", "x"),
            "postgres://u:p@h:5/x"
        );
        assert_eq!(
            with_database("postgres://u:p@h:5/postgres?sslmode=disable", "x"),
            "postgres://u:p@h:5/x?sslmode=disable"
        );
    }
}
