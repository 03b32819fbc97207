//! From a person's wish to Meta's word: creations, edits and deletions, and answers that get lost.

use super::fixture::{WABA_ID, eventually};
use super::template_stage::{MAKING, ROLES, Stage, parcel, quoted};
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn a_template_is_submitted_reviewed_and_known_as_approved() {
    let stage = Stage::start().await;
    let id = stage.approved("parcel_here").await;
    let at_meta = stage.at_meta("parcel_here").await;
    assert_eq!(at_meta.len(), 1);
    assert_eq!(
        stage.column(id, "wa_template_id").await.as_deref(),
        at_meta[0]["id"].as_str()
    );
    assert_eq!(stage.column(id, "meta_status").await.as_deref(), Some("APPROVED"));
    assert_eq!(
        at_meta[0]["components"][0]["text"],
        "Hi {{1}}, your parcel has arrived at our shop today."
    );
    assert_eq!(stage.work().await, 0);
    stage.worker.stop().await;
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_found_and_not_made_again() {
    let stage = Stage::start().await;
    stage
        .faults(json!([{ "method": "POST", "path": MAKING, "outcome": "drop_reply", "times": 1 }]))
        .await;
    let id = stage.approved("lost_answer").await;
    assert_eq!(
        (
            stage.at_meta("lost_answer").await.len(),
            stage.asked("POST", MAKING).await
        ),
        (1, 1)
    );
    assert_eq!(stage.column(id, "problem").await, None);
    stage.worker.stop().await;
}

#[tokio::test]
async fn a_lost_answer_that_could_not_be_looked_into_is_looked_into_later() {
    let stage = Stage::start().await;
    // A review that takes its time: the webhook must not be what tells the id.
    stage
        .sandbox
        .set("settings", json!({ "template_review_ms": 6000 }))
        .await;
    stage
        .faults(json!([
            { "method": "POST", "path": MAKING, "outcome": "bad_gateway", "times": 1 },
            { "method": "GET", "path": MAKING, "outcome": "refuse", "code": 2, "times": 1 }]))
        .await;
    let id = stage.submitted("looked_into_later").await;
    eventually("its id is known", || async {
        stage.column(id, "wa_template_id").await.is_some()
    })
    .await;
    assert_eq!(
        (
            stage.at_meta("looked_into_later").await.len(),
            stage.asked("POST", MAKING).await
        ),
        (1, 1)
    );
    assert_eq!(stage.column(id, "status").await.as_deref(), Some("pending"));
    stage.is(id, "status", "approved").await;
    stage.worker.stop().await;
}

#[tokio::test]
async fn a_creation_that_never_arrived_is_made_again() {
    let stage = Stage::start().await;
    stage
        .faults(json!([
            { "method": "POST", "path": MAKING, "outcome": "drop_request", "times": 1 },
            { "method": "POST", "path": MAKING, "outcome": "refuse", "code": 2, "http_status": 503, "times": 1 }]))
        .await;
    stage.approved("never_arrived").await;
    assert_eq!(
        (
            stage.at_meta("never_arrived").await.len(),
            stage.asked("POST", MAKING).await
        ),
        (1, 3)
    );
    stage.worker.stop().await;
}

#[tokio::test]
async fn a_name_somebody_else_took_is_not_taken_over() {
    let stage = Stage::start().await;
    let id = stage
        .draft(
            "welcome_back",
            &parcel("Hi {{1}}, your parcel has arrived at our shop today."),
        )
        .await;
    stage
        .sandbox
        .set(
            "templates",
            json!({ "name": "welcome_back", "language": "en", "category": "UTILITY", "components": [{ "type": "BODY", "text": "Something else entirely." }] }),
        )
        .await;
    stage.submit(id).await;
    stage.is(id, "status", "draft").await;
    assert!(
        stage
            .column(id, "problem")
            .await
            .unwrap()
            .contains("another template of this name")
    );
    assert_eq!(stage.column(id, "wa_template_id").await, None);
    stage.worker.stop().await;
}

#[tokio::test]
async fn a_quota_of_meta_is_waited_for() {
    let stage = Stage::start().await;
    stage
        .faults(json!([{ "method": "POST", "path": MAKING, "outcome": "refuse", "code": 80007, "times": 1 }]))
        .await;
    stage
        .database
        .admin
        .batch_execute(
            "create table private.work_changes (attempt integer); grant insert on private.work_changes to public;
             create function private.note_change() returns trigger language plpgsql as
                $$ begin insert into private.work_changes values (new.attempt); return null; end $$;
             create trigger note_change after update on private.template_work for each row execute function private.note_change()",
        )
        .await
        .unwrap();
    let id = stage.submitted("patient").await;
    let waits = "select count(*) from private.template_work where attempt = 1 and run_after between now() + interval '4 minutes' and now() + interval '5 minutes'";
    // A claim puts it off, too: what the answer made of it is the second change.
    eventually("its answer is recorded", || async {
        stage
            .database
            .count("select count(*) from private.work_changes")
            .await
            == 2
    })
    .await;
    assert_eq!(stage.database.count(waits).await, 1);
    assert_eq!(stage.column(id, "status").await.as_deref(), Some("pending"));
    assert_eq!(stage.column(id, "problem").await, None);
    stage
        .database
        .admin
        .batch_execute("update private.template_work set run_after = now(); notify octopush_templates")
        .await
        .unwrap();
    stage.is(id, "status", "approved").await;
    stage.worker.stop().await;
}

#[tokio::test]
async fn what_meta_refuses_is_said_in_its_words() {
    let stage = Stage::start().await;
    stage
        .faults(json!([{ "method": "POST", "path": MAKING, "outcome": "refuse", "code": 100, "times": 1 }]))
        .await;
    let id = stage.submitted("refused").await;
    stage.is(id, "status", "draft").await;
    let problem = stage.column(id, "problem").await.unwrap();
    assert!(problem.contains("This error was asked for."), "{problem}");
    let told = "select data ->> 'code' from public.notifications where kind = 'template.failed'";
    assert_eq!(stage.database.text(told).await.as_deref(), Some("TEMPLATE_004"));
    stage.submit(id).await;
    stage.is(id, "status", "approved").await;
    assert_eq!(stage.column(id, "problem").await, None);
    stage.worker.stop().await;
}

#[tokio::test]
async fn a_dead_token_is_not_the_templates_fault() {
    let stage = Stage::start().await;
    stage
        .sandbox
        .set("tokens", json!({ "token": "sandbox-token", "revoke": true }))
        .await;
    let id = stage.submitted("no_token").await;
    stage.is(id, "status", "draft").await;
    let told = "select data ->> 'code' from public.notifications where kind = 'template.failed'";
    assert_eq!(stage.database.text(told).await.as_deref(), Some("WA_010"));
    stage.worker.stop().await;
}

#[tokio::test]
async fn a_rejection_keeps_its_reason_and_is_mended() {
    let stage = Stage::start().await;
    let id = stage.approved("second_thoughts").await;
    stage
        .meta_does(
            "second_thoughts",
            json!({ "status": "REJECTED", "reason": "INVALID_FORMAT" }),
        )
        .await;
    stage.is(id, "status", "rejected").await;
    assert_eq!(
        stage.column(id, "rejected_reason").await.as_deref(),
        Some("INVALID_FORMAT")
    );
    let updated_at = stage.column(id, "updated_at").await.unwrap();
    let fields = json!({ "components": parcel("Hi {{1}}, your parcel is waiting for you at our shop.") });
    stage
        .rpc(&format!(
            "public.update_template('{id}', {}, '{updated_at}')",
            quoted(&fields)
        ))
        .await
        .unwrap();
    stage.submit(id).await;
    stage.is(id, "status", "approved").await;
    let at_meta = stage.at_meta("second_thoughts").await;
    assert_eq!(
        at_meta[0]["components"][0]["text"],
        "Hi {{1}}, your parcel is waiting for you at our shop."
    );
    assert_eq!(stage.asked("POST", MAKING).await, 1, "an edit is not a creation");
    stage.worker.stop().await;
}

#[tokio::test]
async fn an_edit_whose_answer_was_lost_uses_up_one_edit() {
    let stage = Stage::start().await;
    let id = stage.approved("edited_once").await;
    let wa_id = stage.column(id, "wa_template_id").await.unwrap();
    stage
        .faults(json!([{ "method": "POST", "path": wa_id, "outcome": "drop_reply", "times": 1 }]))
        .await;
    let updated_at = stage.column(id, "updated_at").await.unwrap();
    let fields = json!({ "components": parcel("Hi {{1}}, your parcel is waiting for you at our shop.") });
    stage
        .rpc(&format!(
            "public.update_template('{id}', {}, '{updated_at}')",
            quoted(&fields)
        ))
        .await
        .unwrap();
    eventually("the edit is done", || async { stage.work().await == 0 }).await;
    stage.is(id, "status", "approved").await;
    assert_eq!(stage.asked("POST", &wa_id).await, 1);
    assert_eq!(stage.column(id, "problem").await, None);
    let text = stage.column(id, "components #>> '{0,text}'").await;
    assert_eq!(
        text.as_deref(),
        Some("Hi {{1}}, your parcel is waiting for you at our shop.")
    );
    stage.worker.stop().await;
}

#[tokio::test]
async fn one_language_is_deleted_and_the_others_stay() {
    let stage = Stage::start().await;
    let english = "select id::text from public.templates where name = 'order_update' and language = 'en'";
    let id: Uuid = stage.database.text(english).await.unwrap().parse().unwrap();
    // The deletion is taken and its answer lost: asked again, Meta says there is no such template, and that is as good.
    stage
        .faults(json!([{ "method": "DELETE", "path": MAKING, "outcome": "drop_reply", "times": 1 }]))
        .await;
    stage
        .rpc(&format!("public.delete_template('{id}')"))
        .await
        .unwrap();
    eventually("it is gone", || async {
        stage.column(id, "deleted_at").await.is_some()
    })
    .await;
    let left = stage.at_meta("order_update").await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["language"], "ms");
    assert_eq!(stage.asked("DELETE", MAKING).await, 2);
    stage.worker.stop().await;
}

#[tokio::test]
async fn two_workers_make_one_template() {
    let stage = Stage::start().await;
    let second = stage.sandbox.worker(&stage.database, &[ROLES]).await;
    let mut ids = Vec::new();
    for n in 0..12 {
        ids.push(stage.submitted(&format!("shared_{n}")).await);
    }
    for id in ids {
        stage.is(id, "status", "approved").await;
    }
    assert_eq!(stage.asked("POST", &format!("{WABA_ID}/{MAKING}")).await, 12);
    second.stop().await;
    stage.worker.stop().await;
}
