//! Tokens (§10): what one is worth, and getting one for a login code.

use serde_json::json;

use super::{Answer, Call, access};
use crate::config::default_account;
use crate::ids;
use crate::refusal::Refusal;

pub fn debug(call: &Call<'_>) -> Answer {
    let state = call.world.state();
    let now = call.world.now();
    access::token(&state, call.token, now)?;
    let asked = call.params.required("input_token")?;
    let Some(token) = state.directory.tokens.get(asked) else {
        return Ok(json!({"data": {"is_valid": false, "scopes": [], "error": {
            "code": 190, "message": "Invalid OAuth access token - Cannot parse access token"}}}));
    };
    let scopes = ["whatsapp_business_management", "whatsapp_business_messaging"];
    let granular: Vec<_> = scopes
        .iter()
        .map(|scope| json!({"scope": scope, "target_ids": token.waba_ids}))
        .collect();
    Ok(json!({"data": {
        "app_id": token.app_id,
        "type": if token.is_app_token { "APP" } else { "SYSTEM_USER" },
        "application": "Sandbox app",
        "is_valid": token.expires_at == 0 || token.expires_at > now,
        "expires_at": token.expires_at,
        "scopes": scopes,
        "granular_scopes": granular,
        "user_id": "500000000000001",
    }}))
}

/// A code lives for 30 seconds and works once.
pub fn exchange(call: &Call<'_>) -> Answer {
    let params = &call.params;
    let is_app = params.required("client_id")? == default_account::APP_ID
        && params.required("client_secret")? == call.world.config.app_secret;
    if !is_app {
        return Err(Refusal {
            http_status: 400,
            ..Refusal::new(101, "Error validating client secret.")
        });
    }
    let code = params.required("code")?;
    let mut state = call.world.state();
    let granted = state
        .directory
        .codes
        .remove(code)
        .filter(|code| call.world.now() < code.expires_at)
        .ok_or_else(|| {
            Refusal::parameter("This authorization code has been used or has expired.").with_subcode(36_009)
        })?;
    let secret = ids::secret();
    for waba_id in granted.waba_ids {
        state.directory.grant(secret.clone(), &waba_id);
    }
    Ok(json!({"access_token": secret, "token_type": "bearer"}))
}
