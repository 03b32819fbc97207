//! A client of Realtime that shows every frame.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use supabase_embedded::jwt::{Keys, epoch_seconds};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::stack::{SECRET, Stack};

/// How long an expected frame may take; a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Clone)]
pub struct Frame {
    pub join_ref: Option<String>,
    pub reference: Option<String>,
    pub topic: String,
    pub event: String,
    pub payload: Value,
    /// Came as a binary frame.
    pub binary: bool,
}

pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    vsn: &'static str,
    last_ref: u64,
    waiting: VecDeque<Frame>,
}

/// A token of a signed-in user that holds for `seconds`.
pub fn token(user: &str, seconds: i64) -> String {
    let claims = json!({ "sub": user, "role": "authenticated", "exp": epoch_seconds() + seconds });
    Keys::new(SECRET).mint(&claims).expect("token")
}

impl Socket {
    pub async fn open(stack: &Stack) -> Self {
        Self::open_version(stack, "2.0.0").await
    }

    pub async fn open_version(stack: &Stack, vsn: &'static str) -> Self {
        Self::try_open(stack, &stack.anon_key, vsn)
            .await
            .expect("a socket")
    }

    /// The error holds the HTTP status of a refusal.
    pub async fn try_open(stack: &Stack, key: &str, vsn: &'static str) -> Result<Self, u16> {
        let origin = stack.url.replacen("http", "ws", 1);
        let url = format!("{origin}/realtime/v1/websocket?apikey={key}&vsn={vsn}");
        match tokio_tungstenite::connect_async(url).await {
            Ok((stream, _)) => Ok(Self {
                stream,
                vsn,
                last_ref: 0,
                waiting: VecDeque::new(),
            }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("no socket: {error}"),
        }
    }

    /// Joins `realtime:<name>` and returns the reply's payload. The join reference is the topic's own from then on.
    pub async fn join(&mut self, name: &str, config: Value, token: Option<&str>) -> Value {
        let reference = self.start_join(name, config, token).await;
        self.reply(&reference).await
    }

    pub async fn start_join(&mut self, name: &str, config: Value, token: Option<&str>) -> String {
        let reference = self.next_ref();
        let payload = json!({ "config": config, "access_token": token });
        let topic = format!("realtime:{name}");
        self.send_frame(Some(name), Some(&reference), &topic, "phx_join", payload)
            .await;
        reference
    }

    /// As `join`, for joins that must succeed.
    pub async fn joined(&mut self, name: &str, config: Value, token: Option<&str>) -> Value {
        let reply = self.join(name, config, token).await;
        assert_eq!(reply["status"], "ok", "{reply}");
        reply["response"].clone()
    }

    /// Pushes on a joined channel and returns the reference.
    pub async fn push(&mut self, name: &str, event: &str, payload: Value) -> String {
        let reference = self.next_ref();
        let topic = format!("realtime:{name}");
        self.send_frame(Some(name), Some(&reference), &topic, event, payload)
            .await;
        reference
    }

    /// Pushes and returns the reply's payload.
    pub async fn call(&mut self, name: &str, event: &str, payload: Value) -> Value {
        let reference = self.push(name, event, payload).await;
        self.reply(&reference).await
    }

    /// A broadcast as realtime-js sends it on version 2: binary.
    pub async fn broadcast_binary(&mut self, name: &str, event: &str, encoding: u8, body: &[u8]) -> String {
        let reference = self.next_ref();
        let topic = format!("realtime:{name}");
        let fields = [name, &reference, &topic, event, ""];
        let mut frame = vec![3];
        frame.extend(
            fields
                .iter()
                .map(|field| u8::try_from(field.len()).expect("a short field")),
        );
        frame.push(encoding);
        for field in fields {
            frame.extend_from_slice(field.as_bytes());
        }
        frame.extend_from_slice(body);
        self.stream.send(Message::binary(frame)).await.expect("send");
        reference
    }

    pub async fn send_text(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.expect("send");
    }

    /// As `send_text`, where the server may hang up before it has read everything.
    pub async fn send_text_to_a_deaf_server(&mut self, text: &str) {
        let _ = self.stream.send(Message::text(text)).await;
    }

    async fn send_frame(
        &mut self,
        join_ref: Option<&str>,
        reference: Option<&str>,
        topic: &str,
        event: &str,
        payload: Value,
    ) {
        let frame = match self.vsn {
            "1.0.0" => {
                json!({ "join_ref": join_ref, "ref": reference, "topic": topic, "event": event, "payload": payload })
            }
            _ => json!([join_ref, reference, topic, event, payload]),
        };
        self.send_text(&frame.to_string()).await;
    }

    fn next_ref(&mut self) -> String {
        self.last_ref += 1;
        format!("r{}", self.last_ref)
    }

    pub async fn reply(&mut self, reference: &str) -> Value {
        let is_reply =
            |frame: &Frame| frame.event == "phx_reply" && frame.reference.as_deref() == Some(reference);
        self.frame(is_reply).await.payload
    }

    /// The payload of the next event of this kind on a channel.
    pub async fn event(&mut self, name: &str, event: &str) -> Value {
        let topic = format!("realtime:{name}");
        self.frame(|frame| frame.topic == topic && frame.event == event)
            .await
            .payload
    }

    /// The next frame that fits; others wait for their turn.
    pub async fn frame(&mut self, fits: impl Fn(&Frame) -> bool) -> Frame {
        if let Some(position) = self.waiting.iter().position(&fits) {
            return self.waiting.remove(position).expect("it is there");
        }
        tokio::time::timeout(PATIENCE, async {
            loop {
                let frame = self.receive().await.expect("the socket was closed");
                if fits(&frame) {
                    return frame;
                }
                self.waiting.push_back(frame);
            }
        })
        .await
        .unwrap_or_else(|_| panic!("the expected frame did not come; came: {:#?}", self.waiting))
    }

    /// What came besides what was asked for.
    pub fn others(&self, event: &str) -> Vec<&Frame> {
        self.waiting.iter().filter(|frame| frame.event == event).collect()
    }

    /// Waits until the server ends the socket.
    pub async fn until_closed(&mut self) {
        tokio::time::timeout(PATIENCE, async { while self.receive().await.is_some() {} })
            .await
            .expect("the socket stays open");
    }

    pub async fn close(mut self) {
        self.stream.close(None).await.expect("close");
    }

    async fn receive(&mut self) -> Option<Frame> {
        loop {
            match self.stream.next().await? {
                Ok(Message::Text(text)) => return Some(self.read_text(&text)),
                Ok(Message::Binary(bytes)) => return Some(read_binary(&bytes)),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    fn read_text(&self, text: &str) -> Frame {
        let value: Value = serde_json::from_str(text).expect("JSON");
        let field = |name: &str, position: usize| match self.vsn {
            "1.0.0" => value[name].clone(),
            _ => value[position].clone(),
        };
        let optional = |value: Value| value.as_str().map(str::to_owned);
        Frame {
            join_ref: optional(field("join_ref", 0)),
            reference: optional(field("ref", 1)),
            topic: optional(field("topic", 2)).expect("a topic"),
            event: optional(field("event", 3)).expect("an event"),
            payload: field("payload", 4),
            binary: false,
        }
    }
}

fn read_binary(bytes: &[u8]) -> Frame {
    assert_eq!(bytes[0], 4, "the only binary kind a server sends");
    let lengths: Vec<usize> = bytes[1..4].iter().map(|length| usize::from(*length)).collect();
    let mut rest = &bytes[5..];
    let mut field = |length: usize| {
        let (field, others) = rest.split_at(length);
        rest = others;
        String::from_utf8(field.to_vec()).expect("UTF-8")
    };
    let (topic, event, meta) = (field(lengths[0]), field(lengths[1]), field(lengths[2]));
    let body = match bytes[4] {
        1 => serde_json::from_slice(rest).expect("JSON"),
        _ => json!(rest),
    };
    let meta = if meta.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&meta).expect("JSON")
    };
    Frame {
        join_ref: None,
        reference: None,
        topic,
        event: "broadcast".to_owned(),
        payload: json!({ "type": "broadcast", "event": event, "payload": body, "meta": meta }),
        binary: true,
    }
}
