//! The workers of OctoPush: everything that brings bytes in, takes bytes out or moves time forward. Rules live in the database.

pub mod config;
pub mod doctor;
pub mod health;
pub mod migrate;
pub mod replay;
pub mod roles;
pub mod run;
pub mod runtime;
pub mod web;
