//! The command line.

use crate::cluster::Cluster;
use crate::database::{self, Depth};
use crate::instance;
use crate::paths::StateDir;
use crate::settings::Settings;
use crate::{detach, env_file, health, postgres_bin, process, seed, services, test_databases, up};
use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use rustix::process::Signal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Parser)]
#[command(version, about = "Runs OctoPush on one machine", propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

/// Which copy is meant; two copies with different places run side by side.
#[derive(Args)]
struct Place {
    /// Directory of this copy [default: $OCTOPUSH_STATE_DIR, else .octopush of the repository]
    #[arg(long, global = true)]
    state_dir: Option<PathBuf>,
    /// First of the five ports [default: $OCTOPUSH_PORT_BASE, else 15300]
    #[arg(long, global = true)]
    port_base: Option<u16>,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything and watch it; Ctrl-C stops all
    Up {
        /// Return once everything is healthy
        #[arg(long)]
        detach: bool,
        /// Leave the database without the demo organisation
        #[arg(long)]
        no_seed: bool,
    },
    /// Stop everything
    Down,
    /// Stop everything and delete this copy: its database, files, settings and secrets
    Destroy {
        /// Really
        #[arg(long)]
        yes: bool,
    },
    /// Say what runs and how it is; fails unless everything is healthy
    Status,
    /// Print the settings as lines a shell can evaluate
    Env,
    /// Make the demo organisation in the running copy
    Seed,
    /// The private Postgres alone
    Cluster {
        #[command(subcommand)]
        action: ClusterAction,
        #[command(flatten)]
        options: ClusterOptions,
    },
    /// Bring a database of the private Postgres (started if need be) to the present state
    Prepare {
        #[arg(long, default_value = "postgres")]
        database: String,
        /// How much to put into it
        #[arg(long, value_enum, default_value_t = Content::Product)]
        content: Content,
        /// Copy this database instead
        #[arg(long, conflicts_with = "content")]
        from: Option<String>,
        /// Make it a template that can only be copied
        #[arg(long)]
        template: bool,
        #[command(flatten)]
        options: ClusterOptions,
    },
    /// Drop a database of the private Postgres
    DropDatabase {
        #[arg(long)]
        database: String,
        #[command(flatten)]
        options: ClusterOptions,
    },
    /// Start a Postgres for tests, make its templates, and print what tests need as lines a shell can evaluate
    TestEnv,
    /// Print the folder of the PostgreSQL programs that are used
    PostgresBin,
}

#[derive(Subcommand, Clone, Copy)]
enum ClusterAction {
    /// Make it if there is none, and start it
    Start,
    /// Stop it
    Stop,
}

#[derive(Args)]
struct ClusterOptions {
    /// Port of Postgres [default: first port + 4]
    #[arg(long, global = true)]
    port: Option<u16>,
    /// Faster, and lost when the machine crashes: for tests
    #[arg(long, global = true)]
    volatile: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Content {
    /// Only what Supabase itself brings
    Supabase,
    /// The extension and all migrations too
    Product,
}

pub async fn run(cli: Cli) -> Result<ExitCode> {
    if let Command::PostgresBin = cli.command {
        println!("{}", postgres_bin::find(None)?.display());
        return Ok(ExitCode::SUCCESS);
    }
    let state = StateDir::open(cli.place.state_dir)?;
    let mut settings = Settings::load(&state, cli.place.port_base)?;
    match cli.command {
        Command::Up { detach, no_seed } => return start(&state, &settings, detach, no_seed).await,
        Command::Down => down(&state, &settings).await?,
        Command::Destroy { yes } => destroy(&state, &settings, yes).await?,
        Command::Status => return status(&state, &settings).await,
        Command::Env => print!("{}", exports(&settings.variables())?),
        Command::Seed => seed::run(&settings).await?,
        Command::Cluster { action, options } => {
            let cluster = locate(&state, &mut settings, &options)?;
            match action {
                ClusterAction::Start => {
                    start_cluster(&state, &settings, &cluster).await?;
                    println!("{}", settings.superuser_url("postgres"));
                }
                ClusterAction::Stop => {
                    let was_running = cluster.stop().await?;
                    println!(
                        "{}",
                        if was_running {
                            "Postgres stopped"
                        } else {
                            "Postgres does not run"
                        }
                    );
                }
            }
        }
        Command::Prepare {
            database,
            content,
            from,
            template,
            options,
        } => {
            let cluster = locate(&state, &mut settings, &options)?;
            start_cluster(&state, &settings, &cluster).await?;
            let _lock = instance::take_prepare_lock(&state)?;
            match from {
                Some(source) => database::create_database(&settings, &database, Some(&source)).await?,
                None => {
                    let depth = match content {
                        Content::Supabase => Depth::Supabase,
                        Content::Product => Depth::Product,
                    };
                    database::prepare(&settings, &database, depth).await?;
                }
            }
            if template {
                database::make_template(&settings, &database).await?;
            }
            println!("{}", settings.superuser_url(&database));
        }
        Command::DropDatabase { database, options } => {
            let cluster = locate(&state, &mut settings, &options)?;
            start_cluster(&state, &settings, &cluster).await?;
            database::drop_database(&settings, &database).await?;
        }
        Command::TestEnv => print!("{}", exports(&test_databases::make(&state, &settings).await?)?),
        Command::PostgresBin => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn exports(variables: &[(String, String)]) -> Result<String> {
    let text = env_file::render(variables)?;
    Ok(text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| format!("export {line}\n"))
        .collect())
}

fn locate(state: &StateDir, settings: &mut Settings, options: &ClusterOptions) -> Result<Cluster> {
    if let Some(port) = options.port {
        settings.ports.postgres = port;
    }
    Cluster::locate(state, settings.ports.postgres, options.volatile)
}

/// Starts the cluster unless it runs. A running one keeps its port, which must be the one expected.
pub async fn start_cluster(state: &StateDir, settings: &Settings, cluster: &Cluster) -> Result<()> {
    let _lock = instance::take_prepare_lock(state)?;
    if let Some(port) = cluster.running_port() {
        if port == settings.ports.postgres {
            return Ok(());
        }
        bail!(
            "this copy's Postgres already runs, on port {port} instead of {}; stop it first",
            settings.ports.postgres
        );
    }
    settings.ports.require_postgres_free()?;
    cluster.initialise(&settings.secrets.superuser_password).await?;
    cluster.start_detached().await
}

async fn start(state: &StateDir, settings: &Settings, detach: bool, no_seed: bool) -> Result<ExitCode> {
    if let Some(up) = instance::running_up(state)? {
        println!("already running (pid {}); ./scripts/down stops it", up.pid);
        if up.port_base == settings.ports.web && up.is_healthy {
            println!(
                "{}",
                up::summary(settings, &state.local_env().display().to_string(), seed::LOGIN)
            );
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !detach {
        up::run(state, settings, !no_seed).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut arguments = vec![
        format!("--state-dir={}", state.path().display()),
        format!("--port-base={}", settings.ports.web),
    ];
    if no_seed {
        arguments.push("--no-seed".to_owned());
    }
    detach::run(state, &arguments).await?;
    Ok(ExitCode::SUCCESS)
}

async fn down(state: &StateDir, settings: &Settings) -> Result<()> {
    let mut did_anything = false;
    if let Some(up) = instance::running_up(state)? {
        if up.pid == 0 {
            bail!("a start is just under way; try again in a second");
        }
        did_anything = true;
        let mut is_gone = false;
        // The whole run may take its own grace periods; whoever does not listen then takes all children along.
        for (signal, limit) in [(Signal::TERM, 50), (Signal::KILL, 5)] {
            process::signal(up.pid, signal);
            is_gone = process::wait_until(Duration::from_secs(limit), || {
                instance::running_up(state)
                    .is_ok_and(|running| running.is_none_or(|running| running.pid != up.pid))
            })
            .await;
            if is_gone {
                break;
            }
        }
        if !is_gone {
            bail!("the run (pid {}) does not end", up.pid);
        }
    }
    // Left running by `cluster start`, or by a run that was killed.
    did_anything |= Cluster::locate(state, settings.ports.postgres, false)?
        .stop()
        .await?;
    println!("{}", if did_anything { "stopped" } else { "nothing runs" });
    Ok(())
}

async fn destroy(state: &StateDir, settings: &Settings, is_sure: bool) -> Result<()> {
    if !is_sure {
        bail!(
            "this deletes the database and everything else in {}; add --yes",
            state.path().display()
        );
    }
    down(state, settings).await?;
    Cluster::locate(state, settings.ports.postgres, false)?.delete()?;
    state.delete()
}

async fn status(state: &StateDir, settings: &Settings) -> Result<ExitCode> {
    let Some(up) = instance::running_up(state)? else {
        println!("not running");
        return Ok(ExitCode::FAILURE);
    };
    println!("running (pid {})", up.pid);
    let client = health::client();
    let mut all_good = up.is_healthy;
    let postgres = health::Health::Postgres {
        url: settings.superuser_url("postgres"),
    };
    let asked = [
        ("postgres", postgres),
        ("supabase", services::supabase(state, settings)?.health),
        ("worker", services::worker(state, settings)?.health),
        ("sandbox", services::sandbox(state, settings)?.health),
        ("web", services::web(state, settings)?.health),
    ];
    for (name, health) in asked {
        let is_good = health.is_good(&client).await;
        all_good &= is_good;
        println!("  {name:<9} {}", if is_good { "healthy" } else { "not healthy" });
    }
    Ok(if all_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
