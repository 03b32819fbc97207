//! Times and dates. A day is the organisation's: it begins at midnight of its time zone.

use jiff::ToSpan;
use jiff::civil::Date;

use super::super::field::Field;
use super::super::operand::Operand;
use super::super::operator::Operator::{self, *};
use super::{Compiler, on_column, two_valued};

/// From this many days on, a window holds everybody's day: two years' boundaries lie at most 366 days apart.
const WHOLE_YEAR_DAYS: i64 = 366;

impl Compiler<'_> {
    pub(super) fn time(
        &mut self,
        field: &Field,
        operator: Operator,
        operand: &Operand,
        is_negated: bool,
    ) -> String {
        let column = format!("c.{}", field.name);
        let test = match (operator, operand) {
            (IsEmpty, _) => return is_null(&column, is_negated),
            (InLast, Operand::Duration(duration)) => {
                let hours = self.binds.value(duration.hours().to_string());
                format!(
                    "{column} >= ($2 at time zone 'UTC' - make_interval(hours => {hours}::int)) at time zone 'UTC'"
                )
            }
            (Before, Operand::Date(date)) => format!("{column} < {}", self.start_of(*date)),
            (After, Operand::Date(date)) => format!("{column} >= {}", self.start_of(next(*date))),
            (On, Operand::Date(date)) => self.within(&column, *date, *date),
            (_, Operand::Dates(first, last)) => self.within(&column, *first, *last),
            _ => unreachable!("times are compared with dates and durations"),
        };
        on_column(&column, field.is_nullable(), &test, is_negated)
    }

    fn within(&mut self, column: &str, first: Date, last: Date) -> String {
        let (from, until) = (self.start_of(first), self.start_of(next(last)));
        format!("{column} >= {from} and {column} < {until}")
    }

    /// The instant at which a day begins.
    fn start_of(&mut self, date: Date) -> String {
        let date = self.date_literal(date);
        let time_zone = self.binds.value(self.time_zone);
        format!("{date}::timestamp at time zone {time_zone}")
    }

    fn date_literal(&mut self, date: Date) -> String {
        let mut part = |number: i64| format!("{}::int", self.binds.value(number.to_string()));
        let (year, month, day) = (
            part(date.year().into()),
            part(date.month().into()),
            part(date.day().into()),
        );
        format!("make_date({year}, {month}, {day})")
    }

    pub(super) fn date(
        &mut self,
        field: &Field,
        operator: Operator,
        operand: &Operand,
        is_negated: bool,
    ) -> String {
        let column = format!("c.{}", field.name);
        let test = match (operator, operand) {
            (IsEmpty, _) => return is_null(&column, is_negated),
            (AnniversaryIsToday, _) => self.anniversary(&column, 1),
            (AnniversaryInNext, Operand::Duration(duration)) if duration.days() >= WHOLE_YEAR_DAYS => {
                return is_null(&column, !is_negated);
            }
            (AnniversaryInNext, Operand::Duration(duration)) => self.anniversary(&column, duration.days()),
            (IsToday, _) => format!("{column} = {}", self.today()),
            (InLast, Operand::Duration(duration)) => {
                let (today, days) = (self.today(), self.days(duration.days()));
                format!("{column} > {today} - {days} and {column} <= {today}")
            }
            (InNext, Operand::Duration(duration)) => {
                let (today, days) = (self.today(), self.days(duration.days()));
                format!("{column} >= {today} and {column} < {today} + {days}")
            }
            (Before, Operand::Date(date)) => format!("{column} < {}", self.date_literal(*date)),
            (After, Operand::Date(date)) => format!("{column} > {}", self.date_literal(*date)),
            (On, Operand::Date(date)) => format!("{column} = {}", self.date_literal(*date)),
            (_, Operand::Dates(first, last)) => {
                let (first, last) = (self.date_literal(*first), self.date_literal(*last));
                format!("{column} between {first} and {last}")
            }
            _ => unreachable!("dates are compared with dates and durations"),
        };
        on_column(&column, field.is_nullable(), &test, is_negated)
    }

    fn today(&mut self) -> String {
        format!("($2 at time zone {})::date", self.binds.value(self.time_zone))
    }

    fn days(&mut self, days: i64) -> String {
        format!("{}::int", self.binds.value(days.to_string()))
    }

    /// Whether the day of the year comes in the `days` days that begin today; at most 365.
    ///
    /// Days of the year count as month × 100 + day, and distances between them around the new year, from the day after
    /// yesterday to the last day. On 1 March of a common year yesterday is 228, so that 229 is among them. One
    /// comparison, because the parts of the contact's date are what costs.
    fn anniversary(&mut self, column: &str, days: i64) -> String {
        let today = self.today();
        let days = self.days(days);
        let day_of_year =
            |date: &str| format!("(date_part('month', {date}) * 100 + date_part('day', {date}))::int");
        let yesterday = day_of_year(&format!("({today} - 1)"));
        let distance = |date: &str| format!("({} + 1231 - {yesterday}) % 1232", day_of_year(date));
        format!(
            "{} <= {}",
            distance(column),
            distance(&format!("({today} + {days} - 1)"))
        )
    }

    /// A date inside JSON is a text; as YYYY-MM-DD it sorts like the date, and no cast can fail on it.
    pub(super) fn custom_date(
        &mut self,
        field: &Field,
        operator: Operator,
        operand: &Operand,
        is_negated: bool,
    ) -> String {
        let text = format!("(c.custom_fields ->> {})", self.custom_key(field));
        let sorted = format!("{text} collate \"C\"");
        let test = match (operator, operand) {
            (IsToday, _) => format!("{text} = {}", self.day_from_now(0)),
            (InLast, Operand::Duration(duration)) => {
                let (after, last) = (self.day_from_now(-duration.days()), self.day_from_now(0));
                format!("{sorted} > {after} and {sorted} <= {last}")
            }
            (InNext, Operand::Duration(duration)) => {
                let (first, before) = (self.day_from_now(0), self.day_from_now(duration.days()));
                format!("{sorted} >= {first} and {sorted} < {before}")
            }
            (Before, Operand::Date(date)) => format!("{sorted} < {}", self.binds.value(date.to_string())),
            (After, Operand::Date(date)) => format!("{sorted} > {}", self.binds.value(date.to_string())),
            (On, Operand::Date(date)) => format!("{text} = {}", self.binds.value(date.to_string())),
            (_, Operand::Dates(first, last)) => {
                let (first, last) = (
                    self.binds.value(first.to_string()),
                    self.binds.value(last.to_string()),
                );
                format!("{sorted} between {first} and {last}")
            }
            _ => unreachable!("dates are compared with dates and durations"),
        };
        two_valued(
            &format!("{test} and {text} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$'"),
            is_negated,
        )
    }

    /// The text of a day. `to_char` is only stable: as a subquery of its own it runs once and not for every row.
    fn day_from_now(&mut self, days: i64) -> String {
        let time_zone = self.binds.value(self.time_zone);
        let shift = match days {
            0 => String::new(),
            _ => format!(" + make_interval(days => {})", self.days(days)),
        };
        format!("(select to_char(($2 at time zone {time_zone}){shift}, 'YYYY-MM-DD'))")
    }
}

fn is_null(column: &str, is_negated: bool) -> String {
    if is_negated {
        format!("({column} is not null)")
    } else {
        format!("({column} is null)")
    }
}

/// Dates of rules end long before the last one there is.
fn next(date: Date) -> Date {
    date.saturating_add(1.day())
}
