//! Files of contacts: the first look, the check of a mapping, and single lines.

use octopush_rules::contact_import;
use pgrx::JsonB;
use pgrx::prelude::*;

/// `{"encoding", "delimiter", "sheet", "has_header", "columns", "preview", "lines", "rows_estimate"}` or `{"problem": text}`.
#[pg_extern(immutable, parallel_safe)]
fn read_import_head(head: &[u8], options: JsonB) -> JsonB {
    JsonB(contact_import::read_import_head(head, &options.0))
}

/// The same of the first rows of a sheet.
#[pg_extern(immutable, parallel_safe)]
fn read_import_sheet(rows: JsonB, options: JsonB) -> JsonB {
    JsonB(contact_import::read_import_sheet(&rows.0, &options.0))
}

/// `[]`, or what is wrong with the mapping: `[{"field", "message"}]`.
#[pg_extern(immutable, parallel_safe)]
fn check_import_spec(spec: JsonB) -> JsonB {
    JsonB(contact_import::check_import_spec(&spec.0))
}

/// `{"values": {…}, "problems": [{"field", "message"}]}` of one line.
#[pg_extern(immutable, parallel_safe)]
fn read_import_row(spec: JsonB, cells: Vec<Option<String>>) -> JsonB {
    let cells: Vec<String> = cells.into_iter().map(Option::unwrap_or_default).collect();
    JsonB(contact_import::read_import_row(&spec.0, &cells))
}
