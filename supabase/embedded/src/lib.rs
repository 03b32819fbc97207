//! A Supabase-compatible stack on one origin over one Postgres database: REST, Auth, Realtime and Storage as far as
//! unmodified supabase-js needs them. For development, tests, demos and a single box; it never promises more than a
//! real Supabase does.

pub mod auth;
pub mod bootstrap;
pub mod config;
pub mod gateway;
pub mod jwt;
pub mod platform;
pub mod realtime;
pub mod rest;
pub mod serve;
pub mod storage;
