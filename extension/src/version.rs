//! Which release of the library a backend has loaded.

use pgrx::prelude::*;

/// The release of this library; `sql/code` refuses to install over an older one.
#[pg_extern(immutable, parallel_safe)]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
