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
/// Most that its parts other than sheets may unpack to: a small archive can hold a very large text.
const MAX_UNPACKED: u64 = 256 * 1024 * 1024;
pub const DAMAGED: &str = "The XLSX file is damaged. Open it in a spreadsheet and save it again.";
const FIRST_ROWS: usize = 100;
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
    let (sheet, count) = each_row(file, None, |line, cells| {
        rows.push(json!({ "line": line, "cells": cells.iter().map(|c| c.replace('\0', "\u{FFFD}")).collect::<Vec<_>>() }));
        rows.len() < FIRST_ROWS
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
    check_unpacked(file)?;
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

/// Refuses an archive whose texts would fill the memory, by unpacking them into nothing first.
fn check_unpacked(file: &Download) -> Result<(), Stopped> {
    let damaged = |_| Stopped::Unusable(DAMAGED.into());
    let mut archive = zip::ZipArchive::new(BufReader::new(File::open(&file.0)?)).map_err(damaged)?;
    let mut unpacked = 0;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(damaged)?;
        if part.name().map_err(damaged)?.starts_with("xl/worksheets/") {
            continue;
        }
        let mut part = part.take(MAX_UNPACKED + 1 - unpacked);
        unpacked +=
            std::io::copy(&mut part, &mut std::io::sink()).map_err(|_| Stopped::Unusable(DAMAGED.into()))?;
        if unpacked > MAX_UNPACKED {
            return Err(Stopped::Unusable(
                "The XLSX file holds too much text. Save the sheet as CSV: that may be as large as you like."
                    .into(),
            ));
        }
    }
    Ok(())
}
