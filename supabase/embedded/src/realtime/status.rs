//! Whether a replication stream is running, and which one it is: every reconnection starts a new one.

use tokio::sync::watch;

/// Shared between the task that follows a stream and those who depend on it.
#[derive(Default)]
pub struct StreamStatus {
    state: watch::Sender<State>,
}

#[derive(Default, Clone, Copy)]
struct State {
    running: bool,
    epoch: u64,
}

impl StreamStatus {
    /// A new stream runs.
    pub fn established(&self) {
        self.state.send_modify(|state| {
            state.running = true;
            state.epoch += 1;
        });
    }

    /// The stream has ended.
    pub fn lost(&self) {
        self.state
            .send_if_modified(|state| std::mem::take(&mut state.running));
    }

    /// For waiting on this stream.
    pub fn watch(&self) -> StreamWatch {
        StreamWatch {
            state: self.state.subscribe(),
            told: 0,
        }
    }
}

/// Tells of each stream once.
pub struct StreamWatch {
    state: watch::Receiver<State>,
    told: u64,
}

impl StreamWatch {
    /// Waits until a stream runs that was not told of yet. May be dropped and called again.
    pub async fn established(&mut self) {
        let told = self.told;
        let found = self
            .state
            .wait_for(|state| state.running && state.epoch > told)
            .await;
        match found.map(|state| state.epoch) {
            Ok(epoch) => self.told = epoch,
            // The server is going down.
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn each_stream_is_told_once() {
        let status = StreamStatus::default();
        let mut watch = status.watch();
        assert!(watch.established().now_or_never().is_none());
        status.established();
        assert!(watch.established().now_or_never().is_some());
        assert!(watch.established().now_or_never().is_none());
        status.lost();
        assert!(watch.established().now_or_never().is_none());
        status.established();
        assert!(watch.established().now_or_never().is_some());
        let mut late = status.watch();
        assert!(late.established().now_or_never().is_some());
        status.lost();
        assert!(status.watch().established().now_or_never().is_none());
    }
}
