//! `supabase/migrations/`, generated from `sql/` for people who install with the Supabase CLI.

use super::{code, code_hash, migrations};
use anyhow::Context;
use std::fmt::Write as _;
use std::path::Path;

const HEADER: &str = "-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.\n\n";
/// The CLI orders files by a 14-digit time; ours are numbered, so the numbers are put at the end of a fixed day.
const DAY: &str = "20260101";

/// Write the folder anew: one file a migration, and one for the whole of `sql/code`.
pub fn emit(folder: &Path) -> anyhow::Result<usize> {
    std::fs::create_dir_all(folder)?;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "sql") {
            std::fs::remove_file(path)?;
        }
    }
    let all = migrations()?;
    let mut last = 0;
    for migration in &all {
        let record = format!(
            "\ninsert into private.schema_migrations (version, name, hash) values ({}, '{}', '{}');\n",
            migration.version, migration.name, migration.hash
        );
        let text = format!("{HEADER}{}{record}", migration.sql);
        write(
            folder,
            &format!("{DAY}{:06}_{}.sql", migration.version * 10, migration.name),
            &text,
        )?;
        last = migration.version;
    }
    let mut text = HEADER.to_owned();
    for file in code() {
        writeln!(text, "-- sql/code/{}\n\n{}", file.path, file.sql)?;
    }
    writeln!(
        text,
        "insert into private.schema_code (hash) values ('{}') on conflict (is_current) do update set hash = excluded.hash, applied_at = now();",
        code_hash()
    )?;
    write(folder, &format!("{DAY}{:06}_code.sql", last * 10 + 5), &text)?;
    Ok(all.len() + 1)
}

fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    std::fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))
}
