//! `octopush migrate`: append-only migrations, then the re-runnable code, both embedded from `sql/`.
//!
//! One migration is one transaction with its own record in it; the code pass is one transaction, run when its combined hash changed.
//! An advisory lock lets several starters call it at once.

mod sources;
mod supabase;

use anyhow::{Context, bail};
use tokio_postgres::{Client, NoTls};
use tracing::info;

pub use sources::{CodeFile, Migration, code, code_hash, migrations};
pub use supabase::emit;

/// "octo" and "migr" would not fit one key: any constant will do, as long as nothing else locks it.
const LOCK_KEY: i64 = 0x6f63_746f_6d69_6772;

/// What a run did.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Versions applied now, in order.
    pub applied: Vec<i32>,
    /// Whether the code pass ran.
    pub code_changed: bool,
}

/// Bring the database behind `url` (as `postgres`) to this build's schema.
pub async fn run(url: &str) -> anyhow::Result<Outcome> {
    let (mut client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .context("cannot connect to the database to migrate")?;
    let driver = tokio::spawn(connection);
    client
        .execute(include_str!("../database/queries/lock.sql"), &[&LOCK_KEY])
        .await?;
    let outcome = apply(&mut client).await;
    drop(client);
    driver.await.ok();
    outcome
}

async fn apply(client: &mut Client) -> anyhow::Result<Outcome> {
    let recorded = recorded_migrations(client).await?;
    let embedded = migrations()?;
    for (version, hash) in &recorded {
        match embedded.iter().find(|m| m.version == *version) {
            None => bail!(
                "the database has migration {version}, which this build does not know: it is newer than this program"
            ),
            Some(m) if m.hash != *hash => bail!(
                "migration {:04} was changed after it was applied; migrations are append-only",
                m.version
            ),
            Some(_) => {}
        }
    }
    let mut applied = Vec::new();
    for migration in embedded
        .iter()
        .filter(|m| !recorded.iter().any(|(v, _)| *v == m.version))
    {
        let transaction = client.transaction().await?;
        transaction
            .batch_execute(migration.sql)
            .await
            .with_context(|| format!("migration {} failed; nothing of it was kept", migration.name))?;
        transaction
            .execute(
                include_str!("../database/queries/record_migration.sql"),
                &[&migration.version, &migration.name, &migration.hash],
            )
            .await?;
        transaction.commit().await?;
        info!(version = migration.version, name = %migration.name, "migration applied");
        applied.push(migration.version);
    }
    let code_changed = apply_code(client, !applied.is_empty()).await?;
    Ok(Outcome {
        applied,
        code_changed,
    })
}

async fn recorded_migrations(client: &Client) -> anyhow::Result<Vec<(i32, String)>> {
    let exists: bool = client
        .query_one(include_str!("../database/queries/has_migrations.sql"), &[])
        .await?
        .get(0);
    if !exists {
        return Ok(Vec::new());
    }
    let rows = client
        .query(include_str!("../database/queries/list_migrations.sql"), &[])
        .await?;
    Ok(rows.iter().map(|r| (r.get(0), r.get(1))).collect())
}

async fn apply_code(client: &mut Client, migrated: bool) -> anyhow::Result<bool> {
    let hash = code_hash();
    let current = client
        .query_opt(include_str!("../database/queries/current_code.sql"), &[])
        .await?
        .map(|r| r.get::<_, String>(0));
    if !migrated && current.as_deref() == Some(hash.as_str()) {
        return Ok(false);
    }
    let transaction = client.transaction().await?;
    for file in code() {
        transaction
            .batch_execute(file.sql)
            .await
            .with_context(|| format!("sql/code/{} failed; nothing of the code pass was kept", file.path))?;
    }
    transaction
        .execute(include_str!("../database/queries/record_code.sql"), &[&hash])
        .await?;
    transaction.commit().await?;
    client
        .batch_execute(include_str!("../database/queries/reload_api_schema.sql"))
        .await?;
    info!(hash = %&hash[..12], "code applied");
    Ok(true)
}
