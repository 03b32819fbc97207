//! Exact decimal numbers, compared as PostgreSQL's `numeric` compares them.

use std::cmp::Ordering;
use std::fmt;

/// `0.d1d2d3… × 10^point`, negative or not. Zero has no digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    is_negative: bool,
    /// Digits without zeros at either end.
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    /// Reads a number as JSON writes it, exponent and all; nothing is rounded and nothing expanded.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (is_negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let digits: Vec<u8> = whole
            .bytes()
            .chain(fraction.bytes())
            .map(|byte| byte - b'0')
            .collect();
        let leading = digits.iter().take_while(|digit| **digit == 0).count();
        let trailing = digits[leading..]
            .iter()
            .rev()
            .take_while(|digit| **digit == 0)
            .count();
        let digits = digits[leading..digits.len() - trailing].to_vec();
        if digits.is_empty() {
            return Some(Decimal {
                is_negative: false,
                digits,
                point: 0,
            });
        }
        let point = whole.len() as i64 - leading as i64 + i64::from(exponent);
        Some(Decimal {
            is_negative,
            digits,
            point,
        })
    }

    /// Digits before the point.
    pub fn whole_digits(&self) -> usize {
        self.point.max(0) as usize
    }

    /// Digits behind the point.
    pub fn fraction_digits(&self) -> usize {
        (self.digits.len() as i64 - self.point).max(0) as usize
    }

    /// The value as a whole number times `10^-scale`; `None` when it has more digits than fit.
    pub fn scaled(&self, scale: usize) -> Option<i128> {
        if self.fraction_digits() > scale || self.whole_digits() + scale > 36 {
            return None;
        }
        let digits = self
            .digits
            .iter()
            .fold(0i128, |sum, digit| sum * 10 + i128::from(*digit));
        let zeros = (self.point - self.digits.len() as i64 + scale as i64).max(0) as u32;
        let magnitude = digits * 10i128.pow(zeros);
        Some(if self.is_negative { -magnitude } else { magnitude })
    }

    /// `value × 10^-scale`.
    pub fn from_scaled(value: i128, scale: usize) -> Decimal {
        let digits = value.unsigned_abs().to_string();
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        let sign = if value < 0 { "-" } else { "" };
        let text = if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{fraction}")
        };
        Decimal::parse(&text).unwrap_or(Decimal {
            is_negative: false,
            digits: Vec::new(),
            point: 0,
        })
    }

    fn magnitude(&self, other: &Decimal) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // Without zeros at the end, a longer run of digits after the same beginning is the larger one.
            (false, false) => self
                .point
                .cmp(&other.point)
                .then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        match (self.is_negative, other.is_negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// In full, without an exponent: only for numbers whose digits were bounded.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_negative {
            write!(f, "-")?;
        }
        let whole = self.whole_digits();
        if whole == 0 {
            write!(f, "0")?;
        }
        for position in 0..whole {
            write!(f, "{}", self.digits.get(position).unwrap_or(&0))?;
        }
        if self.fraction_digits() > 0 {
            write!(f, ".")?;
            for _ in self.point..0 {
                write!(f, "0")?;
            }
            for digit in &self.digits[whole.min(self.digits.len())..] {
                write!(f, "{digit}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn numbers_sort_by_value_and_not_by_how_they_are_written() {
        let ascending = [
            "-1e400", "-20.5", "-20.05", "-0.001", "0", "0.0009", "0.001", "1", "1.05", "1.5", "9", "10",
            "1e400",
        ];
        for pair in ascending.windows(2) {
            assert!(decimal(pair[0]) < decimal(pair[1]), "{pair:?}");
        }
        for (one, other) in [
            ("1.50", "1.5"),
            ("100", "1e2"),
            ("-0", "0.000"),
            ("0.01", "1E-2"),
            ("007", "7"),
        ] {
            assert_eq!(decimal(one), decimal(other));
        }
    }

    #[test]
    fn it_is_written_in_full() {
        for text in ["0", "-0.001", "1.05", "1200", "-15.75", "0.1", "100.01"] {
            assert_eq!(decimal(text).to_string(), text);
        }
        assert_eq!(decimal("-1.2e3").to_string(), "-1200");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "-",
            "NaN",
            "Infinity",
            ".5",
            "1.",
            "1e",
            "1e99999999999",
            "+1",
            "0x1",
            " 1",
            "1 ",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn scaling_keeps_the_value() {
        for (text, scaled) in [("1.5", 1500), ("-0.001", -1), ("0", 0), ("12", 12000)] {
            assert_eq!(decimal(text).scaled(3), Some(scaled));
            assert_eq!(Decimal::from_scaled(scaled, 3), decimal(text));
        }
        assert_eq!(decimal("0.0001").scaled(3), None);
    }
}
