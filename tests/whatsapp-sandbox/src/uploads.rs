//! Resumable uploads of an app: samples for templates' headers (§7). Their handles are not the ids of [`crate::media`].

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::ids;
use crate::media::class_of;
use crate::refusal::Refusal;

/// A file on its way.
#[derive(Debug)]
struct Session {
    app_id: String,
    mime_type: String,
    length: usize,
    bytes: BytesMut,
}

/// A file that arrived whole.
#[derive(Debug, Clone)]
pub struct Sample {
    pub mime_type: String,
    pub bytes: Bytes,
}

#[derive(Debug, Default)]
pub struct UploadStore {
    sessions: HashMap<String, Session>,
    /// By handle.
    samples: HashMap<String, Sample>,
}

impl UploadStore {
    /// Begins an upload; answers the session's id.
    pub fn begin(&mut self, app_id: &str, mime_type: &str, length: usize) -> Result<String, Refusal> {
        const TAKEN: [&str; 5] = [
            "image/jpeg",
            "image/jpg",
            "image/png",
            "video/mp4",
            "application/pdf",
        ];
        if !TAKEN.contains(&mime_type) {
            return Err(Refusal::parameter(format!(
                "Param file_type {mime_type} is not supported."
            )));
        }
        let limit = class_of(mime_type).map_or(5 << 20, |(_, limit)| limit);
        if length == 0 || length > limit {
            return Err(Refusal::parameter(format!(
                "Param file_length must be from 1 to {limit} for {mime_type}."
            )));
        }
        let id = format!("upload:{}?sig={}", ids::object_id(), ids::trace_id());
        self.sessions.insert(
            id.clone(),
            Session {
                app_id: app_id.to_owned(),
                mime_type: mime_type.to_owned(),
                length,
                bytes: BytesMut::new(),
            },
        );
        Ok(id)
    }

    /// How much of the file has come.
    pub fn offset(&self, id: &str) -> Option<usize> {
        self.sessions.get(id).map(|session| session.bytes.len())
    }

    /// Takes bytes from `offset` on; with the last one the file has a handle.
    pub fn receive(&mut self, id: &str, offset: usize, bytes: &[u8]) -> Option<Result<Value, Refusal>> {
        let session = self.sessions.get_mut(id)?;
        if offset != session.bytes.len() {
            return Some(Err(Refusal::parameter(format!(
                "Header file_offset must be {}.",
                session.bytes.len()
            ))));
        }
        session.bytes.extend_from_slice(bytes);
        if session.bytes.len() != session.length {
            return Some(Err(Refusal::parameter(format!(
                "{} of {} bytes have arrived.",
                session.bytes.len(),
                session.length
            ))));
        }
        let session = self.sessions.remove(id)?;
        let handle = format!("4::{}:{}:e:{}", ids::trace_id(), ids::trace_id(), session.app_id);
        self.samples.insert(
            handle.clone(),
            Sample {
                mime_type: session.mime_type,
                bytes: session.bytes.freeze(),
            },
        );
        Some(Ok(json!({"h": handle})))
    }

    pub fn sample(&self, handle: &str) -> Option<&Sample> {
        self.samples.get(handle)
    }

    /// Everything that arrived, for proofs.
    pub fn view(&self) -> Vec<Value> {
        let of = |(handle, sample): (&String, &Sample)| {
            let sha256 = hex::encode(Sha256::digest(&sample.bytes));
            json!({"handle": handle, "mime_type": sample.mime_type, "size": sample.bytes.len(), "sha256": sha256})
        };
        self.samples.iter().map(of).collect()
    }

    /// Every sample that `components` name must be a file of the header's kind.
    pub fn check(&self, components: &[Value]) -> Result<(), Refusal> {
        for header in headers(components) {
            let Some(handle) = header.pointer("/example/header_handle/0").and_then(Value::as_str) else {
                continue;
            };
            let format = header["format"].as_str().unwrap_or_default().to_ascii_lowercase();
            let is_good = self.sample(handle).is_some_and(|sample| {
                let mime_type = sample.mime_type.replace("image/jpg", "image/jpeg");
                class_of(&mime_type).is_some_and(|(kind, _)| kind == format)
            });
            if !is_good {
                return Err(crate::templates::refuse(
                    2_388_273,
                    "Invalid sample",
                    &format!("header_handle is not the handle of an uploaded {format}."),
                ));
            }
        }
        Ok(())
    }
}

/// The headers of a template and of its carousel's cards.
fn headers(components: &[Value]) -> impl Iterator<Item = &Value> {
    let cards = components
        .iter()
        .filter_map(|component| component["cards"].as_array())
        .flatten()
        .filter_map(|card| card["components"].as_array())
        .flatten();
    components.iter().chain(cards).filter(|component| {
        component["type"]
            .as_str()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("HEADER"))
    })
}
