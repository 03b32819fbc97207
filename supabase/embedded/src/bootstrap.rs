//! What Supabase itself brings to a database before any migration runs: roles, schemas, functions, publications.

use anyhow::{Context, bail};
use tokio_postgres::NoTls;

/// The parts in the order they depend on each other.
const PARTS: [(&str, &str); 6] = [
    ("roles", include_str!("bootstrap/roles.sql")),
    ("extensions", include_str!("bootstrap/extensions.sql")),
    ("auth", include_str!("bootstrap/auth.sql")),
    ("vault", include_str!("bootstrap/vault.sql")),
    ("realtime", include_str!("bootstrap/realtime.sql")),
    ("storage", include_str!("bootstrap/storage.sql")),
];

/// What `bootstrap` needs to know.
#[derive(Debug, Clone, clap::Args)]
pub struct BootstrapArgs {
    /// Connection as the superuser supabase_admin to the database to prepare.
    #[arg(long, env = "SUPABASE_DB_URL", hide_env_values = true)]
    pub db_url: String,
    /// Password to give the role `postgres`; left as it is when not set.
    #[arg(long, env = "SUPABASE_POSTGRES_PASSWORD", hide_env_values = true)]
    pub postgres_password: Option<String>,
    /// Password to give the role `authenticator`; left as it is when not set.
    #[arg(long, env = "SUPABASE_AUTHENTICATOR_PASSWORD", hide_env_values = true)]
    pub authenticator_password: Option<String>,
}

/// Prepares one database in one transaction. Safe to repeat, and to run for several databases at once.
pub async fn run(args: &BootstrapArgs) -> anyhow::Result<()> {
    let (mut client, connection) = tokio_postgres::connect(&args.db_url, NoTls)
        .await
        .context("cannot connect with SUPABASE_DB_URL")?;
    let driver = tokio::spawn(connection);
    let who = client
        .query_one(
            "select current_user::text, rolsuper from pg_catalog.pg_roles where rolname = current_user",
            &[],
        )
        .await?;
    let (user, superuser): (String, bool) = (who.get(0), who.get(1));
    if !superuser || user == "postgres" {
        bail!(
            "bootstrap must run as a superuser other than postgres (which Supabase keeps unprivileged), not as {user}"
        );
    }
    // A repeat would otherwise report everything that already exists.
    client.batch_execute("set client_min_messages = warning").await?;
    let transaction = client.transaction().await?;
    // Roles belong to the whole cluster while advisory locks belong to one database: only a lock on a shared catalog
    // keeps two bootstraps of different databases apart. This mode conflicts with itself, not with readers or writers.
    transaction
        .batch_execute("lock table pg_catalog.pg_authid in share update exclusive mode")
        .await?;
    for (name, sql) in PARTS {
        transaction
            .batch_execute(sql)
            .await
            .with_context(|| format!("bootstrap part {name}"))?;
    }
    for (role, password) in [
        ("postgres", &args.postgres_password),
        ("authenticator", &args.authenticator_password),
    ] {
        if let Some(password) = password {
            // Hashed here so that the server, which may log statements, never sees the password.
            let verifier = postgres_protocol::password::scram_sha_256(password.as_bytes());
            transaction
                .batch_execute(&format!("alter role {role} with password '{verifier}'"))
                .await?;
        }
    }
    transaction.commit().await?;
    drop(client);
    driver.await??;
    Ok(())
}
