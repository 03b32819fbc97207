//! Uploading, fetching and deleting files (§7).

use std::sync::Arc;

use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::json;

use super::{Answer, Call, access, bearer, params::Params};
use crate::media::check_upload;
use crate::refusal::Refusal;
use crate::world::World;

pub async fn upload(world: &World, phone_number_id: &str, request: Request) -> Answer {
    let broken = || Refusal::parameter("The request body is not a form with a file.");
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| broken())?;
    let mut product: Option<String> = None;
    let mut declared: Option<String> = None;
    let mut file: Option<(Option<String>, Bytes)> = None;
    while let Some(field) = form.next_field().await.map_err(|_| broken())? {
        match field.name().unwrap_or_default() {
            "messaging_product" => product = Some(field.text().await.map_err(|_| broken())?),
            "type" => declared = Some(field.text().await.map_err(|_| broken())?),
            "file" => {
                let mime_type = field.content_type().map(str::to_owned);
                file = Some((mime_type, field.bytes().await.map_err(|_| broken())?));
            }
            _ => {}
        }
    }
    if product.as_deref() != Some("whatsapp") {
        return Err(Refusal::parameter("The parameter messaging_product is required."));
    }
    let (part_type, bytes) = file.ok_or_else(|| Refusal::parameter("The parameter file is required."))?;
    // The part's own type decides; the field stands in for clients that send none.
    let mime_type = part_type
        .filter(|mime_type| mime_type != "application/octet-stream")
        .or(declared)
        .unwrap_or_else(|| "application/octet-stream".to_owned());
    check_upload(&mime_type, bytes.len())?;
    let mut state = world.state();
    let expires_at = world.now() + state.settings.uploaded_media_ttl_seconds;
    let media = state.media.add(phone_number_id, &mime_type, bytes, expires_at);
    Ok(json!({"id": media.id}))
}

pub fn delete(call: &Call<'_>) -> Answer {
    let mut state = call.world.state();
    let granted = access::token(&state, call.token, call.world.now())?
        .waba_ids
        .clone();
    let owner = state
        .media
        .get(call.object, call.world.now())
        .map(|media| media.phone_number_id.clone());
    let is_ours = owner
        .and_then(|owner| state.directory.numbers.get(&owner))
        .is_some_and(|number| granted.contains(&number.waba_id));
    if is_ours && state.media.remove(call.object) {
        Ok(json!({"success": true}))
    } else {
        Err(call.unsupported())
    }
}

/// The bytes: the address must be fresh and the bearer valid, and 404 says that it is not fresh any more.
pub async fn download(
    State(world): State<Arc<World>>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Response {
    let state = world.state();
    if let Err(refusal) = access::token(&state, bearer(&headers, &Params::default()), world.now()) {
        return refusal.into_response();
    }
    match state.media.by_link(&key, world.now()) {
        Some(media) => (
            [(header::CONTENT_TYPE, media.mime_type.clone())],
            media.bytes.clone(),
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
