//! Cells that a spreadsheet would run as formulas, made harmless on the way out and themselves again on the way in.

/// The cell as it is written to a CSV file: one that a spreadsheet could take for a formula gets an apostrophe in front, the sign by
/// which spreadsheets mark text. A phone in E.164 is left as it is: plus and digits can do nothing.
pub fn neutralise(cell: &str) -> std::borrow::Cow<'_, str> {
    if is_phone(cell) || !looks_like_formula(cell.trim_start_matches('\'')) {
        cell.into()
    } else {
        format!("'{cell}").into()
    }
}

/// What [`neutralise`] was given.
pub fn restore(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if looks_like_formula(rest.trim_start_matches('\'')) && !is_phone(rest) => rest,
        _ => cell,
    }
}

fn looks_like_formula(text: &str) -> bool {
    // The full-width signs too: spreadsheets in East Asian languages take them for the narrow ones.
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

fn is_phone(text: &str) -> bool {
    text.strip_prefix('+')
        .is_some_and(|digits| (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// A line of a CSV file: every cell neutralised, quoted where it must be, CRLF at the end as spreadsheets write it.
pub fn write_line<'a>(out: &mut Vec<u8>, cells: impl IntoIterator<Item = &'a str>) {
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let cell = neutralise(cell);
        if cell.contains([',', '"', '\n', '\r', ';', '\t']) || cell.trim().len() != cell.len() {
            out.push(b'"');
            out.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            out.push(b'"');
        } else {
            out.extend_from_slice(cell.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// What a CSV file begins with, so that spreadsheets know it is UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();
