//! `octopush run`: starts the roles, stops them in order.
//!
//! Order of stopping: no new webhooks, kept ones written; requests to Meta under way finished and recorded; leases given back.

use crate::config::{Config, Role};
use crate::health::{self, Health};
use crate::roles::{apply, campaigns, jobs, links, maintenance, segments, send, templates, webhook};
use crate::runtime::listener::{self, Wakes};
use crate::runtime::{database, metrics as names};
use anyhow::{Context, ensure};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use octopush_whatsapp::CloudApi;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Runs until `stop` is cancelled and everything has been put away, or the shutdown time is over. `listener` is where HTTP is served.
pub async fn run(config: Config, listener: TcpListener, stop: CancellationToken) -> anyhow::Result<()> {
    let metrics = recorder()?;
    names::describe();
    let pool = database::pool(&config.database_url.0, config.database_pool)?;
    let http = reqwest::Client::builder()
        .timeout(config.graph_timeout)
        .connect_timeout(Duration::from_secs(5))
        .pool_max_idle_per_host(config.send_concurrency)
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let graph = Arc::new(CloudApi::new(&config.graph_url, &config.api_version, http)?);
    let wakes = Arc::new(Wakes::default());
    let (holder_sender, holder) = watch::channel(None);

    // The listening session outlives the sender: it holds the lock that keeps this process's numbers.
    let listening_stop = CancellationToken::new();
    let listening = tokio::spawn(listener::run(
        config.database_url.0.clone(),
        wakes.clone(),
        holder_sender,
        listening_stop.clone(),
    ));

    let mut tasks = JoinSet::new();
    let job_holder = holder.clone();
    let mut router = health::router(Health {
        pool: pool.clone(),
        holder: holder.clone(),
        metrics,
    });
    if config.roles.contains(&Role::Webhook) {
        // A connection pair of its own: a webhook must not wait behind a role that is busy.
        let (store, writer) =
            webhook::Store::start(database::pool(&config.database_url.0, 2)?, config.webhook_queue);
        router = router.merge(webhook::router(&config, store));
        tasks.spawn(async move {
            writer.await.ok();
        });
    }
    if config.roles.contains(&Role::Links) {
        // Connections of their own: somebody who taps a link must not wait behind a role that is busy.
        let pool = database::pool(&config.database_url.0, 4)?;
        router = router.merge(links::router(&config, pool));
    }
    if config.roles.contains(&Role::Apply) {
        tasks.spawn(apply::run(
            pool.clone(),
            config.clone(),
            wakes.clone(),
            stop.clone(),
        ));
    }
    if config.roles.contains(&Role::Templates) {
        tasks.spawn(templates::run(
            pool.clone(),
            &config,
            graph.clone(),
            wakes.clone(),
            stop.clone(),
        )?);
    }
    if config.roles.contains(&Role::Send) {
        let sender = send::Sender {
            pool: pool.clone(),
            config: config.clone(),
            graph: graph.clone(),
            wakes: wakes.clone(),
            holder,
        };
        tasks.spawn(sender.run(stop.clone()));
    }
    if config.roles.contains(&Role::Maintenance) {
        tasks.spawn(maintenance::run(
            pool.clone(),
            config.clone(),
            graph,
            wakes.clone(),
            stop.clone(),
        ));
    }
    if config.roles.contains(&Role::Jobs) {
        tasks.spawn(jobs::run(pool.clone(), config.clone(), job_holder, stop.clone())?);
    }
    if config.roles.contains(&Role::Segments) {
        tasks.spawn(segments::run(pool.clone(), stop.clone()));
    }
    if config.roles.contains(&Role::Campaigns) {
        // Feeding must go on while every connection of the pool waits for something else.
        let pool = database::pool(&config.database_url.0, 3)?;
        tasks.spawn(campaigns::run(pool, wakes.clone(), stop.clone()));
    }
    info!(listen = %listener.local_addr()?, roles = ?config.roles, "octopush runs");
    let serving_stop = stop.clone();
    tasks.spawn(async move {
        let server = axum::serve(
            listener,
            router.into_make_service_with_connect_info::<SocketAddr>(),
        )
        .with_graceful_shutdown(serving_stop.cancelled_owned());
        if let Err(error) = server.await {
            warn!(%error, "http server ended");
        }
    });

    // A role that ends before it is asked to has panicked: better a restart by the supervisor than a process that looks well.
    let ended_early = tokio::select! {
        () = stop.cancelled() => false,
        _ = tasks.join_next() => !stop.is_cancelled(),
    };
    stop.cancel();
    info!("stopping");
    let all_done = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(config.shutdown, all_done).await.is_err() {
        warn!("work under way did not finish in time; messages without an answer become uncertain");
        tasks.abort_all();
    }
    listening_stop.cancel();
    listening.await.ok();
    ensure!(!ended_early, "a role ended unasked; its panic is in the log");
    Ok(())
}

/// One recorder a process, whoever asks first.
fn recorder() -> anyhow::Result<PrometheusHandle> {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        // Around the goals: 10 ms, 100 ms, 250 ms.
        .set_buckets_for_metric(
            Matcher::Suffix("_seconds".into()),
            &[
                0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
            ],
        )?
        .install_recorder()
        .context("metrics recorder")?;
    Ok(RECORDER.get_or_init(|| handle).clone())
}
