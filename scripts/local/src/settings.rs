//! Everything the processes are told: made from the generated secrets and the ports, unless the environment says otherwise.

use crate::paths::{StateDir, repository};
use crate::ports::Ports;
use crate::secrets::{Secrets, project_key};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;

/// The newest Graph API version the sandbox and the client agree on.
const GRAPH_API_VERSION: &str = "v25.0";

/// Where a variable's value may come from besides this program.
type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The settings of one local copy.
pub struct Settings {
    pub ports: Ports,
    pub secrets: Secrets,
    variables: BTreeMap<&'static str, String>,
}

impl Settings {
    /// From the state directory and this process's environment.
    pub fn load(state: &StateDir, port_base: Option<u16>) -> Result<Self> {
        let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let base = match (port_base, environment("OCTOPUSH_PORT_BASE")) {
            (Some(base), _) => base,
            (None, Some(text)) => text
                .parse()
                .with_context(|| format!("OCTOPUSH_PORT_BASE is {text:?}, not a port"))?,
            (None, None) => Ports::DEFAULT_BASE,
        };
        let secrets = Secrets::load_or_create(&state.secrets())?;
        Self::assemble(state, Ports::from_base(base)?, secrets, &environment)
    }

    fn assemble(
        state: &StateDir,
        ports: Ports,
        mut secrets: Secrets,
        environment: Environment<'_>,
    ) -> Result<Self> {
        for (name, secret) in [
            ("SUPABASE_JWT_SECRET", &mut secrets.jwt_secret),
            ("SUPABASE_POSTGRES_PASSWORD", &mut secrets.postgres_password),
            (
                "SUPABASE_AUTHENTICATOR_PASSWORD",
                &mut secrets.authenticator_password,
            ),
            ("OCTOPUSH_WORKER_PASSWORD", &mut secrets.worker_password),
            ("WHATSAPP_APP_SECRET", &mut secrets.whatsapp_app_secret),
            ("WHATSAPP_VERIFY_TOKEN", &mut secrets.whatsapp_verify_token),
        ] {
            if let Some(value) = environment(name) {
                *secret = value;
            }
        }
        for (name, password) in [
            ("SUPABASE_POSTGRES_PASSWORD", &secrets.postgres_password),
            ("SUPABASE_AUTHENTICATOR_PASSWORD", &secrets.authenticator_password),
            ("OCTOPUSH_WORKER_PASSWORD", &secrets.worker_password),
        ] {
            if !password
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
            {
                bail!("{name} may hold letters, digits and -._~ only, because it stands in connection URLs");
            }
        }
        let mut settings = Self {
            ports,
            secrets,
            variables: BTreeMap::new(),
        };
        for (name, value) in settings.own_values(state) {
            settings
                .variables
                .insert(name, environment(name).unwrap_or(value));
        }
        for (name, value) in settings.values_of_this_machine(state) {
            settings.variables.insert(name, value);
        }
        Ok(settings)
    }

    /// Values the environment may override.
    fn own_values(&self, state: &StateDir) -> Vec<(&'static str, String)> {
        let Secrets {
            jwt_secret,
            created_at,
            ..
        } = &self.secrets;
        let sandbox = format!("http://{}", Ports::address(self.ports.sandbox));
        vec![
            (
                "SUPABASE_URL",
                format!("http://{}", Ports::address(self.ports.supabase)),
            ),
            ("SUPABASE_ANON_KEY", project_key(jwt_secret, "anon", *created_at)),
            (
                "SUPABASE_SERVICE_ROLE_KEY",
                project_key(jwt_secret, "service_role", *created_at),
            ),
            ("SUPABASE_JWT_SECRET", jwt_secret.clone()),
            ("SUPABASE_JWT_EXPIRY", "3600".to_owned()),
            ("SUPABASE_STORAGE_DIR", state.storage().display().to_string()),
            // As the buckets of imports and exports allow.
            ("SUPABASE_STORAGE_FILE_SIZE_LIMIT", "2147483648".to_owned()),
            (
                "OCTOPUSH_APP_URL",
                format!("http://{}", Ports::address(self.ports.web)),
            ),
            (
                "OCTOPUSH_WORKER_URL",
                format!("http://{}", Ports::address(self.ports.worker)),
            ),
            // By name: an address is no place a button may lead to.
            (
                "OCTOPUSH_LINK_ORIGIN",
                format!("http://localhost:{}", self.ports.worker),
            ),
            (
                "OCTOPUSH_WEB_DIST",
                repository().join("web/dist").display().to_string(),
            ),
            ("WHATSAPP_GRAPH_URL", sandbox.clone()),
            ("WHATSAPP_API_VERSION", GRAPH_API_VERSION.to_owned()),
            ("WHATSAPP_APP_SECRET", self.secrets.whatsapp_app_secret.clone()),
            (
                "WHATSAPP_VERIFY_TOKEN",
                self.secrets.whatsapp_verify_token.clone(),
            ),
            ("OCTOPUSH_SANDBOX_URL", sandbox),
        ]
    }

    /// Values that name this copy's own server and sockets. A leftover of another copy in the environment must not
    /// point them elsewhere: two copies would then write to one database.
    fn values_of_this_machine(&self, state: &StateDir) -> Vec<(&'static str, String)> {
        let Secrets {
            postgres_password,
            worker_password,
            ..
        } = &self.secrets;
        vec![
            ("OCTOPUSH_STATE_DIR", state.path().display().to_string()),
            ("OCTOPUSH_PORT_BASE", self.ports.web.to_string()),
            ("OCTOPUSH_DATABASE_URL", self.superuser_url("postgres")),
            ("SUPABASE_DB_URL", self.superuser_url("postgres")),
            (
                "OCTOPUSH_MIGRATE_URL",
                self.database_url("postgres", postgres_password, "postgres"),
            ),
            (
                "OCTOPUSH_WORKER_DATABASE_URL",
                self.database_url("octopush_worker", worker_password, "postgres"),
            ),
            (
                "SUPABASE_AUTHENTICATOR_PASSWORD",
                self.secrets.authenticator_password.clone(),
            ),
            ("SUPABASE_LISTEN", Ports::address(self.ports.supabase)),
            ("OCTOPUSH_WORKER_LISTEN", Ports::address(self.ports.worker)),
            ("OCTOPUSH_WEB_LISTEN", Ports::address(self.ports.web)),
            ("SANDBOX_LISTEN", Ports::address(self.ports.sandbox)),
        ]
    }

    /// A connection string to a database of the private cluster.
    pub fn database_url(&self, role: &str, password: &str, database: &str) -> String {
        format!(
            "postgresql://{role}:{password}@{}/{database}",
            Ports::address(self.ports.postgres)
        )
    }

    /// As the superuser.
    pub fn superuser_url(&self, database: &str) -> String {
        self.database_url("supabase_admin", &self.secrets.superuser_password, database)
    }

    /// As `postgres`, who owns what the migrations make.
    pub fn migrate_url(&self, database: &str) -> String {
        self.database_url("postgres", &self.secrets.postgres_password, database)
    }

    /// One variable of [`Settings::variables`].
    pub fn get(&self, name: &str) -> &str {
        self.variables.get(name).map(String::as_str).unwrap_or_default()
    }

    /// What `local.env` holds and every process is started with.
    pub fn variables(&self) -> Vec<(String, String)> {
        let mut variables: Vec<(String, String)> = self
            .variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        // Links in mails lead to the web UI; the sandbox delivers to the workers.
        variables.push((
            "SUPABASE_SITE_URL".to_owned(),
            self.get("OCTOPUSH_APP_URL").to_owned(),
        ));
        let webhook = format!(
            "{}/webhooks/whatsapp",
            self.get("OCTOPUSH_WORKER_URL").trim_end_matches('/')
        );
        variables.push(("SANDBOX_WEBHOOK_URL".to_owned(), webhook));
        variables
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(environment: &[(&str, &str)]) -> Result<Settings> {
        let folder = std::env::temp_dir().join(format!("octopush-settings-{}", std::process::id()));
        let state = StateDir::open(Some(folder.clone())).expect("state directory");
        std::fs::remove_dir_all(folder).ok();
        let secrets = Secrets {
            created_at: 1_700_000_000,
            superuser_password: "admin1".into(),
            postgres_password: "owner1".into(),
            authenticator_password: "rest1".into(),
            worker_password: "worker1".into(),
            jwt_secret: "s".repeat(64),
            whatsapp_app_secret: "app1".into(),
            whatsapp_verify_token: "verify1".into(),
        };
        let lookup = |name: &str| {
            environment
                .iter()
                .find(|(given, _)| *given == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Settings::assemble(&state, Ports::from_base(56_000).expect("ports"), secrets, &lookup)
    }

    #[test]
    fn every_name_others_rely_on_has_a_value() {
        let settings = settings(&[]).expect("assembled");
        for name in [
            "OCTOPUSH_DATABASE_URL",
            "SUPABASE_URL",
            "SUPABASE_ANON_KEY",
            "SUPABASE_SERVICE_ROLE_KEY",
            "SUPABASE_JWT_SECRET",
            "OCTOPUSH_APP_URL",
            "OCTOPUSH_WORKER_URL",
            "WHATSAPP_GRAPH_URL",
            "WHATSAPP_API_VERSION",
            "WHATSAPP_APP_SECRET",
            "WHATSAPP_VERIFY_TOKEN",
            "OCTOPUSH_SANDBOX_URL",
        ] {
            assert!(!settings.get(name).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_value_of_the_environment_wins() {
        let settings = settings(&[
            ("WHATSAPP_GRAPH_URL", "http://10.0.0.9:8080"),
            ("WHATSAPP_APP_SECRET", "theirs"),
        ])
        .expect("assembled");
        assert_eq!(settings.get("WHATSAPP_GRAPH_URL"), "http://10.0.0.9:8080");
        assert_eq!(settings.get("WHATSAPP_APP_SECRET"), "theirs");
        assert_eq!(settings.get("OCTOPUSH_SANDBOX_URL"), "http://127.0.0.1:56003");
    }

    #[test]
    fn project_keys_follow_a_jwt_secret_of_the_environment() {
        let own = settings(&[]).expect("assembled");
        let theirs =
            settings(&[("SUPABASE_JWT_SECRET", "another-secret-with-32-characters")]).expect("assembled");
        assert_ne!(own.get("SUPABASE_ANON_KEY"), theirs.get("SUPABASE_ANON_KEY"));
        assert_eq!(
            theirs.get("SUPABASE_ANON_KEY"),
            project_key("another-secret-with-32-characters", "anon", 1_700_000_000)
        );
    }

    #[test]
    fn another_copys_database_in_the_environment_is_not_written_to() {
        let settings = settings(&[(
            "OCTOPUSH_DATABASE_URL",
            "postgresql://a:b@127.0.0.1:15304/postgres",
        )])
        .expect("assembled");
        assert_eq!(
            settings.get("OCTOPUSH_DATABASE_URL"),
            "postgresql://supabase_admin:admin1@127.0.0.1:56004/postgres"
        );
    }

    #[test]
    fn a_password_that_would_break_a_url_is_refused_by_name() {
        let error = settings(&[("OCTOPUSH_WORKER_PASSWORD", "p@ss")])
            .err()
            .expect("refused")
            .to_string();
        assert!(
            error.contains("OCTOPUSH_WORKER_PASSWORD") && !error.contains("p@ss"),
            "{error}"
        );
    }
}
