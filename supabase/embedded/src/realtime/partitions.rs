//! Upkeep of the daily partitions of `realtime.messages`.

use std::sync::Arc;
use std::time::Duration;

use crate::platform::Platform;

/// Partitions are made three days ahead, so a missed round or two hurts nobody.
const EVERY: Duration = Duration::from_secs(3600);
const AFTER_FAILURE: Duration = Duration::from_secs(60);

/// Makes and drops partitions until shutdown.
pub async fn maintain(platform: Arc<Platform>) {
    loop {
        let pause = match round(&platform).await {
            Ok(()) => EVERY,
            Err(error) => {
                tracing::warn!("upkeep of realtime.messages failed: {error:#}");
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = platform.shutdown.cancelled() => return,
        }
    }
}

async fn round(platform: &Platform) -> anyhow::Result<()> {
    let client = platform.pool.get().await?;
    client
        .execute("select realtime.maintain_message_partitions()", &[])
        .await?;
    Ok(())
}
