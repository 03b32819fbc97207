//! Campaigns through the sandbox, which counts per person: everybody once, whatever is killed, paused or refused meanwhile.

use super::fixture::{Worker, eventually};
use super::launching::Team;
use reqwest::{StatusCode, header, redirect};
use serde_json::{Value, json};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// Arrivals of accepted sends at the sandbox, in epoch milliseconds.
async fn arrivals(team: &Team) -> Vec<i64> {
    let calls = team.sandbox.get("requests").await;
    let is_send = |call: &&Value| {
        call["http_status"] == 200
            && call["path"]
                .as_str()
                .is_some_and(|path| path.ends_with("/messages"))
    };
    calls["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter(is_send)
        .map(|call| call["arrived_at_ms"].as_i64().unwrap())
        .collect()
}

#[tokio::test]
async fn a_campaign_arrives_once_with_everybody_who_may_get_it() {
    let team = Team::create(300).await;
    let worker = team.sandbox.worker(&team.database, &[]).await;
    let campaign = team.launched().await;
    team.is(campaign, "completed").await;
    eventually("every message is delivered", || async {
        let stats = team.stats(campaign).await;
        stats["delivered"] == stats["sent"] && stats["sent"].as_i64() > Some(0)
    })
    .await;
    team.everybody_got_it_once(campaign).await;
    let stats = team.stats(campaign).await;
    assert_eq!(
        (&stats["total"], &stats["excluded"]),
        (&json!(300), &json!(21)),
        "{stats}"
    );
    let reasons = format!(
        "select string_agg(x.r || ' ' || x.n, ', ' order by x.r) from (
            select exclusion_reason as r, count(*) as n from public.campaign_recipients where campaign_id = '{campaign}' and status = 'excluded' group by 1) x"
    );
    assert_eq!(
        team.database.text(&reasons).await.as_deref(),
        Some("not_opted_in 6, opted_out 15")
    );
    // Who never told a name gets the default.
    let bodies = "select count(*) from public.messages where body like 'Hi there, our spring sale%'";
    assert!(team.database.count(bodies).await > 30);
    let refused = team.call("launch_campaign", campaign).await.unwrap_err();
    assert!(refused.contains("CAMPAIGN_005"), "{refused}");
    worker.stop().await;
}

#[tokio::test]
async fn two_workers_share_a_campaign_and_double_nothing() {
    let team = Team::create(300).await;
    let first = team.sandbox.worker(&team.database, &[]).await;
    let second = team.sandbox.worker(&team.database, &[]).await;
    let campaign = team.launched().await;
    team.is(campaign, "completed").await;
    team.everybody_got_it_once(campaign).await;
    first.stop().await;
    second.stop().await;
}

/// `octopush run` as a process of its own, to be killed.
fn process(team: &Team) -> Child {
    let program = std::env::var("NEXTEST_BIN_EXE_octopush")
        .unwrap_or_else(|_| env!("CARGO_BIN_EXE_octopush").to_owned());
    Command::new(program)
        .arg("run")
        .env("OCTOPUSH_WORKER_DATABASE_URL", team.database.worker_url())
        .env("OCTOPUSH_WORKER_LISTEN", "127.0.0.1:0")
        .env("WHATSAPP_GRAPH_URL", team.sandbox.url())
        .env("WHATSAPP_APP_SECRET", super::fixture::APP_SECRET)
        .env("WHATSAPP_VERIFY_TOKEN", super::fixture::VERIFY_TOKEN)
        .env("OCTOPUSH_ROLES", "send,campaigns")
        .env_remove("SUPABASE_SERVICE_ROLE_KEY")
        .env("OCTOPUSH_LEASE_SECONDS", "12")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn a_worker_killed_in_the_middle_loses_and_doubles_nobody() {
    let team = Team::create(300).await;
    team.hold_to(200).await;
    // It takes the webhooks, by which what is uncertain is settled.
    let listening = team
        .sandbox
        .worker(&team.database, &[("OCTOPUSH_ROLES", "webhook,apply")])
        .await;
    team.sandbox.set("faults", json!({ "latency_ms": 100 })).await;
    let mut victim = process(&team);
    let campaign = team.launched().await;
    for taken in [40, 120] {
        eventually("some have it", || async { arrivals(&team).await.len() >= taken }).await;
        // kill -9.
        victim.kill().unwrap();
        victim.wait().unwrap();
        victim = process(&team);
    }
    eventually("nobody waits any more", || async {
        let stats = team.stats(campaign).await;
        let open = stats["waiting"].as_i64().unwrap() + stats["queued"].as_i64().unwrap();
        open == stats["uncertain"].as_i64().unwrap()
    })
    .await;
    // Uncertain are exactly those whose request the kill took with it: Meta has nothing of them.
    let taken = team.taken().await;
    assert!(taken.values().all(|count| *count == 1), "{taken:?}");
    eventually("what Meta has is settled", || async {
        team.stats(campaign).await["sent"].as_i64() == Some(taken.len() as i64)
    })
    .await;
    let stats = team.stats(campaign).await;
    assert_eq!(
        stats["sent"].as_i64().unwrap() + stats["uncertain"].as_i64().unwrap(),
        279,
        "{stats}"
    );
    victim.kill().unwrap();
    victim.wait().unwrap();
    listening.stop().await;
}

#[tokio::test]
async fn a_pause_takes_effect_within_a_second_and_a_resume_goes_on() {
    let team = Team::create(420).await;
    team.hold_to(80).await;
    let worker = team.sandbox.worker(&team.database, &[]).await;
    let campaign = team.launched().await;
    eventually("it is under way", || async { arrivals(&team).await.len() > 40 }).await;
    team.call("pause_campaign", campaign).await.unwrap();
    let paused_at = now_ms();
    let left = "select count(*) from private.outbox where state <> 'uncertain'";
    eventually("nothing of it is in the outbox", || async {
        team.database.count(left).await == 0
    })
    .await;
    // Whatever left late has arrived by then.
    eventually("a second and a half have passed", || async {
        now_ms() > paused_at + 1500
    })
    .await;
    let so_far = arrivals(&team).await;
    assert!(
        so_far.iter().all(|at| *at <= paused_at + 1000),
        "something left after the pause"
    );
    assert!(so_far.len() < 200, "{} of 392 had it", so_far.len());
    let refused = team.call("pause_campaign", campaign).await.unwrap_err();
    assert!(refused.contains("CAMPAIGN_005"), "{refused}");
    team.call("resume_campaign", campaign).await.unwrap();
    team.is(campaign, "completed").await;
    team.everybody_got_it_once(campaign).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_reply_does_not_wait_for_the_campaign() {
    let team = Team::create(1500).await;
    team.hold_to(80).await;
    let worker = team.sandbox.worker(&team.database, &[]).await;
    let conversation = team
        .organisation
        .conversation(&team.database, "60111111111")
        .await;
    let campaign = team.launched().await;
    eventually("it is under way", || async { arrivals(&team).await.len() > 80 }).await;
    for n in 0..5 {
        let begin = now_ms();
        let reply = team
            .organisation
            .say(&team.database, conversation, &format!("Answer {n}"))
            .await;
        eventually("Meta has the reply", || async {
            team.sandbox.accepted(reply).await == 1
        })
        .await;
        let calls = team.sandbox.get("requests").await;
        let arrived = calls["requests"]
            .as_array()
            .unwrap()
            .iter()
            .find(|call| call["body"]["biz_opaque_callback_data"] == reply.to_string())
            .map(|call| call["arrived_at_ms"].as_i64().unwrap())
            .unwrap();
        assert!(arrived - begin <= 1000, "{} ms", arrived - begin);
    }
    assert_eq!(team.status(campaign).await, "sending");
    team.call("cancel_campaign", campaign).await.unwrap();
    eventually("nothing of it is left to send", || async {
        team.database
            .count("select count(*) from private.outbox where state <> 'uncertain'")
            .await
            == 0
    })
    .await;
    let taken = team.taken().await;
    assert!(taken.len() < 1300, "cancelled in the middle");
    worker.stop().await;
}

#[tokio::test]
async fn refusals_that_speak_of_the_person_are_heard() {
    let team = Team::create(2).await;
    let special = "insert into public.contacts (org_id, phone, full_name, opt_in_status) values
        ($1, '+60199990001', 'Not there', 'opted_in'), ($1, '+60199990002', 'Tired', 'opted_in'),
        ($1, '+60199990003', 'Stopped', 'opted_in'), ($1, '+60199990006', 'Refused', 'opted_in')";
    team.database
        .admin
        .execute(special, &[&team.organisation.org_id])
        .await
        .unwrap();
    let worker = team.sandbox.worker(&team.database, &[]).await;
    let campaign = team.launched().await;
    let recipient =
        async |phone: &str, column: &str| team.recipient(campaign, phone, column).await.unwrap_or_default();
    for phone in ["+60199990001", "+60199990006"] {
        eventually("131026 fails for good", || async {
            recipient(phone, "status").await == "failed"
        })
        .await;
        assert_eq!(recipient(phone, "error_code").await, "131026");
        eventually("the number is marked", || async {
            let sql = format!("select not_on_whatsapp_at::text from public.contacts where phone = '{phone}'");
            team.database.text(&sql).await.is_some()
        })
        .await;
    }
    eventually("131049 waits", || async {
        recipient("+60199990002", "status").await == "waiting"
    })
    .await;
    let tomorrow = "select count(*) from public.campaign_recipients r join public.contacts c on c.id = r.contact_id
        where c.phone = '+60199990002' and r.ready_at between now() + interval '23 hours' and now() + interval '25 hours' and r.attempts = 1";
    assert_eq!(team.database.count(tomorrow).await, 1, "for a day");
    eventually("131050 fails for good", || async {
        recipient("+60199990003", "status").await == "failed"
    })
    .await;
    assert_eq!(recipient("+60199990003", "error_code").await, "131050");
    eventually("and opts out", || async {
        let sql =
            "select opt_in_status || ' ' || opt_in_source from public.contacts where phone = '+60199990003'";
        team.database.text(sql).await.as_deref() == Some("opted_out whatsapp")
    })
    .await;
    assert_eq!(team.status(campaign).await, "sending", "somebody still waits");
    worker.stop().await;
}

#[tokio::test]
async fn a_number_limited_for_its_reputation_pauses_its_campaigns() {
    let team = Team::create(120).await;
    team.hold_to(80).await;
    let worker = team.sandbox.worker(&team.database, &[]).await;
    team.sandbox
        .set("faults", json!({ "errors": [{ "code": 131_048, "times": 1 }] }))
        .await;
    let campaign = team.launched().await;
    team.is(campaign, "paused").await;
    let reason = format!("select status_reason from public.campaigns where id = '{campaign}'");
    assert_eq!(team.database.text(&reason).await.as_deref(), Some("131048"));
    team.call("resume_campaign", campaign).await.unwrap();
    team.is(campaign, "completed").await;
    team.everybody_got_it_once(campaign).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_scheduled_campaign_starts_at_its_time() {
    let team = Team::create(20).await;
    let worker = team.sandbox.worker(&team.database, &[]).await;
    let campaign = team.draft(json!({})).await;
    let schedule =
        format!("public.schedule_campaign('{campaign}', clock_timestamp() + interval '1500 milliseconds')");
    let row = super::storage::call(&team.database, &team.organisation, &schedule)
        .await
        .unwrap();
    assert_eq!(row["status"], "scheduled");
    team.is(campaign, "completed").await;
    team.everybody_got_it_once(campaign).await;
    let late =
        "select extract(epoch from c.launched_at - c.scheduled_at) between 0 and 3 from public.campaigns c";
    assert_eq!(
        team.database
            .text(&format!("select ({late})::text"))
            .await
            .as_deref(),
        Some("true")
    );
    worker.stop().await;
}

#[tokio::test]
async fn a_tap_on_the_button_is_in_the_ledger() {
    let team = Team::create(8).await;
    let worker = team.sandbox.worker(&team.database, &[]).await;
    let campaign = team.launched().await;
    team.is(campaign, "completed").await;
    let calls = team.sandbox.get("requests").await;
    let sends: Vec<&Value> = calls["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|call| call["body"]["type"] == "template")
        .collect();
    let token = |call: &Value| -> String {
        let components = call["body"]["template"]["components"].as_array().unwrap();
        let button = components.iter().find(|c| c["type"] == "button").unwrap();
        assert_eq!(
            (&button["sub_type"], button["index"].to_string().trim_matches('"')),
            (&json!("url"), "1")
        );
        button["parameters"][0]["text"].as_str().unwrap().to_owned()
    };
    let mut tokens: Vec<String> = sends.iter().map(|call| token(call)).collect();
    let (first, second) = (tokens[0].clone(), tokens[1].clone());
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), sends.len(), "everybody has a token of their own");
    let http = reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .build()
        .unwrap();
    for (token, agent) in [
        (&first, "Mozilla/5.0 (iPhone) Mobile Safari/604.1"),
        (&second, "WhatsApp/2.24 A"),
    ] {
        let answer = http
            .get(format!("{}/t/{token}", worker.url))
            .header(header::USER_AGENT, agent)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::FOUND);
        assert_eq!(
            answer.headers()[header::LOCATION],
            "https://shop.example.com/spring"
        );
    }
    let to = sends[0]["body"]["to"].as_str().unwrap().trim_start_matches('+');
    assert!(
        team.recipient(campaign, &format!("+{to}"), "clicked_at")
            .await
            .is_some()
    );
    assert_eq!(team.stats(campaign).await["clicked"], 1, "a preview is no tap");
    worker.stop().await;
}

#[tokio::test]
async fn an_answer_is_counted_with_the_campaign() {
    let team = Team::create(3).await;
    let worker: Worker = team.sandbox.worker(&team.database, &[]).await;
    let campaign = team.launched().await;
    team.is(campaign, "completed").await;
    let sent = "select m.wa_message_id from public.messages m join public.contacts c on c.id = m.contact_id where c.phone = '+60120000002'";
    let quoted = team.database.text(sent).await.unwrap();
    let answer = json!({ "text": "Tell me more", "context_message_id": quoted });
    team.sandbox.set("customers/+60120000002/messages", answer).await;
    eventually("it is in the ledger", || async {
        team.stats(campaign).await["replied"] == 1
    })
    .await;
    let replied = team.recipient(campaign, "+60120000002", "replied_at").await;
    assert!(replied.is_some());
    worker.stop().await;
}
