//! Phone numbers to E.164.

use octopush_rules::phone;
use pgrx::prelude::*;

/// E.164 with `+`, or null when `raw` is no valid number.
///
/// An unknown or null region accepts international numbers only. Check constraints and unique keys rest on this
/// function: a release that changes an answer needs a migration that rewrites the stored numbers.
#[pg_extern(immutable, parallel_safe)]
fn normalize_phone(raw: Option<&str>, region: Option<&str>) -> Option<String> {
    phone::normalize_phone(raw?, region.unwrap_or_default())
}
