//! `up`: everything started in the order it depends on each other, watched, and ended together.

use crate::cluster::Cluster;
use crate::database::{self, Depth};
use crate::health;
use crate::instance::{self, UpState};
use crate::paths::{StateDir, private_dir};
use crate::secrets::write_private;
use crate::services::{self, Service};
use crate::settings::Settings;
use crate::supervisor::Supervised;
use crate::{env_file, sandbox, seed};
use anyhow::{Context, Result, bail};
use std::rc::Rc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::LocalSet;
use tokio::time::Instant;

/// Runs until a signal comes or the start fails; nothing is left running either way.
pub async fn run(state: &StateDir, settings: &Settings, with_seed: bool) -> Result<()> {
    let Some(_lock) = instance::take_up_lock(state)? else {
        bail!("another start of this copy is under way");
    };
    let this_run = UpState {
        pid: std::process::id() as i32,
        port_base: settings.ports.web,
        is_healthy: false,
    };
    instance::write_up_state(state, &this_run)?;
    let outcome = LocalSet::new()
        .run_until(run_locked(state, settings, with_seed, this_run))
        .await;
    instance::remove_up_state(state);
    outcome
}

async fn run_locked(state: &StateDir, settings: &Settings, with_seed: bool, this_run: UpState) -> Result<()> {
    let mut run = Run::new(state, settings)?;
    let mut signals = Signals::listen()?;
    let started = tokio::select! {
        started = run.start(state, settings, with_seed) => started,
        name = signals.next() => {
            println!("\n{name}: stopping");
            return signals.stop_or_quit(&mut run).await;
        }
    };
    if let Err(error) = started {
        println!("stopping what was started");
        signals.stop_or_quit(&mut run).await?;
        return Err(error);
    }
    instance::write_up_state(
        state,
        &UpState {
            is_healthy: true,
            ..this_run
        },
    )?;
    let name = signals.next().await;
    println!("\n{name}: stopping");
    signals.stop_or_quit(&mut run).await?;
    println!("stopped");
    Ok(())
}

/// The signals that ask for an end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "interrupted",
            _ = self.terminate.recv() => "asked to end",
            _ = self.hangup.recv() => "the terminal is gone",
        }
    }

    /// Ends everything; a second signal meanwhile ends this program at once, and the kernel then signals every child.
    async fn stop_or_quit(&mut self, run: &mut Run) -> Result<()> {
        tokio::select! {
            () = run.stop() => Ok(()),
            name = self.next() => bail!("{name} once more: not waiting for the rest"),
        }
    }
}

struct Run {
    cluster: Rc<Cluster>,
    client: reqwest::Client,
    postgres: Option<Supervised>,
    others: Vec<Supervised>,
}

impl Run {
    fn new(state: &StateDir, settings: &Settings) -> Result<Self> {
        let cluster = Rc::new(Cluster::locate(state, settings.ports.postgres, false)?);
        Ok(Self {
            cluster,
            client: health::client(),
            postgres: None,
            others: Vec::new(),
        })
    }

    async fn start(&mut self, state: &StateDir, settings: &Settings, with_seed: bool) -> Result<()> {
        let began = Instant::now();
        let before_database = [
            services::sandbox(state, settings)?,
            services::web(state, settings)?,
        ];
        let on_database = [
            services::supabase(state, settings)?,
            services::worker(state, settings)?,
        ];
        if self.cluster.stop().await? {
            println!("  stopped a Postgres that an earlier run of this copy left running");
        }
        settings.ports.require_free()?;
        private_dir(&state.storage(), 0o700)?;
        let web_page = std::path::Path::new(settings.get("OCTOPUSH_WEB_DIST")).join("index.html");
        if !web_page.is_file() {
            bail!(
                "the web UI is not built ({} is missing); ./scripts/up builds it",
                web_page.display()
            );
        }
        let local_env = env_file::render(&settings.variables())?;
        write_private(&state.local_env(), &local_env)?;

        for service in before_database {
            self.add(service);
        }
        let preparing = Instant::now();
        let lock = instance::take_prepare_lock(state)?;
        if self
            .cluster
            .initialise(&settings.secrets.superuser_password)
            .await?
        {
            println!(
                "  made a new Postgres cluster in {:.2} s",
                preparing.elapsed().as_secs_f32()
            );
        }
        let postgres = Supervised::start(
            services::postgres(self.cluster.clone(), settings),
            self.client.clone(),
        );
        let ready = postgres.healthy().await;
        self.postgres = Some(postgres);
        ready.map_err(anyhow::Error::msg)?;
        let migrating = Instant::now();
        database::prepare(settings, "postgres", Depth::Product).await?;
        println!(
            "  {:<9} current after {:.2} s",
            "database",
            migrating.elapsed().as_secs_f32()
        );
        drop(lock);

        for supervised in &self.others {
            supervised.healthy().await.map_err(anyhow::Error::msg)?;
        }
        if let Err(error) = sandbox::remember_templates(settings).await {
            println!("  the sandbox does not know earlier templates: {error:#}");
        }
        for service in on_database {
            self.add(service);
        }
        for supervised in &self.others {
            supervised.healthy().await.map_err(anyhow::Error::msg)?;
        }
        let healthy_after = began.elapsed();
        let mut demo = "";
        if with_seed {
            seed::run(settings)
                .await
                .context("the demo organisation could not be made")?;
            demo = seed::LOGIN;
        }
        if let Err(error) = sandbox::remember_customers(settings).await {
            println!("  the sandbox does not know earlier customers: {error:#}");
        }
        println!("all healthy after {:.2} s", healthy_after.as_secs_f32());
        println!(
            "{}",
            summary(settings, &state.local_env().display().to_string(), demo)
        );
        Ok(())
    }

    fn add(&mut self, service: Service) {
        self.others.push(Supervised::start(service, self.client.clone()));
    }

    /// Those that use the database first and all at once, the database last.
    async fn stop(&mut self) {
        let mut ending = tokio::task::JoinSet::new();
        for supervised in self.others.drain(..) {
            ending.spawn_local(supervised.stop());
        }
        ending.join_all().await;
        if let Some(postgres) = self.postgres.take() {
            postgres.stop().await;
        }
    }
}

/// What a person needs to know once all is healthy.
pub fn summary(settings: &Settings, local_env: &str, demo: &str) -> String {
    let line = |label: &str, value: &str| format!("  {label:<17} {value}\n");
    let mailbox = format!("{}/mailbox", settings.get("SUPABASE_URL"));
    let mut text = String::from("\n");
    text.push_str(&line("OctoPush", settings.get("OCTOPUSH_APP_URL")));
    if !demo.is_empty() {
        text.push_str(&line("demo login", demo));
    }
    text.push_str(&line("play the customer", settings.get("OCTOPUSH_SANDBOX_URL")));
    text.push_str(&line("mailbox", &mailbox));
    text.push_str(&line("Supabase", settings.get("SUPABASE_URL")));
    text.push_str(&line("workers", settings.get("OCTOPUSH_WORKER_URL")));
    text.push_str(&line("settings", local_env));
    text
}
