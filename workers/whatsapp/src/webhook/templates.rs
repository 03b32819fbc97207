//! Templates changed by Meta (§5.1–§5.5). These carry no phone number: they belong to the WhatsApp Business account.

use serde::Serialize;
use serde_json::Value;

use super::Event;
use super::envelope::Place;
use super::reading::{integer, text, text_at};

/// Which template; `id` decides, name and language help when it is unknown here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TemplateKey {
    pub waba_id: Option<String>,
    pub template_id: Option<String>,
    pub name: Option<String>,
    /// With an underscore, as templates are created; webhooks are documented with hyphens too.
    pub language: Option<String>,
    /// When Meta reported it, in seconds.
    pub occurred_at: Option<i64>,
}

/// The review or the life of a template moved on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TemplateStatus {
    pub template: TemplateKey,
    /// As Meta names it: APPROVED, REJECTED, PAUSED, …; new ones appear, re-read the template then.
    pub status: String,
    /// A category of refusal, `None` also for Meta's NONE.
    pub reason: Option<String>,
    /// What Meta says in words about a pause or a refusal.
    pub explanation: Option<String>,
    pub category: Option<String>,
    pub raw: Value,
}

/// How readers take a template changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TemplateQuality {
    pub template: TemplateKey,
    pub previous: Option<String>,
    pub current: String,
    pub raw: Value,
}

/// Meta changed, or is about to change, a template's category.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TemplateCategory {
    pub template: TemplateKey,
    /// The category in force now.
    pub current: String,
    /// The category it had, when the change is done.
    pub previous: Option<String>,
    /// The category it will get, when this is the notice.
    pub upcoming: Option<String>,
    /// When `upcoming` takes effect, in seconds.
    pub effective_at: Option<i64>,
    pub raw: Value,
}

/// The text of a template was changed in Meta's manager: read it again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TemplateComponents {
    pub template: TemplateKey,
    pub raw: Value,
}

/// A warning that a template is filed under the wrong category.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TemplateMiscategorized {
    pub template: TemplateKey,
    pub category: Option<String>,
    pub correct_category: Option<String>,
    pub raw: Value,
}

impl Event {
    /// For what happened to a template: the field it belongs under (not always the one it came under), which template, Meta's value.
    #[must_use]
    pub fn about_template(&self) -> Option<(&'static str, &TemplateKey, &Value)> {
        Some(match self {
            Self::TemplateStatus(e) => ("message_template_status_update", &e.template, &e.raw),
            Self::TemplateQuality(e) => ("message_template_quality_update", &e.template, &e.raw),
            Self::TemplateCategory(e) => ("template_category_update", &e.template, &e.raw),
            Self::TemplateComponents(e) => ("message_template_components_update", &e.template, &e.raw),
            Self::TemplateMiscategorized(e) => ("template_correct_category_detection", &e.template, &e.raw),
            _ => return None,
        })
    }
}

fn key(place: &Place<'_>) -> TemplateKey {
    TemplateKey {
        waba_id: place.waba_id.clone(),
        template_id: text(place.value, "message_template_id"),
        name: text(place.value, "message_template_name"),
        language: text(place.value, "message_template_language").map(|language| language.replace('-', "_")),
        occurred_at: place.entry_time,
    }
}

/// Meta's own example of a quality update travels under the status field: what it holds decides.
pub(super) fn status_or_quality(place: &Place<'_>) -> Event {
    let value = place.value;
    match text(value, "event") {
        Some(status) => Event::TemplateStatus(TemplateStatus {
            template: key(place),
            status: status.to_ascii_uppercase(),
            reason: text(value, "reason")
                .or_else(|| text_at(value, &["rejection_info", "reason"]))
                .filter(|reason| reason != "NONE"),
            explanation: text_at(value, &["rejection_info", "recommendation"])
                .or_else(|| text_at(value, &["other_info", "description"]))
                .or_else(|| text_at(value, &["other_info", "title"])),
            category: text(value, "message_template_category"),
            raw: value.clone(),
        }),
        None => quality(place),
    }
}

pub(super) fn quality(place: &Place<'_>) -> Event {
    match text(place.value, "new_quality_score") {
        Some(current) => Event::TemplateQuality(TemplateQuality {
            template: key(place),
            previous: text(place.value, "previous_quality_score"),
            current,
            raw: place.value.clone(),
        }),
        None => place.unknown("template update without event or score", place.value),
    }
}

pub(super) fn category(place: &Place<'_>) -> Event {
    // In the notice `new_category` is the category in force and `correct_category` the one to come.
    match text(place.value, "new_category") {
        Some(current) => Event::TemplateCategory(TemplateCategory {
            template: key(place),
            current,
            previous: text(place.value, "previous_category"),
            upcoming: text(place.value, "correct_category"),
            effective_at: integer(place.value, "category_update_timestamp"),
            raw: place.value.clone(),
        }),
        None => place.unknown("category update without a category", place.value),
    }
}

pub(super) fn components(place: &Place<'_>) -> Event {
    Event::TemplateComponents(TemplateComponents {
        template: key(place),
        raw: place.value.clone(),
    })
}

pub(super) fn miscategorized(place: &Place<'_>) -> Event {
    Event::TemplateMiscategorized(TemplateMiscategorized {
        template: key(place),
        category: text(place.value, "category"),
        correct_category: text(place.value, "correct_category"),
        raw: place.value.clone(),
    })
}
