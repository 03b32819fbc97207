//! `octopush web`: the built UI with SPA fallback, its runtime settings, and strict headers. Any static host can do the same.

use anyhow::{Context, ensure};
use axum::http::{HeaderName, HeaderValue, header};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;
use tower_http::services::{ServeDir, ServeFile};
use tower_http::set_header::SetResponseHeaderLayer;
use tracing::info;

/// Settings of `octopush web`.
#[derive(Debug, Clone, clap::Args)]
pub struct WebArgs {
    #[arg(long, env = "OCTOPUSH_WEB_LISTEN", default_value = "127.0.0.1:15300")]
    pub listen: SocketAddr,
    /// Folder made by `npm run build` in web/.
    #[arg(long, env = "OCTOPUSH_WEB_DIST", default_value = "web/dist")]
    pub dist: PathBuf,
    #[arg(long, env = "SUPABASE_URL")]
    pub supabase_url: String,
    /// Public by design: what it may do is decided by row-level security.
    #[arg(long, env = "SUPABASE_ANON_KEY")]
    pub supabase_anon_key: String,
    /// Local runs only: lets the UI offer the sandbox number.
    #[arg(long, env = "OCTOPUSH_SANDBOX_URL")]
    pub sandbox_url: Option<String>,
    /// What tracked links begin with, where browsers reach the workers' `/t/…`. Without it: this page's own origin, whose proxy then has to
    /// pass `/t/` on.
    #[arg(long, env = "OCTOPUSH_LINK_ORIGIN")]
    pub link_origin: Option<String>,
}

/// Serves until cancelled.
pub async fn run(args: WebArgs, stop: CancellationToken) -> anyhow::Result<()> {
    let index = args.dist.join("index.html");
    ensure!(
        index.is_file(),
        "{} is missing: build the UI with `npm run build` in web/",
        index.display()
    );
    let sandbox_url = args.sandbox_url.clone().filter(|url| !url.is_empty());
    let settings = json!({
        "supabaseUrl": args.supabase_url,
        "supabaseAnonKey": args.supabase_anon_key,
        "sandboxUrl": sandbox_url,
        "linkOrigin": args.link_origin.as_deref().filter(|origin| !origin.is_empty()),
    });
    let assets = ServeDir::new(args.dist.join("assets")).precompressed_gzip();
    let files = ServeDir::new(&args.dist).fallback(ServeFile::new(index));
    // Built assets carry a hash in their names; everything else must be asked for again.
    let forever = set(header::CACHE_CONTROL, "public, max-age=31536000, immutable")?;
    let fresh = set(header::CACHE_CONTROL, "no-cache")?;
    let app = Router::new()
        .nest_service(
            "/assets",
            tower::ServiceBuilder::new().layer(forever).service(assets),
        )
        .route(
            "/config.json",
            get(move || std::future::ready(Json(settings.clone()))),
        )
        .route("/healthz", get(|| async { "ok" }))
        .fallback_service(files)
        .layer(fresh)
        .layer(set(
            header::CONTENT_SECURITY_POLICY,
            &content_security_policy(&args, sandbox_url.as_deref()),
        )?)
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff")?)
        .layer(set(header::REFERRER_POLICY, "strict-origin-when-cross-origin")?)
        .layer(CompressionLayer::new());
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    info!(listen = %args.listen, "web UI served");
    axum::serve(listener, app)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await?;
    Ok(())
}

fn content_security_policy(args: &WebArgs, sandbox_url: Option<&str>) -> String {
    let api = args.supabase_url.trim_end_matches('/');
    let socket = api.replacen("http", "ws", 1);
    let sandbox = sandbox_url.unwrap_or_default();
    format!(
        "default-src 'self'; connect-src 'self' {api} {socket} {sandbox}; img-src 'self' data: blob: {api}; media-src 'self' blob: {api}; \
         style-src 'self' 'unsafe-inline'; font-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'"
    )
}

fn set(name: HeaderName, value: &str) -> anyhow::Result<SetResponseHeaderLayer<HeaderValue>> {
    Ok(SetResponseHeaderLayer::if_not_present(
        name,
        HeaderValue::from_str(value).context("a setting does not fit into a header")?,
    ))
}
