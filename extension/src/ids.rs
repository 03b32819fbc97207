//! Ids that sort by the time they were made.

use octopush_rules::ids;
use pgrx::prelude::*;

/// A version 7 UUID; each backend's ids grow.
#[pg_extern(volatile, parallel_safe)]
fn uuid_v7() -> pgrx::Uuid {
    pgrx::Uuid::from_bytes(ids::uuid_v7().into_bytes())
}
