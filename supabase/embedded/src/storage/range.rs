//! The `Range` header, as far as media players use it: one range of bytes.

use std::ops::RangeInclusive;

/// What a request asks for of a file of known size.
#[derive(Debug, PartialEq, Eq)]
pub enum Wanted {
    Everything,
    Part(RangeInclusive<u64>),
    /// Nothing of the file lies in the range.
    Unsatisfiable,
}

/// Reads the header; what is no single byte range counts as not given, as RFC 9110 allows.
pub fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some((first, last)) = header
        .and_then(|text| text.strip_prefix("bytes="))
        .filter(|text| !text.contains(','))
        .and_then(|text| text.split_once('-'))
    else {
        return Wanted::Everything;
    };
    let (first, last) = (first.trim(), last.trim());
    let number = |text: &str| text.parse::<u64>().ok();
    let range = if first.is_empty() {
        let Some(count) = number(last) else {
            return Wanted::Everything;
        };
        if count == 0 {
            return Wanted::Unsatisfiable;
        }
        size.saturating_sub(count)..=size.saturating_sub(1)
    } else {
        let Some(first) = number(first) else {
            return Wanted::Everything;
        };
        let last = if last.is_empty() {
            Some(u64::MAX)
        } else {
            number(last)
        };
        let Some(last) = last.filter(|last| *last >= first) else {
            return Wanted::Everything;
        };
        first..=last.min(size.saturating_sub(1))
    };
    if size == 0 || *range.start() >= size {
        Wanted::Unsatisfiable
    } else {
        Wanted::Part(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_ranges_are_cut_to_the_file() {
        for (header, part) in [
            ("bytes=0-4", 0..=4),
            ("bytes=5-", 5..=9),
            ("bytes=5-100", 5..=9),
            ("bytes=-3", 7..=9),
            ("bytes=-100", 0..=9),
            ("bytes=9-9", 9..=9),
        ] {
            assert_eq!(wanted(Some(header), 10), Wanted::Part(part), "{header}");
        }
    }

    #[test]
    fn what_lies_outside_is_unsatisfiable() {
        for (header, size) in [
            ("bytes=10-", 10),
            ("bytes=-0", 10),
            ("bytes=0-", 0),
            ("bytes=-5", 0),
        ] {
            assert_eq!(wanted(Some(header), size), Wanted::Unsatisfiable, "{header}");
        }
    }

    #[test]
    fn anything_else_means_the_whole_file() {
        for header in [
            "bytes=4-2",
            "bytes=a-b",
            "bytes=1-2,4-5",
            "items=0-1",
            "bytes=-",
            "bytes",
            "bytes=-x",
        ] {
            assert_eq!(wanted(Some(header), 10), Wanted::Everything, "{header}");
        }
        assert_eq!(wanted(None, 10), Wanted::Everything);
    }
}
