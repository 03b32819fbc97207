//! Business numbers: listing, registering, profile, callback (§0.2, §10.1).

use serde_json::{Value, json};

use super::params::page;
use super::{Answer, Call, access};
use crate::refusal::Refusal;
use crate::sending::check_messaging_product;
use crate::webhooks::verify_callback;

pub fn list(call: &Call<'_>) -> Answer {
    let state = call.world.state();
    access::account(&state, call.token, call.object, "GET", call.world.now())?;
    let mut numbers: Vec<_> = state
        .directory
        .numbers
        .values()
        .filter(|number| number.waba_id == call.object)
        .collect();
    numbers.sort_by(|a, b| a.id.cmp(&b.id));
    let nodes = numbers
        .into_iter()
        .map(|number| number.node(call.params.text("fields")))
        .collect();
    page(
        nodes,
        &call.params,
        &format!("{}/{}/phone_numbers", call.base_url, call.object),
    )
}

fn checked_pin(call: &Call<'_>) -> Result<String, Refusal> {
    let pin = call.params.required("pin")?;
    if pin.len() == 6 && pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(pin.to_owned());
    }
    Err(Refusal::parameter("Param pin must be 6 characters long."))
}

pub fn register(call: &Call<'_>) -> Answer {
    let mut state = call.world.state();
    access::number(&state, call.token, call.object, "POST", call.world.now())?;
    check_messaging_product(&call.params.as_value())?;
    let pin = checked_pin(call)?;
    let number = state
        .directory
        .numbers
        .get_mut(call.object)
        .ok_or_else(|| call.unsupported())?;
    if number.pin.as_ref().is_some_and(|own| *own != pin) {
        return Err(Refusal::new(133_005, "Two step verification PIN mismatch."));
    }
    number.pin = Some(pin);
    "CONNECTED".clone_into(&mut number.status);
    Ok(json!({"success": true}))
}

pub fn deregister(call: &Call<'_>) -> Answer {
    let mut state = call.world.state();
    access::number(&state, call.token, call.object, "POST", call.world.now())?;
    let number = state
        .directory
        .numbers
        .get_mut(call.object)
        .ok_or_else(|| call.unsupported())?;
    "PENDING".clone_into(&mut number.status);
    Ok(json!({"success": true}))
}

pub fn profile(call: &Call<'_>) -> Answer {
    let state = call.world.state();
    access::number(&state, call.token, call.object, "GET", call.world.now())?;
    let number = state
        .directory
        .numbers
        .get(call.object)
        .ok_or_else(|| call.unsupported())?;
    let mut profile = number.profile.clone();
    profile.insert("messaging_product".into(), "whatsapp".into());
    Ok(json!({"data": [profile]}))
}

pub fn set_profile(call: &Call<'_>) -> Answer {
    let mut state = call.world.state();
    access::number(&state, call.token, call.object, "POST", call.world.now())?;
    check_messaging_product(&call.params.as_value())?;
    for (key, limit) in [
        ("about", 139),
        ("address", 256),
        ("description", 512),
        ("email", 128),
    ] {
        if call
            .params
            .text(key)
            .is_some_and(|text| text.chars().count() > limit)
        {
            return Err(Refusal::parameter(format!(
                "Param {key} must be at most {limit} characters long."
            )));
        }
    }
    if call
        .params
        .get("websites")
        .and_then(Value::as_array)
        .is_some_and(|list| list.len() > 2)
    {
        return Err(Refusal::parameter("Param websites must have at most 2 elements."));
    }
    let number = state
        .directory
        .numbers
        .get_mut(call.object)
        .ok_or_else(|| call.unsupported())?;
    if let Value::Object(fields) = call.params.as_value() {
        let known = ["about", "address", "description", "email", "vertical", "websites"];
        number.profile.extend(
            fields
                .into_iter()
                .filter(|(key, _)| known.contains(&key.as_str())),
        );
    }
    Ok(json!({"success": true}))
}

/// `POST /{number}`: its PIN, its own callback (which is verified first; an empty one is taken away).
pub async fn change(call: &Call<'_>) -> Answer {
    access::number(
        &call.world.state(),
        call.token,
        call.object,
        "POST",
        call.world.now(),
    )?;
    let pin = call.params.text("pin").map(|_| checked_pin(call)).transpose()?;
    let configuration = call.params.get("webhook_configuration");
    let callback = configuration
        .and_then(|c| c["override_callback_uri"].as_str())
        .filter(|url| !url.is_empty());
    if let Some(callback) = callback {
        let verify_token = configuration
            .and_then(|c| c["verify_token"].as_str())
            .unwrap_or_default();
        verify_callback(callback, verify_token).await?;
    }
    let mut state = call.world.state();
    let number = state
        .directory
        .numbers
        .get_mut(call.object)
        .ok_or_else(|| call.unsupported())?;
    if configuration.is_some() {
        number.override_callback = callback.map(str::to_owned);
    }
    number.pin = pin.or_else(|| number.pin.take());
    Ok(json!({"success": true}))
}
