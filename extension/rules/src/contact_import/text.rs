//! Encodings: which one a file has, and its bytes as something that a CSV reader can walk through.

use encoding_rs::{CoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The encodings people's files come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// With Windows-1252 for single lines that are no UTF-8: files pasted together from two sources.
    Utf8,
    Utf16Le,
    Utf16Be,
    Windows1252,
}

impl Encoding {
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Utf8, Self::Utf16Le, Self::Utf16Be, Self::Windows1252]
            .into_iter()
            .find(|encoding| encoding.name() == name)
    }

    /// By byte order mark, then by where the zero bytes are, then by whether it is UTF-8 at all. `is_whole`: nothing follows `head`.
    pub fn detect(head: &[u8], is_whole: bool) -> Self {
        match head {
            [0xEF, 0xBB, 0xBF, ..] => return Self::Utf8,
            [0xFF, 0xFE, ..] => return Self::Utf16Le,
            [0xFE, 0xFF, ..] => return Self::Utf16Be,
            _ => {}
        }
        let zeros = |first: usize| head.iter().skip(first).step_by(2).filter(|b| **b == 0).count();
        let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
        // Western text has a zero in nearly every pair, always on the same side; stray zero bytes are far fewer.
        if odd > half / 3 && even < odd / 8 {
            return Self::Utf16Le;
        }
        if even > half / 3 && odd < even / 8 {
            return Self::Utf16Be;
        }
        match std::str::from_utf8(head) {
            Ok(_) => Self::Utf8,
            // A character cut in two by the end of the head.
            Err(error) if error.error_len().is_none() && !is_whole => Self::Utf8,
            Err(_) => Self::Windows1252,
        }
    }

    /// The text of a cell.
    pub(crate) fn cell(self, bytes: &[u8]) -> String {
        match (self, std::str::from_utf8(bytes)) {
            (Self::Windows1252, _) | (_, Err(_)) => {
                WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
            }
            (_, Ok(text)) => text.to_owned(),
        }
    }
}

/// Turns the bytes of a file, piece by piece, into bytes in which ASCII means ASCII: UTF-16 becomes UTF-8, others stay. Takes the byte
/// order mark off.
pub struct Decoder {
    utf16: Option<encoding_rs::Decoder>,
    /// Bytes seen that may still be a byte order mark of UTF-8.
    mark: Option<Vec<u8>>,
}

impl Decoder {
    pub fn new(encoding: Encoding) -> Self {
        let utf16 = match encoding {
            Encoding::Utf16Le => Some(UTF_16LE.new_decoder_with_bom_removal()),
            Encoding::Utf16Be => Some(UTF_16BE.new_decoder_with_bom_removal()),
            Encoding::Utf8 | Encoding::Windows1252 => None,
        };
        Self {
            mark: utf16.is_none().then(Vec::new),
            utf16,
        }
    }

    /// Appends what `bytes` mean to `out`. `is_last`: nothing follows.
    pub fn push(&mut self, bytes: &[u8], is_last: bool, out: &mut Vec<u8>) {
        if let Some(decoder) = &mut self.utf16 {
            let mut bytes = bytes;
            loop {
                let mut piece = [0; 8192];
                let (result, read, written, _) = decoder.decode_to_utf8(bytes, &mut piece, is_last);
                out.extend_from_slice(&piece[..written]);
                bytes = &bytes[read..];
                if result == CoderResult::InputEmpty {
                    return;
                }
            }
        }
        let Some(mut seen) = self.mark.take() else {
            out.extend_from_slice(bytes);
            return;
        };
        const MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];
        seen.extend_from_slice(bytes);
        if seen.len() < MARK.len() && MARK.starts_with(&seen) && !is_last {
            self.mark = Some(seen);
        } else {
            out.extend_from_slice(seen.strip_prefix(&MARK).unwrap_or(&seen));
        }
    }
}
