//! Files: uploaded by the business (30 days) or sent by customers (7 days), served at addresses that live five minutes.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::ids;
use crate::refusal::Refusal;

/// A file Meta holds.
#[derive(Debug, Clone)]
pub struct StoredMedia {
    pub id: String,
    pub phone_number_id: String,
    pub mime_type: String,
    pub bytes: Bytes,
    pub expires_at: i64,
}

/// An address handed out.
#[derive(Debug, Clone)]
struct Link {
    media_id: String,
    expires_at: i64,
}

#[derive(Debug, Default)]
pub struct MediaStore {
    files: HashMap<String, StoredMedia>,
    links: HashMap<String, Link>,
}

const MB: usize = 1024 * 1024;

/// Message type and size limit by MIME type (§7); `None` when Meta takes no such file.
pub fn class_of(mime_type: &str) -> Option<(&'static str, usize)> {
    let bare = mime_type
        .split(';')
        .next()
        .unwrap_or(mime_type)
        .trim()
        .to_ascii_lowercase();
    Some(match bare.as_str() {
        "audio/aac" | "audio/amr" | "audio/mpeg" | "audio/mp4" | "audio/ogg" => ("audio", 16 * MB),
        "image/jpeg" | "image/png" => ("image", 5 * MB),
        "image/webp" => ("sticker", 500 * 1024),
        "video/mp4" | "video/3gpp" => ("video", 16 * MB),
        "text/plain"
        | "application/pdf"
        | "application/msword"
        | "application/vnd.ms-excel"
        | "application/vnd.ms-powerpoint" => ("document", 100 * MB),
        other if other.starts_with("application/vnd.openxmlformats-officedocument.") => {
            ("document", 100 * MB)
        }
        _ => return None,
    })
}

/// What Meta says to an upload it does not want.
pub fn check_upload(mime_type: &str, size: usize) -> Result<(), Refusal> {
    let Some((_, limit)) = class_of(mime_type) else {
        return Err(Refusal::parameter(format!(
            "Param file must be a file with one of the following types: audio/aac, audio/mp4, audio/mpeg, audio/amr, audio/ogg, \
             audio/opus, application/vnd.ms-powerpoint, application/msword, \
             application/vnd.openxmlformats-officedocument.wordprocessingml.document, application/pdf, text/plain, \
             application/vnd.ms-excel, image/jpeg, image/png, image/webp, video/mp4, video/3gpp. Received file of type '{mime_type}'."
        )));
    };
    if mime_type.trim().eq_ignore_ascii_case("audio/ogg; codecs=vorbis") {
        return Err(Refusal::new(
            131_053,
            "Only OGG with the Opus codec is supported.",
        ));
    }
    if size == 0 {
        return Err(Refusal::parameter("The parameter file is required."));
    }
    if size > limit {
        return Err(Refusal::new(
            131_053,
            format!("File of {size} bytes is larger than the {limit} allowed for {mime_type}."),
        ));
    }
    Ok(())
}

impl StoredMedia {
    /// Base64 of the digest, as webhooks give it.
    pub fn sha256(&self) -> String {
        STANDARD.encode(Sha256::digest(&self.bytes))
    }

    /// Hexadecimal digest, as the API gives it.
    fn sha256_hex(&self) -> String {
        Sha256::digest(&self.bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

impl MediaStore {
    pub fn add(
        &mut self,
        phone_number_id: &str,
        mime_type: &str,
        bytes: Bytes,
        expires_at: i64,
    ) -> StoredMedia {
        let media = StoredMedia {
            id: ids::object_id(),
            phone_number_id: phone_number_id.to_owned(),
            mime_type: mime_type.to_owned(),
            bytes,
            expires_at,
        };
        self.files.insert(media.id.clone(), media.clone());
        media
    }

    pub fn get(&self, id: &str, now: i64) -> Option<&StoredMedia> {
        self.files.get(id).filter(|media| now < media.expires_at)
    }

    pub fn remove(&mut self, id: &str) -> bool {
        self.files.remove(id).is_some()
    }

    /// A fresh path for a file.
    pub fn link(&mut self, media_id: &str, expires_at: i64) -> String {
        let key = ids::secret();
        self.links.insert(
            key.clone(),
            Link {
                media_id: media_id.to_owned(),
                expires_at,
            },
        );
        format!("/media/{key}")
    }

    pub fn by_link(&self, key: &str, now: i64) -> Option<&StoredMedia> {
        let link = self.links.get(key).filter(|link| now < link.expires_at)?;
        self.get(&link.media_id, now)
    }

    /// The answer to `GET /{media id}`.
    pub fn node(&mut self, id: &str, base_url: &str, now: i64, link_ttl: i64) -> Option<Value> {
        let media = self.get(id, now)?.clone();
        let path = self.link(id, now + link_ttl);
        Some(json!({
            "messaging_product": "whatsapp",
            "url": format!("{base_url}{path}"),
            "mime_type": media.mime_type,
            "sha256": media.sha256_hex(),
            // A string in some answers and a number in others.
            "file_size": media.bytes.len().to_string(),
            "id": media.id,
        }))
    }
}

/// A small file of the kind, for customers who send one without bringing their own.
pub fn sample(kind: &str) -> (&'static str, Bytes) {
    /// One transparent pixel.
    const PNG: &[u8] = &[
        0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0,
        0, 0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0d, b'I', b'D', b'A', b'T', 0x78, 0x9c,
        0x63, 0xf8, 0xcf, 0xc0, 0xf0, 0x1f, 0, 5, 0, 1, 0xff, 0x89, 0x99, 0x3d, 0x1d, 0, 0, 0, 0, b'I', b'E',
        b'N', b'D', 0xae, 0x42, 0x60, 0x82,
    ];
    match kind {
        "image" => ("image/png", Bytes::from_static(PNG)),
        "sticker" => (
            "image/webp",
            Bytes::from_static(
                b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0",
            ),
        ),
        "audio" => (
            "audio/ogg; codecs=opus",
            Bytes::from_static(b"OggS\0\x02sample voice note"),
        ),
        "video" => (
            "video/mp4",
            Bytes::from_static(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"),
        ),
        _ => (
            "application/pdf",
            Bytes::from_static(b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{MediaStore, check_upload};

    #[test]
    fn files_and_addresses_expire_on_their_own() {
        let mut store = MediaStore::default();
        let media = store.add("1", "image/png", Bytes::from_static(b"x"), 1000);
        let path = store.link(&media.id, 300);
        let key = path.strip_prefix("/media/").unwrap();
        assert!(store.by_link(key, 299).is_some());
        assert!(store.by_link(key, 300).is_none());
        assert!(store.get(&media.id, 999).is_some());
        assert!(store.get(&media.id, 1000).is_none());
    }

    #[test]
    fn refuses_what_meta_refuses() {
        assert!(check_upload("image/jpeg", 5 * 1024 * 1024).is_ok());
        assert_eq!(
            check_upload("image/jpeg", 5 * 1024 * 1024 + 1).unwrap_err().code,
            131_053
        );
        assert_eq!(check_upload("image/gif", 10).unwrap_err().code, 100);
        assert_eq!(check_upload("image/png", 0).unwrap_err().code, 100);
        assert!(check_upload("audio/ogg; codecs=opus", 10).is_ok());
    }
}
