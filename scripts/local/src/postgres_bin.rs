//! Which PostgreSQL to use and whom it may run as.

use anyhow::{Context, Result, bail};
use rustix::process::geteuid;
use std::fs;
use std::path::{Path, PathBuf};

/// Major versions the extension is built for, the preferred one first.
pub const SUPPORTED_MAJORS: [&str; 2] = ["17", "15"];

/// Debian's place for the programs of one major version.
const DEBIAN_HOME: &str = "/usr/lib/postgresql";

/// The folder with `postgres` and `initdb`: `OCTOPUSH_PG_BIN`, else the version an existing cluster was made by, else
/// the first supported one installed.
pub fn find(cluster_major: Option<&str>) -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("OCTOPUSH_PG_BIN").map(PathBuf::from) {
        if has_server(&folder) {
            return Ok(folder);
        }
        bail!(
            "OCTOPUSH_PG_BIN is {}, where there is no PostgreSQL server",
            folder.display()
        );
    }
    let debian = |major: &str| Path::new(DEBIAN_HOME).join(major).join("bin");
    if let Some(major) = cluster_major {
        let folder = debian(major);
        if has_server(&folder) {
            return Ok(folder);
        }
        bail!(
            "this copy's database was made by PostgreSQL {major}, which is not installed (looked in {}). Install postgresql-{major}, \
             name its folder in OCTOPUSH_PG_BIN, or use another OCTOPUSH_STATE_DIR",
            folder.display()
        );
    }
    SUPPORTED_MAJORS
        .into_iter()
        .map(debian)
        .find(|folder| has_server(folder))
        .with_context(|| {
            format!(
                "no PostgreSQL {} server found; ./scripts/setup installs one",
                SUPPORTED_MAJORS.join(" or ")
            )
        })
}

fn has_server(folder: &Path) -> bool {
    ["postgres", "initdb"]
        .iter()
        .all(|program| folder.join(program).is_file())
}

/// User and group the server runs as when this process is root, which `postgres` refuses to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerUser {
    pub uid: u32,
    pub gid: u32,
}

/// `None` when the server can run as the present user.
pub fn server_user() -> Result<Option<ServerUser>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    find_user(&accounts, "postgres")
        .map(Some)
        .context("PostgreSQL refuses to run as root and there is no user postgres; ./scripts/setup installs the server and its user")
}

fn find_user(accounts: &str, name: &str) -> Option<ServerUser> {
    accounts.lines().find_map(|line| {
        let mut columns = line.split(':');
        (columns.next() == Some(name)).then_some(())?;
        let uid = columns.nth(1)?.parse().ok()?;
        let gid = columns.next()?.parse().ok()?;
        Some(ServerUser { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_found_by_its_whole_name() {
        let accounts = "root:x:0:0::/root:/bin/sh\npostgres2:x:9:9::/:/bin/sh\npostgres:x:106:114::/var/lib/postgresql:/bin/bash\n";
        assert_eq!(
            find_user(accounts, "postgres"),
            Some(ServerUser { uid: 106, gid: 114 })
        );
        assert_eq!(find_user(accounts, "post"), None);
    }
}
