//! Uploading samples for templates' headers (§7).

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use serde_json::json;

use super::{Answer, Call, access};
use crate::refusal::Refusal;
use crate::world::World;

pub fn begin(call: &Call<'_>) -> Answer {
    let mut state = call.world.state();
    let token = access::token(&state, call.token, call.world.now())?;
    if token.app_id != call.object {
        return Err(call.unsupported());
    }
    call.params.required("file_name")?;
    let mime_type = call.params.required("file_type")?;
    let length = call
        .params
        .number("file_length")
        .ok_or_else(|| Refusal::parameter("The parameter file_length is required."))?;
    let id = state.uploads.begin(call.object, mime_type, length)?;
    Ok(json!({"id": id}))
}

/// `GET` asks how much has come, `POST` brings more.
pub fn session(
    world: &World,
    method: &str,
    object: &str,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Answer {
    // Unlike everything else, an upload knows the scheme OAuth only.
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("OAuth "));
    let mut state = world.state();
    access::token(&state, token, world.now())?;
    let id = match query {
        Some(query) => format!("{object}?{query}"),
        None => object.to_owned(),
    };
    let unknown = || Refusal::no_such_object(method, object);
    if method == "GET" {
        let offset = state.uploads.offset(&id).ok_or_else(unknown)?;
        return Ok(json!({"id": id, "file_offset": offset}));
    }
    let offset = headers
        .get("file_offset")
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .ok_or_else(|| Refusal::parameter("The header file_offset is required."))?;
    state.uploads.receive(&id, offset, body).ok_or_else(unknown)?
}
