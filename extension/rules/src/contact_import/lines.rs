//! The lines of a CSV file, piece by piece and in bounded memory, whatever the file is.
//!
//! A line that never ends, or whose quote is never closed, is given back as broken and reading goes on with the line after the one
//! where it began: one stray quote must not swallow the rest of a file.

use super::text::Encoding;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Longest line, line breaks within quotes included. What a contact can hold fits many times over.
pub const MAX_LINE_BYTES: usize = 1024 * 1024;
/// How much of a broken line is kept to recognise it by.
const SHOWN_BYTES: usize = 500;

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// A line with the number of the line of text where it begins, from 1.
    Line(u64, Vec<String>),
    /// A line that cannot be read, with its beginning.
    Broken(u64, String),
    /// More of the file is needed, or [`Lines::finish`].
    NeedsMore,
    End,
}

/// Takes a file apart. Feed it by [`Lines::push`] whenever it [`Step::NeedsMore`].
pub struct Lines {
    core: Reader,
    encoding: Encoding,
    buffer: Vec<u8>,
    /// Where in `buffer` the line at hand begins, and how far it is read.
    start: usize,
    read: usize,
    cells: Vec<u8>,
    cells_len: usize,
    ends: Vec<usize>,
    ends_len: usize,
    /// Number of the text line at `start`.
    line: u64,
    after_return: bool,
    is_finished: bool,
    is_skipping: bool,
}

impl Lines {
    pub fn new(delimiter: u8, encoding: Encoding) -> Self {
        Self {
            core: ReaderBuilder::new().delimiter(delimiter).build(),
            encoding,
            buffer: Vec::new(),
            start: 0,
            read: 0,
            cells: vec![0; 4096],
            cells_len: 0,
            ends: vec![0; 64],
            ends_len: 0,
            line: 1,
            after_return: false,
            is_finished: false,
            is_skipping: false,
        }
    }

    /// Where the next bytes go, as [`super::text::Decoder`] makes them.
    pub fn push(&mut self) -> &mut Vec<u8> {
        self.buffer.drain(..self.start);
        self.read -= self.start;
        self.start = 0;
        &mut self.buffer
    }

    /// Nothing follows.
    pub fn finish(&mut self) {
        self.is_finished = true;
    }

    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Step {
        loop {
            if self.is_skipping && !self.skip_line() {
                return if self.is_finished {
                    Step::End
                } else {
                    Step::NeedsMore
                };
            }
            if self.read == self.buffer.len() && !self.is_finished {
                return Step::NeedsMore;
            }
            let (result, read, cells, ends) = self.core.read_record(
                &self.buffer[self.read..],
                &mut self.cells[self.cells_len..],
                &mut self.ends[self.ends_len..],
            );
            self.read += read;
            self.cells_len += cells;
            self.ends_len += ends;
            if self.read - self.start > MAX_LINE_BYTES {
                return self.give_up();
            }
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record if self.has_open_quote() => return self.give_up(),
                ReadRecordResult::Record => return self.take_line(),
                ReadRecordResult::End => return Step::End,
            }
        }
    }

    /// A last line that ends neither by a line break nor by a quote, and runs over several lines of text.
    fn has_open_quote(&self) -> bool {
        if !self.is_finished || self.read < self.buffer.len() {
            return false;
        }
        let from = match self.ends_len {
            0 | 1 => 0,
            count => self.ends[count - 2],
        };
        let last_cell = &self.cells[from..self.cells_len];
        last_cell.iter().any(|b| matches!(b, b'\n' | b'\r'))
            && !matches!(self.buffer.trim_ascii_end().last(), Some(b'"'))
    }

    fn take_line(&mut self) -> Step {
        let mut from = 0;
        let mut cells = Vec::with_capacity(self.ends_len);
        for end in &self.ends[..self.ends_len] {
            cells.push(self.encoding.cell(&self.cells[from..*end]));
            from = *end;
        }
        // Blank lines before it belong to what was read.
        let blank = self.buffer[self.start..self.read]
            .iter()
            .take_while(|b| matches!(b, b'\n' | b'\r'))
            .count();
        self.count_lines(self.start, self.start + blank);
        let line = self.line;
        self.count_lines(self.start + blank, self.read);
        self.start_next();
        Step::Line(line, cells)
    }

    fn give_up(&mut self) -> Step {
        self.core.reset();
        let blank = self.buffer[self.start..]
            .iter()
            .take_while(|b| matches!(b, b'\n' | b'\r'))
            .count();
        self.count_lines(self.start, self.start + blank);
        let line = self.line;
        self.start += blank;
        let rest = &self.buffer[self.start..];
        let length = rest
            .iter()
            .position(|b| matches!(b, b'\n' | b'\r'))
            .unwrap_or(rest.len());
        let shown = self.encoding.cell(&rest[..length.min(SHOWN_BYTES)]);
        self.read = self.start;
        self.is_skipping = true;
        self.cells_len = 0;
        self.ends_len = 0;
        Step::Broken(line, shown)
    }

    /// To the end of this line of text. False when it is not in sight yet.
    fn skip_line(&mut self) -> bool {
        let rest = &self.buffer[self.read..];
        let Some(length) = rest.iter().position(|b| matches!(b, b'\n' | b'\r')) else {
            self.read = self.buffer.len();
            self.start = self.read;
            return false;
        };
        let end = self.read + length + 1;
        self.count_lines(self.read, end);
        self.read = end;
        self.start_next();
        self.is_skipping = false;
        true
    }

    fn start_next(&mut self) {
        self.start = self.read;
        self.cells_len = 0;
        self.ends_len = 0;
    }

    fn count_lines(&mut self, from: usize, to: usize) {
        for byte in &self.buffer[from..to] {
            if *byte == b'\r' || (*byte == b'\n' && !self.after_return) {
                self.line += 1;
            }
            self.after_return = *byte == b'\r';
        }
    }
}

/// All lines of something small. Broken ones are left out.
pub fn all_lines(bytes: &[u8], delimiter: u8, encoding: Encoding) -> Vec<(u64, Vec<String>)> {
    let mut lines = Lines::new(delimiter, encoding);
    super::text::Decoder::new(encoding).push(bytes, true, lines.push());
    lines.finish();
    let mut found = Vec::new();
    loop {
        match lines.next() {
            Step::Line(line, cells) => found.push((line, cells)),
            Step::Broken(..) => {}
            Step::NeedsMore | Step::End => return found,
        }
    }
}
