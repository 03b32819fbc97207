//! Proof that the four who answer whether a contact is in a segment always agree: the compiled SQL, the evaluator in Rust, the members as
//! they are maintained, and the explanation's root; over random rules and contacts, and after any sequence of changes.

mod house;
mod judge;
mod operations;
mod pairs;

pub use house::{House, Server};
pub use judge::Verdict;
pub use operations::{Sequence, prove as prove_operations, prove_with};
pub use pairs::{Size, prove as prove_pairs};
