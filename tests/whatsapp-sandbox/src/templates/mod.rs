//! Message templates: what is stored, what may be submitted, and the review that follows.

mod rules;
mod samples;

use serde_json::{Map, Value, json};

use crate::ids;
use crate::refusal::Refusal;
use crate::world::World;

pub use rules::{Submission, check_components, check_submission, variables};

/// A template in one language.
#[derive(Debug, Clone)]
pub struct Template {
    pub id: String,
    pub waba_id: String,
    pub name: String,
    pub language: String,
    pub status: String,
    pub category: String,
    pub is_named: bool,
    pub components: Vec<Value>,
    pub rejected_reason: Option<String>,
    pub created_at: i64,
    /// When it was last changed while approved: once a day, ten times a month.
    pub edits: Vec<i64>,
}

impl Template {
    pub fn node(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "language": self.language,
            "status": self.status,
            "category": self.category,
            "parameter_format": if self.is_named { "NAMED" } else { "POSITIONAL" },
            "components": self.components,
            "quality_score": {"score": "UNKNOWN", "date": self.created_at},
            "rejected_reason": self.rejected_reason.as_deref().unwrap_or("NONE"),
        })
    }

    /// The component of a type, in upper case as they are stored.
    pub fn component(&self, kind: &str) -> Option<&Value> {
        self.components.iter().find(|component| component["type"] == kind)
    }
}

#[derive(Debug, Default)]
pub struct TemplateStore {
    /// In the order of creation, which paging follows.
    templates: Vec<Template>,
}

impl TemplateStore {
    /// Templates to try every check with; the README lists them.
    pub fn with_samples(waba_id: &str) -> Self {
        Self {
            templates: samples::all(waba_id),
        }
    }

    pub fn of_account<'a, 'b>(
        &'a self,
        waba_id: &'b str,
    ) -> impl Iterator<Item = &'a Template> + use<'a, 'b> {
        self.templates
            .iter()
            .filter(move |template| template.waba_id == waba_id)
    }

    pub fn get(&self, id: &str) -> Option<&Template> {
        self.templates.iter().find(|template| template.id == id)
    }

    pub fn get_mut(&mut self, id: &str) -> Option<&mut Template> {
        self.templates.iter_mut().find(|template| template.id == id)
    }

    pub fn find(&self, waba_id: &str, name: &str, language: &str) -> Option<&Template> {
        self.of_account(waba_id)
            .find(|template| template.name == name && template.language == language)
    }

    pub fn category(&self, waba_id: &str, name: &str) -> Option<&str> {
        self.of_account(waba_id)
            .find(|template| template.name == name)
            .map(|template| template.category.as_str())
    }

    /// Gives a new account the same samples the first one has.
    pub fn add_samples(&mut self, waba_id: &str) {
        if self.of_account(waba_id).next().is_none() {
            self.templates
                .extend(samples::all(waba_id).into_iter().map(|template| Template {
                    id: ids::object_id(),
                    ..template
                }));
        }
    }

    /// Takes a checked submission into review.
    pub fn submit(&mut self, waba_id: &str, submission: Submission, now: i64) -> Result<&Template, Refusal> {
        if self
            .find(waba_id, &submission.name, &submission.language)
            .is_some()
        {
            return Err(rules::refuse(
                2_388_024,
                "Content in this language already exists",
                &format!(
                    "There is already {} content for this template.",
                    submission.language
                ),
            ));
        }
        self.templates.push(Template {
            id: ids::object_id(),
            waba_id: waba_id.to_owned(),
            name: submission.name,
            language: submission.language,
            status: "PENDING".to_owned(),
            category: submission.category,
            is_named: submission.is_named,
            components: submission.components,
            rejected_reason: None,
            created_at: now,
            edits: Vec::new(),
        });
        self.templates.last().ok_or_else(|| Refusal::new(131_000, ""))
    }

    /// Removes every language of a name, or one; answers how many went.
    pub fn delete(&mut self, waba_id: &str, name: &str, id: Option<&str>) -> usize {
        let before = self.templates.len();
        self.templates.retain(|template| {
            template.waba_id != waba_id || template.name != name || id.is_some_and(|id| id != template.id)
        });
        before - self.templates.len()
    }
}

/// The review's outcome: names with `reject` in them are refused, everything else passes. Answers account and webhook value.
pub fn review(world: &World, template_id: &str) -> Option<(String, Value)> {
    let mut state = world.state();
    let template = state
        .templates
        .get_mut(template_id)
        .filter(|template| template.status == "PENDING")?;
    let is_rejected = template.name.contains("reject");
    template.status = if is_rejected { "REJECTED" } else { "APPROVED" }.to_owned();
    template.rejected_reason = is_rejected.then(|| "INVALID_FORMAT".to_owned());
    Some((template.waba_id.clone(), status_value(template, None)))
}

/// Moves a template to any status, as Meta might; answers account and webhook value.
pub fn set_status(
    world: &World,
    template_id: &str,
    status: &str,
    reason: Option<&str>,
) -> Option<(String, Value)> {
    let mut state = world.state();
    let template = state.templates.get_mut(template_id)?;
    template.status = status.to_owned();
    template.rejected_reason = reason.map(str::to_owned);
    let other = (status == "PAUSED").then(|| {
        json!({"title": "FIRST_PAUSE", "description": "Your WhatsApp message template has been paused for 3 hours."})
    });
    Some((template.waba_id.clone(), status_value(template, other)))
}

fn status_value(template: &Template, other_info: Option<Value>) -> Value {
    let mut value = Map::new();
    value.insert("event".into(), template.status.as_str().into());
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
