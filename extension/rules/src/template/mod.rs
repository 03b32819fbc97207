//! Message templates: what Meta would say of one, how it looks filled in, and what is sent of it.
//!
//! A template is `{"name", "language", "category", "parameter_format", "components", "links"?}`, its components as Meta
//! takes and returns them. Reading never fails: what a component lacks is missing, and a component of a kind we do not
//! know is left out of the picture but never in the way. Only [`check`] is strict.
//!
//! # Keys of variables
//!
//! `header.1`, `header.<name>`, `header.media`, `header.location`, `body.1`, `body.<name>`, `button.<index>`; inside a
//! carousel the same behind `card.<index>.`. An authentication template has one variable, `body.1`: its button repeats it.
//!
//! # Values
//!
//! `{key: text}`; numbers count as their text. A media key takes `{"link"}` or `{"id"}` (with `"filename"` for documents)
//! or the link alone, `header.location` takes `{"latitude", "longitude", "name"?, "address"?}`.

pub mod check;
#[cfg(feature = "testing")]
pub mod generate;
pub mod graph;
pub mod languages;
pub mod message;
pub mod model;
pub mod placeholders;
pub mod render;
pub mod text;
pub mod values;
pub mod variables;

/// Bounds Meta sets, in characters unless said otherwise.
pub mod limits {
    pub const NAME: usize = 512;
    pub const BODY: usize = 1024;
    pub const HEADER: usize = 60;
    pub const FOOTER: usize = 60;
    pub const LABEL: usize = 25;
    pub const URL: usize = 2000;
    pub const PHONE: usize = 20;
    /// Raised from 15 in December 2025.
    pub const COUPON: usize = 20;
    pub const ONE_TIME_CODE: usize = 15;
    pub const CARD_BODY: usize = 160;
    /// What a limited-time offer is called.
    pub const OFFER: usize = 16;
    /// How many, not how long.
    pub const BUTTONS: usize = 10;
    pub const CARD_BUTTONS: usize = 2;
    pub const CARDS: std::ops::RangeInclusive<usize> = 2..=10;
    pub const CODE_MINUTES: std::ops::RangeInclusive<u64> = 1..=90;
}
