//! The way back: what happens is written into notifications, signed, posted, and posted again until somebody answers 200.

mod delivery;
mod handshake;
pub mod inbound;
pub mod payload;

use std::cmp::Ordering as Order;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{Notify, oneshot};

pub use delivery::run;
pub use handshake::verify_callback;

/// Who is told.
#[derive(Debug, Clone)]
pub enum Route {
    /// Message-type fields: the number's override, else the account's, else the app's callback.
    Number { phone_number_id: String },
    /// Template and account fields always go to the app.
    App { waba_id: String },
}

/// Which signature a raw body gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    Valid,
    Wrong,
    Missing,
}

/// Something to be delivered.
pub enum Parcel {
    /// A message of ours reaches a state; the notification is written when it does.
    Status {
        wa_message_id: Arc<str>,
        status: &'static str,
        error_code: Option<i64>,
    },
    /// One change.
    Change {
        route: Route,
        field: &'static str,
        value: Value,
    },
    /// Any bytes, to the app's callback unless told otherwise.
    Raw {
        body: Bytes,
        signature: Signature,
        url: Option<String>,
    },
    /// A template leaves review.
    Review { template_id: String },
    /// A notification that was not acknowledged.
    Letter(Box<Letter>),
}

/// A notification ready to be posted.
#[derive(Debug)]
pub struct Letter {
    pub url: String,
    pub body: Bytes,
    pub signature: Option<String>,
    /// Signed wrongly on purpose, once: the next attempt carries this one.
    pub signature_after: Option<String>,
    pub field: String,
    pub attempt: u32,
    /// Statuses to be marked as delivered in the ledger.
    pub statuses: Vec<(Arc<str>, &'static str)>,
    pub receipts: Vec<oneshot::Sender<u16>>,
}

struct Due {
    at: Instant,
    /// Keeps what is due at the same instant in the order it was put in.
    order: u64,
    parcel: Parcel,
    receipt: Option<oneshot::Sender<u16>>,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Order::Equal
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    /// Reversed: the heap gives the earliest first.
    fn cmp(&self, other: &Self) -> Order {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

/// One attempt at delivering a notification.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryRecord {
    pub seq: u64,
    pub field: String,
    pub url: String,
    pub attempt: u32,
    /// 0 when nobody answered.
    pub http_status: u16,
    pub took_ms: u64,
    pub bytes: usize,
}

/// Attempts remembered.
const RECORDS: usize = 10_000;

#[derive(Default)]
pub struct PostOffice {
    heap: Mutex<BinaryHeap<Due>>,
    order: AtomicU64,
    /// Rises with every reset: letters of earlier times are not retried.
    generation: AtomicU64,
    woken: Notify,
    in_flight: AtomicUsize,
    /// Written and waiting for their turn.
    ready: AtomicUsize,
    records: Mutex<(VecDeque<DeliveryRecord>, u64)>,
}

impl PostOffice {
    fn heap(&self) -> MutexGuard<'_, BinaryHeap<Due>> {
        self.heap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Delivers after a delay.
    pub fn put(&self, parcel: Parcel, after: Duration) {
        self.put_all([(parcel, after)]);
    }

    /// Delivers several, waking the carrier once.
    pub fn put_all(&self, parcels: impl IntoIterator<Item = (Parcel, Duration)>) {
        let now = Instant::now();
        let mut heap = self.heap();
        for (parcel, after) in parcels {
            heap.push(self.due(parcel, now + after, None));
        }
        drop(heap);
        self.woken.notify_one();
    }

    /// Delivers now; the receiver learns the HTTP status of the acknowledgement, or of the first refusal (0: no answer).
    pub fn put_and_wait(&self, parcel: Parcel) -> oneshot::Receiver<u16> {
        let (sender, receiver) = oneshot::channel();
        let due = self.due(parcel, Instant::now(), Some(sender));
        self.heap().push(due);
        self.woken.notify_one();
        receiver
    }

    fn due(&self, parcel: Parcel, at: Instant, receipt: Option<oneshot::Sender<u16>>) -> Due {
        Due {
            at,
            order: self.order.fetch_add(1, Ordering::Relaxed),
            parcel,
            receipt,
        }
    }

    pub fn clear(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
        self.heap().clear();
        self.records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .clear();
    }

    /// Waiting and on their way.
    pub fn pending(&self) -> usize {
        self.heap().len() + self.ready.load(Ordering::Relaxed) + self.in_flight.load(Ordering::Relaxed)
    }

    fn record(&self, mut record: DeliveryRecord) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.1 += 1;
        record.seq = records.1;
        if records.0.len() == RECORDS {
            records.0.pop_front();
        }
        records.0.push_back(record);
    }

    pub fn deliveries_since(&self, since: u64) -> Vec<DeliveryRecord> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records
            .0
            .iter()
            .filter(|record| record.seq > since)
            .cloned()
            .collect()
    }
}
