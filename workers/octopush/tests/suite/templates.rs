//! Templates from a person's wish to Meta's word, and what Meta does to them on its own.

use super::fixture::{Database, Organisation, Sandbox, WABA_ID, Worker, eventually};
use super::storage::{Storage, administration, call};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const ROLES: (&str, &str) = ("OCTOPUSH_ROLES", "webhook,apply,send,templates");
const MAKING: &str = "message_templates";

/// A database, an organisation whose person may do everything, a sandbox, a worker that has already fetched Meta's list.
struct Stage {
    database: Database,
    organisation: Organisation,
    sandbox: Sandbox,
    worker: Worker,
}

impl Stage {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    async fn with(extra: &[(&str, &str)]) -> Self {
        let (database, sandbox) = (Database::create().await, Sandbox::start().await);
        let organisation = administration(&database).await;
        sandbox.set("settings", json!({ "template_review_ms": 50 })).await;
        let mut settings = vec![ROLES];
        settings.extend_from_slice(extra);
        let worker = sandbox.worker(&database, &settings).await;
        let stage = Self {
            database,
            organisation,
            sandbox,
            worker,
        };
        eventually("Meta's list was fetched", || async {
            stage
                .database
                .count("select count(*) from private.template_syncs where synced_at is not null")
                .await
                == 1
        })
        .await;
        stage
    }

    async fn rpc(&self, call_text: &str) -> Result<Value, String> {
        call(&self.database, &self.organisation, call_text).await
    }

    /// A draft; its id.
    async fn draft(&self, name: &str, components: &Value) -> Uuid {
        let fields =
            json!({ "name": name, "language": "en", "category": "utility", "components": components });
        let made = self
            .rpc(&format!(
                "public.create_template('{}', {})",
                self.organisation.org_id,
                quoted(&fields)
            ))
            .await
            .unwrap();
        made["id"].as_str().unwrap().parse().unwrap()
    }

    async fn submit(&self, id: Uuid) {
        self.rpc(&format!("public.submit_template('{id}')"))
            .await
            .unwrap();
    }

    /// A template of this name on its way to Meta.
    async fn submitted(&self, name: &str) -> Uuid {
        let id = self
            .draft(
                name,
                &parcel("Hi {{1}}, your parcel has arrived at our shop today."),
            )
            .await;
        self.submit(id).await;
        id
    }

    async fn approved(&self, name: &str) -> Uuid {
        let id = self.submitted(name).await;
        self.is(id, "status", "approved").await;
        id
    }

    async fn column(&self, id: Uuid, column: &str) -> Option<String> {
        let sql = format!("select ({column})::text from public.templates where id = '{id}'");
        self.database.text(&sql).await
    }

    /// Waits until the template's column has this value.
    async fn is(&self, id: Uuid, column: &str, value: &str) {
        eventually(&format!("{column} is {value}"), || async {
            self.column(id, column).await.as_deref() == Some(value)
        })
        .await;
    }

    async fn id_of(&self, name: &str) -> Option<Uuid> {
        let sql = format!(
            "select id::text from public.templates where name = '{name}' and deleted_at is null limit 1"
        );
        self.database.text(&sql).await.map(|id| id.parse().unwrap())
    }

    /// Everything Meta has under this name.
    async fn at_meta(&self, name: &str) -> Vec<Value> {
        let listed = self.sandbox.get("templates").await;
        let all = listed["templates"].as_array().unwrap().iter();
        all.filter(|template| template["name"] == name).cloned().collect()
    }

    /// How often Meta was asked for this.
    async fn asked(&self, method: &str, path_part: &str) -> usize {
        let log = self.sandbox.get("requests").await;
        let requests = log["requests"].as_array().unwrap().iter();
        let is_it = |r: &&Value| r["method"] == method && r["path"].as_str().unwrap().contains(path_part);
        requests.filter(is_it).count()
    }

    async fn faults(&self, calls: Value) {
        self.sandbox.set("faults", json!({ "calls": calls })).await;
    }

    /// What Meta does to a template on its own.
    async fn meta_does(&self, name: &str, change: Value) {
        let id = self.at_meta(name).await[0]["id"].as_str().unwrap().to_owned();
        self.sandbox.set(&format!("templates/{id}"), change).await;
    }

    async fn sync(&self) {
        let org_id = self.organisation.org_id;
        self.rpc(&format!("public.sync_templates('{org_id}')"))
            .await
            .unwrap();
    }

    async fn work(&self) -> i64 {
        self.database
            .count("select count(*) from private.template_work")
            .await
    }
}

fn quoted(value: &Value) -> String {
    format!("'{}'", value.to_string().replace('\'', "''"))
}

fn parcel(text: &str) -> Value {
    json!([{ "type": "BODY", "text": text, "example": { "body_text": [["Mei"]] } }])
}

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
async fn whatever_meta_does_is_ours_at_once() {
    let stage = Stage::start().await;
    let id = stage.approved("watched").await;
    stage
        .meta_does("watched", json!({ "correct_category": "MARKETING" }))
        .await;
    stage.is(id, "correct_category", "marketing").await;
    assert_eq!(
        stage.column(id, "category").await.as_deref(),
        Some("utility"),
        "announced is not changed"
    );
    stage
        .meta_does("watched", json!({ "category": "MARKETING" }))
        .await;
    stage.is(id, "category", "marketing").await;
    assert_eq!(
        stage.column(id, "previous_category").await.as_deref(),
        Some("utility")
    );
    stage.meta_does("watched", json!({ "quality": "YELLOW" })).await;
    stage.is(id, "quality", "YELLOW").await;
    stage.meta_does("watched", json!({ "status": "PAUSED" })).await;
    stage.is(id, "status", "disabled").await;
    assert!(
        stage
            .column(id, "status_reason")
            .await
            .unwrap()
            .contains("3 hours")
    );
    stage.meta_does("watched", json!({ "status": "APPROVED" })).await;
    stage.is(id, "status", "approved").await;
    let kept = "select count(*) from public.whatsapp_events where payload #>> '{template,name}' = 'watched'";
    eventually("all of it is kept for people", || async {
        stage.database.count(kept).await >= 6
    })
    .await;
    // Changed in Meta's manager: the notice says what, the list says how it is now.
    stage
        .meta_does(
            "watched",
            json!({ "components": parcel("Hi {{1}}, somebody changed this text in Meta's manager.") }),
        )
        .await;
    stage
        .is(
            id,
            "components #>> '{0,text}'",
            "Hi {{1}}, somebody changed this text in Meta's manager.",
        )
        .await;
    stage.worker.stop().await;
}

#[tokio::test]
async fn meta_s_list_brings_what_was_made_elsewhere_and_what_webhooks_missed() {
    let stage = Stage::start().await;
    assert!(
        stage.id_of("order_update").await.is_some(),
        "there from the first list on"
    );
    let ours = stage.approved("missed").await;
    for n in 0..120 {
        let text = format!("Thank you, this is the message with the number {n} of many.");
        let body = json!({ "name": format!("elsewhere_{n}"), "language": "en", "category": "UTILITY", "components": [{ "type": "BODY", "text": text }] });
        stage.sandbox.set("templates", body).await;
    }
    stage
        .meta_does("missed", json!({ "status": "PAUSED", "tell": false }))
        .await;
    // The second page meets a quota and a fault: the list goes on after them.
    stage
        .faults(json!([
            { "method": "GET", "path": MAKING, "outcome": "refuse", "code": 4, "times": 1 },
            { "method": "GET", "path": MAKING, "outcome": "drop_reply", "times": 1 }]))
        .await;
    stage.sync().await;
    eventually("all are here", || async {
        stage
            .database
            .count(
                "select count(*) from public.templates where name like 'elsewhere%' and status = 'approved'",
            )
            .await
            == 120
    })
    .await;
    stage.is(ours, "status", "disabled").await;
    let gone = stage.id_of("elsewhere_7").await.unwrap();
    let wa_id = stage.column(gone, "wa_template_id").await.unwrap();
    let url = format!("{}/admin/templates/{wa_id}", stage.sandbox.url());
    reqwest::Client::new()
        .delete(url)
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();
    stage.sync().await;
    eventually("what is gone at Meta is gone here", || async {
        stage.column(gone, "deleted_at").await.is_some()
    })
    .await;
    assert!(stage.id_of("elsewhere_8").await.is_some());
    stage.worker.stop().await;
}

#[tokio::test]
async fn a_list_that_broke_off_takes_nothing_away() {
    let stage = Stage::start().await;
    let before = stage
        .database
        .count("select count(*) from public.templates where deleted_at is null")
        .await;
    let synced = "select extract(epoch from synced_at)::text from private.template_syncs";
    let complete = stage.database.text(synced).await;
    // Not a passing fault: the list ends where it is.
    stage
        .faults(json!([{ "method": "GET", "path": MAKING, "outcome": "refuse", "code": 100, "times": 1 }]))
        .await;
    let asked = stage.asked("GET", MAKING).await;
    stage.sync().await;
    eventually("Meta was asked", || async {
        stage.asked("GET", MAKING).await > asked
    })
    .await;
    stage.worker.stop().await;
    let left = stage
        .database
        .count("select count(*) from public.templates where deleted_at is null")
        .await;
    assert_eq!(left, before);
    assert_eq!(
        stage.database.text(synced).await,
        complete,
        "not taken for a complete one"
    );
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
async fn a_header_brings_its_picture() {
    const PICTURE: &[u8] = b"\x89PNG a picture of a parcel, in the eyes of a test";
    let (database, sandbox) = (Database::create().await, Sandbox::start().await);
    let organisation = administration(&database).await;
    let storage = Storage::start(&database).await;
    let key = std::env::var("SUPABASE_SERVICE_ROLE_KEY").unwrap();
    sandbox.set("settings", json!({ "template_review_ms": 50 })).await;
    let settings = [
        ROLES,
        ("SUPABASE_URL", storage.url.as_str()),
        ("SUPABASE_SERVICE_ROLE_KEY", key.as_str()),
    ];
    let worker = sandbox.worker(&database, &settings).await;
    let stage = Stage {
        database,
        organisation,
        sandbox,
        worker,
    };
    let path = format!("{}/{}/parcel.png", stage.organisation.org_id, Uuid::now_v7());
    let stored = reqwest::Client::new()
        .post(format!("{}/storage/v1/object/templates/{path}", storage.url))
        .bearer_auth(&key)
        .header("apikey", &key)
        .header("content-type", "image/png")
        .body(PICTURE)
        .send()
        .await
        .unwrap();
    assert!(stored.status().is_success(), "{}", stored.text().await.unwrap());
    let mut components = parcel("Hi {{1}}, your parcel has arrived at our shop today.");
    let header =
        json!({ "type": "HEADER", "format": "IMAGE", "media": { "path": path, "mime": "image/png" } });
    components.as_array_mut().unwrap().insert(0, header);
    let id = stage.draft("pictured", &components).await;
    // The bytes arrive and the answer breaks off; then a connection that never comes to be.
    stage
        .faults(json!([{ "method": "POST", "path": "upload:", "outcome": "drop_request", "times": 1 }]))
        .await;
    stage.submit(id).await;
    stage.is(id, "status", "approved").await;
    let samples = stage.sandbox.get("samples").await;
    assert_eq!(samples["samples"].as_array().unwrap().len(), 1);
    assert_eq!(
        samples["samples"][0]["sha256"],
        hex::encode(Sha256::digest(PICTURE))
    );
    assert_eq!(
        stage.asked("POST", "/uploads").await,
        1,
        "gone on with, not begun anew"
    );
    assert_eq!(
        stage.column(id, "components #>> '{0,media,path}'").await,
        Some(path),
        "our own file stays beside Meta's sample"
    );
    stage.worker.stop().await;
}

#[tokio::test]
async fn a_template_reaches_a_customer_whose_window_is_closed() {
    let stage = Stage::start().await;
    let id = stage.approved("knock_knock").await;
    let conversation = stage
        .organisation
        .conversation(&stage.database, "60111111111")
        .await;
    stage
        .database
        .admin
        .execute(
            "update public.conversations set window_expires_at = now() - interval '1 hour'",
            &[],
        )
        .await
        .unwrap();
    let payload = json!({ "template_id": id, "values": { "body.1": "Mei\nLing" } });
    let send = format!(
        "public.send_message('{conversation}', '{}', 'template', null, {})",
        Uuid::now_v7(),
        quoted(&payload)
    );
    let message = stage.rpc(&send).await.unwrap();
    let message_id: Uuid = message["id"].as_str().unwrap().parse().unwrap();
    eventually("it is delivered", || async {
        stage.database.message(message_id, "status").await.as_deref() == Some("delivered")
    })
    .await;
    assert_eq!(stage.sandbox.accepted(message_id).await, 1);
    assert_eq!(
        stage.database.message(message_id, "body").await.as_deref(),
        Some("Hi Mei Ling, your parcel has arrived at our shop today.")
    );
    // Disabled between queueing and sending: judged again when it leaves.
    stage
        .meta_does("knock_knock", json!({ "status": "PAUSED" }))
        .await;
    stage.is(id, "status", "disabled").await;
    assert!(
        stage
            .rpc(&send.replace(
                &message["client_key"].as_str().unwrap().to_owned(),
                &Uuid::now_v7().to_string()
            ))
            .await
            .unwrap_err()
            .contains("WA_002")
    );
    stage.worker.stop().await;
}

#[tokio::test]
async fn a_customer_who_stops_marketing_is_opted_out() {
    let stage = Stage::start().await;
    stage
        .organisation
        .conversation(&stage.database, "60111111111")
        .await;
    stage
        .database
        .admin
        .batch_execute("update public.contacts set opt_in_status = 'opted_in'")
        .await
        .unwrap();
    let consent = "select opt_in_status from public.contacts";
    stage
        .sandbox
        .set("customers/60111111111/preference", json!({ "value": "stop" }))
        .await;
    eventually("the contact is opted out", || async {
        stage.database.text(consent).await.as_deref() == Some("opted_out")
    })
    .await;
    let rejected = "select count(*) from private.webhook_events where state = 'rejected'";
    assert_eq!(stage.database.count(rejected).await, 0);
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
