//! Values of leaves: what each operator takes, read strictly.

use jiff::civil::Date;
use serde_json::{Value, json};
use uuid::Uuid;

use super::decimal::Decimal;
use super::field::{Field, Kind, Place};
use super::limits;
use super::operator::Operator::{self, *};

/// What an operator takes, as the builder knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Nothing,
    Text,
    List,
    Number,
    Range,
    Boolean,
    Date,
    Dates,
    Duration,
    Tags,
    Segment,
    Campaign,
    Flow,
}

impl Takes {
    /// As the catalogue names it.
    pub fn name(self) -> &'static str {
        match self {
            Takes::Nothing => "none",
            Takes::Text => "text",
            Takes::List => "list",
            Takes::Number => "number",
            Takes::Range => "range",
            Takes::Boolean => "boolean",
            Takes::Date => "date",
            Takes::Dates => "dates",
            Takes::Duration => "duration",
            Takes::Tags => "tags",
            Takes::Segment => "segment",
            Takes::Campaign => "campaign",
            Takes::Flow => "flow",
        }
    }

    /// What `operator` takes on a field of that kind.
    pub fn of(kind: Kind, operator: Operator) -> Takes {
        match (operator, kind) {
            (IsEmpty | IsNotEmpty | IsToday | AnniversaryIsToday, _) => Takes::Nothing,
            (InLast | NotInLast | InNext | AnniversaryInNext, _) => Takes::Duration,
            (_, Kind::Tags) => Takes::Tags,
            (_, Kind::Segments) => Takes::Segment,
            (_, Kind::Campaigns) => Takes::Campaign,
            (_, Kind::Flows) => Takes::Flow,
            (Between, Kind::Number) => Takes::Range,
            (Between, _) => Takes::Dates,
            (Before | After | On, _) => Takes::Date,
            (IsOneOf | IsNoneOf | HasAnyOf | HasAllOf | HasNoneOf, _) => Takes::List,
            (_, Kind::Number) => Takes::Number,
            (_, Kind::Boolean) => Takes::Boolean,
            _ => Takes::Text,
        }
    }
}

/// Units of a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    Hours,
    Days,
    Weeks,
}

impl Unit {
    pub fn name(self) -> &'static str {
        match self {
            Unit::Hours => "hours",
            Unit::Days => "days",
            Unit::Weeks => "weeks",
        }
    }

    fn hours(self) -> i64 {
        match self {
            Unit::Hours => 1,
            Unit::Days => 24,
            Unit::Weeks => 168,
        }
    }
}

/// Ten years; longer than any audience looks back, and far from where dates end.
const MAX_HOURS: i64 = 87_600;

/// A span of time, at least one unit and at most ten years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Duration {
    pub amount: i64,
    pub unit: Unit,
}

impl Duration {
    pub fn hours(self) -> i64 {
        self.amount * self.unit.hours()
    }

    /// Whole days; durations of dates have no hours.
    pub fn days(self) -> i64 {
        self.hours() / 24
    }
}

/// A value that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    Nothing,
    Text(String),
    Texts(Vec<String>),
    Number(Decimal),
    Range(Decimal, Decimal),
    Boolean(bool),
    Date(Date),
    Dates(Date, Date),
    Duration(Duration),
    Id(Uuid),
    Ids(Vec<Uuid>),
}

/// A problem with a value: where below it (a JSON pointer) and what.
pub type Wrong = (String, String);

fn wrong<T>(message: impl Into<String>) -> Result<T, Wrong> {
    Err((String::new(), message.into()))
}

impl Operand {
    /// Reads the value of a leaf on `field` with `operator`.
    pub fn parse(field: &Field, operator: Operator, value: Option<&Value>) -> Result<Operand, Wrong> {
        let takes = Takes::of(field.kind, operator);
        let Some(value) = value else {
            return match takes {
                Takes::Nothing => Ok(Operand::Nothing),
                _ => wrong("A value is missing."),
            };
        };
        match takes {
            Takes::Nothing => wrong("This operator takes no value."),
            Takes::Text => text(field, value).map(Operand::Text),
            Takes::List => list(value, |item| text(field, item)).map(Operand::Texts),
            Takes::Number => number(field, value).map(Operand::Number),
            Takes::Range => {
                let (low, high) = pair(value, "two numbers", |item| number(field, item))?;
                Ok(Operand::Range(low, high))
            }
            Takes::Boolean => match value {
                Value::Bool(value) => Ok(Operand::Boolean(*value)),
                _ => wrong("The value is true or false."),
            },
            Takes::Date => date(value).map(Operand::Date),
            Takes::Dates => {
                let (first, last) = pair(value, "two dates", date)?;
                Ok(Operand::Dates(first, last))
            }
            Takes::Duration => duration(field.kind == Kind::Time, value).map(Operand::Duration),
            Takes::Tags => list(value, id).map(Operand::Ids),
            Takes::Segment | Takes::Campaign | Takes::Flow => id(value).map(Operand::Id),
        }
    }

    /// As it stands in JSON; `None` when there is no value.
    pub fn to_json(&self) -> Option<Value> {
        Some(match self {
            Operand::Nothing => return None,
            Operand::Text(text) => json!(text),
            Operand::Texts(texts) => json!(texts),
            Operand::Number(number) => number_to_json(number),
            Operand::Range(low, high) => Value::Array(vec![number_to_json(low), number_to_json(high)]),
            Operand::Boolean(value) => json!(value),
            Operand::Date(date) => json!(date.to_string()),
            Operand::Dates(first, last) => json!([first.to_string(), last.to_string()]),
            Operand::Duration(duration) => json!({"amount": duration.amount, "unit": duration.unit.name()}),
            Operand::Id(id) => json!(id.to_string()),
            Operand::Ids(ids) => ids.iter().map(Uuid::to_string).collect(),
        })
    }
}

/// A bounded decimal as a JSON number.
pub fn number_to_json(number: &Decimal) -> Value {
    number
        .to_string()
        .parse::<serde_json::Number>()
        .map_or(Value::Null, Value::Number)
}

fn text(field: &Field, value: &Value) -> Result<String, Wrong> {
    let Value::String(text) = value else {
        return wrong("The value is a text.");
    };
    if text.is_empty() {
        return wrong("An empty text is asked for by is_empty.");
    }
    if text.contains('\0') {
        return wrong("A text cannot contain the character NUL.");
    }
    // A character has at most four bytes: long texts are refused without being counted.
    if text.len() > limits::TEXT * 4 || text.chars().count() > limits::TEXT {
        return wrong(format!("A text has at most {} characters.", limits::TEXT));
    }
    let is_ours = field.kind == Kind::Choice && field.place != Place::Custom;
    if is_ours && !field.options.iter().any(|(option, _)| option == text) {
        let options: Vec<&str> = field.options.iter().map(|(option, _)| option.as_str()).collect();
        return wrong(format!("{} is one of {}.", field.label, options.join(", ")));
    }
    Ok(text.clone())
}

/// A list of one to 500 values; what stands twice counts once.
fn list<T: PartialEq>(value: &Value, read: impl Fn(&Value) -> Result<T, Wrong>) -> Result<Vec<T>, Wrong> {
    let Value::Array(items) = value else {
        return wrong("The value is a list.");
    };
    if items.is_empty() {
        return wrong("The list needs at least one value.");
    }
    if items.len() > limits::VALUES {
        return wrong(format!("A list has at most {} values.", limits::VALUES));
    }
    let mut read_items = Vec::with_capacity(items.len());
    for (position, item) in items.iter().enumerate() {
        let item = read(item).map_err(|(path, message)| (format!("/{position}{path}"), message))?;
        if !read_items.contains(&item) {
            read_items.push(item);
        }
    }
    Ok(read_items)
}

fn pair<T: PartialOrd>(
    value: &Value,
    what: &str,
    read: impl Fn(&Value) -> Result<T, Wrong>,
) -> Result<(T, T), Wrong> {
    let Some([low, high]) = value.as_array().map(Vec::as_slice) else {
        return wrong(format!("The value is a list of {what}."));
    };
    let at = |position: usize| move |(path, message): Wrong| (format!("/{position}{path}"), message);
    let (low, high) = (read(low).map_err(at(0))?, read(high).map_err(at(1))?);
    if low > high {
        return wrong("The first of the two is the lower one.");
    }
    Ok((low, high))
}

/// Digits before and behind the point of a number: more than money or counts need, and exact in 128 bits.
const WHOLE_DIGITS: usize = 15;
const FRACTION_DIGITS: usize = 10;

/// Counters are 32-bit.
const MAX_COUNT: i128 = 2_147_483_647;

fn number(field: &Field, value: &Value) -> Result<Decimal, Wrong> {
    let Value::Number(number) = value else {
        return wrong("The value is a number.");
    };
    let text = number.to_string();
    if text.contains(['e', 'E']) {
        return wrong("Write the number in full, without an exponent.");
    }
    let Some(number) = Decimal::parse(&text) else {
        return wrong("The value is a number.");
    };
    if number.whole_digits() > WHOLE_DIGITS || number.fraction_digits() > FRACTION_DIGITS {
        return wrong(format!(
            "A number has at most {WHOLE_DIGITS} digits before the point and {FRACTION_DIGITS} behind it."
        ));
    }
    let is_count = field.place != Place::Custom;
    if is_count
        && !number
            .scaled(0)
            .is_some_and(|count| (0..=MAX_COUNT).contains(&count))
    {
        return wrong(format!("{} is a whole number from 0.", field.label));
    }
    Ok(number)
}

/// Years that dates may have: four digits, so that their texts sort, and within what every part can reckon with.
const YEARS: std::ops::RangeInclusive<i16> = 1000..=9900;

fn date(value: &Value) -> Result<Date, Wrong> {
    let date = value.as_str().and_then(read_date);
    date.filter(|date| YEARS.contains(&date.year()))
        .map_or_else(|| wrong("The value is a date: YYYY-MM-DD."), Ok)
}

/// Exactly `YYYY-MM-DD`, and a day that exists.
pub fn read_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let is_shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(position, byte)| match position {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !is_shaped {
        return None;
    }
    Date::new(
        text[..4].parse().ok()?,
        text[5..7].parse().ok()?,
        text[8..].parse().ok()?,
    )
    .ok()
}

fn duration(with_hours: bool, value: &Value) -> Result<Duration, Wrong> {
    let Value::Object(object) = value else {
        return wrong("The value is an amount and a unit.");
    };
    if let Some(strange) = object.keys().find(|key| *key != "amount" && *key != "unit") {
        return Err((
            format!("/{}", super::problem::pointer_step(strange)),
            "Only amount and unit belong here.".into(),
        ));
    }
    let unit = match object.get("unit").and_then(Value::as_str) {
        Some("hours") if with_hours => Unit::Hours,
        Some("days") => Unit::Days,
        Some("weeks") => Unit::Weeks,
        _ if with_hours => return Err(("/unit".into(), "The unit is hours, days or weeks.".into())),
        _ => return Err(("/unit".into(), "The unit is days or weeks.".into())),
    };
    let most = MAX_HOURS / unit.hours();
    match object
        .get("amount")
        .and_then(Value::as_i64)
        .filter(|amount| (1..=most).contains(amount))
    {
        Some(amount) => Ok(Duration { amount, unit }),
        None => Err((
            "/amount".into(),
            format!("The amount is a whole number from 1 to {most}."),
        )),
    }
}

fn id(value: &Value) -> Result<Uuid, Wrong> {
    // Other spellings of a UUID (without hyphens, in braces) would not be found again among names and facts.
    let id = value
        .as_str()
        .filter(|text| text.len() == 36)
        .and_then(|text| Uuid::try_parse(text).ok());
    id.map_or_else(|| wrong("The value is an id."), Ok)
}
