//! The way out of one number: what was claimed waits here for its permit and a free slot, replies before campaigns.
//!
//! A little is claimed ahead, so that the rate does not depend on round trips to the database; not more than a twentieth of a second's
//! worth, because after a crash all of it is uncertain. An eighth of the slots and a place of their own ahead are kept for replies, so that
//! they leave at once also when Meta answers slowly.

use super::post::{Poster, Waiting};
use super::{Lane, Lease, pace::Pace};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
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
    replies: AtomicUsize,
    campaigns: AtomicUsize,
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
            replies: AtomicUsize::new(0),
            campaigns: AtomicUsize::new(0),
            most: AtomicUsize::new(1),
            concurrency,
        });
        let (queue, waiting) = mpsc::unbounded_channel();
        let dispatcher = Dispatcher {
            account_id: lease.account_id,
            queue: waiting,
            waiting: Line::default(),
            slots: Slots::new(concurrency),
            pace: pace.clone(),
            ahead: ahead.clone(),
            poster,
            refill,
            tasks: tasks.clone(),
        };
        tasks.spawn(dispatcher.run());
        let number = Self { pace, queue, ahead };
        number.adapt(lease);
        number
    }

    /// What Meta allows may have changed since the last lease.
    pub fn adapt(&self, lease: &Lease) {
        let allowed = lease.messages_per_second.unsigned_abs();
        lock(&self.pace).adapt(allowed);
        let most = (allowed as usize / 20).clamp(1, 4 * self.ahead.concurrency);
        self.ahead.most.store(most, Ordering::Relaxed);
    }

    /// How many may be claimed now, and of which lanes: nothing until half of what was claimed has left, so that claims stay few; replies
    /// alone when only campaigns wait.
    pub fn room(&self) -> Option<(Lane, usize)> {
        let (replies, campaigns, most) = self.ahead.figures();
        if replies + campaigns <= most / 2 {
            Some((Lane::Campaign, most - replies - campaigns))
        } else if replies <= most / 2 {
            Some((Lane::Reply, most - replies))
        } else {
            None
        }
    }

    /// Queues a claimed message.
    pub fn push(&self, waiting: Waiting) {
        self.ahead.of(waiting.lane()).fetch_add(1, Ordering::Relaxed);
        // The dispatcher lives as long as this sender; a message that cannot be queued reports itself when dropped.
        self.queue.send(waiting).ok();
    }
}

impl Ahead {
    fn of(&self, lane: Lane) -> &AtomicUsize {
        match lane {
            Lane::Reply => &self.replies,
            Lane::Campaign => &self.campaigns,
        }
    }

    fn figures(&self) -> (usize, usize, usize) {
        (
            self.replies.load(Ordering::Relaxed),
            self.campaigns.load(Ordering::Relaxed),
            self.most.load(Ordering::Relaxed),
        )
    }
}

/// Who waits: replies first.
#[derive(Default)]
struct Line {
    replies: VecDeque<Waiting>,
    campaigns: VecDeque<Waiting>,
}

impl Line {
    fn push(&mut self, waiting: Waiting) {
        match waiting.lane() {
            Lane::Reply => self.replies.push_back(waiting),
            Lane::Campaign => self.campaigns.push_back(waiting),
        }
    }

    fn next_lane(&self) -> Option<Lane> {
        if !self.replies.is_empty() {
            Some(Lane::Reply)
        } else if !self.campaigns.is_empty() {
            Some(Lane::Campaign)
        } else {
            None
        }
    }

    fn pop(&mut self, lane: Lane) -> Option<Waiting> {
        match lane {
            Lane::Reply => self.replies.pop_front(),
            Lane::Campaign => self.campaigns.pop_front(),
        }
    }
}

/// Requests that may be under way at once. Campaigns need one of each.
struct Slots {
    all: Arc<Semaphore>,
    campaigns: Arc<Semaphore>,
}

impl Slots {
    fn new(concurrency: usize) -> Self {
        // Of a single slot nothing can be kept.
        let for_campaigns = (concurrency - concurrency.div_ceil(8)).max(1);
        Self {
            all: Arc::new(Semaphore::new(concurrency)),
            campaigns: Arc::new(Semaphore::new(for_campaigns)),
        }
    }

    async fn take(&self, lane: Lane) -> Slot {
        let never = "the semaphores are never closed";
        let campaign = match lane {
            Lane::Reply => None,
            Lane::Campaign => Some(self.campaigns.clone().acquire_owned().await.expect(never)),
        };
        let any = self.all.clone().acquire_owned().await.expect(never);
        Slot {
            _any: any,
            _campaign: campaign,
        }
    }
}

struct Slot {
    _any: OwnedSemaphorePermit,
    _campaign: Option<OwnedSemaphorePermit>,
}

struct Dispatcher {
    account_id: Uuid,
    queue: mpsc::UnboundedReceiver<Waiting>,
    waiting: Line,
    slots: Slots,
    pace: Arc<Mutex<Pace>>,
    ahead: Arc<Ahead>,
    poster: Poster,
    refill: Refill,
    tasks: TaskTracker,
}

impl Dispatcher {
    async fn run(mut self) {
        while let Some(lane) = self.next_lane().await {
            let (slots, pace) = (&self.slots, &self.pace);
            let allowed = async {
                let slot = slots.take(lane).await;
                permit(pace, lane).await;
                slot
            };
            tokio::select! {
                biased;
                // Perhaps a reply, which then goes first.
                Some(waiting) = self.queue.recv(), if lane == Lane::Campaign => self.waiting.push(waiting),
                slot = allowed => {
                    if let Some(waiting) = self.waiting.pop(lane) {
                        self.post(waiting, slot);
                    }
                }
            }
        }
    }

    /// Whose turn it is; `None` when nobody waits and nobody will.
    async fn next_lane(&mut self) -> Option<Lane> {
        while let Ok(waiting) = self.queue.try_recv() {
            self.waiting.push(waiting);
        }
        if self.waiting.next_lane().is_none() {
            self.waiting.push(self.queue.recv().await?);
        }
        self.waiting.next_lane()
    }
    fn post(&self, waiting: Waiting, slot: Slot) {
        self.ahead.of(waiting.lane()).fetch_sub(1, Ordering::Relaxed);
        let (replies, campaigns, most) = self.ahead.figures();
        let left = replies + campaigns;
        if left == most / 2 || left == 0 {
            self.refill.send(self.account_id).ok();
        }
        let (poster, pace) = (self.poster.clone(), self.pace.clone());
        self.tasks.spawn(async move {
            poster.post(waiting, &pace).await;
            drop(slot);
        });
    }
}

async fn permit(pace: &Mutex<Pace>, lane: Lane) {
    loop {
        let Some(wait) = lock(pace).check(lane) else {
            return;
        };
        // A pace that is slowed down or sped up meanwhile is seen soon.
        tokio::time::sleep(wait.min(Duration::from_secs(1))).await;
    }
}

/// A panic while it was held left nothing half done.
pub fn lock(pace: &Mutex<Pace>) -> MutexGuard<'_, Pace> {
    pace.lock().unwrap_or_else(PoisonError::into_inner)
}
