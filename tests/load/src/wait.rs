//! Waiting for a condition, with a deadline.

use anyhow::bail;
use std::future::Future;
use std::time::{Duration, Instant};

/// Asks every 20 ms until the answer is yes.
pub async fn until<F, Fut>(what: &str, patience: Duration, mut condition: F) -> anyhow::Result<()>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let deadline = Instant::now() + patience;
    while !condition().await {
        if Instant::now() > deadline {
            bail!("not within {patience:?}: {what}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
