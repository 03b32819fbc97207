//! Segment rules: which contacts an organisation means.
//!
//! # Grammar
//!
//! ```text
//! rules    = group
//! group    = {"all": [node, …]} | {"any": [node, …]} | {"none": [node, …]}
//! node     = group | leaf
//! leaf     = {"field": text, "operator": text, "value": value}      value absent (or null) where the operator takes none
//! value    = text | [text, …] | number | [low, high] | true | false
//!          | "YYYY-MM-DD" | ["YYYY-MM-DD", "YYYY-MM-DD"] | {"amount": whole number, "unit": "hours"|"days"|"weeks"}
//!          | uuid | [uuid, …]
//! ```
//!
//! `all` and `none` of nothing are true, `any` of nothing is false. Unknown keys are errors. [`limits`] bounds every
//! size. Which operators a field has and which value an operator takes stands in [`field`] and [`operator`]; the same
//! tables make the catalogue that the builder shows.
//!
//! # Meaning
//!
//! Every leaf is true or false: a negative operator is the negation of its positive one, and so true for an empty field.
//! Text compares by [`lowercase::lowercase`] on both sides, choices exactly. A stored custom value of another type than
//! its field's makes every positive operator false and is not empty. A time `in_last` counts whatever is not older,
//! future stamps too; a date `in_last` or `in_next` counts calendar days with today among them.
//!
//! Two implementations must agree: [`compile`] makes SQL, [`evaluate`] decides over facts without a database.

pub mod catalog;
pub mod compile;
pub mod context;
pub mod decimal;
pub mod evaluate;
pub mod explain;
pub mod field;
pub mod flip;
#[cfg(feature = "testing")]
pub mod generate;
pub mod horizons;
pub mod json;
pub mod lowercase;
pub mod operand;
pub mod operator;
pub mod problem;
pub mod references;
pub mod rules;
pub mod sentence;
pub mod shape;

/// Bounds of what a rule tree may be; all are refused by [`rules::Rules::parse`], never cut.
pub mod limits {
    /// Groups inside one another, the root included.
    pub const LEVELS: usize = 8;
    /// Leaves of a tree.
    pub const LEAVES: usize = 100;
    /// Groups of a tree; far more than leaves can need.
    pub const GROUPS: usize = 200;
    /// Values of one list.
    pub const VALUES: usize = 500;
    /// Characters of one text.
    pub const TEXT: usize = 500;
    /// Problems reported at once.
    pub const PROBLEMS: usize = 100;
}
