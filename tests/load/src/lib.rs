//! Benches and fault rounds against a whole running copy of the product.

pub mod audience;
pub mod bench;
pub mod faults;
pub mod figures;
pub mod organisation;
pub mod proof;
pub mod report;
pub mod stack;
pub mod wait;
pub mod webhooks;
