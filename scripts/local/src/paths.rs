//! Where things lie: the repository, the state directory, the programs.

use anyhow::{Context, Result};
use rustix::process::geteuid;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The files of one local copy, all under its state directory.
#[derive(Debug, Clone)]
pub struct StateDir {
    root: PathBuf,
}

impl StateDir {
    /// The directory named, else `OCTOPUSH_STATE_DIR`, else `.octopush` of the repository. It is made if missing.
    pub fn open(named: Option<PathBuf>) -> Result<Self> {
        let path = named
            .or_else(|| {
                std::env::var_os("OCTOPUSH_STATE_DIR")
                    .filter(|value| !value.is_empty())
                    .map(PathBuf::from)
            })
            .unwrap_or_else(|| repository().join(".octopush"));
        let path = std::path::absolute(&path).with_context(|| format!("{} is no path", path.display()))?;
        // The server's user must be able to pass through when Postgres runs as another user than this one.
        private_dir(&path, if geteuid().is_root() { 0o711 } else { 0o700 })?;
        private_dir(&path.join("logs"), 0o700)?;
        Ok(Self { root: path })
    }

    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Deletes what this program and the processes it starts have put here; anything else stays, and the directory with it.
    pub fn delete(&self) -> Result<()> {
        for name in [
            "logs",
            "storage",
            "local.env",
            "secrets.json",
            "up.lock",
            "up.json",
            "prepare.lock",
            "postgres.path",
        ] {
            let path = self.root.join(name);
            let removed = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            match removed {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot delete {}", path.display()));
                }
                _ => {}
            }
        }
        fs::remove_dir(&self.root).ok();
        Ok(())
    }

    pub fn log(&self, process: &str) -> PathBuf {
        self.root.join("logs").join(format!("{process}.log"))
    }

    pub fn secrets(&self) -> PathBuf {
        self.root.join("secrets.json")
    }

    pub fn local_env(&self) -> PathBuf {
        self.root.join("local.env")
    }

    pub fn storage(&self) -> PathBuf {
        self.root.join("storage")
    }

    pub fn up_lock(&self) -> PathBuf {
        self.root.join("up.lock")
    }

    pub fn up_state(&self) -> PathBuf {
        self.root.join("up.json")
    }

    pub fn prepare_lock(&self) -> PathBuf {
        self.root.join("prepare.lock")
    }
}

/// Makes the directory and its parents; the mode is set even when it exists.
pub fn private_dir(path: &Path, mode: u32) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(if mode & 0o007 == 0 { 0o700 } else { 0o755 })
        .create(path)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
        .with_context(|| format!("cannot make the directory {}", path.display()))
}

/// `OCTOPUSH_ROOT`, else the checkout this program was built in, else the current directory.
pub fn repository() -> PathBuf {
    if let Some(root) = std::env::var_os("OCTOPUSH_ROOT") {
        return PathBuf::from(root);
    }
    let built_in = std::env::current_exe().ok().and_then(|program| {
        program
            .ancestors()
            .find(|folder| folder.join("sql/migrations").is_dir())
            .map(PathBuf::from)
    });
    built_in
        .or_else(|| std::env::current_dir().ok())
        .unwrap_or_default()
}

/// The folder of the other programs: `OCTOPUSH_BIN_DIR`, else the one this program lies in.
pub fn bin_dir() -> PathBuf {
    if let Some(folder) = std::env::var_os("OCTOPUSH_BIN_DIR") {
        return PathBuf::from(folder);
    }
    std::env::current_exe()
        .ok()
        .and_then(|program| program.parent().map(PathBuf::from))
        .unwrap_or_default()
}

/// A program of the workspace, which must have been built.
pub fn program(name: &str) -> Result<PathBuf> {
    let path = bin_dir().join(name);
    if path.is_file() {
        return Ok(path);
    }
    anyhow::bail!(
        "{} is not built; run ./scripts/up, which builds everything",
        path.display()
    )
}
