//! Everything the stand-in knows, behind one lock that is held for microseconds and never across an await.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tokio::sync::broadcast;

use crate::config::Config;
use crate::customers::Customer;
use crate::directory::Directory;
use crate::faults::{FaultSource, Faults};
use crate::ledger::Ledger;
use crate::media::MediaStore;
use crate::request_log::RequestLog;
use crate::settings::Settings;
use crate::templates::TemplateStore;
use crate::uploads::UploadStore;
use crate::webhooks::PostOffice;

/// Something the page may have to show.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    pub phone_number_id: String,
    pub phone: String,
}

pub struct State {
    pub settings: Settings,
    pub faults: FaultSource,
    pub directory: Directory,
    /// By the digits of their numbers.
    pub customers: HashMap<String, Customer>,
    pub templates: TemplateStore,
    pub media: MediaStore,
    pub uploads: UploadStore,
    pub ledger: Ledger,
    pub requests: RequestLog,
}

impl State {
    fn new(config: &Config) -> Self {
        let settings = Settings {
            webhook_url: config.webhook_url.clone().unwrap_or_default(),
            ..Settings::default()
        };
        Self {
            settings,
            faults: FaultSource::new(Faults::default()),
            directory: Directory::with_defaults(config),
            customers: HashMap::new(),
            templates: TemplateStore::with_samples(crate::config::default_account::WABA_ID),
            media: MediaStore::default(),
            uploads: UploadStore::default(),
            ledger: Ledger::default(),
            requests: RequestLog::default(),
        }
    }

    /// The person with this number, known from now on.
    pub fn customer(&mut self, phone: &str) -> &mut Customer {
        self.customers
            .entry(phone.to_owned())
            .or_insert_with(|| Customer::new(phone))
    }
}

pub struct World {
    pub config: Config,
    pub post: PostOffice,
    pub changes: broadcast::Sender<Change>,
    state: Mutex<State>,
    started: Instant,
    clock_offset: AtomicI64,
}

impl World {
    pub fn new(config: Config) -> Self {
        let state = State::new(&config);
        Self {
            config,
            post: PostOffice::default(),
            changes: broadcast::channel(256).0,
            state: Mutex::new(state),
            started: Instant::now(),
            clock_offset: AtomicI64::new(0),
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held failed one request; what it left is still the best there is.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Back to how it started; undelivered webhooks are forgotten.
    pub fn reset(&self) {
        self.post.clear();
        self.clock_offset.store(0, Ordering::Relaxed);
        *self.state() = State::new(&self.config);
    }

    /// Seconds since 1970 on the sandbox's clock, which `/admin/clock` moves.
    pub fn now(&self) -> i64 {
        self.now_ms() / 1000
    }

    pub fn now_ms(&self) -> i64 {
        let real = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        i64::try_from(real.as_millis()).unwrap_or(i64::MAX) + self.clock_offset.load(Ordering::Relaxed) * 1000
    }

    pub fn advance_clock(&self, seconds: i64) {
        self.clock_offset.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Microseconds since the start; never goes back and knows nothing of `/admin/clock`.
    pub fn uptime_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Tells open pages that a conversation moved.
    pub fn announce(&self, phone_number_id: &str, phone: &str) {
        if self.changes.receiver_count() > 0 {
            // An error only says that the last page was closed meanwhile.
            let _ = self.changes.send(Change {
                phone_number_id: phone_number_id.to_owned(),
                phone: phone.to_owned(),
            });
        }
    }
}
