//! What a file looks like: text at all, which delimiter, with a header or without.

use super::columns::is_known_name;
use super::lines::all_lines;
use super::text::{Decoder, Encoding};
use crate::custom_field::Definition;

pub const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Lines looked at to tell a delimiter.
const LINES: usize = 50;

/// Why these bytes are no text of lines, in words for people.
pub fn why_unreadable(head: &[u8], encoding: Encoding) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 7] = [
        (b"\x89PNG", "This is a picture, not a CSV or XLSX file."),
        (b"\xFF\xD8\xFF", "This is a picture, not a CSV or XLSX file."),
        (b"GIF8", "This is a picture, not a CSV or XLSX file."),
        (b"%PDF", "This is a PDF. Save the table as CSV or XLSX."),
        (
            b"\xD0\xCF\x11\xE0",
            "This is an old Excel file (XLS). Save it as XLSX or CSV.",
        ),
        (b"\x1F\x8B", "The file is compressed. Unpack it first."),
        (
            b"PK\x03\x04",
            "The XLSX file is damaged or is another kind of archive.",
        ),
    ];
    if let Some((_, reason)) = KINDS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(reason);
    }
    let mut text = Vec::new();
    Decoder::new(encoding).push(head, false, &mut text);
    if text.iter().all(u8::is_ascii_whitespace) {
        return Some("The file is empty.");
    }
    let controls = text
        .iter()
        .filter(|b| b.is_ascii_control() && !matches!(b, b'\t' | b'\r' | b'\n'))
        .count();
    // A few stray ones happen in exports of old programs; a tenth of the file is no text.
    (controls * 10 > text.len()).then_some("This is not a text file. Upload a CSV or XLSX file.")
}

/// The delimiter by which most lines have as many cells as the first has, and more than one.
pub fn delimiter(head: &[u8], encoding: Encoding) -> u8 {
    // A line that spreadsheets write for themselves.
    if let Some(rest) = head.strip_prefix(b"sep=")
        && let Some(delimiter) = DELIMITERS.iter().find(|d| rest.first() == Some(d))
    {
        return *delimiter;
    }
    let score = |delimiter: u8| {
        let lines = all_lines(head, delimiter, encoding);
        let lines = &lines[..lines.len().min(LINES)];
        let width = lines.first().map_or(0, |(_, cells)| cells.len());
        let alike = lines.iter().filter(|(_, cells)| cells.len() == width).count();
        if width < 2 {
            (0, 0)
        } else {
            (alike * 100 / lines.len(), width)
        }
    };
    let best = DELIMITERS.into_iter().rev().max_by_key(|d| score(*d));
    best.filter(|d| score(*d).1 > 1).unwrap_or(b',')
}

/// Whether the first line names the columns.
pub fn has_header(rows: &[Vec<String>], custom: &[Definition]) -> bool {
    let Some(first) = rows.first() else { return false };
    if first.iter().any(|cell| is_known_name(cell, custom)) {
        return true;
    }
    let is_data = |cell: &String| {
        let digits = cell.chars().filter(char::is_ascii_digit).count();
        cell.contains('@') || digits > 4 || (digits > 0 && digits * 2 >= cell.chars().count())
    };
    !first.iter().any(is_data) && rows.iter().skip(1).any(|row| row.iter().any(is_data))
}
