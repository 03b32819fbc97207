//! One module an area; each returns its rows.

pub mod apply;
pub mod campaigns;
pub mod contacts;
pub mod inbox;
pub mod ingest;
pub mod live;
pub mod segments;
pub mod send;
pub mod webhook;
