//! Settings: `config.default.env` is the reference and the defaults, the environment overrides it, everything is checked at start.

use anyhow::bail;
use axum::http::HeaderName;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

/// The commented reference of every setting.
pub const DEFAULTS: &str = include_str!("../config.default.env");

const SECRETS: [&str; 5] = [
    "OCTOPUSH_WORKER_DATABASE_URL",
    "SENTRY_DSN",
    "SUPABASE_SERVICE_ROLE_KEY",
    "WHATSAPP_APP_SECRET",
    "WHATSAPP_VERIFY_TOKEN",
];

/// A part of the work one process can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Receive Meta's webhooks and keep them.
    Webhook,
    /// Turn kept webhooks into messages and statuses.
    Apply,
    /// Hand messages to Meta.
    Send,
    /// Move time forward: windows, snoozes, retention, checks of numbers.
    Maintenance,
    /// Imports, exports and changes of many contacts.
    Jobs,
    /// Keep the members of segments right.
    Segments,
    /// Start, feed and finish campaigns.
    Campaigns,
    /// Answer tracked links and callbacks that report sales.
    Links,
    /// Submit, change and compare message templates with Meta.
    Templates,
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "webhook" => Ok(Self::Webhook),
            "apply" => Ok(Self::Apply),
            "send" => Ok(Self::Send),
            "maintenance" => Ok(Self::Maintenance),
            "jobs" => Ok(Self::Jobs),
            "segments" => Ok(Self::Segments),
            "campaigns" => Ok(Self::Campaigns),
            "links" => Ok(Self::Links),
            "templates" => Ok(Self::Templates),
            other => Err(format!("unknown role {other}")),
        }
    }
}

/// A value that must not be shown.
#[derive(Clone)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Settings of `octopush run`, all valid.
#[derive(Debug, Clone)]
pub struct Config {
    pub roles: Vec<Role>,
    pub database_url: Secret,
    pub database_pool: usize,
    pub listen: SocketAddr,
    pub webhook_max_bytes: usize,
    pub webhook_queue: usize,
    pub apply_batch: i32,
    /// Where a proxy writes whom it asks for; none: whoever connects is the client.
    pub client_address_header: Option<HeaderName>,
    pub send_concurrency: usize,
    pub job_concurrency: usize,
    pub import_batch: usize,
    /// Supabase's address and the key of service_role; none: there is no Storage to reach.
    pub storage: Option<(String, Secret)>,
    pub lease: Duration,
    pub poll: Duration,
    pub shutdown: Duration,
    pub graph_url: String,
    pub api_version: String,
    pub graph_timeout: Duration,
    /// Meta's id of the app; none: asked of each token.
    pub app_id: Option<String>,
    pub app_secrets: Vec<Secret>,
    pub verify_token: Secret,
    /// Where errors and panics are reported.
    pub sentry_dsn: Option<Secret>,
    pub log: String,
    pub log_json: bool,
}

impl Config {
    /// Reads and checks everything; the error lists every problem at once.
    pub fn load(environment: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let mut reader = Reader {
            values: settings(environment),
            problems: Vec::new(),
        };
        let config = Self {
            roles: reader.list("OCTOPUSH_ROLES"),
            database_url: Secret(reader.required("OCTOPUSH_WORKER_DATABASE_URL")),
            database_pool: reader.number("OCTOPUSH_DATABASE_POOL", 2..=200) as usize,
            listen: reader
                .parsed("OCTOPUSH_WORKER_LISTEN")
                .unwrap_or_else(|| ([127, 0, 0, 1], 0).into()),
            webhook_max_bytes: reader.number("OCTOPUSH_WEBHOOK_MAX_BYTES", 1024..=67_108_864) as usize,
            webhook_queue: reader.number("OCTOPUSH_WEBHOOK_QUEUE", 1..=1_000_000) as usize,
            apply_batch: reader.number("OCTOPUSH_APPLY_BATCH", 1..=5000) as i32,
            client_address_header: reader.optional("OCTOPUSH_CLIENT_ADDRESS_HEADER"),
            send_concurrency: reader.number("OCTOPUSH_SEND_CONCURRENCY", 1..=1000) as usize,
            job_concurrency: reader.number("OCTOPUSH_JOB_CONCURRENCY", 1..=50) as usize,
            import_batch: reader.number("OCTOPUSH_IMPORT_BATCH", 1..=20_000) as usize,
            storage: reader.storage(),
            lease: Duration::from_secs(reader.number("OCTOPUSH_LEASE_SECONDS", 2..=600)),
            poll: Duration::from_secs(reader.number("OCTOPUSH_POLL_SECONDS", 1..=60)),
            shutdown: Duration::from_secs(reader.number("OCTOPUSH_SHUTDOWN_SECONDS", 1..=300)),
            graph_url: reader.required("WHATSAPP_GRAPH_URL"),
            api_version: reader.required("WHATSAPP_API_VERSION"),
            graph_timeout: Duration::from_secs(reader.number("WHATSAPP_TIMEOUT_SECONDS", 1..=120)),
            app_id: Some(reader.text("WHATSAPP_APP_ID")).filter(|id| !id.is_empty()),
            app_secrets: reader
                .required("WHATSAPP_APP_SECRET")
                .split(',')
                .map(str::trim)
                .filter(|s| !s.is_empty())
                .map(|s| Secret(s.to_owned()))
                .collect(),
            verify_token: Secret(reader.required("WHATSAPP_VERIFY_TOKEN")),
            sentry_dsn: Some(reader.text("SENTRY_DSN"))
                .filter(|dsn| !dsn.is_empty())
                .map(Secret),
            log: reader.required("OCTOPUSH_LOG"),
            log_json: reader.required("OCTOPUSH_LOG_FORMAT") == "json",
        };
        if config.lease <= config.graph_timeout {
            reader.problems.push("OCTOPUSH_LEASE_SECONDS must exceed WHATSAPP_TIMEOUT_SECONDS: a number would change hands while a request is under way".into());
        }
        if config.shutdown < config.graph_timeout {
            reader.problems.push(
                "OCTOPUSH_SHUTDOWN_SECONDS must not be shorter than WHATSAPP_TIMEOUT_SECONDS: stopping would make requests uncertain".into(),
            );
        }
        if config.roles.is_empty() {
            reader.problems.push("OCTOPUSH_ROLES names no role".into());
        }
        if reader.problems.is_empty() {
            return Ok(config);
        }
        bail!(
            "the configuration is not usable:\n  - {}",
            reader.problems.join("\n  - ")
        )
    }
}

/// Every setting in force by name, secrets replaced.
pub fn redacted(environment: impl Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    settings(environment)
        .into_iter()
        .map(|(name, value)| {
            let shown = match (SECRETS.contains(&name.as_str()), value.is_empty()) {
                (true, false) => "<set>".to_owned(),
                (true, true) => "<not set>".to_owned(),
                _ => value,
            };
            (name, shown)
        })
        .collect()
}

fn settings(environment: impl Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
    DEFAULTS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, default)| {
            (
                name.to_owned(),
                environment(name).unwrap_or_else(|| default.to_owned()),
            )
        })
        .collect()
}

struct Reader {
    values: BTreeMap<String, String>,
    problems: Vec<String>,
}

impl Reader {
    fn text(&self, name: &str) -> String {
        self.values
            .get(name)
            .cloned()
            .unwrap_or_default()
            .trim()
            .to_owned()
    }

    fn required(&mut self, name: &str) -> String {
        let value = self.text(name);
        if value.is_empty() {
            self.problems.push(format!("{name} is not set"));
        }
        value
    }

    fn parsed<T: FromStr>(&mut self, name: &str) -> Option<T> {
        let value = self.text(name);
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.problems.push(format!("{name} is not valid: {value:?}"));
        }
        parsed
    }

    fn optional<T: FromStr>(&mut self, name: &str) -> Option<T> {
        if self.text(name).is_empty() {
            return None;
        }
        self.parsed(name)
    }

    fn number(&mut self, name: &str, range: std::ops::RangeInclusive<u64>) -> u64 {
        let value = self.parsed(name).unwrap_or(*range.start());
        if !range.contains(&value) {
            self.problems.push(format!(
                "{name} must be from {} to {}",
                range.start(),
                range.end()
            ));
        }
        value
    }

    fn storage(&mut self) -> Option<(String, Secret)> {
        let key = self.text("SUPABASE_SERVICE_ROLE_KEY");
        if key.is_empty() {
            return None;
        }
        let url = self.text("SUPABASE_URL");
        let is_web = reqwest::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !is_web {
            self.problems.push(
                "SUPABASE_URL must be an http or https address where SUPABASE_SERVICE_ROLE_KEY is set".into(),
            );
        }
        Some((url.trim_end_matches('/').to_owned(), Secret(key)))
    }

    fn list<T: FromStr<Err = String>>(&mut self, name: &str) -> Vec<T> {
        let text = self.text(name);
        let mut found = Vec::new();
        for item in text.split(',').map(str::trim).filter(|s| !s.is_empty()) {
            match item.parse() {
                Ok(value) => found.push(value),
                Err(problem) => self.problems.push(format!("{name}: {problem}")),
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(extra: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
        move |name| {
            let base = [
                (
                    "OCTOPUSH_WORKER_DATABASE_URL",
                    "postgres://octopush_worker@localhost/postgres",
                ),
                ("WHATSAPP_APP_SECRET", "one, two"),
                ("WHATSAPP_VERIFY_TOKEN", "token"),
            ];
            extra
                .iter()
                .chain(base.iter())
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        }
    }

    #[test]
    fn the_defaults_with_the_required_settings_are_valid() {
        let config = Config::load(environment(&[])).unwrap();
        assert!(config.roles.contains(&Role::Webhook) && config.roles.contains(&Role::Links));
        assert!(config.client_address_header.is_none());
        assert!(config.storage.is_none());
        assert_eq!(config.app_secrets.len(), 2);
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let error = Config::load(|name| match name {
            "OCTOPUSH_ROLES" => Some("send,fly".into()),
            "OCTOPUSH_POLL_SECONDS" => Some("often".into()),
            _ => None,
        })
        .unwrap_err()
        .to_string();
        for part in [
            "unknown role fly",
            "OCTOPUSH_POLL_SECONDS",
            "WHATSAPP_APP_SECRET is not set",
            "OCTOPUSH_WORKER_DATABASE_URL is not set",
        ] {
            assert!(error.contains(part), "{part} missing in {error}");
        }
    }

    #[test]
    fn a_lease_shorter_than_a_request_is_refused() {
        assert!(Config::load(environment(&[("OCTOPUSH_LEASE_SECONDS", "5")])).is_err());
    }

    #[test]
    fn a_key_needs_an_address_to_go_to() {
        let key = ("SUPABASE_SERVICE_ROLE_KEY", "secret-key");
        assert!(Config::load(environment(&[("SUPABASE_SERVICE_ROLE_KEY", "secret-key")])).is_err());
        let with_both = Config::load(move |name| match name {
            "SUPABASE_URL" => Some("https://project.example/".into()),
            name if name == key.0 => Some(key.1.into()),
            name => environment(&[])(name),
        });
        let config = with_both.unwrap();
        assert!(!format!("{config:?}").contains(key.1));
        assert_eq!(config.storage.unwrap().0, "https://project.example");
    }

    #[test]
    fn secrets_are_never_shown() {
        let shown = format!(
            "{:?} {:?}",
            redacted(environment(&[])),
            Config::load(environment(&[])).unwrap()
        );
        assert!(!shown.contains("one, two") && !shown.contains("octopush_worker@"));
    }
}
