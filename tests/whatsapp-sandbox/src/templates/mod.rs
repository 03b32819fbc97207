//! Message templates: what is stored, what may be submitted, and the review that follows.

mod notices;
mod rules;
mod samples;

use serde_json::{Value, json};

use crate::ids;
use crate::refusal::Refusal;

pub use notices::{Change, change, review};
pub use rules::{Submission, check_components, check_submission, refuse, variables};

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
    /// GREEN, YELLOW, RED; UNKNOWN at first.
    pub quality: String,
    pub previous_category: Option<String>,
    /// What Meta will make of the category.
    pub correct_category: Option<String>,
    pub created_at: i64,
    /// When it was last changed while approved: once a day, ten times a month.
    pub edits: Vec<i64>,
}

impl Template {
    /// One that waits for its review.
    pub fn submitted(waba_id: &str, submission: Submission, now: i64) -> Self {
        Self {
            id: ids::object_id(),
            waba_id: waba_id.to_owned(),
            name: submission.name,
            language: submission.language,
            status: "PENDING".to_owned(),
            category: submission.category,
            is_named: submission.is_named,
            components: submission.components,
            rejected_reason: None,
            quality: "UNKNOWN".to_owned(),
            previous_category: None,
            correct_category: None,
            created_at: now,
            edits: Vec::new(),
        }
    }

    pub fn node(&self) -> Value {
        let mut node = json!({
            "id": self.id,
            "name": self.name,
            "language": self.language,
            "status": self.status,
            "category": self.category,
            "parameter_format": if self.is_named { "NAMED" } else { "POSITIONAL" },
            "components": self.components.iter().map(shown).collect::<Vec<_>>(),
            "quality_score": {"score": self.quality, "date": self.created_at},
            "rejected_reason": self.rejected_reason.as_deref().unwrap_or("NONE"),
        });
        for (key, category) in [
            ("previous_category", &self.previous_category),
            ("correct_category", &self.correct_category),
        ] {
            if let Some(category) = category {
                node[key] = category.as_str().into();
            }
        }
        node
    }

    /// The component of a type, in upper case as they are stored.
    pub fn component(&self, kind: &str) -> Option<&Value> {
        self.components.iter().find(|component| component["type"] == kind)
    }
}

/// A component as Meta returns it: in place of an upload's handle stands an address of the sample.
fn shown(component: &Value) -> Value {
    let mut component = component.clone();
    if let Some(handle) = component.pointer_mut("/example/header_handle/0") {
        *handle = "https://scontent.whatsapp.net/v/t61.29466-34/sample".into();
    }
    for card in parts_mut(&mut component, "cards") {
        for part in parts_mut(card, "components") {
            *part = shown(part);
        }
    }
    component
}

fn parts_mut<'a>(of: &'a mut Value, key: &str) -> impl Iterator<Item = &'a mut Value> {
    of.get_mut(key)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

/// The name of a deleted approved template is kept from use that long.
const NAME_HELD_SECONDS: i64 = 30 * 86_400;

#[derive(Debug, Default)]
pub struct TemplateStore {
    /// In the order of creation, which paging follows.
    templates: Vec<Template>,
    /// Account, name and language of deleted approved templates, and when they are free again.
    held: Vec<(String, String, String, i64)>,
}

impl TemplateStore {
    /// Templates to try every check with; the README lists them.
    pub fn with_samples(waba_id: &str) -> Self {
        Self {
            templates: samples::all(waba_id),
            held: Vec::new(),
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
        let is_held = |(account, name, language, until): &(String, String, String, i64)| {
            account == waba_id && *name == submission.name && *language == submission.language && now < *until
        };
        if self.held.iter().any(is_held) {
            return Err(rules::refuse(
                2_388_023,
                "Message template language is being deleted",
                &format!(
                    "New {} content can't be added while the existing content is being deleted. Try again in 4 weeks.",
                    submission.language
                ),
            ));
        }
        self.templates.push(Template::submitted(waba_id, submission, now));
        self.templates.last().ok_or_else(|| Refusal::new(131_000, ""))
    }

    /// Removes every language of a name, or one; answers how many went.
    pub fn delete(&mut self, waba_id: &str, name: &str, id: Option<&str>, now: i64) -> usize {
        let leaves = |template: &mut Template| {
            template.waba_id == waba_id && template.name == name && id.is_none_or(|id| id == template.id)
        };
        let gone: Vec<Template> = self.templates.extract_if(.., leaves).collect();
        let approved = gone.iter().filter(|template| template.status == "APPROVED");
        self.held.extend(approved.map(|template| {
            let (name, language) = (template.name.clone(), template.language.clone());
            (template.waba_id.clone(), name, language, now + NAME_HELD_SECONDS)
        }));
        gone.len()
    }

    /// Puts a template there without a review, in place of one of the same id or name.
    pub fn put(&mut self, template: Template) {
        self.templates.retain(|there| {
            there.waba_id != template.waba_id
                || (there.id != template.id
                    && (&there.name, &there.language) != (&template.name, &template.language))
        });
        self.templates.push(template);
    }
}
