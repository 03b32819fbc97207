//! The first look at a file: how it is read, its columns, what they may be, and its first rows.

use super::lines::{Lines, Step};
use super::text::{Decoder, Encoding};
use super::{columns, sniff};
use crate::custom_field::Definition;
use serde::Deserialize;
use serde_json::{Value, json};

/// Rows shown.
pub const PREVIEW_ROWS: usize = 10;
const SAMPLES: usize = 3;
/// Of a cell in a preview.
const SHOWN_CHARS: usize = 200;
/// A file of contacts has some dozens; above this it is not one.
pub const MAX_COLUMNS: usize = 1000;

/// How a file is to be read; what is absent is found out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Options {
    pub encoding: Option<String>,
    pub delimiter: Option<String>,
    pub has_header: Option<bool>,
    pub custom_fields: Vec<Definition>,
    /// Bytes of the whole file; none when the head is all there is.
    pub size: Option<u64>,
    pub sheet: Option<String>,
    /// Rows of a sheet, header included.
    pub rows: Option<u64>,
}

/// What the beginning of a CSV file shows: `{"encoding", "delimiter", "sheet", "has_header", "columns", "preview", "cells", "lines",
/// "rows_estimate"}` or `{"problem": text}`. `preview` is for looking at, `cells` are the same rows whole; `lines` has their numbers.
pub fn read_import_head(head: &[u8], options: &Value) -> Value {
    let options = match Options::deserialize(options) {
        Ok(options) => options,
        Err(error) => return json!({ "problem": format!("the options are not valid: {error}") }),
    };
    let is_whole = options.size.is_none_or(|size| size <= head.len() as u64);
    let detected = Encoding::detect(head, is_whole);
    let encoding = match &options.encoding {
        None => detected,
        Some(name) => match Encoding::from_name(name) {
            Some(encoding) => encoding,
            None => {
                return json!({ "problem": "the encoding is not one of: utf-8, utf-16le, utf-16be, windows-1252" });
            }
        },
    };
    if let Some(problem) = sniff::why_unreadable(head, encoding) {
        return json!({ "problem": problem });
    }
    let delimiter = match options.delimiter.as_deref().map(str::as_bytes) {
        None => sniff::delimiter(head, encoding),
        Some([delimiter]) if sniff::DELIMITERS.contains(delimiter) => *delimiter,
        Some(_) => return json!({ "problem": "the delimiter is not one of: comma, semicolon, tab, |" }),
    };
    let (rows, lines) = first_rows(head, is_whole, delimiter, encoding);
    let bytes_a_line = head.len() as f64 / head.iter().filter(|b| **b == b'\n').count().max(1) as f64;
    let estimate = match options.size {
        Some(size) if !is_whole => size as f64 / bytes_a_line,
        _ => lines.len() as f64,
    };
    describe(
        rows,
        lines,
        &options,
        estimate as u64,
        json!({ "encoding": encoding.name(), "delimiter": char::from(delimiter).to_string(), "sheet": null }),
    )
}

/// The same of a sheet, of which `rows` are the first ones: `[{"line": 1, "cells": [text]}]`.
pub fn read_import_sheet(rows: &Value, options: &Value) -> Value {
    #[derive(Deserialize)]
    struct Row {
        line: u64,
        cells: Vec<String>,
    }
    let (Ok(options), Ok(rows)) = (Options::deserialize(options), Vec::<Row>::deserialize(rows)) else {
        return json!({ "problem": "the options are not valid" });
    };
    let (lines, cells): (Vec<_>, Vec<_>) = rows.into_iter().map(|row| (row.line, row.cells)).unzip();
    let estimate = options.rows.unwrap_or(lines.len() as u64);
    let sheet = options.sheet.clone();
    describe(
        cells,
        lines,
        &options,
        estimate,
        json!({ "encoding": null, "delimiter": null, "sheet": sheet }),
    )
}

fn first_rows(
    head: &[u8],
    is_whole: bool,
    delimiter: u8,
    encoding: Encoding,
) -> (Vec<Vec<String>>, Vec<u64>) {
    let mut lines = Lines::new(delimiter, encoding);
    Decoder::new(encoding).push(head, is_whole, lines.push());
    // The line that is cut by the end of the head is no row, unless it is all there is.
    if is_whole {
        lines.finish();
    }
    let mut rows = (Vec::new(), Vec::new());
    loop {
        match lines.next() {
            Step::Line(_, cells) if is_separator_line(&cells) && rows.0.is_empty() => {}
            Step::Line(line, cells) => {
                rows.0.push(cells);
                rows.1.push(line);
            }
            Step::Broken(..) => {}
            Step::NeedsMore | Step::End => return rows,
        }
    }
}

/// `sep=;`, by which spreadsheets tell one another the delimiter.
pub fn is_separator_line(cells: &[String]) -> bool {
    let text = cells.join("");
    text.strip_prefix("sep=").is_some_and(|rest| rest.len() <= 1)
}

fn describe(
    mut rows: Vec<Vec<String>>,
    mut lines: Vec<u64>,
    options: &Options,
    estimate: u64,
    mut found: Value,
) -> Value {
    let has_header = options
        .has_header
        .unwrap_or_else(|| sniff::has_header(&rows, &options.custom_fields));
    let width = width(&rows, has_header);
    if width > MAX_COLUMNS {
        return json!({ "problem": format!("The file has {width} columns; at most {MAX_COLUMNS} can be read.") });
    }
    let names = match (has_header, rows.first()) {
        (true, Some(header)) => {
            let names = column_names(header, width);
            rows.remove(0);
            lines.remove(0);
            names
        }
        _ => column_names(&[], width),
    };
    if rows.is_empty() {
        let problem = if names.is_empty() {
            "The file is empty."
        } else {
            "The file has a header and no rows."
        };
        return json!({ "problem": problem });
    }
    let header = if has_header { &names[..] } else { &[] };
    let mut suggested = columns::suggest(header, &options.custom_fields);
    suggested.resize(width, None);
    let columns = names
        .iter()
        .zip(suggested)
        .enumerate()
        .map(|(index, (name, suggested))| {
            let cells = rows
                .iter()
                .filter_map(|row| row.get(index))
                .map(|cell| cell.trim());
            let sample: Vec<_> = cells
                .filter(|cell| !cell.is_empty())
                .take(SAMPLES)
                .map(shown)
                .collect();
            json!({ "index": index, "name": name, "sample": sample, "suggested": suggested })
        });
    found["columns"] = columns.collect::<Vec<_>>().into();
    found["has_header"] = has_header.into();
    let preview = rows.iter().take(PREVIEW_ROWS);
    found["preview"] = preview
        .map(|row| row.iter().map(|cell| shown(cell)).collect::<Vec<_>>())
        .collect::<Vec<_>>()
        .into();
    let whole = rows.iter().take(PREVIEW_ROWS);
    found["cells"] = whole
        .map(|row| {
            row.iter()
                .map(|cell| cell.replace('\0', "\u{FFFD}"))
                .collect::<Vec<_>>()
        })
        .collect::<Vec<_>>()
        .into();
    found["lines"] = lines.iter().take(PREVIEW_ROWS).copied().collect();
    found["rows_estimate"] = estimate.saturating_sub(u64::from(has_header)).into();
    found
}

/// How many columns the file has: as many as its header names, unless most lines have more.
fn width(rows: &[Vec<String>], has_header: bool) -> usize {
    let rows = &rows[..rows.len().min(100)];
    let most = rows.iter().map(Vec::len).max().unwrap_or(0);
    match rows.first() {
        Some(header) if has_header => {
            let wider = rows.iter().filter(|row| row.len() > header.len()).count();
            if wider * 2 > rows.len() {
                most
            } else {
                header.len()
            }
        }
        _ => most,
    }
}

/// Names to tell columns apart by: those without one are numbered, those of the same name too.
fn column_names(header: &[String], width: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(width);
    for index in 0..width {
        let name = header.get(index).map_or("", |name| name.trim());
        let name = match name {
            "" => format!("Column {}", index + 1),
            name => shown(name),
        };
        let same = header[..index.min(header.len())]
            .iter()
            .filter(|earlier| earlier.trim() == name)
            .count();
        names.push(if same == 0 {
            name
        } else {
            format!("{name} ({})", same + 1)
        });
    }
    names
}

/// Without what Postgres cannot store, and no longer than one can look at.
fn shown(text: &str) -> String {
    text.chars()
        .take(SHOWN_CHARS)
        .map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}
