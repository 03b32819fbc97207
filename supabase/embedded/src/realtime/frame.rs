//! The frames of a Phoenix channel as realtime-js speaks them: JSON objects (vsn 1), JSON arrays (vsn 2), and for
//! broadcasts on vsn 2 two binary kinds with one-byte field lengths.

use axum::extract::ws::{Message, Utf8Bytes};
use bytes::{BufMut, Bytes, BytesMut};
use serde_json::Value;

/// Client to server: a broadcast by a user. The other binary kinds of Phoenix are not used by realtime-js.
const KIND_BROADCAST_PUSH: u8 = 3;
/// Server to client: a broadcast by a user.
const KIND_BROADCAST: u8 = 4;

/// Protocol version a socket was opened with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vsn {
    V1,
    V2,
}

impl Vsn {
    /// The version named in the query; Phoenix takes 1.0.0 when none is.
    pub fn parse(text: Option<&str>) -> Option<Self> {
        match text {
            None | Some("1.0.0") => Some(Self::V1),
            Some("2.0.0") => Some(Self::V2),
            Some(_) => None,
        }
    }
}

/// How the body of a user's broadcast is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Binary,
    Json,
}

/// A broadcast whose body is passed on as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserBroadcast {
    pub event: String,
    pub encoding: Encoding,
    pub body: Bytes,
    /// JSON text, empty when there is none.
    pub meta: String,
}

/// What a client sent.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientFrame {
    pub join_ref: Option<String>,
    pub reference: Option<String>,
    pub topic: String,
    pub event: String,
    pub payload: ClientPayload,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ClientPayload {
    Json(Value),
    Broadcast(UserBroadcast),
}

/// The frame is none a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed frame")]
pub struct Malformed;

/// Reads a text frame.
pub fn decode_text(vsn: Vsn, text: &str) -> Result<ClientFrame, Malformed> {
    let mut value: Value = serde_json::from_str(text).map_err(|_| Malformed)?;
    let [join_ref, reference, topic, event, payload] = match vsn {
        Vsn::V1 => {
            let fields = value.as_object_mut().ok_or(Malformed)?;
            ["join_ref", "ref", "topic", "event", "payload"]
                .map(|name| fields.remove(name).unwrap_or(Value::Null))
        }
        Vsn::V2 => {
            let Value::Array(fields) = value else {
                return Err(Malformed);
            };
            fields.try_into().map_err(|_| Malformed)?
        }
    };
    let (Value::String(topic), Value::String(event)) = (topic, event) else {
        return Err(Malformed);
    };
    Ok(ClientFrame {
        join_ref: reference_text(join_ref)?,
        reference: reference_text(reference)?,
        topic,
        event,
        payload: ClientPayload::Json(payload),
    })
}

/// References are strings, from hand-written clients also numbers.
fn reference_text(value: Value) -> Result<Option<String>, Malformed> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(Malformed),
    }
}

/// Reads a binary frame, which can only be a broadcast.
pub fn decode_binary(frame: &Bytes) -> Result<ClientFrame, Malformed> {
    const HEADER: usize = 7;
    let header = frame.get(..HEADER).ok_or(Malformed)?;
    if header[0] != KIND_BROADCAST_PUSH {
        return Err(Malformed);
    }
    let mut at = HEADER;
    let mut field = |length: u8| -> Result<String, Malformed> {
        let end = at + usize::from(length);
        let text = std::str::from_utf8(frame.get(at..end).ok_or(Malformed)?).map_err(|_| Malformed)?;
        at = end;
        Ok(text.to_owned())
    };
    let (join_ref, reference) = (field(header[1])?, field(header[2])?);
    let (topic, event, meta) = (field(header[3])?, field(header[4])?, field(header[5])?);
    let body = frame.slice(at..);
    let encoding = match header[6] {
        0 => Encoding::Binary,
        1 => Encoding::Json,
        _ => return Err(Malformed),
    };
    // Others would have to parse it: a broken body must fail its sender, not them.
    if encoding == Encoding::Json && !is_json(&body) {
        return Err(Malformed);
    }
    Ok(ClientFrame {
        join_ref: Some(join_ref).filter(|text| !text.is_empty()),
        reference: Some(reference).filter(|text| !text.is_empty()),
        topic,
        event: "broadcast".to_owned(),
        payload: ClientPayload::Broadcast(UserBroadcast {
            event,
            encoding,
            body,
            meta,
        }),
    })
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

/// A text frame to a client; `payload` is JSON text. Version 1 knows no `join_ref`.
pub fn encode(
    vsn: Vsn,
    join_ref: Option<&str>,
    reference: Option<&str>,
    topic: &str,
    event: &str,
    payload: &str,
) -> Message {
    let quoted = |text: &str| Value::from(text).to_string();
    let optional = |text: Option<&str>| text.map_or_else(|| "null".to_owned(), quoted);
    let text = match vsn {
        Vsn::V1 => format!(
            r#"{{"topic":{},"event":{},"payload":{payload},"ref":{}}}"#,
            quoted(topic),
            quoted(event),
            optional(reference)
        ),
        Vsn::V2 => format!(
            "[{},{},{},{},{payload}]",
            optional(join_ref),
            optional(reference),
            quoted(topic),
            quoted(event)
        ),
    };
    Message::Text(Utf8Bytes::from(text))
}

/// A user's broadcast to a client; none where the version or the field lengths cannot carry it.
pub fn encode_broadcast(vsn: Vsn, topic: &str, broadcast: &UserBroadcast) -> Option<Message> {
    match vsn {
        Vsn::V1 => {
            let payload = broadcast_payload(broadcast)?;
            Some(encode(Vsn::V1, None, None, topic, "broadcast", &payload))
        }
        Vsn::V2 => {
            let [topic_len, event_len, meta_len] =
                [topic, &broadcast.event, &broadcast.meta].map(|text| u8::try_from(text.len()));
            let (Ok(topic_len), Ok(event_len), Ok(meta_len)) = (topic_len, event_len, meta_len) else {
                let payload = broadcast_payload(broadcast)?;
                return Some(encode(Vsn::V2, None, None, topic, "broadcast", &payload));
            };
            let encoding = match broadcast.encoding {
                Encoding::Binary => 0,
                Encoding::Json => 1,
            };
            let fields = topic.len() + broadcast.event.len() + broadcast.meta.len();
            let mut frame = BytesMut::with_capacity(5 + fields + broadcast.body.len());
            frame.put_slice(&[KIND_BROADCAST, topic_len, event_len, meta_len, encoding]);
            frame.put_slice(topic.as_bytes());
            frame.put_slice(broadcast.event.as_bytes());
            frame.put_slice(broadcast.meta.as_bytes());
            frame.put_slice(&broadcast.body);
            Some(Message::Binary(frame.freeze()))
        }
    }
}

/// The payload a text frame carries a user's broadcast in; raw bytes have none.
fn broadcast_payload(broadcast: &UserBroadcast) -> Option<String> {
    if broadcast.encoding == Encoding::Binary {
        return None;
    }
    let body = std::str::from_utf8(&broadcast.body).ok()?;
    Some(text_broadcast(&broadcast.event, body, &broadcast.meta))
}

/// Payload of the text event `broadcast`; `body` and `meta` are JSON text, an empty `meta` is left out.
pub fn text_broadcast(event: &str, body: &str, meta: &str) -> String {
    let event = Value::from(event).to_string();
    if meta.is_empty() {
        format!(r#"{{"type":"broadcast","event":{event},"payload":{body}}}"#)
    } else {
        format!(r#"{{"type":"broadcast","event":{event},"payload":{body},"meta":{meta}}}"#)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn push_frame(fields: [&str; 5], encoding: u8, body: &[u8]) -> Bytes {
        let mut frame = vec![KIND_BROADCAST_PUSH];
        frame.extend(fields.iter().map(|field| field.len() as u8));
        frame.push(encoding);
        for field in fields {
            frame.extend_from_slice(field.as_bytes());
        }
        frame.extend_from_slice(body);
        frame.into()
    }

    fn text_of(message: Message) -> String {
        match message {
            Message::Text(text) => text.to_string(),
            other => panic!("expected text, got {other:?}"),
        }
    }

    #[test]
    fn both_versions_read_the_same_frame() {
        let v2 = decode_text(Vsn::V2, r#"["1","2","realtime:a","phx_join",{"x":1}]"#).unwrap();
        let v1 = decode_text(
            Vsn::V1,
            r#"{"topic":"realtime:a","event":"phx_join","payload":{"x":1},"ref":"2","join_ref":"1"}"#,
        )
        .unwrap();
        assert_eq!(v1, v2);
        assert_eq!(v2.join_ref.as_deref(), Some("1"));
        assert_eq!(v2.payload, ClientPayload::Json(json!({"x": 1})));
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for text in [
            "",
            "{}",
            "[]",
            r#"["1","2",3,"e",{}]"#,
            r#"[null,null,"t","e",{},1]"#,
            r#"[{},"2","t","e",{}]"#,
        ] {
            assert_eq!(decode_text(Vsn::V2, text), Err(Malformed), "{text}");
        }
        assert_eq!(decode_text(Vsn::V1, r#"["1","2","t","e",{}]"#), Err(Malformed));
    }

    #[test]
    fn a_binary_push_carries_multibyte_fields_and_its_body() {
        let frame = push_frame(
            ["1", "7", "realtime:größe", "ev✓", r#"{"persist":true}"#],
            1,
            br#"{"a":[1]}"#,
        );
        let decoded = decode_binary(&frame).unwrap();
        assert_eq!(decoded.topic, "realtime:größe");
        assert_eq!(decoded.reference.as_deref(), Some("7"));
        let ClientPayload::Broadcast(broadcast) = decoded.payload else {
            panic!("no broadcast")
        };
        assert_eq!(broadcast.event, "ev✓");
        assert_eq!(broadcast.encoding, Encoding::Json);
        assert_eq!(&broadcast.body[..], br#"{"a":[1]}"#);
    }

    #[test]
    fn every_truncated_binary_push_is_refused() {
        let frame = push_frame(["1", "2", "realtime:t", "e", ""], 1, b"{}");
        assert!(decode_binary(&frame).is_ok());
        for end in 0..frame.len() {
            assert_eq!(decode_binary(&frame.slice(..end)), Err(Malformed), "cut at {end}");
        }
        assert_eq!(
            decode_binary(&push_frame(["", "", "t", "e", ""], 2, b"")),
            Err(Malformed)
        );
        assert_eq!(
            decode_binary(&push_frame(["", "", "t", "e", ""], 1, b"{oops")),
            Err(Malformed)
        );
    }

    #[test]
    fn a_broadcast_goes_out_as_kind_four_and_as_json_on_version_one() {
        let broadcast = UserBroadcast {
            event: "e\"".into(),
            encoding: Encoding::Json,
            body: Bytes::from_static(br#"{"a":1}"#),
            meta: r#"{"id":"x"}"#.into(),
        };
        let Some(Message::Binary(frame)) = encode_broadcast(Vsn::V2, "realtime:t", &broadcast) else {
            panic!("no binary frame")
        };
        assert_eq!(&frame[..5], [4, 10, 2, 10, 1]);
        assert_eq!(&frame[5..], b"realtime:te\"{\"id\":\"x\"}{\"a\":1}");
        let text = text_of(encode_broadcast(Vsn::V1, "realtime:t", &broadcast).unwrap());
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({"topic": "realtime:t", "event": "broadcast", "ref": null,
                   "payload": {"type": "broadcast", "event": "e\"", "payload": {"a": 1}, "meta": {"id": "x"}}})
        );
    }

    #[test]
    fn a_field_too_long_for_one_byte_goes_out_as_text() {
        let broadcast = UserBroadcast {
            event: "e".repeat(256),
            encoding: Encoding::Json,
            body: Bytes::from_static(b"1"),
            meta: String::new(),
        };
        let text = text_of(encode_broadcast(Vsn::V2, "realtime:t", &broadcast).unwrap());
        let frame: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(frame[4]["event"], json!("e".repeat(256)));
        let raw = UserBroadcast {
            encoding: Encoding::Binary,
            ..broadcast
        };
        assert!(encode_broadcast(Vsn::V2, "realtime:t", &raw).is_none());
        assert!(encode_broadcast(Vsn::V1, "realtime:t", &raw).is_none());
    }
}
