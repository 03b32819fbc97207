//! Candidates for what has an order: leaves change their answer only at the bounds they name.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::super::super::decimal::Decimal;
use super::super::super::evaluate::moment::{Micros, Moment, write_time};
use super::super::super::field::{Field, Place};
use super::super::super::operand::{Operand, number_to_json};
use super::super::super::operator::Operator;
use super::super::super::rules::Leaf;

/// Ten digits behind the point, as many as rules may have, and one more for what lies between two bounds.
const SCALE: usize = 11;
const ONE: i128 = 100_000_000_000;

/// Every bound, its neighbours, and what lies between two bounds.
pub fn numbers(field: &Field, leaves: &[&Leaf]) -> Vec<Value> {
    let bounds: BTreeSet<i128> = leaves
        .iter()
        .flat_map(|leaf| match &leaf.operand {
            Operand::Number(number) => vec![number],
            Operand::Range(low, high) => vec![low, high],
            _ => Vec::new(),
        })
        .filter_map(|number| number.scaled(SCALE))
        .collect();
    let mut numbers: Vec<i128> = bounds.iter().copied().collect();
    numbers.extend(bounds.iter().flat_map(|bound| [bound + ONE, bound - ONE]));
    if field.place == Place::Custom {
        let ordered: Vec<i128> = bounds.into_iter().collect();
        numbers.extend(ordered.windows(2).map(|pair| (pair[0] + pair[1]) / 2));
        if numbers.is_empty() {
            numbers.push(0);
        }
    } else {
        numbers.retain(|number| *number >= 0);
    }
    numbers
        .into_iter()
        .map(|number| number_to_json(&Decimal::from_scaled(number, SCALE)))
        .collect()
}

/// Now, every bound, and the second before each.
pub fn times(leaves: &[&Leaf], moment: &Moment) -> Vec<Value> {
    const SECOND: Micros = 1_000_000;
    let ends = |date: Date| moment.start_of(date.saturating_add(1.day()));
    let bounds: BTreeSet<Micros> = leaves
        .iter()
        .flat_map(|leaf| match (leaf.operator.positive().0, &leaf.operand) {
            (_, Operand::Duration(duration)) => vec![moment.now - duration.hours() * 3600 * SECOND],
            (Operator::Before, Operand::Date(date)) => vec![moment.start_of(*date)],
            (Operator::After, Operand::Date(date)) => vec![ends(*date)],
            (_, Operand::Date(date)) => vec![moment.start_of(*date), ends(*date)],
            (_, Operand::Dates(first, last)) => vec![moment.start_of(*first), ends(*last)],
            _ => Vec::new(),
        })
        .collect();
    let around = bounds.iter().flat_map(|bound| [*bound, bound - SECOND]);
    [moment.now]
        .into_iter()
        .chain(around)
        .map(|at| json!(write_time(at)))
        .collect()
}

/// Every bound and the day before it, and days of the year around those that anniversaries ask for.
pub fn dates(leaves: &[&Leaf], moment: &Moment) -> Vec<Value> {
    let day = |days: i64| moment.day(days);
    let next = |date: Date| date.saturating_add(1.day());
    let mut bounds: BTreeSet<Date> = BTreeSet::new();
    let mut days_of_year: BTreeSet<(i8, i8)> = BTreeSet::new();
    for leaf in leaves {
        match (leaf.operator.positive().0, &leaf.operand) {
            (Operator::InLast, Operand::Duration(duration)) => {
                bounds.extend([day(1 - duration.days()), day(1)])
            }
            (Operator::InNext, Operand::Duration(duration)) => bounds.extend([day(0), day(duration.days())]),
            (Operator::IsToday, _) => bounds.extend([day(0), day(1)]),
            (Operator::Before, Operand::Date(date)) => bounds.extend([*date]),
            (Operator::After, Operand::Date(date)) => bounds.extend([next(*date)]),
            (_, Operand::Date(date)) => bounds.extend([*date, next(*date)]),
            (_, Operand::Dates(first, last)) => bounds.extend([*first, next(*last)]),
            (_, Operand::Duration(duration)) => {
                let around = [0, -1, duration.days() - 1, duration.days()];
                days_of_year.extend(around.map(|days| (day(days).month(), day(days).day())));
            }
            (Operator::AnniversaryIsToday, _) => {
                days_of_year.extend([0, -1, 1].map(|days| (day(days).month(), day(days).day())));
            }
            _ => {}
        }
    }
    let around: Vec<Date> = bounds
        .iter()
        .flat_map(|bound| [*bound, bound.saturating_sub(1.day())])
        .collect();
    // 1992 is a leap year and a usual year of birth.
    let mut years: Vec<i16> = vec![1992];
    years.extend(
        around
            .iter()
            .flat_map(|date| [date.year(), date.year() - 1, date.year() + 1]),
    );
    years.truncate(30);
    let of_year = days_of_year.iter().flat_map(|(month, day)| {
        years
            .iter()
            .filter_map(|year| Date::new(*year, *month, *day).ok())
            .collect::<Vec<_>>()
    });
    let mut dates: Vec<Date> = around.iter().copied().chain(of_year).collect();
    if dates.is_empty() {
        dates.push(moment.today());
    }
    dates.into_iter().map(|date| json!(date.to_string())).collect()
}
