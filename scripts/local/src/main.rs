//! `octopush-local`: the whole product on one machine: a private Postgres, the embedded Supabase, the WhatsApp
//! sandbox, the workers and the web UI, started in order, watched, and stopped together.

mod cluster;
mod commands;
mod database;
mod detach;
mod env_file;
mod health;
mod instance;
mod paths;
mod ports;
mod postgres_bin;
mod process;
mod sandbox;
mod secrets;
mod seed;
mod services;
mod settings;
mod supervisor;
mod test_databases;
mod up;

use clap::Parser;
use std::process::ExitCode;

// One thread: a child is told when its parent's *thread* dies, so the thread that spawns must be the one that lives
// as long as the process.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match commands::run(commands::Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
