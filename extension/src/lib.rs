//! The PostgreSQL extension `octopush`: thin wrappers that let SQL call `octopush-rules`.
//!
//! It owns no table and keeps no state, so that `pg_dump` misses nothing and an upgrade is a new library.

mod cached;
mod campaign;
mod contact_import;
mod custom_field;
mod error_catalog;
mod ids;
mod json_text;
mod phone;
mod segment;
mod template;
mod version;

pgrx::pg_module_magic!(name, version);

// Column defaults and check constraints run as whoever writes the row, so every role needs to reach the functions.
pgrx::extension_sql!(
    "grant usage on schema @extschema@ to public;",
    name = "usage_for_everyone",
    finalize
);
