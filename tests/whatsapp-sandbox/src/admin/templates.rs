//! What happens to templates at Meta without the app's doing: reviews overturned, pauses, templates made in Meta's manager.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Wrong, read};
use crate::config::default_account;
use crate::templates::{self, Change, Template};
use crate::webhooks::{Parcel, Route};
use crate::world::World;

#[derive(Deserialize)]
pub struct OfAccount {
    waba_id: Option<String>,
}

pub async fn list(State(world): State<Arc<World>>, Query(query): Query<OfAccount>) -> Answer {
    let waba_id = query
        .waba_id
        .unwrap_or_else(|| default_account::WABA_ID.to_owned());
    let nodes: Vec<Value> = world
        .state()
        .templates
        .of_account(&waba_id)
        .map(Template::node)
        .collect();
    Ok(Json(json!({"templates": nodes})))
}

/// What a creation takes, and what Meta knows beyond it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTemplate {
    waba_id: Option<String>,
    name: String,
    language: String,
    category: String,
    parameter_format: Option<String>,
    components: Vec<Value>,
    status: Option<String>,
    quality: Option<String>,
    rejected_reason: Option<String>,
    /// Of a template that an earlier sandbox had: it takes the place of whatever has its id or name.
    id: Option<String>,
}

/// Adds a template as somebody in Meta's manager would; the app is not told. A pending one is reviewed.
pub async fn add(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Answer {
    let new: NewTemplate = read(body)?;
    let creation = json!({"name": new.name, "language": new.language, "category": new.category,
        "parameter_format": new.parameter_format, "components": new.components});
    let submission = templates::check_submission(&creation)
        .map_err(|refusal| Wrong::request(refusal.user_message.unwrap_or(refusal.title)))?;
    let waba_id = new.waba_id.as_deref().unwrap_or(default_account::WABA_ID);
    let upper = |text: Option<String>, otherwise: &str| {
        text.map_or_else(|| otherwise.to_owned(), |text| text.to_ascii_uppercase())
    };
    let mut template = Template::submitted(waba_id, submission, world.now());
    template.status = upper(new.status, "APPROVED");
    template.quality = upper(new.quality, "UNKNOWN");
    template.rejected_reason = new.rejected_reason;
    let mut state = world.state();
    match new.id {
        Some(id) => template.id = id,
        None if state
            .templates
            .find(waba_id, &template.name, &template.language)
            .is_some() =>
        {
            return Err(Wrong::request("there is a template of this name and language"));
        }
        None => {}
    }
    let node = template.node();
    if template.status == "PENDING" {
        let review = Parcel::Review {
            template_id: template.id.clone(),
        };
        let after = Duration::from_millis(state.settings.template_review_ms);
        world.post.put(review, after);
    }
    state.templates.put(template);
    Ok(Json(node))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateChange {
    status: Option<String>,
    reason: Option<String>,
    quality: Option<String>,
    category: Option<String>,
    /// The category it will get in a day.
    correct_category: Option<String>,
    components: Option<Vec<Value>>,
    /// False: the app is not told, as when a webhook is lost.
    #[serde(default = "yes")]
    tell: bool,
}

fn yes() -> bool {
    true
}

/// Changes a template and tells the app of each change.
pub async fn change(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Answer {
    let asked: TemplateChange = read(body)?;
    let upper = |text: Option<String>| text.map(|text| text.to_ascii_uppercase());
    let change = Change {
        status: upper(asked.status),
        reason: asked.reason,
        quality: upper(asked.quality),
        category: upper(asked.category),
        correct_category: upper(asked.correct_category),
        components: asked.components,
    };
    let notices = templates::change(&world, &id, change).ok_or_else(|| Wrong::unknown("template"))?;
    for (waba_id, field, value) in notices.into_iter().filter(|_| asked.tell) {
        let route = Route::App { waba_id };
        world
            .post
            .put(Parcel::Change { route, field, value }, Duration::ZERO);
    }
    let state = world.state();
    let template = state
        .templates
        .get(&id)
        .ok_or_else(|| Wrong::unknown("template"))?;
    Ok(Json(template.node()))
}

/// Deletes one as somebody in Meta's manager would; the app is not told.
pub async fn remove(State(world): State<Arc<World>>, Path(id): Path<String>) -> Answer {
    let now = world.now();
    let mut state = world.state();
    let found = state
        .templates
        .get(&id)
        .map(|t| (t.waba_id.clone(), t.name.clone()));
    let (waba_id, name) = found.ok_or_else(|| Wrong::unknown("template"))?;
    state.templates.delete(&waba_id, &name, Some(&id), now);
    Ok(Json(json!({"removed": id})))
}

/// Samples of headers that were uploaded whole.
pub async fn samples(State(world): State<Arc<World>>) -> Answer {
    Ok(Json(json!({"samples": world.state().uploads.view()})))
}
