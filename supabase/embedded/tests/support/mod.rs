//! What the tests share: a cluster, a running stack, a client.

pub mod cluster;
pub mod socket;
pub mod stack;
