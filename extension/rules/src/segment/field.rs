//! The fields a rule may ask about: what kind each is, where it is kept, which operators it has.

use super::context::{Context, CustomField};
use super::operator::Operator::{self, *};

/// What kind of thing a field holds; decides its operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Text,
    Choice,
    Choices,
    Number,
    Boolean,
    Time,
    Date,
    Tags,
    Segments,
    Campaigns,
    Flows,
}

impl Kind {
    /// As the catalogue names it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Choice => "choice",
            Kind::Choices => "choices",
            Kind::Number => "number",
            Kind::Boolean => "boolean",
            Kind::Time => "time",
            Kind::Date => "date",
            Kind::Tags => "tags",
            Kind::Segments => "segments",
            Kind::Campaigns => "campaigns",
            Kind::Flows => "flows",
        }
    }
}

/// Where a field's value is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A column of `public.contacts`.
    Column { is_nullable: bool },
    /// A text inside the column `address`.
    Address(&'static str),
    /// Inside the column `custom_fields`, under the field's key.
    Custom,
    /// Whether a conversation exists; only open and pending ones when `is_active`.
    Conversation { is_active: bool },
    /// Rows of other tables.
    Relation,
}

/// Under which heading the builder shows a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    Contact,
    Custom,
    Tags,
    Behaviour,
    Segment,
    Campaign,
    Flow,
    Date,
}

impl Category {
    pub fn name(self) -> &'static str {
        match self {
            Category::Contact => "contact",
            Category::Custom => "custom",
            Category::Tags => "tags",
            Category::Behaviour => "behaviour",
            Category::Segment => "segment",
            Category::Campaign => "campaign",
            Category::Flow => "flow",
            Category::Date => "date",
        }
    }
}

/// A field, ours or an organisation's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// As rules name it; `custom.<key>` for an organisation's own.
    pub name: String,
    pub label: String,
    pub category: Category,
    pub kind: Kind,
    pub place: Place,
    /// What a choice may be: value and label.
    pub options: Vec<(String, String)>,
}

/// Prefix of the names of an organisation's own fields.
pub const CUSTOM_PREFIX: &str = "custom.";

const SOURCES: &[&str] = &["manual", "import", "whatsapp", "campaign", "flow", "ad"];
const OPT_IN_STATUSES: &[&str] = &["opted_in", "opted_out", "pending"];
const LIFECYCLE_STAGES: &[&str] = &["lead", "prospect", "customer", "churned"];

type Row = (
    &'static str,
    &'static str,
    Category,
    Kind,
    Place,
    &'static [&'static str],
);

const NULLABLE: Place = Place::Column { is_nullable: true };
const REQUIRED: Place = Place::Column { is_nullable: false };

/// Our own fields. Columns and their values are those of `public.contacts`.
const BUILT_IN: [Row; 27] = [
    ("full_name", "Name", Category::Contact, Kind::Text, NULLABLE, &[]),
    ("email", "Email", Category::Contact, Kind::Text, NULLABLE, &[]),
    ("phone", "Phone", Category::Contact, Kind::Text, NULLABLE, &[]),
    ("company", "Company", Category::Contact, Kind::Text, NULLABLE, &[]),
    (
        "job_title",
        "Job title",
        Category::Contact,
        Kind::Text,
        NULLABLE,
        &[],
    ),
    (
        "username",
        "WhatsApp username",
        Category::Contact,
        Kind::Text,
        NULLABLE,
        &[],
    ),
    ("notes", "Notes", Category::Contact, Kind::Text, NULLABLE, &[]),
    (
        "address.city",
        "City",
        Category::Contact,
        Kind::Text,
        Place::Address("city"),
        &[],
    ),
    (
        "address.state",
        "State",
        Category::Contact,
        Kind::Text,
        Place::Address("state"),
        &[],
    ),
    (
        "address.country",
        "Country",
        Category::Contact,
        Kind::Text,
        Place::Address("country"),
        &[],
    ),
    (
        "address.zip",
        "Postcode",
        Category::Contact,
        Kind::Text,
        Place::Address("zip"),
        &[],
    ),
    (
        "source",
        "Source",
        Category::Contact,
        Kind::Choice,
        REQUIRED,
        SOURCES,
    ),
    (
        "opt_in_status",
        "Consent",
        Category::Contact,
        Kind::Choice,
        REQUIRED,
        OPT_IN_STATUSES,
    ),
    (
        "lifecycle_stage",
        "Lifecycle stage",
        Category::Contact,
        Kind::Choice,
        REQUIRED,
        LIFECYCLE_STAGES,
    ),
    ("tags", "Tags", Category::Tags, Kind::Tags, Place::Relation, &[]),
    (
        "messages_sent",
        "Messages sent",
        Category::Behaviour,
        Kind::Number,
        REQUIRED,
        &[],
    ),
    (
        "messages_received",
        "Messages received",
        Category::Behaviour,
        Kind::Number,
        REQUIRED,
        &[],
    ),
    (
        "last_message_at",
        "Last message",
        Category::Behaviour,
        Kind::Time,
        NULLABLE,
        &[],
    ),
    (
        "last_inbound_at",
        "Last message received",
        Category::Behaviour,
        Kind::Time,
        NULLABLE,
        &[],
    ),
    (
        "has_active_conversation",
        "Active conversation",
        Category::Behaviour,
        Kind::Boolean,
        ACTIVE,
        &[],
    ),
    (
        "has_conversation",
        "Conversation",
        Category::Behaviour,
        Kind::Boolean,
        EVER,
        &[],
    ),
    ("created_at", "Created", Category::Date, Kind::Time, REQUIRED, &[]),
    (
        "opt_in_at",
        "Consent given",
        Category::Date,
        Kind::Time,
        NULLABLE,
        &[],
    ),
    ("birthday", "Birthday", Category::Date, Kind::Date, NULLABLE, &[]),
    (
        "segment",
        "Segment",
        Category::Segment,
        Kind::Segments,
        Place::Relation,
        &[],
    ),
    (
        "campaign",
        "Campaign",
        Category::Campaign,
        Kind::Campaigns,
        Place::Relation,
        &[],
    ),
    ("flow", "Flow", Category::Flow, Kind::Flows, Place::Relation, &[]),
];

const ACTIVE: Place = Place::Conversation { is_active: true };
const EVER: Place = Place::Conversation { is_active: false };

impl Field {
    /// The field of that name in this organisation.
    pub fn named(name: &str, context: &Context) -> Option<Field> {
        match name.strip_prefix(CUSTOM_PREFIX) {
            Some(key) => context.custom_field(key).map(Field::custom),
            None => BUILT_IN.iter().find(|row| row.0 == name).map(Field::built_in),
        }
    }

    /// Every field of this organisation, ours first.
    pub fn each(context: &Context) -> Vec<Field> {
        let ours = BUILT_IN.iter().map(Field::built_in);
        ours.chain(context.custom_fields.iter().map(Field::custom))
            .collect()
    }

    fn built_in(&(name, label, category, kind, place, options): &Row) -> Field {
        let options = options
            .iter()
            .map(|value| (value.to_string(), option_label(value)))
            .collect();
        Field {
            name: name.into(),
            label: label.into(),
            category,
            kind,
            place,
            options,
        }
    }

    fn custom(custom: &CustomField) -> Field {
        Field {
            name: format!("{CUSTOM_PREFIX}{}", custom.key),
            label: custom.label.clone(),
            category: Category::Custom,
            kind: custom.kind,
            place: Place::Custom,
            options: custom
                .options
                .iter()
                .map(|option| (option.clone(), option.clone()))
                .collect(),
        }
    }

    /// The key of an organisation's own field.
    pub fn custom_key(&self) -> Option<&str> {
        match self.place {
            Place::Custom => self.name.strip_prefix(CUSTOM_PREFIX),
            _ => None,
        }
    }

    /// What the label of an option is; the option itself when it is not (or no longer) one.
    pub fn option_label<'a>(&'a self, value: &'a str) -> &'a str {
        self.options
            .iter()
            .find(|(known, _)| known == value)
            .map_or(value, |(_, label)| label)
    }

    /// Its operators, in the order the builder shows them.
    pub fn operators(&self) -> Vec<Operator> {
        let mut operators = match self.kind {
            Kind::Text => vec![
                Is,
                IsNot,
                Contains,
                DoesNotContain,
                StartsWith,
                EndsWith,
                IsOneOf,
                IsNoneOf,
                IsEmpty,
                IsNotEmpty,
            ],
            Kind::Choice => vec![Is, IsNot, IsOneOf, IsNoneOf],
            Kind::Choices | Kind::Tags => vec![HasAnyOf, HasAllOf, HasNoneOf, IsEmpty, IsNotEmpty],
            Kind::Number => vec![Is, IsNot, GreaterThan, AtLeast, LessThan, AtMost, Between],
            Kind::Boolean => vec![Is],
            Kind::Time => vec![InLast, NotInLast, Before, After, On, Between, IsEmpty, IsNotEmpty],
            Kind::Date => vec![
                Before, After, On, Between, InLast, NotInLast, InNext, IsToday, IsEmpty, IsNotEmpty,
            ],
            Kind::Segments => vec![IsIn, IsNotIn],
            Kind::Campaigns => {
                vec![
                    Received,
                    NotReceived,
                    Read,
                    NotRead,
                    Replied,
                    NotReplied,
                    Clicked,
                    NotClicked,
                ]
            }
            Kind::Flows => vec![InProgress, NotInProgress, Completed, NotCompleted],
        };
        if self.place == Place::Custom && !operators.contains(&IsEmpty) {
            operators.extend([IsEmpty, IsNotEmpty]);
        }
        if self.name == "birthday" {
            operators.extend([AnniversaryInNext, AnniversaryIsToday]);
        }
        operators
    }

    /// Whether a contact without it can exist.
    pub fn is_nullable(&self) -> bool {
        matches!(
            self.place,
            Place::Column { is_nullable: true } | Place::Address(_) | Place::Custom
        )
    }
}

fn option_label(value: &str) -> String {
    match value {
        "whatsapp" => "WhatsApp".into(),
        _ => {
            let words = value.replace('_', " ");
            words[..1].to_uppercase() + &words[1..]
        }
    }
}
