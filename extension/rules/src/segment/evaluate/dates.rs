//! Times and dates, as positive operators ask for them.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::Value;

use super::super::operand::Operand;
use super::super::operator::Operator::{self, *};
use super::moment::{Moment, read_time};

const MICROS_PER_HOUR: i64 = 3_600_000_000;

pub fn time(operator: Operator, operand: &Operand, value: &Value, moment: &Moment) -> bool {
    let Some(at) = value.as_str().and_then(read_time) else {
        return false;
    };
    let begins = |date: Date| moment.start_of(date);
    let ends = |date: Date| moment.start_of(date.saturating_add(1.day()));
    match (operator, operand) {
        (InLast, Operand::Duration(duration)) => at >= moment.now - duration.hours() * MICROS_PER_HOUR,
        (Before, Operand::Date(date)) => at < begins(*date),
        (After, Operand::Date(date)) => at >= ends(*date),
        (On, Operand::Date(date)) => at >= begins(*date) && at < ends(*date),
        (Between, Operand::Dates(first, last)) => at >= begins(*first) && at < ends(*last),
        _ => false,
    }
}

/// Dates compare as their texts: a stored one need not be a day that exists.
pub fn date(operator: Operator, operand: &Operand, value: &Value, moment: &Moment) -> bool {
    let Some(text) = value.as_str().filter(|text| is_shaped_like_a_date(text)) else {
        return false;
    };
    let day = |days: i64| moment.day(days).to_string();
    match (operator, operand) {
        (IsToday, _) => text == day(0),
        (InLast, Operand::Duration(duration)) => {
            text > day(-duration.days()).as_str() && text <= day(0).as_str()
        }
        (InNext, Operand::Duration(duration)) => {
            text >= day(0).as_str() && text < day(duration.days()).as_str()
        }
        (Before, Operand::Date(date)) => text < date.to_string().as_str(),
        (After, Operand::Date(date)) => text > date.to_string().as_str(),
        (On, Operand::Date(date)) => text == date.to_string(),
        (Between, Operand::Dates(first, last)) => {
            text >= first.to_string().as_str() && text <= last.to_string().as_str()
        }
        (AnniversaryIsToday, _) => has_anniversary(text, 1, moment),
        (AnniversaryInNext, Operand::Duration(duration)) => has_anniversary(text, duration.days(), moment),
        _ => false,
    }
}

fn is_shaped_like_a_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(position, byte)| match position {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// Whether the day of the year is one of the `days` days from today: looked for day by day, unlike the SQL does.
fn has_anniversary(text: &str, days: i64, moment: &Moment) -> bool {
    let Some(born) = super::super::operand::read_date(text) else {
        return false;
    };
    (0..days.min(366)).any(|distance| {
        let day = moment.day(distance);
        let is_leap_day_born = (born.month(), born.day()) == (2, 29);
        let (month, day_of_month) = if is_leap_day_born && !day.in_leap_year() {
            (3, 1)
        } else {
            (born.month(), born.day())
        };
        (day.month(), day.day()) == (month, day_of_month)
    })
}
