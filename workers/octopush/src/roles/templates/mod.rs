//! The templates role: asks Meta for what people want of their templates, and compares Meta's list with ours.
//!
//! What to ask, when, and what an answer means for a template is the database's; here is the asking, and finding out what became of a
//! request whose answer was lost.

mod ask;
mod compare;
mod outcome;
mod sync;
mod upload;
mod work;

use crate::config::Config;
use crate::runtime::listener::Wakes;
use crate::runtime::storage::Storage;
use deadpool_postgres::Pool;
use octopush_whatsapp::CloudApi;
use std::future::Future;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What both halves of the role stand on.
#[derive(Clone)]
struct Desk {
    pool: Pool,
    graph: Arc<CloudApi>,
    /// Where samples of headers are; none: templates with files wait for a worker that has it.
    storage: Option<Storage>,
    /// The Meta app that uploads belong to; none: the token's own.
    app_id: Option<String>,
    wakes: Arc<Wakes>,
    poll: std::time::Duration,
    stop: CancellationToken,
}

/// Runs until cancelled. Fails at once when the address of Storage is no address.
pub fn run(
    pool: Pool,
    config: &Config,
    graph: Arc<CloudApi>,
    wakes: Arc<Wakes>,
    stop: CancellationToken,
) -> anyhow::Result<impl Future<Output = ()> + use<>> {
    let storage = match &config.storage {
        Some((url, key)) => Some(Storage::new(url, key.clone())?),
        None => None,
    };
    let desk = Desk {
        pool,
        graph,
        storage,
        app_id: config.app_id.clone(),
        wakes,
        poll: config.poll,
        stop,
    };
    Ok(async move {
        // Apart, so that a long list holds up nobody's submission.
        tokio::join!(work::run(desk.clone()), sync::run(desk));
    })
}
