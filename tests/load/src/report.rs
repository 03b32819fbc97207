//! The table of figures: every one an issue names is a row, met or not.

use serde::Serialize;

/// How a value is judged.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

/// One row.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub area: &'static str,
    pub figure: String,
    pub value: f64,
    pub goal: String,
    pub met: bool,
    /// What it was measured against in the same run, where the goal is a ratio.
    pub baseline: Option<String>,
    pub note: String,
}

impl Row {
    pub fn new(area: &'static str, figure: impl Into<String>, value: f64, goal: Goal) -> Self {
        let (goal, met) = match goal {
            Goal::AtMost(most) => (format!("≤ {most}"), value <= most),
            Goal::AtLeast(least) => (format!("≥ {least}"), value >= least),
        };
        Self {
            area,
            figure: figure.into(),
            value,
            goal,
            met,
            baseline: None,
            note: String::new(),
        }
    }

    #[must_use]
    pub fn against(mut self, baseline: impl Into<String>) -> Self {
        self.baseline = Some(baseline.into());
        self
    }

    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

/// For people.
pub fn print(rows: &[Row]) {
    println!(
        "\n| area | figure | value | goal | met | baseline | note |\n| --- | --- | --- | --- | --- | --- | --- |"
    );
    for row in rows {
        println!(
            "| {} | {} | {:.3} | {} | {} | {} | {} |",
            row.area,
            row.figure,
            row.value,
            row.goal,
            if row.met { "yes" } else { "NO" },
            row.baseline.as_deref().unwrap_or(""),
            row.note
        );
    }
}
