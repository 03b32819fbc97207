//! The four parts of the work. Each is started by `run` when its role is switched on, and owns nothing another one needs.

pub mod apply;
pub mod maintenance;
pub mod send;
pub mod webhook;
