//! Who gets an account's webhooks (§1.4, §1.5).

use serde_json::{Value, json};

use super::{Answer, Call, access};
use crate::config::default_account;
use crate::refusal::Refusal;
use crate::webhooks::verify_callback;

pub async fn subscribed_apps(call: &Call<'_>) -> Answer {
    access::account(
        &call.world.state(),
        call.token,
        call.object,
        call.method.as_str(),
        call.world.now(),
    )?;
    if call.method == "GET" {
        let state = call.world.state();
        let waba = state
            .directory
            .wabas
            .get(call.object)
            .ok_or_else(|| call.unsupported())?;
        let mut app = json!({"whatsapp_business_api_data": {
            "id": default_account::APP_ID, "name": "Sandbox app", "link": "https://www.facebook.com/games/?app_id=300000000000001"}});
        if let Some(callback) = &waba.override_callback {
            app["override_callback_uri"] = callback.as_str().into();
        }
        let apps: Vec<Value> = waba.is_subscribed.then_some(app).into_iter().collect();
        return Ok(json!({"data": apps}));
    }
    let is_subscribing = call.method == "POST";
    let callback = call
        .params
        .text("override_callback_uri")
        .filter(|_| is_subscribing)
        .map(str::to_owned);
    if let Some(callback) = &callback {
        if callback.len() > 200 {
            return Err(Refusal::parameter(
                "Param override_callback_uri must be at most 200 characters long.",
            ));
        }
        verify_callback(callback, call.params.required("verify_token")?).await?;
    }
    let mut state = call.world.state();
    let waba = state
        .directory
        .wabas
        .get_mut(call.object)
        .ok_or_else(|| call.unsupported())?;
    waba.is_subscribed = is_subscribing;
    // Subscribing without a body removes an override.
    waba.override_callback = callback;
    Ok(json!({"success": true}))
}

/// The app's own callback, set with the app's token.
pub async fn subscriptions(call: &Call<'_>) -> Answer {
    {
        let state = call.world.state();
        let token = access::token(&state, call.token, call.world.now())?;
        if !token.is_app_token || call.object != token.app_id {
            return Err(Refusal::new(200, "An app access token of this app is required."));
        }
    }
    if call.params.required("object")? != "whatsapp_business_account" {
        return Err(Refusal::parameter(
            "Param object must be whatsapp_business_account",
        ));
    }
    let callback = call.params.required("callback_url")?;
    verify_callback(callback, call.params.required("verify_token")?).await?;
    callback.clone_into(&mut call.world.state().settings.webhook_url);
    Ok(json!({"success": true}))
}
