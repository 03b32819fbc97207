//! Random rules and contacts for tests, here and in other crates (feature `testing`).
//!
//! A [`Generator`] is a seed: the same one makes the same world, rules and facts on every machine and with every
//! release of a random number library, hence a generator of its own. Words, numbers, days and ids come from small
//! pools and bounds are hit exactly, so that rules and contacts meet often; hostile texts are among them.

mod contacts;
mod rules;

use serde_json::{Value, json};
use uuid::Uuid;

use super::context::{Context, CustomField};
use super::evaluate::moment::{Moment, write_time};

/// An organisation with everything rules can name.
#[derive(Clone, Debug)]
pub struct World {
    pub context: Context,
    pub moment: Moment,
    pub tags: Vec<Uuid>,
    pub segments: Vec<Uuid>,
    pub campaigns: Vec<Uuid>,
    pub flows: Vec<Uuid>,
}

impl World {
    /// The context as the functions of the extension take it.
    pub fn context_json(&self) -> Value {
        let custom_fields: Vec<Value> = self.context.custom_fields.iter().map(custom_field_json).collect();
        json!({
            "time_zone": self.context.time_zone,
            "custom_fields": custom_fields,
            "names": self.context.names,
            "now": self.context.now,
        })
    }
}

fn custom_field_json(field: &CustomField) -> Value {
    use super::field::Kind;
    let type_name = match field.kind {
        Kind::Number => "number",
        Kind::Date => "date",
        Kind::Boolean => "boolean",
        Kind::Choice => "choice",
        Kind::Choices => "multi_choice",
        _ => "text",
    };
    json!({"key": field.key, "label": field.label, "type": type_name, "options": field.options})
}

/// Makes everything of one seed.
#[derive(Clone, Debug)]
pub struct Generator {
    state: u64,
    /// Whether contacts may hold custom values of another type than their field's.
    pub with_wrong_types: bool,
}

const TIME_ZONES: [&str; 7] = [
    "Asia/Kuala_Lumpur",
    "UTC",
    "America/New_York",
    "America/Havana",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Australia/Lord_Howe",
];

/// Moments at which something is special: a leap day, days around it, changes of clocks, the turn of a year.
const MOMENTS: [&str; 8] = [
    "2026-11-23T05:50:25.123456+00:00",
    "2028-02-29T12:00:00+00:00",
    "2027-02-28T20:00:00+00:00",
    "2027-03-01T03:30:00+00:00",
    "2026-12-31T16:00:00+00:00",
    "2027-01-01T00:00:00+00:00",
    "2026-03-08T05:30:00+00:00",
    "2026-11-01T05:59:59.999999+00:00",
];

impl Generator {
    pub fn seeded(seed: u64) -> Self {
        Generator {
            state: seed,
            with_wrong_types: true,
        }
    }

    /// An organisation; ids are the same in every world, so that names of one fit another.
    pub fn world(&mut self) -> World {
        let ids = |kind: u128, count: u128| {
            (1..=count)
                .map(|nth| Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | kind << 32 | nth))
                .collect()
        };
        let (tags, segments, campaigns, flows): (Vec<Uuid>, Vec<Uuid>, Vec<Uuid>, Vec<Uuid>) =
            (ids(1, 6), ids(2, 3), ids(3, 3), ids(4, 2));
        let names = tags.iter().chain(&segments).chain(&campaigns).chain(&flows);
        let context = Context {
            time_zone: self.pick(&TIME_ZONES).to_string(),
            custom_fields: contacts::custom_fields(),
            names: names
                .enumerate()
                .map(|(nth, id)| (id.to_string(), format!("Name {nth}")))
                .collect(),
            now: Some(self.now()),
            has_search: false,
            org_id: None,
        };
        let moment =
            Moment::of(&context).unwrap_or_else(|problem| unreachable!("our own context: {problem}"));
        World {
            context,
            moment,
            tags,
            segments,
            campaigns,
            flows,
        }
    }

    fn now(&mut self) -> String {
        if self.chance(70) {
            return self.pick(&MOMENTS).to_string();
        }
        // Any microsecond of the years 2024 to 2028.
        let micros = 1_704_067_200_000_000 + (self.next() % 157_766_400_000_000) as i64;
        write_time(micros)
    }

    /// Facts of one contact, in the shape of `private.segment_facts`; the table's constraints hold for its columns.
    pub fn facts(&mut self, world: &World) -> Value {
        contacts::facts(self, world)
    }

    /// Rules that pass every check.
    pub fn rules(&mut self, world: &World) -> Value {
        rules::rules(self, world)
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// True that often in a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// Some of them, in their order.
    fn some<T: Clone>(&mut self, items: &[T], percent: usize) -> Vec<T> {
        items.iter().filter(|_| self.chance(percent)).cloned().collect()
    }

    /// A number of hours, days or weeks that durations and distances share.
    fn span(&mut self) -> i64 {
        *self.pick(&[1, 2, 3, 7, 30, 60, 365])
    }
}
