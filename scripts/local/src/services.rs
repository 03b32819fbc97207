//! The processes of a local run: how each is started, asked and ended.

use crate::cluster::Cluster;
use crate::health::Health;
use crate::paths::{StateDir, program};
use crate::process;
use crate::settings::Settings;
use anyhow::Result;
use rustix::process::Signal;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;
use tokio::process::Command;

/// One process to keep running.
pub struct Service {
    /// Also the name of its log.
    pub name: &'static str,
    pub start: Box<dyn Fn() -> Result<Command>>,
    pub health: Health,
    pub log: PathBuf,
    /// Sent to end it, and by the kernel when this program dies.
    pub stop_signal: Signal,
    /// How long it may take over ending.
    pub grace: Duration,
}

/// Postgres; SIGINT is its fast shutdown.
pub fn postgres(cluster: Rc<Cluster>, settings: &Settings) -> Service {
    Service {
        name: "postgres",
        health: Health::Postgres {
            url: settings.superuser_url("postgres"),
        },
        log: cluster.log().to_owned(),
        start: Box::new(move || cluster.server()),
        stop_signal: Signal::INT,
        grace: Duration::from_secs(30),
    }
}

/// REST, Auth, Realtime and Storage.
pub fn supabase(state: &StateDir, settings: &Settings) -> Result<Service> {
    // Asked at its own socket: SUPABASE_URL may be an address that only a proxy in front knows.
    let health = Health::Http {
        url: format!("http://{}/health", settings.get("SUPABASE_LISTEN")),
        api_key: Some(settings.get("SUPABASE_ANON_KEY").to_owned()),
    };
    workspace_program(
        state,
        settings,
        "supabase",
        "supabase-embedded",
        &["serve"],
        health,
    )
}

/// Webhooks, applying, sending, maintenance.
pub fn worker(state: &StateDir, settings: &Settings) -> Result<Service> {
    let health = Health::http(format!(
        "http://{}/readyz",
        settings.get("OCTOPUSH_WORKER_LISTEN")
    ));
    workspace_program(state, settings, "worker", "octopush", &["run"], health)
}

/// The built UI.
pub fn web(state: &StateDir, settings: &Settings) -> Result<Service> {
    let health = Health::http(format!(
        "http://{}/config.json",
        settings.get("OCTOPUSH_WEB_LISTEN")
    ));
    workspace_program(state, settings, "web", "octopush", &["web"], health)
}

/// The stand-in for Meta.
pub fn sandbox(state: &StateDir, settings: &Settings) -> Result<Service> {
    let health = Health::http(format!("http://{}/healthz", settings.get("SANDBOX_LISTEN")));
    workspace_program(state, settings, "sandbox", "whatsapp-sandbox", &["serve"], health)
}

fn workspace_program(
    state: &StateDir,
    settings: &Settings,
    name: &'static str,
    file: &str,
    arguments: &'static [&'static str],
    health: Health,
) -> Result<Service> {
    let path = program(file)?;
    let log = state.log(name);
    let variables = settings.variables();
    let log_of_start = log.clone();
    let start = move || {
        let mut command = process::command(&path, &variables);
        command.args(arguments);
        process::log_to(&mut command, &log_of_start)?;
        Ok(command)
    };
    Ok(Service {
        name,
        start: Box::new(start),
        health,
        log,
        stop_signal: Signal::TERM,
        grace: Duration::from_secs(10),
    })
}
