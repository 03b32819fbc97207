//! One line of a file as a contact: what its cells say, and what is wrong with them in words.

use super::cell::{clean, custom_value, date, list, quoted};
use super::columns::{Field, Mapped};
use crate::custom_field::Definition;
use crate::phone::normalize_phone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Which part of `01/02/2026` is the day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DateOrder {
    #[default]
    Dmy,
    Mdy,
    Ymd,
}

/// How lines become contacts. Other keys of the spec concern other steps.
#[derive(Debug, Deserialize)]
struct Spec {
    columns: Vec<Mapped>,
    #[serde(default)]
    default_region: String,
    #[serde(default)]
    date_order: DateOrder,
    #[serde(default)]
    custom_fields: Vec<Definition>,
    /// Columns of the file; cells beyond them mean that a line was cut wrongly.
    #[serde(default)]
    width: Option<usize>,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub field: String,
    pub message: String,
}

/// A line as it was understood. Absent values were empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// `phone`, `full_name`, …, `address`, `custom_fields`: as the columns of contacts take them; `tags`: names.
    pub values: Map<String, Value>,
    pub problems: Vec<Problem>,
}

impl Row {
    /// Everything that is wrong, as one sentence each.
    pub fn reason(&self) -> Option<String> {
        let sentences: Vec<_> = self
            .problems
            .iter()
            .map(|problem| problem.message.as_str())
            .collect();
        (!sentences.is_empty()).then(|| sentences.join(" "))
    }
}

/// `{"values": {…}, "problems": [{"field", "message"}]}` of one line.
pub fn read_import_row(spec: &Value, cells: &[String]) -> Value {
    match RowReader::new(spec) {
        Ok(reader) => {
            let row = reader.read(cells);
            json!({ "values": row.values, "problems": row.problems })
        }
        Err(problems) => json!({ "values": {}, "problems": problems }),
    }
}

/// What is wrong with a spec: `[]`, or `[{"field", "message"}]`.
pub fn check_import_spec(spec: &Value) -> Value {
    json!(RowReader::new(spec).err().unwrap_or_default())
}

/// Reads lines by one spec.
pub struct RowReader {
    columns: Vec<(usize, Field)>,
    region: String,
    date_order: DateOrder,
    custom_fields: Vec<Definition>,
    width: Option<usize>,
}

impl RowReader {
    pub fn new(spec: &Value) -> Result<Self, Vec<Problem>> {
        let spec = Spec::deserialize(spec)
            .map_err(|error| vec![problem("", format!("The mapping is not valid: {error}."))])?;
        let mut problems = Vec::new();
        let mut columns: Vec<(usize, Field)> = Vec::new();
        for mapped in &spec.columns {
            let Some(field) = Field::from_name(&mapped.field, &spec.custom_fields) else {
                problems.push(problem(
                    &mapped.field,
                    format!("There is no field {}.", quoted(&mapped.field)),
                ));
                continue;
            };
            let is_outside = spec.width.is_some_and(|width| mapped.index >= width);
            if is_outside {
                problems.push(problem(
                    &mapped.field,
                    format!("The file has no column {}.", mapped.index + 1),
                ));
            } else if columns.iter().any(|(index, _)| *index == mapped.index) {
                problems.push(problem(
                    &mapped.field,
                    format!("Column {} is mapped twice.", mapped.index + 1),
                ));
            } else if !field.takes_several() && columns.iter().any(|(_, known)| *known == field) {
                problems.push(problem(
                    &mapped.field,
                    format!("Two columns are mapped to {}.", quoted(&mapped.field)),
                ));
            } else {
                columns.push((mapped.index, field));
            }
        }
        if problems.is_empty() && !columns.iter().any(|(_, field)| *field == Field::Phone) {
            problems.push(problem(
                "phone",
                "Choose the column with the phone numbers.".into(),
            ));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            columns,
            region: spec.default_region,
            date_order: spec.date_order,
            custom_fields: spec.custom_fields,
            width: spec.width,
        })
    }

    /// Reads one line; missing cells are empty.
    pub fn read(&self, cells: &[String]) -> Row {
        let mut row = Row::default();
        if let Some(width) = self.width
            && cells.iter().skip(width).any(|cell| !cell.trim().is_empty())
        {
            let message = format!(
                "The line has {} cells, more than the {width} columns of the file.",
                cells.len()
            );
            row.problems.push(problem("", message));
            return row;
        }
        for (index, field) in &self.columns {
            let cell = cells.get(*index).map_or("", String::as_str);
            let cell = clean(cell, *field == Field::Notes);
            if cell.is_empty() {
                if *field == Field::Phone {
                    row.problems
                        .push(problem("phone", "The phone number is missing.".into()));
                }
                continue;
            }
            self.take(*field, &cell, &mut row);
        }
        row
    }

    fn take(&self, field: Field, cell: &str, row: &mut Row) {
        match field {
            Field::Phone => match self.phone(cell) {
                Ok(phone) => set(row, "phone", phone),
                Err(message) => row.problems.push(problem("phone", message)),
            },
            Field::FullName => joined(row, "full_name", "Name", cell, " ", 200),
            Field::Notes => joined(row, "notes", "Notes", cell, "\n", 10_000),
            Field::Company => joined(row, "company", "Company", cell, " ", 200),
            Field::JobTitle => joined(row, "job_title", "Job title", cell, " ", 200),
            Field::Email if is_email(cell) => set(row, "email", cell.to_owned()),
            Field::Email => row.problems.push(problem(
                "email",
                format!("{} is not an e-mail address.", quoted(cell)),
            )),
            Field::Birthday => match date(cell, self.date_order) {
                Some(date) => set(row, "birthday", date.to_string()),
                None => row
                    .problems
                    .push(problem("birthday", format!("{} is not a date.", quoted(cell)))),
            },
            Field::LifecycleStage => match cell.to_lowercase().as_str() {
                stage @ ("lead" | "prospect" | "customer" | "churned") => {
                    set(row, "lifecycle_stage", stage.to_owned())
                }
                _ => row.problems.push(problem(
                    "lifecycle_stage",
                    format!(
                        "{} is not one of: lead, prospect, customer, churned.",
                        quoted(cell)
                    ),
                )),
            },
            Field::Street => part_of_address(row, "street", cell),
            Field::City => part_of_address(row, "city", cell),
            Field::State => part_of_address(row, "state", cell),
            Field::Country => part_of_address(row, "country", cell),
            Field::Zip => part_of_address(row, "zip", cell),
            Field::Tags => tags(row, cell),
            Field::Custom(position) => self.custom(&self.custom_fields[position], cell, row),
        }
    }

    fn phone(&self, cell: &str) -> Result<String, String> {
        let cell = cell.trim_start_matches('\'');
        let is_shortened = cell.contains(['E', 'e']) && cell.parse::<f64>().is_ok();
        if is_shortened {
            return Err(format!(
                "{} is a phone number that a spreadsheet has shortened; format the column as text and save the file again.",
                quoted(cell)
            ));
        }
        // Numbers that went through a spreadsheet's number format.
        let cell = match cell.strip_suffix(".0") {
            Some(whole) if whole.bytes().all(|b| b.is_ascii_digit()) => whole,
            _ => cell,
        };
        normalize_phone(cell, &self.region).ok_or_else(|| format!("{} is not a phone number.", quoted(cell)))
    }

    fn custom(&self, definition: &Definition, cell: &str, row: &mut Row) {
        match custom_value(definition, cell, self.date_order) {
            Ok(Value::Null) => {}
            Ok(value) => {
                let fields = row.values.entry("custom_fields").or_insert_with(|| json!({}));
                fields[&definition.key] = value;
            }
            Err(must) => row.problems.push(problem(
                &format!("custom.{}", definition.key),
                format!("{} {must}.", definition.label),
            )),
        }
    }
}

fn problem(field: &str, message: String) -> Problem {
    Problem {
        field: field.to_owned(),
        message,
    }
}

fn set(row: &mut Row, key: &str, value: String) {
    row.values.insert(key.to_owned(), value.into());
}

/// Several columns may make up one text.
fn joined(row: &mut Row, key: &str, label: &str, cell: &str, between: &str, most: usize) {
    let text = match row.values.get(key).and_then(Value::as_str) {
        Some(before) => format!("{before}{between}{cell}"),
        None => cell.to_owned(),
    };
    if text.chars().count() > most {
        row.problems
            .push(problem(key, format!("{label} is longer than {most} characters.")));
    } else {
        set(row, key, text);
    }
}

fn part_of_address(row: &mut Row, part: &str, cell: &str) {
    if cell.chars().count() > 200 {
        row.problems.push(problem(
            &format!("address.{part}"),
            "A part of the address is longer than 200 characters.".into(),
        ));
        return;
    }
    let address = row.values.entry("address").or_insert_with(|| json!({}));
    address[part] = cell.into();
}

fn tags(row: &mut Row, cell: &str) {
    let mut tags = list(cell, &[',', ';']);
    if let Some(long) = tags.iter().find(|tag| tag.chars().count() > 50) {
        row.problems.push(problem(
            "tags",
            format!("The tag {} is longer than 50 characters.", quoted(long)),
        ));
        return;
    }
    let known = row.values.remove("tags");
    let known: Vec<&str> = known
        .as_ref()
        .and_then(Value::as_array)
        .map(|known| known.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    tags.retain(|tag| !known.iter().any(|k| k.to_lowercase() == tag.to_lowercase()));
    let all: Vec<&str> = known.iter().copied().chain(tags).collect();
    row.values.insert("tags".into(), all.into());
}

/// As the database checks it: something, one at sign, something with a dot inside.
fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else {
        return false;
    };
    let has_dot_inside = host
        .char_indices()
        .any(|(at, c)| c == '.' && at > 0 && at + 1 < host.len());
    !name.is_empty()
        && has_dot_inside
        && !host.contains('@')
        && !text.contains(char::is_whitespace)
        && text.chars().count() <= 320
}
