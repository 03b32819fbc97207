//! From an empty server to a migrated database, and the copies of it that tests use.

use crate::paths::program;
use crate::process;
use crate::settings::Settings;
use anyhow::{Context, Result, bail};
use std::time::Duration;
use tokio_postgres::{Client, NoTls};

/// Long enough for a data move on a large local database, short enough to notice one that waits for a lock forever.
const STEP_LIMIT: Duration = Duration::from_secs(300);

/// How far a database is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What Supabase itself brings, and nothing of ours.
    Supabase,
    /// The extension and all migrations too.
    Product,
}

/// Brings one database to the present state. Safe to repeat.
pub async fn prepare(settings: &Settings, database: &str, depth: Depth) -> Result<()> {
    if database != "postgres" {
        create_database(settings, database, None).await?;
    }
    let url = settings.superuser_url(database);
    let mut bootstrap = process::command(program("supabase-embedded")?, &settings.variables());
    bootstrap
        .arg("bootstrap")
        .env("SUPABASE_DB_URL", &url)
        .env("SUPABASE_POSTGRES_PASSWORD", &settings.secrets.postgres_password)
        .env(
            "SUPABASE_AUTHENTICATOR_PASSWORD",
            &settings.secrets.authenticator_password,
        );
    process::run_to_end("supabase-embedded bootstrap", &mut bootstrap, STEP_LIMIT).await?;
    if depth == Depth::Supabase {
        return Ok(());
    }
    create_extension(&url).await?;
    let mut migrate = process::command(program("octopush")?, &settings.variables());
    migrate
        .arg("migrate")
        .env("OCTOPUSH_MIGRATE_URL", settings.migrate_url(database));
    process::run_to_end("octopush migrate", &mut migrate, STEP_LIMIT).await?;
    set_worker_password(&url, &settings.secrets.worker_password).await
}

/// A connection that is driven in the background until it is dropped.
pub async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .context("cannot connect to the private Postgres")?;
    tokio::spawn(connection);
    Ok(client)
}

async fn create_extension(url: &str) -> Result<()> {
    let client = connect(url).await?;
    let available = client
        .query_opt(
            "select default_version from pg_available_extensions where name = 'octopush'",
            &[],
        )
        .await?
        .is_some();
    if !available {
        bail!(
            "the extension octopush is not installed in this PostgreSQL; ./scripts/up builds and installs it"
        );
    }
    client
        .batch_execute("set client_min_messages = warning; create extension if not exists octopush; alter extension octopush update")
        .await
        .context("cannot create the extension octopush")
}

/// The migrations make the role; its password is this copy's own.
async fn set_worker_password(url: &str, password: &str) -> Result<()> {
    // The settings admit only characters that need no escaping. A statement that fails is not to be logged.
    let statements = format!(
        "set log_min_error_statement = 'panic'; alter role octopush_worker login password '{password}'"
    );
    connect(url)
        .await?
        .batch_execute(&statements)
        .await
        .map_err(|error| anyhow::anyhow!("cannot set the password of octopush_worker: {}", reason(&error)))
}

/// The server's words without the statement.
fn reason(error: &tokio_postgres::Error) -> String {
    error
        .as_db_error()
        .map_or_else(|| error.to_string(), |answer| answer.message().to_owned())
}

/// Makes the database if it is missing; `template` is copied.
pub async fn create_database(settings: &Settings, name: &str, template: Option<&str>) -> Result<()> {
    for given in [Some(name), template].into_iter().flatten() {
        require_plain_name(given)?;
    }
    let client = connect(&settings.superuser_url("postgres")).await?;
    if client
        .query_opt("select from pg_database where datname = $1", &[&name])
        .await?
        .is_some()
    {
        return Ok(());
    }
    let copied = template
        .map(|template| format!(" template {template}"))
        .unwrap_or_default();
    client
        .batch_execute(&format!("create database {name}{copied}"))
        .await
        .map_err(|error| anyhow::anyhow!("cannot create the database {name}: {}", reason(&error)))
}

/// Drops the database and ends its sessions; fine when there is none.
pub async fn drop_database(settings: &Settings, name: &str) -> Result<()> {
    require_plain_name(name)?;
    if name == "postgres" {
        bail!(
            "the database postgres is the product's own and is not dropped; delete the state directory for a fresh start"
        );
    }
    let client = connect(&settings.superuser_url("postgres")).await?;
    client
        .execute(
            "update pg_database set datistemplate = false where datname = $1",
            &[&name],
        )
        .await?;
    client
        .batch_execute(&format!("drop database if exists {name} with (force)"))
        .await?;
    Ok(())
}

/// Gives the database another name; nobody may be connected to it.
pub async fn rename_database(settings: &Settings, name: &str, new_name: &str) -> Result<()> {
    require_plain_name(name)?;
    require_plain_name(new_name)?;
    let client = connect(&settings.superuser_url("postgres")).await?;
    client
        .execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1",
            &[&name],
        )
        .await?;
    client
        .batch_execute(&format!("alter database {name} rename to {new_name}"))
        .await
        .map_err(|error| anyhow::anyhow!("cannot rename {name} to {new_name}: {}", reason(&error)))
}

/// A template takes no connections, so that nobody can stand in the way of copying it.
pub async fn make_template(settings: &Settings, name: &str) -> Result<()> {
    require_plain_name(name)?;
    let client = connect(&settings.superuser_url("postgres")).await?;
    client
        .batch_execute(&format!(
            "alter database {name} is_template true allow_connections false"
        ))
        .await
        .map_err(|error| anyhow::anyhow!("cannot make {name} a template: {}", reason(&error)))
}

/// Names of the databases that begin so.
pub async fn databases_beginning(settings: &Settings, prefix: &str) -> Result<Vec<String>> {
    let client = connect(&settings.superuser_url("postgres")).await?;
    let rows = client
        .query(
            "select datname::text from pg_database where starts_with(datname::text, $1)",
            &[&prefix],
        )
        .await?;
    Ok(rows.into_iter().map(|row| row.get(0)).collect())
}

fn require_plain_name(name: &str) -> Result<()> {
    let is_plain = !name.is_empty()
        && name.len() <= 63
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if is_plain {
        return Ok(());
    }
    bail!("{name:?} is no database name here: use lower-case letters, digits and _, beginning with a letter")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_become_part_of_a_statement() {
        assert!(require_plain_name("octopush_template_1f").is_ok());
        for name in ["", "1a", "A", "a-b", "a b", "a;b", "a\"b", "ä", &"a".repeat(64)] {
            assert!(require_plain_name(name).is_err(), "{name:?}");
        }
    }
}
