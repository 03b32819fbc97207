//! One joined channel: from the join to the leave, with everything its client may do in between.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::authorize::{self, Caller, Extension, ProbeError, Reads};
use super::changes::ChannelChanges;
use super::frame::ClientPayload;
use super::hub::{Broadcast, Member, MemberId, Topic};
use super::join::JoinRequest;
use super::limits::Allowance;
use super::replay;
use super::socket::SocketContext;
use super::status::StreamWatch;
use super::token::{self, Refusal};
use super::wire::Wire;
use crate::jwt::{Claims, epoch_seconds};

/// What a client joins with.
pub struct Opening {
    /// Without the `realtime:` prefix.
    pub name: String,
    pub join_ref: Option<String>,
    pub reference: Option<String>,
    pub payload: Value,
}

/// From the socket to a channel.
pub enum Command {
    Frame {
        reference: Option<String>,
        event: String,
        payload: ClientPayload,
    },
    /// End the channel and tell the client why.
    ShutDown(&'static str),
}

/// How a channel goes on after a frame.
enum Next {
    Stay,
    /// Tell the client that the channel is closed.
    Close,
}

/// Runs a channel until its client leaves, its rights end, or `commands` is dropped.
pub async fn run(context: Arc<SocketContext>, opening: Opening, commands: mpsc::Receiver<Command>) {
    let wire = Wire {
        context,
        topic: format!("realtime:{}", opening.name),
        join_ref: opening.join_ref.clone(),
    };
    match Channel::join(wire.clone(), opening.name, &opening.payload).await {
        Ok((mut channel, response)) => {
            wire.reply(opening.reference.as_deref(), "ok", &response);
            channel.after_join();
            if let Next::Close = channel.live(commands).await {
                wire.push_ref(wire.join_ref.as_deref(), "phx_close", &json!({}));
            }
        }
        Err(reason) => wire.reply(
            opening.reference.as_deref(),
            "error",
            &json!({ "reason": reason }),
        ),
    }
}

struct Channel {
    wire: Wire,
    topic: Topic,
    request: JoinRequest,
    token: String,
    caller: Caller,
    reads: Reads,
    /// Asked when first needed.
    writes_broadcasts: Option<bool>,
    writes_presence: Option<bool>,
    member: MemberId,
    presence_key: String,
    presence_calls: Allowance,
    changes: ChannelChanges,
    messages: StreamWatch,
    /// To be sent right after the answer to the join.
    replayed: Vec<replay::Stored>,
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.wire
            .context
            .platform
            .realtime
            .hub()
            .leave(&self.topic, self.member);
    }
}

impl Channel {
    /// Checks rights and enters the topic; the error is the reason the client is told.
    async fn join(wire: Wire, name: String, payload: &Value) -> Result<(Self, Value), String> {
        let request = JoinRequest::parse(payload);
        let context = &wire.context;
        let realtime = &context.platform.realtime;
        let token = request
            .access_token
            .clone()
            .unwrap_or_else(|| context.token.clone());
        let claims = token::confirm(&context.platform.jwt, &token)
            .map_err(|Refusal { code, message }| format!("{code}: {message}"))?;
        let caller = Caller {
            claims,
            headers: context.headers.clone(),
        };
        let topic = Topic::new(&name, request.private);
        let reads = reads(context, &caller, &request, &name).await?;
        let replayed = match request.replay {
            None => Vec::new(),
            Some(_) if !request.private => {
                return Err("UnableToReplayMessages: Replay is not allowed for public channels".into());
            }
            Some(_) if !reads.broadcasts => return Err(no_read_right(&name)),
            Some(replay) => replay::stored(&context.platform, &name, replay)
                .await
                .map_err(|_| "UnableToReplayMessages: Realtime was unable to replay messages".to_owned())?,
        };
        let limits = realtime.limits();
        let member = realtime.hub().join(
            &topic,
            Member {
                outbox: context.outbox.clone(),
                vsn: context.vsn,
                reads_broadcasts: reads.broadcasts,
                reads_presence: reads.presence && request.presence_enabled,
                replayed: replayed.iter().map(|message| message.id.clone()).collect(),
            },
        );
        let mut channel = Self {
            presence_key: request
                .presence_key
                .clone()
                .unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
            presence_calls: Allowance::burst(
                limits.presence_calls,
                limits.presence_window_seconds,
                Instant::now(),
            ),
            changes: ChannelChanges::new(wire.clone(), request.changes.clone(), caller.claims.clone()),
            messages: realtime.messages_stream().watch(),
            topic,
            token,
            caller,
            reads,
            writes_broadcasts: None,
            writes_presence: None,
            member,
            replayed,
            request,
            wire: wire.clone(),
        };
        if let Some(wait_ms) = channel.request.changes_wait_ms {
            channel.changes.settle(wait_ms).await?;
        }
        let response = json!({ "postgres_changes": channel.changes.echo() });
        Ok((channel, response))
    }

    fn after_join(&mut self) {
        for message in std::mem::take(&mut self.replayed) {
            self.wire.push("broadcast", &message.payload);
        }
        if self.request.presence_enabled {
            self.hub().send_presence_state(&self.topic, self.member);
        }
    }

    fn hub(&self) -> &super::hub::Hub {
        self.wire.context.platform.realtime.hub()
    }

    /// Everything after the join.
    async fn live(&mut self, mut commands: mpsc::Receiver<Command>) -> Next {
        loop {
            let expiry = until_expiry(&self.caller.claims);
            let next = tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Frame { reference, event, payload }) => {
                        self.handle(reference.as_deref(), &event, payload).await
                    }
                    Some(Command::ShutDown(reason)) => self.shut_down(reason),
                    // The same topic was joined anew on this socket.
                    None => Next::Close,
                },
                () = tokio::time::sleep(expiry) => match token::confirm(&self.wire.context.platform.jwt, &self.token) {
                    Ok(_) => Next::Stay,
                    Err(refusal) => self.shut_down(refusal.message),
                },
                () = self.changes.step() => Next::Stay,
                () = self.messages.established(), if self.request.replication_ready => {
                    self.wire.system("system", "ok", "Replication connection established");
                    Next::Stay
                }
            };
            if let Next::Close = next {
                return next;
            }
        }
    }

    async fn handle(&mut self, reference: Option<&str>, event: &str, payload: ClientPayload) -> Next {
        match (event, payload) {
            ("broadcast", payload) => {
                self.broadcast(reference, payload).await;
                Next::Stay
            }
            ("presence", ClientPayload::Json(payload)) => self.presence(reference, payload).await,
            ("access_token", ClientPayload::Json(payload)) => match payload["access_token"].as_str() {
                Some(token) if !token.starts_with("sb_") && token != self.token => {
                    self.renew(token.to_owned()).await
                }
                _ => Next::Stay,
            },
            ("phx_leave", _) => {
                self.wire.reply(reference, "ok", &json!({}));
                Next::Close
            }
            _ => Next::Stay,
        }
    }

    fn shut_down(&self, reason: &str) -> Next {
        self.wire.system("system", "error", reason);
        Next::Close
    }

    /// Takes a new token: the policies are asked again, and changes are judged by its claims.
    async fn renew(&mut self, token: String) -> Next {
        let claims = match token::confirm(&self.wire.context.platform.jwt, &token) {
            Ok(claims) => claims,
            Err(refusal) => return self.shut_down(refusal.message),
        };
        self.caller.claims = claims;
        self.token = token;
        let before = self.reads;
        self.reads = match reads(&self.wire.context, &self.caller, &self.request, &self.topic.name).await {
            Ok(reads) => reads,
            Err(reason) => {
                return self.shut_down(reason.split_once(": ").map_or(reason.as_str(), |(_, text)| text));
            }
        };
        let lost = |before: bool, now: bool| before && !now;
        if lost(before.broadcasts, self.reads.broadcasts) || lost(before.presence, self.reads.presence) {
            let name = &self.topic.name;
            return self.shut_down(&format!(
                "You no longer have permission to read from this Channel topic: {name}"
            ));
        }
        self.writes_broadcasts = None;
        self.writes_presence = None;
        self.show_reads();
        self.changes.renew(self.caller.claims.clone());
        Next::Stay
    }

    fn show_reads(&self) {
        let presence = self.reads.presence && self.request.presence_enabled;
        self.hub()
            .set_reads(&self.topic, self.member, self.reads.broadcasts, presence);
    }

    async fn may_write(&mut self, extension: Extension) -> Result<bool, ProbeError> {
        if !self.topic.private {
            return Ok(true);
        }
        let known = match extension {
            Extension::Broadcast => &mut self.writes_broadcasts,
            Extension::Presence => &mut self.writes_presence,
        };
        if let Some(known) = known {
            return Ok(*known);
        }
        let platform = &self.wire.context.platform;
        let may = authorize::may_write(platform, &self.caller, &self.topic.name, extension).await?;
        *known = Some(may);
        Ok(may)
    }

    async fn broadcast(&mut self, reference: Option<&str>, payload: ClientPayload) {
        let (broadcast, size) = match payload {
            ClientPayload::Broadcast(user) => {
                let size = user.body.len();
                (Broadcast::User(user), size)
            }
            ClientPayload::Json(value) if value.is_object() => {
                let payload = value.to_string();
                let size = payload.len();
                (Broadcast::Text { payload, id: None }, size)
            }
            ClientPayload::Json(_) => return,
        };
        match self.may_write(Extension::Broadcast).await {
            Ok(true) => {}
            // The real server is silent here too.
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(
                    topic = &*self.topic.name,
                    "the right to broadcast could not be asked: {error}"
                );
                return;
            }
        }
        let (status, response) = if size > self.wire.context.platform.realtime.limits().payload_bytes {
            ("error", json!({ "reason": "payload_size_exceeded" }))
        } else {
            let sender = (!self.request.broadcast_self).then_some(self.member);
            self.hub().broadcast(&self.topic, &broadcast, sender);
            ("ok", json!({}))
        };
        if self.request.broadcast_ack {
            self.wire.reply(reference, status, &response);
        }
    }

    async fn presence(&mut self, reference: Option<&str>, mut payload: Value) -> Next {
        if !self.presence_calls.take(Instant::now()) {
            return self.shut_down("Client presence rate limit exceeded");
        }
        let event = payload["event"].as_str().unwrap_or_default().to_ascii_lowercase();
        let (status, response) = match event.as_str() {
            "track" => {
                let shown = match payload.get_mut("payload").map(Value::take) {
                    Some(Value::Object(shown)) => shown,
                    None => Map::new(),
                    Some(_) => {
                        let response = json!({ "reason": "Presence track payload must be a map" });
                        self.wire.reply(reference, "error", &response);
                        return Next::Stay;
                    }
                };
                let size = Value::Object(shown.clone()).to_string().len();
                if size > self.wire.context.platform.realtime.limits().payload_bytes {
                    return self.shut_down("Track message size exceeded");
                }
                if matches!(self.may_write(Extension::Presence).await, Ok(true)) {
                    self.hub()
                        .track(&self.topic, self.member, &self.presence_key, shown);
                    self.enable_presence();
                    ("ok", json!({}))
                } else {
                    ("error", json!({}))
                }
            }
            "untrack" => {
                self.hub().untrack(&self.topic, self.member);
                ("ok", json!({}))
            }
            _ => ("error", json!({})),
        };
        self.wire.reply(reference, status, &response);
        Next::Stay
    }

    /// Who shows itself also sees the others, even without having asked for it when joining.
    fn enable_presence(&mut self) {
        if !self.request.presence_enabled {
            self.request.presence_enabled = true;
            self.show_reads();
            self.hub().send_presence_state(&self.topic, self.member);
        }
    }
}

/// How long the token still holds, at most an hour at a time.
fn until_expiry(claims: &Claims) -> Duration {
    let left = claims.expires_at().unwrap_or(0) - epoch_seconds();
    Duration::from_secs(left.clamp(0, 3600).unsigned_abs())
}

fn no_read_right(topic: &str) -> String {
    format!("Unauthorized: You do not have permissions to read from this Channel topic: {topic}")
}

/// What the caller may read; the error is the reason the client is told.
async fn reads(
    context: &SocketContext,
    caller: &Caller,
    request: &JoinRequest,
    topic: &str,
) -> Result<Reads, String> {
    if !request.private {
        return Ok(Reads::EVERYTHING);
    }
    match authorize::reads(&context.platform, caller, topic).await {
        Ok(reads) if reads.broadcasts || (reads.presence && request.presence_enabled) => Ok(reads),
        Ok(_) => Err(no_read_right(topic)),
        Err(ProbeError::Policy(error)) => {
            tracing::warn!(topic, "policies on realtime.messages failed: {error}");
            Err(no_read_right(topic))
        }
        Err(error @ ProbeError::Unavailable) => Err(format!("UnableToConnectToProject: {error}")),
    }
}
