//! Who is on which topic, and the fan-out to them. All state is in memory and every operation is short and never waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Message;

use super::frame::{self, UserBroadcast, Vsn};
use super::outbox::Outbox;
use super::presence::{Diff, Presences};

/// A topic without its `realtime:` prefix. The public and the private topic of one name are two.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Topic {
    pub name: Arc<str>,
    pub private: bool,
}

impl Topic {
    pub fn new(name: &str, private: bool) -> Self {
        Self {
            name: name.into(),
            private,
        }
    }

    /// The topic as it stands in frames.
    pub fn on_wire(&self) -> String {
        format!("realtime:{}", self.name)
    }
}

/// One joined channel of one socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(u64);

/// How a member is reached and what it may read.
#[derive(Clone)]
pub struct Member {
    pub outbox: Outbox,
    pub vsn: Vsn,
    pub reads_broadcasts: bool,
    pub reads_presence: bool,
    /// Ids of messages it was given by replay and must not get again.
    pub replayed: Vec<String>,
}

/// A message for everyone on a topic.
#[derive(Debug, Clone)]
pub enum Broadcast {
    /// JSON text of the payload of a text frame, and the id of the stored message if it is one.
    Text { payload: String, id: Option<String> },
    /// Passed on as it came.
    User(UserBroadcast),
}

impl Broadcast {
    fn id(&self) -> Option<&str> {
        match self {
            Self::Text { id, .. } => id.as_deref(),
            Self::User(_) => None,
        }
    }
}

/// The topics.
#[derive(Default)]
pub struct Hub {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last_member: u64,
    topics: HashMap<Topic, Room>,
}

#[derive(Default)]
struct Room {
    members: HashMap<MemberId, Member>,
    presences: Presences,
}

/// One message encoded once for each protocol version its receivers use.
struct Encoded<F> {
    encode: F,
    v1: Option<Option<Message>>,
    v2: Option<Option<Message>>,
}

impl<F: Fn(Vsn) -> Option<Message>> Encoded<F> {
    fn new(encode: F) -> Self {
        Self {
            encode,
            v1: None,
            v2: None,
        }
    }

    fn send(&mut self, member: &Member) {
        let slot = match member.vsn {
            Vsn::V1 => &mut self.v1,
            Vsn::V2 => &mut self.v2,
        };
        if let Some(message) = slot.get_or_insert_with(|| (self.encode)(member.vsn)) {
            member.outbox.send(message.clone());
        }
    }
}

impl Hub {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a member to a topic.
    pub fn join(&self, topic: &Topic, member: Member) -> MemberId {
        let mut state = self.state();
        state.last_member += 1;
        let id = MemberId(state.last_member);
        state
            .topics
            .entry(topic.clone())
            .or_default()
            .members
            .insert(id, member);
        id
    }

    /// Changes what a member may read.
    pub fn set_reads(&self, topic: &Topic, id: MemberId, broadcasts: bool, presence: bool) {
        if let Some(member) = self
            .state()
            .topics
            .get_mut(topic)
            .and_then(|room| room.members.get_mut(&id))
        {
            member.reads_broadcasts = broadcasts;
            member.reads_presence = presence;
        }
    }

    /// Removes a member; the others are told when it was present.
    pub fn leave(&self, topic: &Topic, id: MemberId) {
        let mut state = self.state();
        let Some(room) = state.topics.get_mut(topic) else {
            return;
        };
        room.members.remove(&id);
        if let Some(diff) = room.presences.untrack(id) {
            room.announce(topic, &diff);
        }
        if room.members.is_empty() {
            state.topics.remove(topic);
        }
    }

    /// Whether anybody is on the topic.
    pub fn has(&self, topic: &Topic) -> bool {
        self.state().topics.contains_key(topic)
    }

    /// Sends to everyone on the topic who may read broadcasts, except `sender`.
    pub fn broadcast(&self, topic: &Topic, broadcast: &Broadcast, sender: Option<MemberId>) {
        let state = self.state();
        let Some(room) = state.topics.get(topic) else {
            return;
        };
        let wire = topic.on_wire();
        let mut encoded = Encoded::new(|vsn| match broadcast {
            Broadcast::Text { payload, .. } => {
                Some(frame::encode(vsn, None, None, &wire, "broadcast", payload))
            }
            Broadcast::User(user) => frame::encode_broadcast(vsn, &wire, user),
        });
        for (id, member) in &room.members {
            let replayed = broadcast
                .id()
                .is_some_and(|id| member.replayed.iter().any(|seen| seen == id));
            if Some(*id) != sender && member.reads_broadcasts && !replayed {
                encoded.send(member);
            }
        }
    }

    /// Makes a member present under `key`, or changes what it shows.
    pub fn track(
        &self,
        topic: &Topic,
        id: MemberId,
        key: &str,
        shown: serde_json::Map<String, serde_json::Value>,
    ) {
        let mut state = self.state();
        let Some(room) = state.topics.get_mut(topic) else {
            return;
        };
        if !room.members.contains_key(&id) {
            return;
        }
        if let Some(diff) = room.presences.track(id, key, shown) {
            room.announce(topic, &diff);
        }
    }

    /// Ends the presence of a member.
    pub fn untrack(&self, topic: &Topic, id: MemberId) {
        let mut state = self.state();
        if let Some(room) = state.topics.get_mut(topic)
            && let Some(diff) = room.presences.untrack(id)
        {
            room.announce(topic, &diff);
        }
    }

    /// Sends a member everybody who is present; from then on differences suffice.
    pub fn send_presence_state(&self, topic: &Topic, id: MemberId) {
        let state = self.state();
        let Some(room) = state.topics.get(topic) else {
            return;
        };
        if let Some(member) = room.members.get(&id).filter(|member| member.reads_presence) {
            let payload = room.presences.state().to_string();
            let wire = topic.on_wire();
            member.outbox.send(frame::encode(
                member.vsn,
                None,
                None,
                &wire,
                "presence_state",
                &payload,
            ));
        }
    }
}

impl Room {
    fn announce(&self, topic: &Topic, diff: &Diff) {
        let (wire, payload) = (topic.on_wire(), diff.to_json().to_string());
        let mut encoded =
            Encoded::new(|vsn| Some(frame::encode(vsn, None, None, &wire, "presence_diff", &payload)));
        for member in self.members.values().filter(|member| member.reads_presence) {
            encoded.send(member);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::super::outbox::{self, Outgoing};
    use super::*;

    fn member(hub: &Hub, topic: &Topic, vsn: Vsn) -> (MemberId, Outgoing) {
        let (outbox, outgoing) = outbox::channel(1 << 20, CancellationToken::new());
        let member = Member {
            outbox,
            vsn,
            reads_broadcasts: true,
            reads_presence: true,
            replayed: Vec::new(),
        };
        (hub.join(topic, member), outgoing)
    }

    async fn text(outgoing: &mut Outgoing) -> String {
        match outgoing.next().await {
            Some(Message::Text(text)) => text.to_string(),
            other => panic!("expected text, got {other:?}"),
        }
    }

    fn note(text: &str) -> Broadcast {
        Broadcast::Text {
            payload: format!("\"{text}\""),
            id: Some(text.to_owned()),
        }
    }

    #[tokio::test]
    async fn a_broadcast_reaches_its_topic_only_and_not_the_sender() {
        let hub = Hub::default();
        let (public, private) = (Topic::new("t", false), Topic::new("t", true));
        let (sender, mut of_sender) = member(&hub, &public, Vsn::V2);
        let (_, mut of_other) = member(&hub, &public, Vsn::V1);
        let (_, mut of_private) = member(&hub, &private, Vsn::V2);
        hub.broadcast(&public, &note("one"), Some(sender));
        hub.broadcast(&private, &note("two"), None);
        hub.broadcast(&public, &note("three"), None);
        assert!(text(&mut of_other).await.contains(r#""payload":"one""#));
        assert_eq!(
            text(&mut of_sender).await,
            r#"[null,null,"realtime:t","broadcast","three"]"#
        );
        assert_eq!(
            text(&mut of_private).await,
            r#"[null,null,"realtime:t","broadcast","two"]"#
        );
    }

    #[tokio::test]
    async fn who_may_not_read_or_has_it_by_replay_gets_nothing() {
        let hub = Hub::default();
        let topic = Topic::new("t", true);
        let (id, mut outgoing) = member(&hub, &topic, Vsn::V2);
        hub.set_reads(&topic, id, false, true);
        hub.broadcast(&topic, &note("hidden"), None);
        hub.set_reads(&topic, id, true, true);
        hub.state()
            .topics
            .get_mut(&topic)
            .unwrap()
            .members
            .get_mut(&id)
            .unwrap()
            .replayed = vec!["seen".into()];
        hub.broadcast(&topic, &note("seen"), None);
        hub.broadcast(&topic, &note("shown"), None);
        assert!(text(&mut outgoing).await.contains("shown"));
    }

    #[tokio::test]
    async fn leaving_ends_presence_and_an_empty_topic_is_forgotten() {
        let hub = Hub::default();
        let topic = Topic::new("t", false);
        let (watcher, mut watched) = member(&hub, &topic, Vsn::V2);
        let (guest, _outgoing) = member(&hub, &topic, Vsn::V2);
        hub.track(&topic, guest, "ann", serde_json::Map::new());
        assert!(text(&mut watched).await.contains(r#""joins":{"ann""#));
        hub.send_presence_state(&topic, watcher);
        assert!(text(&mut watched).await.contains("presence_state"));
        hub.leave(&topic, guest);
        assert!(text(&mut watched).await.contains(r#""leaves":{"ann""#));
        hub.leave(&topic, watcher);
        assert!(hub.state().topics.is_empty());
    }
}
