//! Accounts, tokens, login codes.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Wrong, read};
use crate::config::default_account;
use crate::directory::{Code, NewAccount};
use crate::ids;
use crate::world::World;

pub async fn list(State(world): State<Arc<World>>) -> Answer {
    Ok(Json(json!({"accounts": world.state().directory.view()})))
}

/// Adds a number or changes one; answers it as the list shows it.
pub async fn add(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Answer {
    let new: NewAccount = read(body)?;
    let mut state = world.state();
    let id = state.directory.add(new);
    let account = state
        .directory
        .view()
        .into_iter()
        .find(|account| account.phone_number_id == id);
    let account = account.ok_or_else(|| Wrong::unknown("number"))?;
    state.templates.add_samples(&account.waba_id);
    Ok(Json(json!(account)))
}

pub async fn remove(State(world): State<Arc<World>>, Path(phone_number_id): Path<String>) -> Answer {
    match world.state().directory.numbers.remove(&phone_number_id) {
        Some(_) => Ok(Json(json!({"removed": phone_number_id}))),
        None => Err(Wrong::unknown("number")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenChange {
    token: String,
    /// Seconds from now; 0 expires it at once, absent never.
    expires_in: Option<i64>,
    /// Forget the token altogether.
    #[serde(default)]
    revoke: bool,
    waba_id: Option<String>,
}

/// Adds, expires or revokes a token.
pub async fn set_token(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Answer {
    let change: TokenChange = read(body)?;
    let now = world.now();
    let directory = &mut world.state().directory;
    if change.revoke {
        directory.tokens.remove(&change.token);
        return Ok(Json(json!({"revoked": true})));
    }
    if let Some(waba_id) = &change.waba_id {
        directory.grant(change.token.clone(), waba_id);
    }
    let token = directory
        .tokens
        .get_mut(&change.token)
        .ok_or_else(|| Wrong::unknown("token"))?;
    token.expires_at = change.expires_in.map_or(0, |seconds| (now + seconds).max(1));
    Ok(Json(json!({"expires_at": token.expires_at})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCode {
    #[serde(default)]
    waba_id: Option<String>,
}

/// A login code of an embedded sign-up: 30 seconds, once.
pub async fn issue_code(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Answer {
    const TTL_SECONDS: i64 = 30;
    let new: NewCode = read(body)?;
    let code = ids::secret();
    let waba_id = new.waba_id.unwrap_or_else(|| default_account::WABA_ID.to_owned());
    let expires_at = world.now() + TTL_SECONDS;
    world.state().directory.codes.insert(
        code.clone(),
        Code {
            waba_ids: vec![waba_id],
            expires_at,
        },
    );
    Ok(Json(json!({"code": code, "expires_at": expires_at})))
}
