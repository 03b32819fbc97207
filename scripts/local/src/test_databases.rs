//! A Postgres of its own for tests, with templates that every test copies.

use crate::cluster::Cluster;
use crate::commands::start_cluster;
use crate::database::{self, Depth};
use crate::instance;
use crate::paths::{StateDir, program, repository};
use crate::postgres_bin;
use crate::settings::Settings;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The test cluster's port is this much above the copy's first port.
const PORT_OFFSET: u16 = 9;

/// Starts the cluster, makes the templates that are missing, and says what tests need to know.
pub async fn make(state: &StateDir, settings: &Settings) -> Result<Vec<(String, String)>> {
    let test_state = StateDir::open(Some(state.path().join("test")))?;
    let mut test_settings = Settings::load(&test_state, Some(settings.ports.web))?;
    test_settings.ports.postgres = settings.ports.web + PORT_OFFSET;
    let cluster = Cluster::locate(&test_state, test_settings.ports.postgres, true)?;
    start_cluster(&test_state, &test_settings, &cluster).await?;

    let _lock = instance::take_prepare_lock(&test_state)?;
    let version = version_of_what_goes_in()?;
    let mut names = Vec::new();
    for (prefix, depth) in [
        ("supabase_template", Depth::Supabase),
        ("octopush_template", Depth::Product),
    ] {
        names.push(make_template(&test_settings, prefix, &version, depth).await?);
    }
    let secrets = &test_settings.secrets;
    let mut variables: Vec<(String, String)> = [
        "SUPABASE_JWT_SECRET",
        "SUPABASE_ANON_KEY",
        "SUPABASE_SERVICE_ROLE_KEY",
        "SUPABASE_AUTHENTICATOR_PASSWORD",
        "WHATSAPP_APP_SECRET",
        "WHATSAPP_VERIFY_TOKEN",
        "WHATSAPP_API_VERSION",
    ]
    .into_iter()
    .map(|name| (name.to_owned(), test_settings.get(name).to_owned()))
    .collect();
    for (name, value) in [
        ("OCTOPUSH_BIN_DIR", crate::paths::bin_dir().display().to_string()),
        (
            "OCTOPUSH_TEST_DATABASE_URL",
            test_settings.superuser_url("postgres"),
        ),
        ("OCTOPUSH_TEST_SUPABASE_TEMPLATE", names[0].clone()),
        ("OCTOPUSH_TEST_TEMPLATE", names[1].clone()),
        ("SUPABASE_POSTGRES_PASSWORD", secrets.postgres_password.clone()),
        ("OCTOPUSH_WORKER_PASSWORD", secrets.worker_password.clone()),
    ] {
        variables.push((name.to_owned(), value));
    }
    Ok(variables)
}

/// A template's name carries what went into it, so that a test that copies an older one is never in the way.
async fn make_template(settings: &Settings, prefix: &str, version: &str, depth: Depth) -> Result<String> {
    let name = format!("{prefix}_{version}");
    let present = database::databases_beginning(settings, &format!("{prefix}_")).await?;
    if present.contains(&name) {
        return Ok(name);
    }
    for outdated in present {
        database::drop_database(settings, &outdated).await?;
    }
    // Under another name until it is whole, so that an interrupted start leaves no half-made template.
    let unfinished = format!("unfinished_{prefix}");
    database::drop_database(settings, &unfinished).await?;
    database::prepare(settings, &unfinished, depth).await?;
    database::rename_database(settings, &unfinished, &name).await?;
    database::make_template(settings, &name).await?;
    Ok(name)
}

/// Changes when the bootstrap, the migrations or the extension change.
fn version_of_what_goes_in() -> Result<String> {
    let mut digest = Sha256::new();
    for file in [program("supabase-embedded")?, program("octopush")?] {
        add_file(&mut digest, &file)?;
    }
    let library = postgres_bin::find(None)?.join("../lib/octopush.so");
    if library.is_file() {
        add_file(&mut digest, &library)?;
    }
    for file in sql_files(&repository().join("sql"))? {
        add_file(&mut digest, &file)?;
    }
    Ok(hex::encode(&digest.finalize()[..6]))
}

fn add_file(digest: &mut Sha256, path: &Path) -> Result<()> {
    let mut file = fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        digest.update(&buffer[..count]);
    }
}

fn sql_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
