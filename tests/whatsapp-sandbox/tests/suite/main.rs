//! The sandbox driven over HTTP by the client the workers use. One binary: each one more would compile and link everything again.

mod admin;
mod faults;
mod graph;
mod limits;
mod media;
mod refusals;
mod support;
mod template_life;
mod templates;
mod webhooks;
