//! The one LISTEN connection. Notifications are hints without content: queues are polled anyway.
//!
//! The same session holds the advisory lock by which other senders see that this process lives.

use super::backoff::Backoff;
use super::metrics;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio_postgres::{AsyncMessage, Client, NoTls};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

/// Wake-ups of the roles.
#[derive(Default)]
pub struct Wakes {
    pub apply: Notify,
    pub send: Notify,
    pub maintenance: Notify,
    pub campaigns: Notify,
    /// The same wake-up for the second loop of that role.
    pub schedule: Notify,
    pub templates: Notify,
    pub template_lists: Notify,
    /// Asks for another listening session, and so for another holder.
    pub new_session: Notify,
}

/// This process as other senders see it. A new one for every session: whatever the old session held may be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    pub id: Uuid,
    pub lock_key: i32,
}

/// Listens until cancelled, reconnecting. `holder` is `None` while there is no session.
pub async fn run(
    url: String,
    wakes: Arc<Wakes>,
    holder: watch::Sender<Option<Holder>>,
    stop: CancellationToken,
) {
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => break,
            outcome = session(&url, &wakes, &holder) => {
                holder.send_replace(None);
                metrics::LISTENER_UP.set(0.0);
                if let Err(error) = outcome {
                    warn!(%error, "listening session ended");
                }
                // A session that came up and broke has missed wake-ups; polling covers them.
                let delay = backoff.next_delay();
                tokio::select! { () = stop.cancelled() => break, () = tokio::time::sleep(delay) => {} }
            }
        }
    }
    holder.send_replace(None);
}

async fn session(url: &str, wakes: &Wakes, holder: &watch::Sender<Option<Holder>>) -> anyhow::Result<()> {
    let connecting = tokio_postgres::connect(url, NoTls);
    let (client, mut connection) = tokio::time::timeout(Duration::from_secs(5), connecting).await??;
    let (ready_sender, mut ready) = tokio::sync::oneshot::channel();
    // The handle keeps what the task returns, the client: dropping that closes the connection.
    let _client = tokio::spawn(async move {
        ready_sender.send(announce(&client).await).ok();
        client
    });
    let mut is_ready = false;
    loop {
        let message = std::future::poll_fn(|cx| -> Poll<_> { connection.poll_message(cx) });
        tokio::select! {
            biased;
            () = wakes.new_session.notified(), if is_ready => anyhow::bail!("asked for a new session"),
            message = message => match message {
                Some(Ok(AsyncMessage::Notification(n))) => match n.channel() {
                    "octopush_apply" => wakes.apply.notify_one(),
                    "octopush_send" => wakes.send.notify_one(),
                    "octopush_maintenance" => wakes.maintenance.notify_one(),
                    "octopush_campaigns" => {
                        wakes.campaigns.notify_one();
                        wakes.schedule.notify_one();
                    }
                    "octopush_templates" => {
                        wakes.templates.notify_one();
                        wakes.template_lists.notify_one();
                    }
                    _ => {}
                },
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => anyhow::bail!("the server closed the listening session"),
            },
            outcome = &mut ready, if !is_ready => {
                is_ready = true;
                let announced = outcome??;
                info!(lock_key = announced.lock_key, "listening");
                holder.send_replace(Some(announced));
                metrics::LISTENER_UP.set(1.0);
                wakes.apply.notify_one();
                wakes.send.notify_one();
                wakes.maintenance.notify_one();
                wakes.campaigns.notify_one();
                wakes.templates.notify_one();
                wakes.template_lists.notify_one();
            }
        }
    }
}

async fn announce(client: &Client) -> anyhow::Result<Holder> {
    client
        .batch_execute(include_str!("../database/queries/listen.sql"))
        .await?;
    loop {
        let candidate = Holder {
            id: Uuid::now_v7(),
            lock_key: rand::random_range(1..i32::MAX),
        };
        let taken: bool = client
            .query_one(
                include_str!("../database/queries/announce_sender.sql"),
                &[&candidate.lock_key],
            )
            .await?
            .get(0);
        if taken {
            return Ok(candidate);
        }
    }
}
