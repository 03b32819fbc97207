//! The five ports of one copy, all on the loopback interface.

use anyhow::{Result, bail};
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::path::Path;

/// One port a process, in the order of `docs/plan.md`.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    pub web: u16,
    pub supabase: u16,
    pub worker: u16,
    pub sandbox: u16,
    pub postgres: u16,
}

impl Ports {
    /// Below the ports Linux gives to outgoing connections (32768 and up): one of those would keep a restarted server from its own port.
    pub const DEFAULT_BASE: u16 = 15_300;

    pub fn from_base(base: u16) -> Result<Self> {
        if !(1024..=u16::MAX - 4).contains(&base) {
            bail!("OCTOPUSH_PORT_BASE is {base}; it must be from 1024 to 65531");
        }
        Ok(Self {
            web: base,
            supabase: base + 1,
            worker: base + 2,
            sandbox: base + 3,
            postgres: base + 4,
        })
    }

    pub fn address(port: u16) -> String {
        format!("127.0.0.1:{port}")
    }

    /// An error that names every port in use, and by which process where that can be seen.
    pub fn require_free(&self) -> Result<()> {
        refuse(taken([
            (self.web, "the web UI"),
            (self.supabase, "the embedded Supabase"),
            (self.worker, "the workers"),
            (self.sandbox, "the WhatsApp sandbox"),
            (self.postgres, "Postgres"),
        ]))
    }

    /// The same for Postgres alone.
    pub fn require_postgres_free(&self) -> Result<()> {
        refuse(taken([(self.postgres, "Postgres")]))
    }
}

fn taken<const N: usize>(named: [(u16, &str); N]) -> Vec<String> {
    named
        .into_iter()
        .filter(|(port, _)| !is_free(*port))
        .map(|(port, purpose)| {
            let holder = holder(port)
                .map(|process| format!(" by {process}"))
                .unwrap_or_default();
            format!("  port {port}, meant for {purpose}, is in use{holder}")
        })
        .collect()
}

fn refuse(taken: Vec<String>) -> Result<()> {
    if taken.is_empty() {
        return Ok(());
    }
    bail!(
        "cannot start:\n{}\nStop what uses it, or set OCTOPUSH_PORT_BASE to another first port (and OCTOPUSH_STATE_DIR to another \
         directory if a copy of OctoPush runs there)",
        taken.join("\n")
    )
}

/// Bound the way the servers do it, so that connections still in TIME_WAIT do not count as in use.
fn is_free(port: u16) -> bool {
    TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// `name (pid N)` of the process that listens on the port, when this user may see it.
fn holder(port: u16) -> Option<String> {
    let inode = listening_inode(&fs::read_to_string("/proc/net/tcp").ok()?, port)
        .or_else(|| listening_inode(&fs::read_to_string("/proc/net/tcp6").ok()?, port))?;
    let socket = format!("socket:[{inode}]");
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Ok(pid) = process.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        if holds(&process.path().join("fd"), &socket) {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("{} (pid {pid})", name.trim()));
        }
    }
    None
}

fn holds(descriptors: &Path, socket: &str) -> bool {
    let Ok(descriptors) = fs::read_dir(descriptors) else {
        return false;
    };
    descriptors
        .flatten()
        .any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target.as_os_str() == socket))
}

/// The socket's inode in the kernel's table: columns `sl local_address rem_address st … inode`, state 0A is LISTEN.
fn listening_inode(table: &str, port: u16) -> Option<String> {
    let local_end = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let is_it = columns.get(1)?.ends_with(&local_end) && *columns.get(3)? == "0A";
        is_it
            .then(|| columns.get(9).map(|inode| (*inode).to_owned()))
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_named_with_its_purpose_and_holder() {
        let (listener, base) = (0..50)
            .find_map(|_| {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
                let port = listener.local_addr().ok()?.port();
                (port > 2000 && port < 65_000).then_some((listener, port - 1))
            })
            .expect("a free port");
        let error = Ports::from_base(base)
            .expect("in range")
            .require_free()
            .expect_err("taken")
            .to_string();
        assert!(
            error.contains(&format!(
                "port {}, meant for the embedded Supabase, is in use by",
                base + 1
            )),
            "{error}"
        );
        assert!(
            error.contains(&format!("(pid {})", std::process::id())),
            "{error}"
        );
        drop(listener);
    }

    #[test]
    fn a_base_that_leaves_no_room_is_refused() {
        assert!(Ports::from_base(65_532).is_err());
        assert!(Ports::from_base(80).is_err());
        assert_eq!(Ports::from_base(65_531).expect("the last").postgres, 65_535);
    }
}
