//! The way out of one number: what was claimed waits here for its permit and a free slot, first come, first served.
//!
//! A little is claimed ahead, so that the rate does not depend on round trips to the database; not more than a twentieth of a second's
//! worth, because after a crash all of it is uncertain, and because a reply waits behind it.

use super::post::{Poster, Waiting};
use super::{Lease, pace::Pace};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Asks for more of a number's messages.
pub type Refill = mpsc::UnboundedSender<Uuid>;

/// A number this process sends for.
pub struct Number {
    pace: Arc<Mutex<Pace>>,
    queue: mpsc::UnboundedSender<Waiting>,
    ahead: Arc<Ahead>,
}

struct Ahead {
    waiting: AtomicUsize,
    most: AtomicUsize,
    concurrency: usize,
}

impl Number {
    /// Starts its dispatcher; it ends when the number is dropped and the last message is posted.
    pub fn start(
        lease: &Lease,
        poster: Poster,
        concurrency: usize,
        refill: Refill,
        tasks: &TaskTracker,
    ) -> Self {
        let pace = Arc::new(Mutex::new(Pace::new(lease.messages_per_second.unsigned_abs())));
        let ahead = Arc::new(Ahead {
            waiting: AtomicUsize::new(0),
            most: AtomicUsize::new(1),
            concurrency,
        });
        let (queue, waiting) = mpsc::unbounded_channel();
        tasks.spawn(dispatch(
            lease.account_id,
            waiting,
            pace.clone(),
            ahead.clone(),
            poster,
            refill,
            tasks.clone(),
        ));
        let number = Self { pace, queue, ahead };
        number.adapt(lease);
        number
    }

    /// What Meta allows may have changed since the last lease.
    pub fn adapt(&self, lease: &Lease) {
        let allowed = lease.messages_per_second.unsigned_abs();
        lock(&self.pace).adapt(allowed);
        let most = (allowed as usize / 20).clamp(1, self.ahead.concurrency);
        self.ahead.most.store(most, Ordering::Relaxed);
    }

    /// How many may be claimed now: none until half of what was claimed has left, so that claims stay few.
    pub fn room(&self) -> usize {
        let (waiting, most) = self.ahead.figures();
        if waiting > most / 2 { 0 } else { most - waiting }
    }

    /// Queues a claimed message.
    pub fn push(&self, waiting: Waiting) {
        self.ahead.waiting.fetch_add(1, Ordering::Relaxed);
        // The dispatcher lives as long as this sender; a message that cannot be queued reports itself when dropped.
        self.queue.send(waiting).ok();
    }
}

impl Ahead {
    fn figures(&self) -> (usize, usize) {
        (
            self.waiting.load(Ordering::Relaxed),
            self.most.load(Ordering::Relaxed),
        )
    }
}

async fn dispatch(
    account_id: Uuid,
    mut queue: mpsc::UnboundedReceiver<Waiting>,
    pace: Arc<Mutex<Pace>>,
    ahead: Arc<Ahead>,
    poster: Poster,
    refill: Refill,
    tasks: TaskTracker,
) {
    let slots = Arc::new(Semaphore::new(ahead.concurrency));
    while let Some(waiting) = queue.recv().await {
        permit(&pace).await;
        let slot = slots
            .clone()
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        ahead.waiting.fetch_sub(1, Ordering::Relaxed);
        let (left, most) = ahead.figures();
        if left == most / 2 || left == 0 {
            refill.send(account_id).ok();
        }
        let (poster, pace) = (poster.clone(), pace.clone());
        tasks.spawn(async move {
            poster.post(waiting, &pace).await;
            drop(slot);
        });
    }
}

async fn permit(pace: &Mutex<Pace>) {
    loop {
        let Some(wait) = lock(pace).check() else { return };
        // A pace that is slowed down or sped up meanwhile is seen soon.
        tokio::time::sleep(wait.min(Duration::from_secs(1))).await;
    }
}

/// A panic while it was held left nothing half done.
pub fn lock(pace: &Mutex<Pace>) -> MutexGuard<'_, Pace> {
    pace.lock().unwrap_or_else(PoisonError::into_inner)
}
