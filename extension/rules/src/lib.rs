//! Pure rules of OctoPush: no database, no clock beyond id making, no network.
//!
//! The extension `octopush` exposes these to SQL and the workers call them directly, so that both decide alike.

pub mod campaign;
pub mod contact_import;
pub mod custom_field;
pub mod error_catalog;
pub mod ids;
pub mod phone;
pub mod segment;
pub mod template;
