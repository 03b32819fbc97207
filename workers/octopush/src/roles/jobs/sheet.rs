//! XLSX files: the rows of the first sheet, one after the other.

use super::job::Stopped;
use bytes::Bytes;
use calamine::{DataRef, Reader, Xlsx, open_workbook};
use futures_util::{Stream, StreamExt};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

/// Largest XLSX file: its texts must be held in memory.
pub const MAX_BYTES: u64 = 50 * 1024 * 1024;
/// Most that its parts other than sheets may unpack to: all of it is held in memory, and a small archive can hold a very large text.
const MAX_UNPACKED_TEXTS: u64 = 256 * 1024 * 1024;
/// Most that its sheets may unpack to. They are read cell by cell, but a cell may be all of a sheet. A million rows of ten columns are half
/// of this.
const MAX_UNPACKED_SHEETS: u64 = 1024 * 1024 * 1024;
pub const DAMAGED: &str = "The XLSX file is damaged. Open it in a spreadsheet and save it again.";
const FIRST_ROWS: usize = 100;
/// Rows are shown until they have this many bytes: one long text may be in every cell.
const FIRST_BYTES: usize = 1024 * 1024;
/// Longest text of a cell, as spreadsheets themselves allow.
const MAX_CELL_CHARS: usize = 32_767;

/// A file of our own, removed when it is dropped.
pub struct Download(PathBuf);

impl Download {
    pub async fn receive(
        mut stream: impl Stream<Item = reqwest::Result<Bytes>> + Unpin,
    ) -> Result<Self, Stopped> {
        let path = std::env::temp_dir().join(format!("octopush-import-{}", Uuid::new_v4().simple()));
        let file = tokio::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .await?;
        let download = Self(path);
        let mut file = tokio::io::BufWriter::new(file);
        let mut size = 0;
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(super::storage::StorageError::from)?;
            size += chunk.len() as u64;
            if size > MAX_BYTES {
                return Err(Stopped::Unusable(
                    "The file is too large for an XLSX file.".into(),
                ));
            }
            file.write_all(&chunk).await?;
        }
        file.flush().await?;
        Ok(download)
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        // Left behind at worst in the folder for temporary files.
        std::fs::remove_file(&self.0).ok();
    }
}

/// What a person is shown of a sheet.
pub struct FirstRows {
    pub sheet: String,
    /// `[{"line", "cells"}]`
    pub rows: Value,
    pub count: i64,
}

pub fn first_rows(file: &Download) -> Result<FirstRows, Stopped> {
    let mut rows = Vec::new();
    let mut bytes = 0;
    let (sheet, count) = each_row(file, None, |line, cells| {
        bytes += cells.iter().map(String::len).sum::<usize>();
        rows.push(json!({ "line": line, "cells": cells.iter().map(|c| c.replace('\0', "\u{FFFD}")).collect::<Vec<_>>() }));
        rows.len() < FIRST_ROWS && bytes < FIRST_BYTES
    })?;
    Ok(FirstRows {
        sheet,
        rows: rows.into(),
        count: i64::from(count),
    })
}

/// Calls `take` with the number and cells of each row that has any, until it says false. Returns the sheet's name and how many rows it
/// says it has.
pub fn each_row(
    file: &Download,
    sheet: Option<&str>,
    mut take: impl FnMut(u64, Vec<String>) -> bool,
) -> Result<(String, u32), Stopped> {
    check_unpacked(file, MAX_UNPACKED_TEXTS, MAX_UNPACKED_SHEETS)?;
    let damaged = || Stopped::Unusable(DAMAGED.into());
    let mut book: Xlsx<BufReader<File>> = open_workbook(&file.0).map_err(|_| damaged())?;
    let name = match sheet {
        Some(name) => name.to_owned(),
        None => book.sheet_names().first().cloned().ok_or_else(damaged)?,
    };
    let mut reader = book.worksheet_cells_reader(&name).map_err(|_| damaged())?;
    let count = reader.dimensions().end.0 + 1;
    let mut row: Option<(u32, Vec<String>)> = None;
    loop {
        let cell = reader.next_cell().map_err(|_| damaged())?;
        let number = cell.as_ref().map(|cell| cell.get_position().0);
        if let Some((at, cells)) = row.take_if(|(at, _)| Some(*at) != number)
            && !take(u64::from(at) + 1, cells)
        {
            return Ok((name, count));
        }
        let Some(cell) = cell else {
            return Ok((name, count));
        };
        let (at, column) = cell.get_position();
        let column = column as usize;
        if column >= octopush_rules::contact_import::head::MAX_COLUMNS {
            continue;
        }
        let cells = &mut row.get_or_insert_with(|| (at, Vec::new())).1;
        if cells.len() <= column {
            cells.resize(column + 1, String::new());
        }
        cells[column] = text(cell.get_value());
    }
}

/// As a person would have typed it.
fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::String(text) => text.chars().take(MAX_CELL_CHARS).collect(),
        DataRef::SharedString(text) => text.chars().take(MAX_CELL_CHARS).collect(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(is_true) => if *is_true { "yes" } else { "no" }.to_owned(),
        DataRef::DateTime(at) if at.is_duration() => at.as_f64().to_string(),
        DataRef::DateTime(at) => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            match (hour, minute, second) {
                (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
            }
        }
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

/// Refuses an archive whose texts or sheets would fill the memory, by unpacking them into nothing first.
fn check_unpacked(file: &Download, most_texts: u64, most_sheets: u64) -> Result<(), Stopped> {
    let damaged = |_| Stopped::Unusable(DAMAGED.into());
    let mut archive = zip::ZipArchive::new(BufReader::new(File::open(&file.0)?)).map_err(damaged)?;
    let (mut texts, mut sheets) = (0, 0);
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(damaged)?;
        let is_sheet = part.name().map_err(damaged)?.starts_with("xl/worksheets/");
        let (unpacked, most) = if is_sheet {
            (&mut sheets, most_sheets)
        } else {
            (&mut texts, most_texts)
        };
        *unpacked += std::io::copy(&mut part.take(most + 1 - *unpacked), &mut std::io::sink())
            .map_err(|_| Stopped::Unusable(DAMAGED.into()))?;
        if *unpacked > most {
            return Err(Stopped::Unusable(
                "The XLSX file holds too much text. Save the sheet as CSV: that may be as large as you like."
                    .into(),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const ROOT: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    const WORKBOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="People" sheetId="1" r:id="r1"/></sheets></workbook>"#;
    const RELATIONSHIPS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#;

    /// A workbook of one sheet whose only text is `text`.
    fn workbook(text: &str, rows: &str) -> Download {
        let download =
            Download(std::env::temp_dir().join(format!("octopush-sheet-{}", Uuid::new_v4().simple())));
        let mut archive = zip::ZipWriter::new(File::create(&download.0).unwrap());
        let space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        for (name, content) in [
            ("_rels/.rels", ROOT.to_owned()),
            ("xl/workbook.xml", WORKBOOK.to_owned()),
            ("xl/_rels/workbook.xml.rels", RELATIONSHIPS.to_owned()),
            (
                "xl/sharedStrings.xml",
                format!(r#"<sst xmlns="{space}"><si><t>{text}</t></si></sst>"#),
            ),
            (
                "xl/worksheets/sheet1.xml",
                format!(r#"<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>"#),
            ),
        ] {
            archive
                .start_file(name, zip::write::SimpleFileOptions::default())
                .unwrap();
            archive.write_all(content.as_bytes()).unwrap();
        }
        archive.finish().unwrap();
        download
    }

    #[test]
    fn one_text_in_every_cell_does_not_fill_the_memory() {
        let row = format!("<row>{}</row>", r#"<c t="s"><v>0</v></c>"#.repeat(100));
        let first = first_rows(&workbook(&"x".repeat(10_000), &row.repeat(100))).unwrap();
        assert_eq!(first.rows.as_array().unwrap().len(), 2);
        assert_eq!(first.rows[1]["cells"][99].as_str().unwrap().len(), 10_000);
    }

    #[test]
    fn short_rows_are_shown_to_the_hundredth() {
        let row = r#"<row><c t="s"><v>0</v></c></row>"#;
        let first = first_rows(&workbook("x", &row.repeat(200))).unwrap();
        assert_eq!(first.rows.as_array().unwrap().len(), FIRST_ROWS);
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused_whichever_part_it_is() {
        let cell = format!(
            r#"<row><c t="inlineStr"><is><t>{}</t></is></c></row>"#,
            "x".repeat(10_000)
        );
        let sheet = workbook("x", &cell);
        assert!(check_unpacked(&sheet, 5_000, 11_000).is_ok());
        assert!(matches!(
            check_unpacked(&sheet, 5_000, 10_000),
            Err(Stopped::Unusable(_))
        ));
        let texts = workbook(&"x".repeat(10_000), "");
        assert!(check_unpacked(&texts, 15_000, 1_000).is_ok());
        assert!(matches!(
            check_unpacked(&texts, 10_000, 1_000),
            Err(Stopped::Unusable(_))
        ));
    }
}
