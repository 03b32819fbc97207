//! Fault rounds: messages flow in and out while processes are killed and answers lost; afterwards nothing may be missing or doubled.

pub mod campaigns;
pub mod surroundings;
pub mod traffic;
pub mod verdict;
pub mod victims;
