//! From the bytes of a file to batches of lines, on a thread of their own: reading is work for a processor.

use super::job::Stopped;
use super::sheet::{self, Download};
use bytes::Bytes;
use octopush_rules::contact_import::batch::{Batch, Duplicates};
use octopush_rules::contact_import::head::is_separator_line;
use octopush_rules::contact_import::lines::{Lines, Step};
use octopush_rules::contact_import::row::RowReader;
use octopush_rules::contact_import::text::{Decoder, Encoding};
use serde_json::Value;
use tokio::sync::mpsc;

/// Most bytes of cells in a batch, however few lines they are.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// A piece of a file on its way.
pub enum Chunk {
    Bytes(Bytes),
    /// The file is complete. Without it the connection broke.
    End,
}

/// Lines for one transaction.
pub struct Piece {
    pub from: i64,
    pub to: i64,
    pub lines: Value,
    pub count: usize,
    /// Lines of the whole file, as far as one can tell by now.
    pub total: i32,
}

/// Collects lines behind the one where the import is.
pub struct Batcher {
    reader: RowReader,
    batch: Batch,
    batch_lines: usize,
    batch_bytes: usize,
    from: u64,
    last: u64,
    has_header: bool,
    is_first: bool,
    counted: usize,
    total: f64,
    out: mpsc::Sender<Piece>,
}

impl Batcher {
    pub fn new(
        spec: &Value,
        from: i64,
        batch_lines: usize,
        out: mpsc::Sender<Piece>,
    ) -> Result<Self, Stopped> {
        let reader = RowReader::new(spec).map_err(|problems| {
            Stopped::Unusable(problems.first().map_or(String::new(), |p| p.message.clone()))
        })?;
        let duplicates = match spec["duplicates"].as_str() {
            Some("update") => Duplicates::Update,
            _ => Duplicates::Skip,
        };
        let from = from.unsigned_abs();
        Ok(Self {
            reader,
            batch: Batch::new(duplicates),
            batch_lines,
            batch_bytes: 0,
            from,
            last: from,
            has_header: spec["has_header"] == true,
            is_first: true,
            counted: 0,
            total: 0.0,
            out,
        })
    }

    /// A line of the file. False: nobody wants more.
    fn take(&mut self, line: u64, cells: &[String]) -> bool {
        if self.is_first && is_separator_line(cells) {
            return true;
        }
        if std::mem::take(&mut self.is_first) && self.has_header {
            return true;
        }
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return true;
        }
        self.counted += 1;
        if line > self.from.max(self.last) {
            self.last = line;
            self.batch_bytes += cells.iter().map(String::len).sum::<usize>();
            self.batch.add(line, cells, self.reader.read(cells));
        }
        self.flush_if_full()
    }

    fn refuse(&mut self, line: u64, shown: String) -> bool {
        self.is_first = false;
        self.counted += 1;
        if line > self.from.max(self.last) {
            self.last = line;
            let reason = "The line cannot be read: a quote is opened and never closed, or the line is longer than 1 MB.";
            self.batch.refuse(line, &[shown], reason);
        }
        self.flush_if_full()
    }

    fn flush_if_full(&mut self) -> bool {
        if self.batch.len() >= self.batch_lines || self.batch_bytes >= BATCH_BYTES {
            return self.flush();
        }
        true
    }

    fn flush(&mut self) -> bool {
        if self.batch.is_empty() {
            return !self.out.is_closed();
        }
        let count = self.batch.len();
        let piece = Piece {
            from: self.from as i64,
            to: self.last as i64,
            lines: self.batch.take(),
            count,
            total: self.total.max(self.counted as f64).min(f64::from(i32::MAX)) as i32,
        };
        self.from = self.last;
        self.batch_bytes = 0;
        self.out.blocking_send(piece).is_ok()
    }
}

/// Reads a CSV file of `size` bytes as its pieces come.
pub fn read_csv(
    mut chunks: mpsc::Receiver<Chunk>,
    spec: &Value,
    size: u64,
    mut batcher: Batcher,
) -> Result<(), Stopped> {
    let encoding = spec["encoding"]
        .as_str()
        .and_then(Encoding::from_name)
        .unwrap_or(Encoding::Utf8);
    let delimiter = spec["delimiter"]
        .as_str()
        .and_then(|d| d.bytes().next())
        .unwrap_or(b',');
    let mut decoder = Decoder::new(encoding);
    let mut lines = Lines::new(delimiter, encoding);
    let mut seen = 0;
    loop {
        match chunks.blocking_recv() {
            Some(Chunk::Bytes(bytes)) => {
                seen += bytes.len() as u64;
                decoder.push(&bytes, false, lines.push());
            }
            Some(Chunk::End) => {
                decoder.push(&[], true, lines.push());
                lines.finish();
            }
            None => return Err(Stopped::Interrupted("the file broke off")),
        }
        loop {
            let goes_on = match lines.next() {
                Step::Line(line, cells) => batcher.take(line, &cells),
                Step::Broken(line, shown) => batcher.refuse(line, shown),
                Step::NeedsMore => break,
                Step::End => {
                    batcher.flush();
                    return Ok(());
                }
            };
            if !goes_on {
                return Ok(());
            }
            batcher.total = batcher.counted as f64 * (size as f64 / seen.max(1) as f64).max(1.0);
        }
    }
}

/// Reads a sheet from disk.
pub fn read_sheet(file: &Download, spec: &Value, mut batcher: Batcher) -> Result<(), Stopped> {
    let sheet = spec["sheet"].as_str();
    let (_, count) = sheet::each_row(file, sheet, |_, _| false)?;
    batcher.total = f64::from(count.saturating_sub(u32::from(batcher.has_header)));
    let mut goes_on = true;
    sheet::each_row(file, sheet, |line, cells| {
        goes_on = batcher.take(line, &cells);
        goes_on
    })?;
    if goes_on {
        batcher.flush();
    }
    Ok(())
}
