//! What Meta reports of a template: reviews and whatever else it does to one (§5.1–§5.4).

use serde_json::{Map, Value, json};

use super::Template;
use crate::world::World;

/// A notification about a template: its account, the field, the value.
pub type Notice = (String, &'static str, Value);

/// What is to happen to a template, as Meta or a person in its manager might do it.
#[derive(Debug, Default)]
pub struct Change {
    pub status: Option<String>,
    pub reason: Option<String>,
    pub quality: Option<String>,
    pub category: Option<String>,
    pub correct_category: Option<String>,
    pub components: Option<Vec<Value>>,
}

/// The review's outcome: names with `reject` in them are refused, everything else passes. Answers account and webhook value.
pub fn review(world: &World, template_id: &str) -> Option<Notice> {
    let mut state = world.state();
    let template = state
        .templates
        .get_mut(template_id)
        .filter(|template| template.status == "PENDING")?;
    let is_rejected = template.name.contains("reject");
    template.status = if is_rejected { "REJECTED" } else { "APPROVED" }.to_owned();
    template.rejected_reason = is_rejected.then(|| "INVALID_FORMAT".to_owned());
    Some((
        template.waba_id.clone(),
        STATUS_FIELD,
        status_value(template, None),
    ))
}

/// Makes the changes; answers a notice for each.
pub fn change(world: &World, template_id: &str, change: Change) -> Option<Vec<Notice>> {
    let now = world.now();
    let mut state = world.state();
    let template = state.templates.get_mut(template_id)?;
    let mut notices = Vec::new();
    let mut tell = |template: &Template, field, value| notices.push((template.waba_id.clone(), field, value));
    if let Some(components) = change.components {
        template.components = components;
        let mut value = key(template);
        let body = template
            .component("BODY")
            .map_or(Value::Null, |body| body["text"].clone());
        value.insert("message_template_element".into(), body);
        tell(
            template,
            "message_template_components_update",
            Value::Object(value),
        );
    }
    if let Some(quality) = change.quality {
        let mut value = key(template);
        value.insert("previous_quality_score".into(), template.quality.as_str().into());
        value.insert("new_quality_score".into(), quality.as_str().into());
        template.quality = quality;
        tell(template, "message_template_quality_update", Value::Object(value));
    }
    if let Some(correct) = change.correct_category {
        let mut value = key(template);
        // The trap of §5.3: in the notice `new_category` is the category in force.
        value.insert("new_category".into(), template.category.as_str().into());
        value.insert("correct_category".into(), correct.as_str().into());
        value.insert("category_update_timestamp".into(), (now + 86_400).into());
        template.correct_category = Some(correct);
        tell(template, CATEGORY_FIELD, Value::Object(value));
    }
    if let Some(category) = change.category {
        let previous = std::mem::replace(&mut template.category, category);
        let mut value = key(template);
        value.insert("previous_category".into(), previous.as_str().into());
        value.insert("new_category".into(), template.category.as_str().into());
        template.previous_category = Some(previous);
        template.correct_category = None;
        tell(template, CATEGORY_FIELD, Value::Object(value));
    }
    if let Some(status) = change.status {
        template.status = status;
        template.rejected_reason = change.reason;
        let other = (template.status == "PAUSED").then(|| {
            json!({"title": "FIRST_PAUSE", "description": "Your WhatsApp message template has been paused for 3 hours."})
        });
        tell(template, STATUS_FIELD, status_value(template, other));
    }
    Some(notices)
}

const STATUS_FIELD: &str = "message_template_status_update";
const CATEGORY_FIELD: &str = "template_category_update";

fn key(template: &Template) -> Map<String, Value> {
    let mut value = Map::new();
    // Integers here, strings everywhere else.
    value.insert(
        "message_template_id".into(),
        template.id.parse::<u64>().map_or(Value::Null, Value::from),
    );
    value.insert("message_template_name".into(), template.name.as_str().into());
    value.insert(
        "message_template_language".into(),
        template.language.as_str().into(),
    );
    value
}

fn status_value(template: &Template, other_info: Option<Value>) -> Value {
    let mut value = key(template);
    value.insert("event".into(), template.status.as_str().into());
    value.insert(
        "reason".into(),
        template.rejected_reason.as_deref().unwrap_or("NONE").into(),
    );
    value.insert(
        "message_template_category".into(),
        template.category.as_str().into(),
    );
    if let Some(info) = other_info {
        value.insert("other_info".into(), info);
    }
    Value::Object(value)
}
