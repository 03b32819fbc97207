//! The error catalogue as rows.

use octopush_rules::error_catalog::ERROR_CATALOG;
use pgrx::prelude::*;

/// Every error code with its HTTP status, message and hint.
#[pg_extern(immutable, parallel_safe)]
fn error_catalog() -> TableIterator<
    'static,
    (
        name!(code, &'static str),
        name!(http_status, i32),
        name!(message, &'static str),
        name!(hint, &'static str),
    ),
> {
    TableIterator::new(ERROR_CATALOG.iter().map(|entry| {
        (
            entry.code,
            i32::from(entry.http_status),
            entry.message,
            entry.hint,
        )
    }))
}
