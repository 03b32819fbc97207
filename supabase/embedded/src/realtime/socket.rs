//! One websocket: the handshake, the frames in and out, and the channels joined on it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream::SplitSink;
use futures_util::{FutureExt, SinkExt, StreamExt};
use serde_json::{Map, Value, json};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use super::channel::{self, Command};
use super::frame::{self, ClientFrame, ClientPayload, Vsn};
use super::limits::Allowance;
use super::outbox::{self, Outbox, Outgoing};
use super::token;
use crate::platform::Platform;

/// As on the real server.
const MAX_FRAME_BYTES: usize = 5_000_000;
/// Clients beat every 25 seconds; Phoenix gives up on a silent one after 60.
const SILENCE: Duration = Duration::from_secs(60);
/// A peer that takes this long to accept one frame is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Frames that wait for one channel; beyond, the socket is not read.
const CHANNEL_INBOX: usize = 32;
/// Averages of the client's rates are taken over this time.
const RATE_WINDOW_SECONDS: u32 = 60;
/// A client that joins faster than this loses its socket on the real server too.
const JOIN_WINDOW_SECONDS: u32 = 1;

/// What the channels of a socket share.
pub struct SocketContext {
    pub platform: Arc<Platform>,
    pub outbox: Outbox,
    pub vsn: Vsn,
    /// The JWT that stands for the project key the socket was opened with.
    pub token: String,
    /// JSON object of the handshake's `x-` headers.
    pub headers: Value,
    /// The socket is over.
    pub closed: CancellationToken,
}

/// `GET /websocket`.
pub async fn open(
    State(platform): State<Arc<Platform>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(vsn) = Vsn::parse(query.get("vsn").map(String::as_str)) else {
        return refusal(StatusCode::BAD_REQUEST, "The protocol version is not supported");
    };
    let token = headers
        .get("x-api-key")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if let Err(refused) = token::confirm(&platform.jwt, token) {
        return refusal(StatusCode::UNAUTHORIZED, refused.message);
    }
    let Ok(permit) = platform.realtime.connections.clone().try_acquire_owned() else {
        return refusal(StatusCode::TOO_MANY_REQUESTS, "Too many connected users");
    };
    let closed = platform.shutdown.child_token();
    let (outbox, outgoing) = outbox::channel(platform.realtime.limits().queued_bytes, closed.clone());
    let context = SocketContext {
        token: token.to_owned(),
        headers: policy_headers(&headers),
        platform,
        outbox,
        vsn,
        closed,
    };
    upgrade
        .max_message_size(MAX_FRAME_BYTES)
        .max_frame_size(MAX_FRAME_BYTES)
        .on_upgrade(move |socket| serve(Arc::new(context), socket, outgoing, permit))
}

fn refusal(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

/// What policies find in `request.headers`: the `x-` headers, without the key.
pub fn policy_headers(headers: &HeaderMap) -> Value {
    let shown = headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-") && name.as_str() != "x-api-key")
        .filter_map(|(name, value)| Some((name.to_string(), Value::from(value.to_str().ok()?))));
    Value::Object(shown.collect::<Map<_, _>>())
}

async fn serve(
    context: Arc<SocketContext>,
    socket: WebSocket,
    outgoing: Outgoing,
    _permit: OwnedSemaphorePermit,
) {
    let (sink, mut incoming) = socket.split();
    let writer = tokio::spawn(write(sink, outgoing, context.closed.clone()));
    let mut channels = Channels::new(context.clone());
    loop {
        tokio::select! {
            message = tokio::time::timeout(SILENCE, incoming.next()) => match message {
                Ok(Some(Ok(message))) => {
                    if !channels.receive(message).await {
                        break;
                    }
                }
                // Silence, the end, or a broken frame.
                _ => break,
            },
            Some(ended) = channels.tasks.join_next_with_id() => channels.forget(ended),
            () = context.closed.cancelled() => break,
        }
    }
    context.closed.cancel();
    channels.tasks.shutdown().await;
    // The writer ends by the same token.
    let _ = writer.await;
}

/// Sends what is queued until the socket is over.
async fn write(mut sink: SplitSink<WebSocket, Message>, mut outgoing: Outgoing, closed: CancellationToken) {
    loop {
        let message = tokio::select! {
            message = outgoing.next() => message,
            () = closed.cancelled() => break,
        };
        let Some(message) = message else { break };
        let sent = tokio::select! {
            sent = tokio::time::timeout(WRITE_TIMEOUT, send_all(&mut sink, message, &mut outgoing)) => sent,
            () = closed.cancelled() => break,
        };
        if !matches!(sent, Ok(Ok(()))) {
            closed.cancel();
            return;
        }
    }
    let goodbye = CloseFrame {
        code: close_code::AWAY,
        reason: "".into(),
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), sink.send(Message::Close(Some(goodbye)))).await;
}

/// Sends `message` and whatever else waits already, with one flush.
async fn send_all(
    sink: &mut SplitSink<WebSocket, Message>,
    message: Message,
    outgoing: &mut Outgoing,
) -> Result<(), axum::Error> {
    sink.feed(message).await?;
    while let Some(Some(message)) = outgoing.next().now_or_never() {
        sink.feed(message).await?;
    }
    sink.flush().await
}

/// The channels joined on one socket, each a task of its own: a slow join holds up no other channel.
struct Channels {
    context: Arc<SocketContext>,
    tasks: JoinSet<()>,
    by_topic: HashMap<String, Joined>,
    joins: Allowance,
    events: Allowance,
}

struct Joined {
    join_ref: Option<String>,
    inbox: mpsc::Sender<Command>,
    task: Id,
}

impl Channels {
    fn new(context: Arc<SocketContext>) -> Self {
        let limits = context.platform.realtime.limits();
        let now = Instant::now();
        Self {
            joins: Allowance::new(limits.joins_per_second, JOIN_WINDOW_SECONDS, now),
            events: Allowance::new(limits.events_per_second, RATE_WINDOW_SECONDS, now),
            tasks: JoinSet::new(),
            by_topic: HashMap::new(),
            context,
        }
    }

    /// Handles one message; false ends the socket.
    async fn receive(&mut self, message: Message) -> bool {
        let decoded = match &message {
            Message::Text(text) => frame::decode_text(self.context.vsn, text),
            Message::Binary(bytes) if self.context.vsn == Vsn::V2 => frame::decode_binary(bytes),
            Message::Binary(_) => Err(frame::Malformed),
            Message::Ping(_) | Message::Pong(_) => return true,
            Message::Close(_) => return false,
        };
        // As Phoenix does: who sends what is no frame has lost the protocol.
        let Ok(frame) = decoded else { return false };
        match (frame.topic.as_str(), frame.event.as_str()) {
            ("phoenix", "heartbeat") => self.reply(&frame, "ok", &json!({})),
            (_, "phx_join") => return self.join(frame),
            _ => self.forward(frame).await,
        }
        true
    }

    fn reply(&self, frame: &ClientFrame, status: &str, response: &Value) {
        let payload = json!({ "status": status, "response": response }).to_string();
        self.context.outbox.send(frame::encode(
            self.context.vsn,
            frame.join_ref.as_deref(),
            frame.reference.as_deref(),
            &frame.topic,
            "phx_reply",
            &payload,
        ));
    }

    /// Starts a channel; false ends the socket.
    fn join(&mut self, frame: ClientFrame) -> bool {
        let too_fast = !self.joins.take(Instant::now());
        if let Some(reason) = self.join_refusal(&frame.topic, too_fast) {
            self.reply(&frame, "error", &json!({ "reason": reason }));
            return !too_fast;
        }
        let name = frame
            .topic
            .strip_prefix("realtime:")
            .unwrap_or_default()
            .to_owned();
        let ClientPayload::Json(payload) = frame.payload else {
            return true;
        };
        let (inbox, commands) = mpsc::channel(CHANNEL_INBOX);
        let opening = channel::Opening {
            name,
            join_ref: frame.join_ref.clone(),
            reference: frame.reference,
            payload,
        };
        let task = self
            .tasks
            .spawn(channel::run(self.context.clone(), opening, commands))
            .id();
        let joined = Joined {
            join_ref: frame.join_ref,
            inbox,
            task,
        };
        // Replacing a channel of the same topic drops its inbox, which ends it.
        self.by_topic.insert(frame.topic, joined);
        true
    }

    fn join_refusal(&self, topic: &str, too_fast: bool) -> Option<&'static str> {
        let most = self.context.platform.realtime.limits().channels;
        match topic.strip_prefix("realtime:") {
            None => Some("unmatched topic"),
            Some("") => Some("TopicNameRequired: You must provide a topic name"),
            Some(_) if too_fast => Some("ClientJoinRateLimitReached: Too many joins per second"),
            Some(_) if self.by_topic.len() >= most && !self.by_topic.contains_key(topic) => {
                Some("ChannelRateLimitReached: Too many channels")
            }
            Some(_) => None,
        }
    }

    async fn forward(&mut self, frame: ClientFrame) {
        let Some(joined) = self.by_topic.get(&frame.topic) else {
            if frame.reference.is_some() {
                self.reply(&frame, "error", &json!({ "reason": "unmatched topic" }));
            }
            return;
        };
        if frame.join_ref.is_some() && joined.join_ref.is_some() && frame.join_ref != joined.join_ref {
            return;
        }
        let command = if self.events.take(Instant::now()) {
            Command::Frame {
                reference: frame.reference,
                event: frame.event,
                payload: frame.payload,
            }
        } else {
            Command::ShutDown("Too many messages per second")
        };
        // An error means that the channel has just ended by itself.
        let _ = joined.inbox.send(command).await;
    }

    fn forget(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let (id, failed) = match ended {
            Ok((id, ())) => (id, false),
            Err(error) => (error.id(), error.is_panic()),
        };
        let Some(topic) = self
            .by_topic
            .iter()
            .find(|(_, joined)| joined.task == id)
            .map(|(topic, _)| topic.clone())
        else {
            return;
        };
        if let Some(joined) = self.by_topic.remove(&topic)
            && failed
        {
            let join_ref = joined.join_ref.as_deref();
            let message = frame::encode(self.context.vsn, join_ref, join_ref, &topic, "phx_error", "{}");
            self.context.outbox.send(message);
        }
    }
}
