//! A stand-in for Meta's Graph API that is as strict as Meta, with the customer's side to play, faults to switch, and proofs to read.
//!
//! [`serve`] runs it inside a test; the binary runs it for people. `README.md` describes the admin side.

mod admin;
pub mod config;
mod connection;
mod customers;
mod directory;
mod faults;
mod graph;
mod ids;
mod ledger;
mod media;
mod page;
mod rates;
mod refusal;
mod request_log;
mod sending;
mod settings;
mod templates;
mod threads;
mod uploads;
mod webhooks;
mod world;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use config::Config;
use connection::{CuttableListener, Scissors};
use world::World;

/// A running sandbox. Dropping it stops it.
pub struct Handle {
    address: SocketAddr,
    stopping: CancellationToken,
    server: Option<JoinHandle<std::io::Result<()>>>,
    carrier: JoinHandle<()>,
}

impl Handle {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:port`: the Graph API's base, and with `/admin/…` the admin's.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops taking requests and waits for those under way.
    pub async fn stop(mut self) -> std::io::Result<()> {
        self.stopping.cancel();
        match self.server.take() {
            Some(server) => server
                .await
                .unwrap_or_else(|error| Err(std::io::Error::other(error))),
            None => Ok(()),
        }
    }

    /// Runs until the server fails.
    pub async fn wait(mut self) -> std::io::Result<()> {
        match self.server.take() {
            Some(server) => server
                .await
                .unwrap_or_else(|error| Err(std::io::Error::other(error))),
            None => Ok(()),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stopping.cancel();
        self.carrier.abort();
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

/// Serves on `listener` until the handle is stopped or dropped.
///
/// # Errors
/// When the listener has no address.
pub fn serve(listener: TcpListener, config: Config) -> std::io::Result<Handle> {
    let address = listener.local_addr()?;
    let world = Arc::new(World::new(config));
    let carrier = tokio::spawn(webhooks::run(Arc::clone(&world)));
    let router = Router::new()
        .merge(page::router())
        .merge(admin::router())
        .merge(graph::router())
        .with_state(world);
    let service = router.into_make_service_with_connect_info::<Scissors>();
    let stopping = CancellationToken::new();
    let stopped = stopping.clone().cancelled_owned();
    let server = tokio::spawn(async move {
        axum::serve(CuttableListener(listener), service)
            .with_graceful_shutdown(stopped)
            .await
    });
    Ok(Handle {
        address,
        stopping,
        server: Some(server),
        carrier,
    })
}
