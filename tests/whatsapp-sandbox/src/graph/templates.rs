//! Message templates (§8.1).

use std::time::Duration;

use serde_json::{Value, json};

use super::params::page;
use super::{Answer, Call, access};
use crate::refusal::Refusal;
use crate::templates::{Template, check_components, check_submission};
use crate::webhooks::Parcel;
use crate::world::State;

const DAY_SECONDS: i64 = 86_400;

pub fn list(call: &Call<'_>) -> Answer {
    let state = call.world.state();
    access::account(&state, call.token, call.object, "GET", call.world.now())?;
    let matches = |template: &&Template| {
        let is = |key: &str, value: &str| {
            call.params
                .text(key)
                .is_none_or(|asked| asked.eq_ignore_ascii_case(value))
        };
        // The name filter finds parts of names too.
        call.params
            .text("name")
            .is_none_or(|asked| template.name.contains(asked))
            && is("language", &template.language)
            && is("status", &template.status)
            && is("category", &template.category)
    };
    let templates = state
        .templates
        .of_account(call.object)
        .filter(matches)
        .map(Template::node)
        .collect();
    page(
        templates,
        &call.params,
        &format!("{}/{}/message_templates", call.base_url, call.object),
    )
}

pub fn create(call: &Call<'_>) -> Answer {
    let mut state = call.world.state();
    access::account(&state, call.token, call.object, "POST", call.world.now())?;
    let submission = check_submission(&call.params.as_value())?;
    state.uploads.check(&submission.components)?;
    let template = state
        .templates
        .submit(call.object, submission, call.world.now())?;
    let answer = json!({"id": template.id, "status": template.status, "category": template.category});
    let review = Parcel::Review {
        template_id: template.id.clone(),
    };
    call.world
        .post
        .put(review, Duration::from_millis(state.settings.template_review_ms));
    Ok(answer)
}

/// Replaces all components; approved templates once a day and ten times in thirty, and never their category.
pub fn edit(call: &Call<'_>) -> Answer {
    let now = call.world.now();
    let mut state = call.world.state();
    let granted = access::token(&state, call.token, now)?.waba_ids.clone();
    let review_ms = state.settings.template_review_ms;
    let State {
        templates, uploads, ..
    } = &mut *state;
    let template = templates
        .get_mut(call.object)
        .filter(|template| granted.contains(&template.waba_id))
        .ok_or_else(|| call.unsupported())?;
    let new_components = call.params.get("components").and_then(Value::as_array);
    uploads.check(new_components.map_or(&[], Vec::as_slice))?;
    let refuse = |why: &str| Refusal::parameter(why);
    if !["APPROVED", "REJECTED", "PAUSED"].contains(&template.status.as_str()) {
        return Err(refuse(
            "The template can only be edited while it is approved, rejected or paused.",
        ));
    }
    let category = call.params.text("category").map(str::to_ascii_uppercase);
    let is_approved = template.status == "APPROVED";
    if is_approved
        && category
            .as_ref()
            .is_some_and(|category| *category != template.category)
    {
        return Err(refuse("The category of an approved template cannot be changed."));
    }
    let edits_within = |seconds: i64| template.edits.iter().filter(|at| now - **at < seconds).count();
    if is_approved && (edits_within(DAY_SECONDS) >= 1 || edits_within(30 * DAY_SECONDS) >= 10) {
        return Err(refuse(
            "Approved templates can be edited once in 24 hours and ten times in 30 days.",
        ));
    }
    let new_category = category.unwrap_or_else(|| template.category.clone());
    if call.params.get("components").is_some() {
        template.components =
            check_components(call.params.get("components"), template.is_named, &new_category)?;
    }
    if is_approved {
        template.edits.push(now);
    }
    template.category = new_category;
    "PENDING".clone_into(&mut template.status);
    let review = Parcel::Review {
        template_id: template.id.clone(),
    };
    call.world.post.put(review, Duration::from_millis(review_ms));
    Ok(json!({"success": true}))
}

pub fn delete(call: &Call<'_>) -> Answer {
    let mut state = call.world.state();
    access::account(&state, call.token, call.object, "DELETE", call.world.now())?;
    let name = call.params.required("name")?;
    let is_disabled = |template: &Template| template.name == name && template.status == "DISABLED";
    if state.templates.of_account(call.object).any(is_disabled) {
        return Err(Refusal::parameter("A disabled template cannot be deleted."));
    }
    match state
        .templates
        .delete(call.object, name, call.params.text("hsm_id"), call.world.now())
    {
        0 => Err(Refusal {
            user_message: Some("The template could not be found.".to_owned()),
            ..Refusal::parameter("Message template not found").with_subcode(2_593_002)
        }),
        _ => Ok(json!({"success": Value::Bool(true)})),
    }
}
