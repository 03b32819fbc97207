//! The parts of the work. Each is started by `run` when its role is switched on, and owns nothing another one needs.

pub mod apply;
pub mod campaigns;
pub mod jobs;
pub mod links;
pub mod maintenance;
pub mod segments;
pub mod send;
pub mod templates;
pub mod webhook;
