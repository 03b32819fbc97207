//! The SQL of `sql/`, embedded at build time in path order.

use anyhow::Context;
use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../sql/migrations");
static CODE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../sql/code");

/// One file of `sql/migrations`.
pub struct Migration {
    /// The number its name starts with.
    pub version: i32,
    /// File name without `.sql`.
    pub name: String,
    /// SHA-256 of the text, hex.
    pub hash: String,
    /// The text.
    pub sql: &'static str,
}

/// One file of `sql/code`.
pub struct CodeFile {
    /// Path below `sql/code`.
    pub path: String,
    /// The text.
    pub sql: &'static str,
}

/// All migrations, by version.
pub fn migrations() -> anyhow::Result<Vec<Migration>> {
    let mut found = Vec::new();
    for (path, sql) in texts(&MIGRATIONS) {
        let name = path.trim_end_matches(".sql").to_owned();
        let version = name
            .split('_')
            .next()
            .and_then(|n| n.parse().ok())
            .with_context(|| format!("sql/migrations/{path} does not start with a number"))?;
        found.push(Migration {
            version,
            name,
            hash: hex::encode(Sha256::digest(sql)),
            sql,
        });
    }
    found.sort_by_key(|m| m.version);
    Ok(found)
}

/// All code files, in the order they are applied.
pub fn code() -> Vec<CodeFile> {
    let mut found: Vec<CodeFile> = texts(&CODE)
        .into_iter()
        .map(|(path, sql)| CodeFile { path, sql })
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// SHA-256 over paths and texts of the code, hex.
pub fn code_hash() -> String {
    let mut hasher = Sha256::new();
    for file in code() {
        hasher.update(file.path.as_bytes());
        hasher.update([0]);
        hasher.update(file.sql.as_bytes());
        hasher.update([0]);
    }
    hex::encode(hasher.finalize())
}

fn texts(dir: &'static Dir<'static>) -> Vec<(String, &'static str)> {
    let mut found: Vec<(String, &'static str)> = dir
        .files()
        .filter(|f| f.path().extension().is_some_and(|e| e == "sql"))
        .filter_map(|f| Some((f.path().to_string_lossy().into_owned(), f.contents_utf8()?)))
        .collect();
    for child in dir.dirs() {
        found.extend(texts(child));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_up_from_one_without_gaps() {
        let versions: Vec<i32> = migrations().unwrap().iter().map(|m| m.version).collect();
        assert_eq!(versions, (1..=versions.len() as i32).collect::<Vec<_>>());
    }

    #[test]
    fn the_reset_comes_first_and_the_grants_last() {
        let files = code();
        assert!(files.first().unwrap().path.ends_with("reset.sql"));
        assert!(files.last().unwrap().path.ends_with("grants.sql"));
    }
}
