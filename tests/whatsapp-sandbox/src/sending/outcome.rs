//! What becomes of an accepted message: which states it reaches and when.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::frame::Frame;
use crate::customers::{Behaviour, Customer};
use crate::directory::Number;
use crate::faults::FaultSource;
use crate::settings::Settings;
use crate::templates::Template;
use crate::webhooks::{Parcel, Route, payload};
use crate::world::World;

/// A state, the delay after acceptance in milliseconds, and the error of a failure.
pub type Step = (&'static str, u64, Option<i64>);

pub fn plan(
    customer: &Customer,
    frame: &Frame<'_>,
    template: Option<&Template>,
    is_outside_window: bool,
    settings: &Settings,
) -> Vec<Step> {
    let (sent, delivered) = (settings.sent_after_ms, settings.delivered_after_ms);
    let failed = |code| vec![("failed", sent, Some(code))];
    let is_marketing = template.is_some_and(|template| template.category == "MARKETING");
    if is_outside_window {
        return failed(131_047);
    }
    match customer.behaviour {
        Behaviour::Fails => return failed(customer.fail_code),
        Behaviour::StopsMarketing if is_marketing => return failed(131_050),
        Behaviour::Held if template.is_some() => return failed(132_015),
        Behaviour::FailsAfterSent => {
            return vec![
                ("sent", sent, None),
                ("failed", delivered, Some(customer.fail_code)),
            ];
        }
        Behaviour::Silent => return Vec::new(),
        _ => {}
    }
    if !settings.auto_status {
        return Vec::new();
    }
    // Reactions are only ever reported as sent.
    if frame.kind == "reaction" || customer.behaviour == Behaviour::NeverDelivered {
        return vec![("sent", sent, None)];
    }
    let mut steps = vec![("sent", sent, None)];
    if customer.behaviour == Behaviour::ReadAtOnce {
        steps.push(("read", delivered, None));
        return steps;
    }
    steps.push(("delivered", delivered, None));
    if let (Some(read), true) = (
        settings.read_after_ms,
        customer.behaviour != Behaviour::NoReceipts,
    ) {
        steps.push(("read", read, None));
        if customer.behaviour == Behaviour::Plays {
            steps.push(("played", read + sent, None));
        }
    }
    steps
}

/// Puts the steps into the post. Answers the message id when its `sent` must go out before the reply to the send.
pub fn schedule(
    world: &World,
    faults: &mut FaultSource,
    number: &Number,
    customer: &Customer,
    mut steps: Vec<Step>,
    wa_message_id: &str,
) -> Option<Arc<str>> {
    let id: Arc<str> = wa_message_id.into();
    let mut delays: Vec<u64> = steps.iter().map(|(_, delay, _)| *delay).collect();
    faults.reorder(&mut delays);
    for (step, delay) in steps.iter_mut().zip(delays) {
        step.1 = delay;
    }
    let sent_first =
        faults.current().status_before_reply && steps.first().is_some_and(|(status, ..)| *status == "sent");
    if sent_first {
        steps.remove(0);
    }
    let stops = steps.iter().any(|(_, _, code)| *code == Some(131_050));
    let preference = stops.then(|| {
        let value = stop_marketing(number, customer, world.now());
        let route = Route::Number {
            phone_number_id: number.id.clone(),
        };
        (
            Parcel::Change {
                route,
                field: "user_preferences",
                value,
            },
            Duration::ZERO,
        )
    });
    let statuses = steps.into_iter().map(|(status, delay, error_code)| {
        (
            Parcel::Status {
                wa_message_id: Arc::clone(&id),
                status,
                error_code,
            },
            Duration::from_millis(delay),
        )
    });
    world.post.put_all(preference.into_iter().chain(statuses));
    sent_first.then_some(id)
}

fn stop_marketing(number: &Number, customer: &Customer, now: i64) -> Value {
    let mut value = payload::number_value(number);
    value.insert("contacts".into(), json!([payload::contact(customer)]));
    let mut preference = json!({
        "user_id": customer.user_id,
        "detail": "User requested to stop marketing messages",
        "category": "marketing_messages",
        "value": "stop",
        "timestamp": now,
    });
    if !customer.hides_phone {
        preference["wa_id"] = customer.phone.as_str().into();
    }
    value.insert("user_preferences".into(), json!([preference]));
    Value::Object(value)
}
