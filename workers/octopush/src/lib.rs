//! The workers of OctoPush.

pub mod migrate;
