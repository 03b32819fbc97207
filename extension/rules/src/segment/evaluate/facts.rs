//! What is known of one contact, in the shape `private.segment_facts` gives.

use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

use super::super::field::{Field, Place};

/// A view of facts; what is missing reads as null, false or nothing.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a>(pub &'a Value);

impl<'a> Facts<'a> {
    /// The value of a field that has one value.
    pub fn value(&self, field: &Field) -> &'a Value {
        let facts = self.0;
        let contact = &facts["contact"];
        match field.place {
            Place::Column { .. } => &contact[field.name.as_str()],
            Place::Address(key) => &contact["address"][key],
            Place::Custom => &contact["custom_fields"][field.custom_key().unwrap_or_default()],
            Place::Conversation { .. } => &facts[field.name.as_str()],
            Place::Relation => &Value::Null,
        }
    }

    /// The ids under `tags` or `segments`.
    pub fn ids(&self, key: &str) -> BTreeSet<Uuid> {
        let ids = self.0[key].as_array().into_iter().flatten();
        ids.filter_map(|id| Uuid::try_parse(id.as_str()?).ok()).collect()
    }

    /// A flag of one row under `campaigns` or `flows`.
    pub fn flag(&self, key: &str, id: &Uuid, flag: &str) -> bool {
        let mut rows = self.0[key].as_array().into_iter().flatten();
        rows.any(|row| {
            let row_id = row["id"].as_str().and_then(|id| Uuid::try_parse(id).ok());
            row_id.as_ref() == Some(id) && row[flag].as_bool() == Some(true)
        })
    }
}
