//! The PostgreSQL extension `octopush`: thin wrappers that let SQL call `octopush-rules`.
//!
//! It owns no table and keeps no state, so that `pg_dump` misses nothing and an upgrade is a new library.

mod error_catalog;
mod ids;
mod phone;
mod version;

pgrx::pg_module_magic!(name, version);
