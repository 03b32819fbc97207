//! Faults, settings, the clock, starting over.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Wrong, read};
use crate::faults::{FaultSource, Faults};
use crate::settings::Settings;
use crate::world::World;

pub async fn health() -> Answer {
    Ok(Json(json!({"status": "ok"})))
}

pub async fn faults(State(world): State<Arc<World>>) -> Answer {
    Ok(Json(json!(world.state().faults.current())))
}

/// Replaces all faults: what is not named is off. `{}` ends them all.
pub async fn set_faults(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Answer {
    let faults: Faults = read(body)?;
    faults.check().map_err(Wrong::request)?;
    let answer = json!(faults);
    world.state().faults = FaultSource::new(faults);
    Ok(Json(answer))
}

pub async fn settings(State(world): State<Arc<World>>) -> Answer {
    Ok(Json(json!(world.state().settings)))
}

/// Changes the named settings, keeps the others.
pub async fn set_settings(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Answer {
    let Value::Object(changes) = body else {
        return Err(Wrong::request("settings are an object"));
    };
    let mut state = world.state();
    let mut merged = json!(state.settings);
    for (key, value) in changes {
        merged[key] = value;
    }
    let settings: Settings = serde_json::from_value(merged).map_err(Wrong::request)?;
    state.settings = settings;
    Ok(Json(json!(state.settings)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advance {
    advance_seconds: i64,
}

pub async fn clock(State(world): State<Arc<World>>) -> Answer {
    Ok(Json(json!({"now": world.now()})))
}

/// Moves the sandbox's clock: windows close, files and tokens expire, timestamps follow.
pub async fn advance_clock(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Answer {
    let advance: Advance = read(body)?;
    world.advance_clock(advance.advance_seconds);
    Ok(Json(json!({"now": world.now()})))
}

pub async fn reset(State(world): State<Arc<World>>) -> Answer {
    world.reset();
    Ok(Json(json!({"reset": true})))
}
