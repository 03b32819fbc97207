//! `POST /{phone number id}/messages`: everything Meta checks, then acceptance, then what becomes of the message.

mod fields;
mod frame;
mod free_form;
mod interactive;
mod outcome;
mod template;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::connection::Scissors;
use crate::customers::{Behaviour, Customer};
use crate::directory::Number;
use crate::faults::Reply;
use crate::graph::access;
use crate::ids;
use crate::ledger::LedgerEntry;
use crate::refusal::Refusal;
use crate::settings::WindowPolicy;
use crate::templates::Template;
use crate::threads::Entry;
use crate::webhooks::Parcel;
use crate::world::{State, World};

pub use fields::messaging_product as check_messaging_product;
use frame::{Frame, Target};

/// What the locked part of a send decided.
enum Verdict {
    Accepted(Accepted),
    Read,
    Lost,
    Refused(Refusal),
}

struct Accepted {
    answer: Value,
    reply: Reply,
    latency: Duration,
    /// The `sent` status goes out before the answer.
    sent_first: Option<Arc<str>>,
}

/// Answers a send.
pub async fn send(
    world: &World,
    phone_number_id: &str,
    token: Option<&str>,
    body: &Bytes,
    path: &str,
    scissors: &Scissors,
) -> Response {
    let parsed = serde_json::from_slice::<Value>(body);
    let (seq, verdict) = {
        let mut state = world.state();
        let logged = parsed.as_ref().ok().cloned();
        let seq = state
            .requests
            .arrive("POST", path, logged, world.uptime_us(), world.now_ms());
        let verdict = match &parsed {
            Ok(body) => judge(world, &mut state, phone_number_id, token, body),
            Err(_) => Verdict::Refused(Refusal::parameter("The request body is not valid JSON.")),
        };
        let (status, code, outcome) = match &verdict {
            Verdict::Accepted(Accepted {
                reply: Reply::Dropped,
                ..
            }) => (0, None, "dropped_after"),
            Verdict::Accepted(Accepted {
                reply: Reply::BadGateway,
                ..
            }) => (502, None, "bad_gateway"),
            Verdict::Accepted(_) | Verdict::Read => (200, None, "answered"),
            Verdict::Lost => (0, None, "dropped_before"),
            Verdict::Refused(refusal) => (refusal.http_status, Some(refusal.code), "answered"),
        };
        state.requests.finish(seq, status, code, outcome);
        (seq, verdict)
    };
    let accepted = match verdict {
        Verdict::Accepted(accepted) => accepted,
        Verdict::Read => return axum::Json(json!({"success": true})).into_response(),
        Verdict::Refused(refusal) => return refusal.into_response(),
        Verdict::Lost => {
            scissors.cut();
            return StatusCode::BAD_GATEWAY.into_response();
        }
    };
    tracing::debug!(seq, "accepted");
    if let Some(wa_message_id) = accepted.sent_first {
        let acknowledged = world.post.put_and_wait(Parcel::Status {
            wa_message_id,
            status: "sent",
            error_code: None,
        });
        // A receiver that is away must not hold the send for ever.
        let _ = tokio::time::timeout(Duration::from_secs(5), acknowledged).await;
    }
    if !accepted.latency.is_zero() {
        tokio::time::sleep(accepted.latency).await;
    }
    match accepted.reply {
        Reply::Answered => axum::Json(accepted.answer).into_response(),
        Reply::BadGateway => (
            StatusCode::BAD_GATEWAY,
            "<html><body>502 Bad Gateway</body></html>",
        )
            .into_response(),
        Reply::Dropped => {
            scissors.cut();
            StatusCode::OK.into_response()
        }
    }
}

fn judge(
    world: &World,
    state: &mut State,
    phone_number_id: &str,
    token: Option<&str>,
    body: &Value,
) -> Verdict {
    if state.faults.loses_request() {
        return Verdict::Lost;
    }
    if let Err(refusal) = access::number(state, token, phone_number_id, "POST", world.now()) {
        return Verdict::Refused(refusal);
    }
    if body.get("status").is_some() {
        return match mark_read(world, state, phone_number_id, body) {
            Ok(()) => Verdict::Read,
            Err(refusal) => Verdict::Refused(refusal),
        };
    }
    if let Some((code, http_status)) = state.faults.refusal() {
        return Verdict::Refused(
            Refusal::new(code, "This error was asked for.").with_http_status(http_status),
        );
    }
    match accept(world, state, phone_number_id, body) {
        Ok(accepted) => Verdict::Accepted(accepted),
        Err(refusal) => Verdict::Refused(refusal),
    }
}

fn accept(
    world: &World,
    state: &mut State,
    phone_number_id: &str,
    body: &Value,
) -> Result<Accepted, Refusal> {
    let now = world.now();
    let number = state
        .directory
        .numbers
        .get_mut(phone_number_id)
        .ok_or_else(|| Refusal::no_such_object("POST", phone_number_id))?;
    usable(number)?;
    let frame = Frame::read(body, &number.digits())?;
    let template = check_content(&frame, &state.media, &state.templates, &number.waba_id, now)?;

    let phone = match &frame.target {
        Target::Phone(digits) => crate::customers::wa_id(digits),
        Target::UserId(id) => {
            if template.is_some_and(|template| template.category == "AUTHENTICATION") {
                return Err(Refusal::new(
                    131_062,
                    "Use a phone number for authentication templates.",
                ));
            }
            let known = state
                .customers
                .values()
                .find(|customer| customer.user_id == *id)
                .map(|c| c.phone.clone());
            known.ok_or_else(|| {
                Refusal::new(131_026, "No person with this business-scoped user id is known.")
            })?
        }
        Target::Group(_) => return Err(Refusal::new(131_020, "The group has no other members.")),
    };
    if phone == number.digits() {
        return Err(Refusal::new(
            131_021,
            "Recipient phone number cannot be the sender's.",
        ));
    }
    if number.blocked.contains(&phone) {
        return Err(Refusal::new(130_403, "The user is blocked by the business."));
    }
    let customer = state
        .customers
        .entry(phone.clone())
        .or_insert_with(|| Customer::new(&phone));
    if customer.behaviour == Behaviour::Refused {
        return Err(Refusal::new(customer.fail_code, "Message undeliverable."));
    }

    let instant = Instant::now();
    let thread = number.threads.entry(phone.clone()).or_default();
    let is_open = thread.is_open(now);
    let is_outside_window = template.is_none() && !is_open && state.settings.window != WindowPolicy::Off;
    if is_outside_window && state.settings.window == WindowPolicy::Sync {
        return Err(Refusal::new(
            131_047,
            "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
        ));
    }
    if !number
        .throughput
        .take(instant, state.faults.current().throttle_mps)
    {
        return Err(Refusal::new(
            130_429,
            "Message failed to send because there were too many messages sent from this phone number in a short period of time.",
        )
        .with_subcode(2_494_055));
    }
    if state.settings.pair_rate && !thread.pair_rate.take(instant) {
        return Err(Refusal::new(
            131_056,
            "Message failed to send because there were too many messages sent from this phone number to the same phone number in \
             a short period of time.",
        ));
    }

    let wa_message_id = ids::message_id(&phone, true);
    let is_held = template.is_some() && customer.behaviour == Behaviour::Held;
    let mut message = Map::new();
    message.insert("id".into(), wa_message_id.as_str().into());
    if template.is_some() {
        let status = if is_held {
            "held_for_quality_assessment"
        } else {
            "accepted"
        };
        message.insert("message_status".into(), status.into());
    }
    let mut contact = Map::new();
    contact.insert("input".into(), frame.input.into());
    if !customer.hides_phone || matches!(frame.target, Target::Phone(_)) {
        contact.insert("wa_id".into(), phone.as_str().into());
    }
    contact.insert("user_id".into(), customer.user_id.as_str().into());

    thread.add(Entry {
        id: wa_message_id.clone(),
        is_from_customer: false,
        kind: frame.kind.to_owned(),
        content: template.map_or_else(
            || frame.content.clone(),
            |template| template::rendered(template, frame.content),
        ),
        context_message_id: frame.context_message_id.map(str::to_owned),
        timestamp: now,
        status: Some("accepted".to_owned()),
        error_code: None,
    });
    state.ledger.push(LedgerEntry {
        seq: 0,
        wa_message_id: wa_message_id.clone(),
        phone_number_id: phone_number_id.to_owned(),
        input: frame.input.to_owned(),
        wa_id: phone.clone(),
        kind: frame.kind.to_owned(),
        biz_opaque_callback_data: frame.callback_data.map(str::to_owned),
        template: template.map(|template| template.name.clone()),
        accepted_at_ms: world.now_ms(),
        accepted_at_us: world.uptime_us(),
        statuses: Vec::new(),
    });
    let plan = outcome::plan(customer, &frame, template, is_outside_window, &state.settings);
    let sent_first = outcome::schedule(world, &mut state.faults, number, customer, plan, &wa_message_id);
    let accepted = Accepted {
        answer: json!({"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]}),
        reply: state.faults.reply(),
        latency: Duration::from_millis(state.faults.latency_ms()),
        sent_first,
    };
    world.announce(phone_number_id, &phone);
    Ok(accepted)
}

fn usable(number: &Number) -> Result<(), Refusal> {
    match number.status.as_str() {
        _ if number.is_registered() => Ok(()),
        "BANNED" | "RESTRICTED" => Err(Refusal::new(131_031, "The account has been locked.")),
        "MAINTENANCE" => Err(Refusal::new(131_057, "The account is in maintenance mode.")),
        _ => Err(Refusal::new(
            133_010,
            "The phone number is not registered with the WhatsApp Business Platform.",
        )),
    }
}

fn check_content<'a>(
    frame: &Frame<'_>,
    media: &crate::media::MediaStore,
    templates: &'a crate::templates::TemplateStore,
    waba_id: &str,
    now: i64,
) -> Result<Option<&'a Template>, Refusal> {
    match frame.kind {
        "template" => template::check(frame.content, templates, waba_id, media, now).map(Some),
        "interactive" => interactive::check(frame.content).map(|()| None),
        kind => free_form::check(kind, frame.content, media, now).map(|()| None),
    }
}

/// Read receipts (§6.4): the message must be one of the customer's.
fn mark_read(world: &World, state: &mut State, phone_number_id: &str, body: &Value) -> Result<(), Refusal> {
    fields::messaging_product(body)?;
    if body["status"] != "read" {
        return Err(Refusal::parameter("Param status must be one of {\"read\"}"));
    }
    let id = fields::required(body, "message_id", "message_id")?;
    let number = state
        .directory
        .numbers
        .get_mut(phone_number_id)
        .ok_or_else(|| Refusal::no_such_object("POST", phone_number_id))?;
    let found = number.threads.iter_mut().find_map(|(phone, thread)| {
        let at = thread
            .entries
            .iter()
            .position(|entry| entry.id == id && entry.is_from_customer)?;
        Some((phone.clone(), thread, at))
    });
    let Some((phone, thread, at)) = found else {
        return Err(Refusal::new(131_009, "Message ID not found."));
    };
    // Marks this message and all earlier ones.
    for entry in thread.entries[..=at]
        .iter_mut()
        .filter(|entry| entry.is_from_customer)
    {
        entry.status = Some("read".to_owned());
    }
    world.announce(phone_number_id, &phone);
    Ok(())
}
