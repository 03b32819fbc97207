//! The requests to Meta. Each may have to be made twice, since an answer can get lost: before a second creation, edit or deletion Meta is
//! asked what stands there, so that nothing is doubled and nothing fails for having succeeded.

use super::Desk;
use super::compare::says_the_same;
use super::outcome::{Done, Fate, may_have_happened, of_error};
use super::upload;
use super::work::Work;
use octopush_whatsapp::ApiError;
use octopush_whatsapp::client::{NewTemplate, TemplateInfo};
use octopush_whatsapp::error::{GraphError, TemplateRefusal};
use serde_json::Value;
use std::time::Duration;

/// Does the work as far as Meta lets it.
pub async fn meta(desk: &Desk, work: &Work) -> Fate {
    match work.action.as_str() {
        "submit" => submit(desk, work).await,
        "edit" => edit(desk, work).await,
        "delete" => delete(desk, work).await,
        "upload" => upload::run(desk, work).await,
        other => Fate::failed("WA_001", format!("This worker does not know the work {other}.")),
    }
}

fn text<'a>(work: &'a Work, key: &str) -> &'a str {
    work.payload.get(key).and_then(Value::as_str).unwrap_or_default()
}

async fn find(desk: &Desk, work: &Work) -> Result<Option<TemplateInfo>, ApiError> {
    let (name, language) = (text(work, "name"), text(work, "language"));
    desk.graph
        .find_template(&work.waba_id, &work.access_token.0, name, language)
        .await
}

async fn submit(desk: &Desk, work: &Work) -> Fate {
    // An earlier attempt may have been taken, whether or not it was heard of: its worker can have died.
    if work.attempt > 1 {
        match find(desk, work).await {
            Ok(Some(found)) => return adopt(work, found),
            Ok(None) => {}
            Err(error) => return of_error(&error, work.attempt),
        }
    }
    let optional = |key: &str| work.payload.get(key).and_then(Value::as_str).map(str::to_owned);
    let template = NewTemplate {
        name: text(work, "name").to_owned(),
        category: text(work, "category").to_ascii_uppercase(),
        language: text(work, "language").to_owned(),
        parameter_format: optional("parameter_format").map(|format| format.to_lowercase()),
        components: components(work),
        message_send_ttl_seconds: work
            .payload
            .get("message_send_ttl_seconds")
            .and_then(Value::as_i64),
    };
    let created = desk
        .graph
        .create_template(&work.waba_id, &work.access_token.0, &template)
        .await;
    let error = match created {
        Ok(created) => {
            return Fate::Done(Done {
                wa_template_id: Some(created.id),
                status: Some(created.status),
                category: created.category,
                ..Done::default()
            });
        }
        Err(error) => error,
    };
    let exists =
        matches!(&error, ApiError::Refused(refusal) if refusal.template_refusal() == TemplateRefusal::Exists);
    if exists || may_have_happened(&error) {
        // Not found or not to be asked: the next attempt begins with looking again.
        if let Ok(Some(found)) = find(desk, work).await {
            return adopt(work, found);
        }
    }
    of_error(&error, work.attempt)
}

/// A template of this name is at Meta: ours if it says what ours says, somebody else's otherwise.
fn adopt(work: &Work, found: TemplateInfo) -> Fate {
    if says_the_same(&work.payload["components"], &found.components) {
        return Fate::Done(found.into());
    }
    Fate::failed(
        "TEMPLATE_005",
        "WhatsApp has another template of this name and language already.",
    )
}

async fn edit(desk: &Desk, work: &Work) -> Fate {
    let Some(id) = work.wa_template_id.as_deref() else {
        return Fate::failed("TEMPLATE_001", "WhatsApp never told an id for this template.");
    };
    let token = &work.access_token.0;
    // Editing again what was edited would use up the one edit a day.
    if work.attempt > 1 {
        match desk.graph.template(id, token).await {
            Ok(found) if was_taken(work, &found) => return Fate::Done(found.into()),
            Ok(_) => {}
            Err(error) => return of_missing(&error).unwrap_or_else(|| of_error(&error, work.attempt)),
        }
    }
    let category = Some(text(work, "category"))
        .filter(|category| !category.is_empty())
        .map(str::to_ascii_uppercase);
    let edited = desk
        .graph
        .edit_template(id, token, &components(work), category.as_deref())
        .await;
    let Err(error) = edited else {
        // The answer says nothing but success; what Meta made of it, its review and its category, is read.
        return match desk.graph.template(id, token).await {
            Ok(found) => Fate::Done(found.into()),
            Err(_) => Fate::Done(Done::default()),
        };
    };
    if let Some(fate) = of_missing(&error) {
        return fate;
    }
    let is_about_it = matches!(&error, ApiError::Refused(refusal) if refusal.template_refusal() == TemplateRefusal::Content);
    if !is_about_it && !may_have_happened(&error) {
        return of_error(&error, work.attempt);
    }
    let Ok(found) = desk.graph.template(id, token).await else {
        return of_error(&error, work.attempt);
    };
    match &error {
        ApiError::Refused(refusal) if is_about_it => why_not_edited(refusal, &found.status),
        _ if was_taken(work, &found) => Fate::Done(found.into()),
        _ => of_error(&error, work.attempt),
    }
}

/// Whether an edit whose answer was lost is what Meta shows. A rejected template was not edited, and files and samples cannot be told apart:
/// an edit asked for twice is refused at worst, one never asked for would be reported as done.
fn was_taken(work: &Work, found: &TemplateInfo) -> bool {
    let category = text(work, "category");
    let has_files = work.payload["components"].to_string().contains("header_handle");
    (category.is_empty()
        || found
            .category
            .as_deref()
            .is_some_and(|theirs| theirs.eq_ignore_ascii_case(category)))
        && found.status != "REJECTED"
        && (found.status != "APPROVED" || !has_files)
        && says_the_same(&work.payload["components"], &found.components)
}

/// Meta documents no codes for a template that may not be edited now: its state tells, and for approved ones its words.
fn why_not_edited(refusal: &GraphError, status: &str) -> Fate {
    let words = refusal.words();
    if !matches!(status, "APPROVED" | "REJECTED" | "PAUSED") {
        return Fate::failed("TEMPLATE_006", words);
    }
    let lower = words.to_lowercase();
    let is_limit = status == "APPROVED"
        && ["24 hour", "30 day", "24-hour", "30-day"]
            .iter()
            .any(|p| lower.contains(p));
    Fate::failed(if is_limit { "TEMPLATE_007" } else { "TEMPLATE_004" }, words)
}

/// A template's own id leads nowhere: it was deleted at Meta.
fn of_missing(error: &ApiError) -> Option<Fate> {
    match error {
        ApiError::Refused(refusal)
            if refusal.template_refusal() == TemplateRefusal::Missing
                || refusal.code == 803
                || (refusal.code == 100 && refusal.subcode == Some(33)) =>
        {
            Some(Fate::failed("TEMPLATE_001", refusal.words()))
        }
        _ => None,
    }
}

async fn delete(desk: &Desk, work: &Work) -> Fate {
    let id = match &work.wa_template_id {
        Some(id) => id.clone(),
        // Without an id Meta would delete the name in every language.
        None => match find(desk, work).await {
            Ok(Some(found)) => found.id,
            Ok(None) => return Fate::Done(Done::default()),
            Err(error) => return of_error(&error, work.attempt),
        },
    };
    let deleted = desk
        .graph
        .delete_template(&work.waba_id, &work.access_token.0, text(work, "name"), Some(&id))
        .await;
    match deleted {
        Ok(()) => Fate::Done(Done::default()),
        Err(ApiError::Refused(refusal)) if refusal.template_refusal() == TemplateRefusal::Missing => {
            Fate::Done(Done::default())
        }
        Err(ApiError::Refused(refusal))
            if refusal.template_refusal() == TemplateRefusal::Content && refusal.subcode != Some(33) =>
        {
            Fate::failed("TEMPLATE_006", refusal.words())
        }
        // Deleting twice is the same as once.
        Err(error) if may_have_happened(&error) => {
            Fate::again(work.attempt, Duration::ZERO, error.to_string())
        }
        Err(error) => of_error(&error, work.attempt),
    }
}

fn components(work: &Work) -> Vec<Value> {
    work.payload
        .get("components")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}
