//! Passwords and keys of one local copy: made once, kept in a file only its owner can read.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use rand::distr::{Alphanumeric, SampleString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Ten years: a local key should not be what stops an old checkout from starting.
const PROJECT_KEY_SECONDS: i64 = 10 * 365 * 24 * 3600;

/// What is generated once.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// Unix time; the `iat` of the project keys, so that they are the same in every run.
    pub created_at: i64,
    pub superuser_password: String,
    pub postgres_password: String,
    pub authenticator_password: String,
    pub worker_password: String,
    pub jwt_secret: String,
    pub whatsapp_app_secret: String,
    pub whatsapp_verify_token: String,
}

impl Secrets {
    /// Reads the file, or makes it.
    pub fn load_or_create(path: &Path) -> Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => serde_json::from_str(&text).with_context(|| {
                format!(
                    "{} is damaged; restore it, or delete the state directory to start afresh",
                    path.display()
                )
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let secrets = Self::generate();
                write_private(path, &serde_json::to_string_pretty(&secrets)?)?;
                Ok(secrets)
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    fn generate() -> Self {
        // Letters and digits only: they need no escaping in a URL, a shell or a connection string.
        let random = |length| Alphanumeric.sample_string(&mut rand::rng(), length);
        Self {
            created_at: chrono::Utc::now().timestamp(),
            superuser_password: random(32),
            postgres_password: random(32),
            authenticator_password: random(32),
            worker_password: random(32),
            jwt_secret: random(64),
            whatsapp_app_secret: random(32),
            whatsapp_verify_token: random(32),
        }
    }
}

/// A project key as Supabase makes them: an HS256 token whose only right is its role.
pub fn project_key(jwt_secret: &str, role: &str, issued_at: i64) -> String {
    // Written out, because the order of a JSON map depends on features that other crates of a build may switch on, and
    // servers compare the key as text.
    let header = r#"{"alg":"HS256","typ":"JWT"}"#;
    let claims = format!(
        r#"{{"iss":"supabase","ref":"local","role":"{role}","iat":{issued_at},"exp":{}}}"#,
        issued_at + PROJECT_KEY_SECONDS
    );
    let (header, claims) = (URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signed = format!("{header}.{claims}");
    let mut mac =
        Hmac::<Sha256>::new_from_slice(jwt_secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{signed}.{signature}")
}

/// Writes a file of mode 0600, whole or not at all.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    let partial = path.with_extension(format!("partial-{}", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const EXPECTED_KEY: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZSIsInJlZiI6ImxvY2FsIiwicm9sZSI6ImFub24iLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MjAxNTM2MDAwMH0.VCqvxFgEl657UWusEHdd0AON2IWdUapQhQM6sHprk8A";

    fn scratch(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("octopush-secrets-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("scratch folder");
        folder
    }

    #[test]
    fn secrets_are_made_once_and_readable_by_the_owner_only() {
        let folder = scratch("once");
        let path = folder.join("secrets.json");
        let first = Secrets::load_or_create(&path).expect("made");
        let second = Secrets::load_or_create(&path).expect("read");
        assert_eq!(first.jwt_secret, second.jwt_secret);
        assert_ne!(first.superuser_password, first.worker_password);
        assert_eq!(
            fs::metadata(&path).expect("file").permissions().mode() & 0o777,
            0o600
        );
        fs::remove_dir_all(folder).expect("cleaned");
    }

    #[test]
    fn a_damaged_file_is_reported_and_kept() {
        let folder = scratch("damaged");
        let path = folder.join("secrets.json");
        fs::write(&path, "{").expect("written");
        let error = Secrets::load_or_create(&path).err().expect("refused").to_string();
        assert!(error.contains("is damaged"), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("kept"), "{");
        fs::remove_dir_all(folder).expect("cleaned");
    }

    #[test]
    fn a_project_key_is_the_same_every_time_and_names_its_role() {
        let key = project_key("secret-of-at-least-32-characters!!", "anon", 1_700_000_000);
        assert_eq!(
            key,
            project_key("secret-of-at-least-32-characters!!", "anon", 1_700_000_000)
        );
        assert_ne!(
            key,
            project_key("another-secret-of-32-characters!!!", "anon", 1_700_000_000)
        );
        let claims = URL_SAFE_NO_PAD
            .decode(key.split('.').nth(1).expect("claims"))
            .expect("base64url");
        let claims: serde_json::Value = serde_json::from_slice(&claims).expect("JSON");
        assert_eq!(claims["role"], "anon");
        // Signed by another implementation (Python's hmac).
        assert_eq!(key, EXPECTED_KEY);
    }
}
