//! Settings, read from the environment and validated whole before anything starts.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::http::HeaderName;

use crate::jwt::Keys;

/// Until a connection attempt is given up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How many attempts an address or e-mail has, and how often one user is sent mail.
#[derive(Debug, Clone, clap::Args)]
pub struct Limits {
    /// Sign-in attempts one e-mail address has in five minutes before it is answered 429.
    #[arg(long, env = "SUPABASE_SIGN_IN_LIMIT_PER_EMAIL", default_value_t = 30)]
    pub sign_in_per_email: u32,
    /// Sign-in attempts one client address has in five minutes (GoTrue's default for tokens is 30 a minute).
    #[arg(long, env = "SUPABASE_SIGN_IN_LIMIT_PER_IP", default_value_t = 150)]
    pub sign_in_per_ip: u32,
    /// Sign-ups, recoveries, resends and verifications one client address has in five minutes.
    #[arg(long, env = "SUPABASE_OTP_LIMIT_PER_IP", default_value_t = 150)]
    pub otp_per_ip: u32,
    /// Seconds that must pass between two mails to one user.
    #[arg(long, env = "SUPABASE_MAIL_INTERVAL_SECONDS", default_value_t = 60)]
    pub mail_interval_seconds: u32,
}

/// What `serve` needs to know.
#[derive(Debug, Clone, clap::Args)]
pub struct ServeArgs {
    /// Address to listen on.
    #[arg(long, env = "SUPABASE_LISTEN", default_value = "127.0.0.1:15301")]
    pub listen: SocketAddr,
    /// Connection as supabase_admin, `postgresql://supabase_admin:…@host:port/database`.
    #[arg(long, env = "SUPABASE_DB_URL", hide_env_values = true)]
    pub db_url: String,
    /// Password of the role `authenticator`, which REST logs in as.
    #[arg(long, env = "SUPABASE_AUTHENTICATOR_PASSWORD", hide_env_values = true)]
    pub authenticator_password: String,
    /// The URL clients reach this server at, without a path.
    #[arg(long, env = "SUPABASE_URL")]
    pub url: String,
    /// Shared HS256 secret, at least 32 bytes.
    #[arg(long, env = "SUPABASE_JWT_SECRET", hide_env_values = true)]
    pub jwt_secret: String,
    /// Project key of anonymous callers: an HS256 JWT with role `anon`.
    #[arg(long, env = "SUPABASE_ANON_KEY", hide_env_values = true)]
    pub anon_key: String,
    /// Project key of trusted servers: an HS256 JWT with role `service_role`.
    #[arg(long, env = "SUPABASE_SERVICE_ROLE_KEY", hide_env_values = true)]
    pub service_role_key: String,
    /// Opaque stand-in for the anon key, `sb_publishable_…`.
    #[arg(long, env = "SUPABASE_PUBLISHABLE_KEY", hide_env_values = true)]
    pub publishable_key: Option<String>,
    /// Opaque stand-in for the service key, `sb_secret_…`.
    #[arg(long, env = "SUPABASE_SECRET_KEY", hide_env_values = true)]
    pub secret_key: Option<String>,
    /// Where links in mails return to when the caller names no allowed address.
    #[arg(long, env = "SUPABASE_SITE_URL")]
    pub site_url: String,
    /// Directory that holds the bytes of stored objects.
    #[arg(long, env = "SUPABASE_STORAGE_DIR")]
    pub storage_dir: PathBuf,
    /// Lifetime of access tokens in seconds.
    #[arg(long, env = "SUPABASE_JWT_EXPIRY", default_value_t = 3600)]
    pub jwt_expiry: u32,
    /// Lifetime of mailed links and codes in seconds.
    #[arg(long, env = "SUPABASE_OTP_EXPIRY", default_value_t = 3600)]
    pub otp_expiry: u32,
    /// Confirm new e-mail addresses at once instead of sending a mail.
    #[arg(long, env = "SUPABASE_AUTOCONFIRM", default_value_t = false)]
    pub autoconfirm: bool,
    /// Seconds a refresh token that was already exchanged, and is not the parent of the active one, may be used again.
    #[arg(long, env = "SUPABASE_REFRESH_TOKEN_REUSE_INTERVAL", default_value_t = 0)]
    pub refresh_token_reuse_interval: u32,
    /// Further origins that links may return to, separated by commas.
    #[arg(long, env = "SUPABASE_REDIRECT_ORIGINS", value_delimiter = ',')]
    pub redirect_origins: Vec<String>,
    /// Header in which a proxy in front passes the client's address; its last entry is believed.
    #[arg(long, env = "SUPABASE_CLIENT_IP_HEADER")]
    pub client_ip_header: Option<String>,
    /// Whether to serve `/mailbox`; by default only where SUPABASE_URL and SUPABASE_LISTEN are loopback addresses.
    #[arg(long, env = "SUPABASE_MAILBOX")]
    pub mailbox: Option<bool>,
    #[command(flatten)]
    pub limits: Limits,
}

/// Validated settings of a running server.
#[derive(Clone)]
pub struct Config {
    pub listen: SocketAddr,
    /// As supabase_admin.
    pub db_url: String,
    /// Parsed `db_url`; realtime takes host, port, user, password and database from here.
    pub db: tokio_postgres::Config,
    pub authenticator_password: String,
    /// External origin without trailing slash.
    pub url: String,
    pub jwt_secret: String,
    pub anon_key: String,
    pub service_role_key: String,
    pub publishable_key: Option<String>,
    pub secret_key: Option<String>,
    /// Without trailing slash.
    pub site_url: String,
    pub storage_dir: PathBuf,
    pub jwt_expiry: u32,
    pub otp_expiry: u32,
    pub autoconfirm: bool,
    pub refresh_token_reuse_interval: u32,
    /// Without trailing slash.
    pub redirect_origins: Vec<String>,
    pub client_ip_header: Option<HeaderName>,
    pub mailbox: bool,
    pub limits: Limits,
}

impl Config {
    /// The host name clients reach this server by.
    pub fn host(&self) -> Option<&str> {
        host_of(&self.url)
    }

    /// Checks every setting; the message names all that are wrong, not just the first.
    pub fn validate(args: ServeArgs) -> anyhow::Result<Self> {
        let mut wrong = Vec::new();
        let db = tokio_postgres::Config::from_str(&args.db_url)
            .context("SUPABASE_DB_URL is not a Postgres connection string")
            .and_then(|db| {
                if db.get_user().is_none() || db.get_dbname().is_none() || db.get_hosts().is_empty() {
                    bail!("SUPABASE_DB_URL must name host, user and database");
                }
                Ok(db)
            });
        if args.jwt_secret.len() < 32 {
            wrong.push("SUPABASE_JWT_SECRET must have at least 32 characters".to_owned());
        }
        let keys = Keys::new(&args.jwt_secret);
        for (name, key, role) in [
            ("SUPABASE_ANON_KEY", &args.anon_key, "anon"),
            (
                "SUPABASE_SERVICE_ROLE_KEY",
                &args.service_role_key,
                "service_role",
            ),
        ] {
            match keys.verify(key) {
                Ok(claims) if claims.role() == Some(role) => {}
                Ok(_) => wrong.push(format!("{name} must carry the role {role}")),
                Err(e) => wrong.push(format!("{name} is not signed by SUPABASE_JWT_SECRET: {e}")),
            }
        }
        for (name, key, prefix) in [
            (
                "SUPABASE_PUBLISHABLE_KEY",
                &args.publishable_key,
                "sb_publishable_",
            ),
            ("SUPABASE_SECRET_KEY", &args.secret_key, "sb_secret_"),
        ] {
            if key
                .as_ref()
                .is_some_and(|key| !key.starts_with(prefix) || key.len() < prefix.len() + 16)
            {
                wrong.push(format!(
                    "{name} must be {prefix} followed by at least 16 characters"
                ));
            }
        }
        let url = origin("SUPABASE_URL", &args.url, &mut wrong);
        let site_url = origin("SUPABASE_SITE_URL", &args.site_url, &mut wrong);
        let redirect_origins = args
            .redirect_origins
            .iter()
            .filter(|other| !other.trim().is_empty())
            .map(|other| origin("SUPABASE_REDIRECT_ORIGINS", other.trim(), &mut wrong))
            .collect();
        let client_ip_header = args
            .client_ip_header
            .as_deref()
            .filter(|name| !name.is_empty())
            .map(HeaderName::from_str);
        if matches!(client_ip_header, Some(Err(_))) {
            wrong.push("SUPABASE_CLIENT_IP_HEADER must be a header name".to_owned());
        }
        let mailbox = args
            .mailbox
            // The mails hold keys to accounts: by default only this machine may reach them, by name and by socket.
            .unwrap_or_else(|| args.listen.ip().is_loopback() && host_of(&url).is_some_and(is_loopback_name));
        if args.jwt_expiry < 60 {
            wrong.push("SUPABASE_JWT_EXPIRY must be at least 60 seconds".to_owned());
        }
        if args.otp_expiry == 0 {
            wrong.push("SUPABASE_OTP_EXPIRY must be at least one second".to_owned());
        }
        if args.authenticator_password.is_empty() {
            wrong.push("SUPABASE_AUTHENTICATOR_PASSWORD must not be empty".to_owned());
        }
        let db = match db {
            Ok(mut db) if wrong.is_empty() => {
                // A host that swallows packets must not hold a request for the minutes TCP would wait.
                db.connect_timeout(CONNECT_TIMEOUT);
                db
            }
            Ok(_) => bail!("bad settings: {}", wrong.join("; ")),
            Err(e) => {
                wrong.push(format!("{e:#}"));
                bail!("bad settings: {}", wrong.join("; "))
            }
        };
        Ok(Self {
            listen: args.listen,
            db_url: args.db_url,
            db,
            authenticator_password: args.authenticator_password,
            url,
            jwt_secret: args.jwt_secret,
            anon_key: args.anon_key,
            service_role_key: args.service_role_key,
            publishable_key: args.publishable_key,
            secret_key: args.secret_key,
            site_url,
            storage_dir: args.storage_dir,
            jwt_expiry: args.jwt_expiry,
            otp_expiry: args.otp_expiry,
            autoconfirm: args.autoconfirm,
            refresh_token_reuse_interval: args.refresh_token_reuse_interval,
            redirect_origins,
            client_ip_header: client_ip_header.and_then(Result::ok),
            mailbox,
            limits: args.limits,
        })
    }
}

/// Whether a host name always means this machine.
pub fn is_loopback_name(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

fn host_of(url: &str) -> Option<&str> {
    let authority = url.split_once("://")?.1.split('/').next()?;
    match authority.rfind(']') {
        Some(end) => authority.get(..=end),
        None => authority.split(':').next(),
    }
}

/// An http(s) URL without trailing slash.
fn origin(name: &str, value: &str, wrong: &mut Vec<String>) -> String {
    let trimmed = value.trim_end_matches('/');
    let valid = trimmed.parse::<axum::http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && uri.query().is_none()
    });
    if !valid {
        wrong.push(format!("{name} must be an http or https URL, not {value:?}"));
    }
    trimmed.to_owned()
}
