//! The values of a statement: one `text[]`, addressed by position.

use std::collections::HashMap;

pub struct Binds {
    first: usize,
    values: Vec<String>,
    known: HashMap<String, usize>,
}

impl Binds {
    pub fn new(first: usize) -> Self {
        Binds {
            first,
            values: Vec::new(),
            known: HashMap::new(),
        }
    }

    /// A value by itself; the same value again has the same place.
    pub fn value(&mut self, value: impl Into<String>) -> String {
        let value = value.into();
        let place = match self.known.get(&value) {
            Some(place) => *place,
            None => {
                let place = self.first + self.values.len();
                self.known.insert(value.clone(), place);
                self.values.push(value);
                place
            }
        };
        format!("($1)[{place}]")
    }

    /// Values side by side, as one array.
    pub fn array(&mut self, values: impl IntoIterator<Item = String>) -> String {
        let from = self.first + self.values.len();
        self.values.extend(values);
        format!("($1)[{from}:{}]", self.first + self.values.len() - 1)
    }

    pub fn into_values(self) -> Vec<String> {
        self.values
    }
}
