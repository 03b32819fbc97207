//! Files of contacts: what a file is, which columns it has, and what each of its lines says.
//!
//! The worker streams a file through [`text::Decoder`] and [`lines::Lines`] and reads each line by [`row::RowReader`]; the database
//! makes its previews with the same code, so that what a person was shown is what happens.

pub mod batch;
mod cell;
pub mod columns;
pub mod head;
pub mod lines;
pub mod row;
pub mod sniff;
pub mod spreadsheet;
pub mod text;

pub use head::{read_import_head, read_import_sheet};
pub use row::{check_import_spec, read_import_row};
