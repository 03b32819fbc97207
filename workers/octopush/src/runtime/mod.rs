//! What every role stands on: connections, wake-ups, telemetry.

pub mod backoff;
pub mod database;
pub mod listener;
pub mod metrics;
pub mod reports;
pub mod storage;
