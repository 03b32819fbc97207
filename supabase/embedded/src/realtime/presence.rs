//! Who is present on one topic, in the shape Phoenix Presence gives it: per key a list of metas, each with its own reference.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::hub::MemberId;

/// The present members of a topic.
#[derive(Default)]
pub struct Presences {
    by_member: BTreeMap<MemberId, Presence>,
}

#[derive(Clone, PartialEq)]
struct Presence {
    key: String,
    reference: String,
    shown: Map<String, Value>,
}

impl Presence {
    fn meta(&self) -> Map<String, Value> {
        let mut meta = self.shown.clone();
        meta.insert("phx_ref".into(), Value::from(self.reference.as_str()));
        meta
    }
}

/// What changed by one call.
#[derive(Debug, Default, PartialEq)]
pub struct Diff {
    joins: Option<(String, Map<String, Value>)>,
    leaves: Option<(String, Map<String, Value>)>,
}

impl Diff {
    /// The payload of a `presence_diff`.
    pub fn to_json(&self) -> Value {
        let side = |side: &Option<(String, Map<String, Value>)>| match side {
            Some((key, meta)) => json!({ key: { "metas": [meta] } }),
            None => json!({}),
        };
        json!({ "joins": side(&self.joins), "leaves": side(&self.leaves) })
    }
}

impl Presences {
    /// Makes `member` present; nothing when it shows the same already.
    pub fn track(&mut self, member: MemberId, key: &str, shown: Map<String, Value>) -> Option<Diff> {
        let previous = self.by_member.get(&member);
        if previous.is_some_and(|presence| presence.key == key && presence.shown == shown) {
            return None;
        }
        let presence = Presence {
            key: key.to_owned(),
            reference: uuid::Uuid::new_v4().simple().to_string(),
            shown,
        };
        let mut joined = presence.meta();
        let mut diff = Diff::default();
        if let Some(previous) = previous {
            joined.insert("phx_ref_prev".into(), Value::from(previous.reference.as_str()));
            diff.leaves = Some((previous.key.clone(), previous.meta()));
        }
        diff.joins = Some((presence.key.clone(), joined));
        self.by_member.insert(member, presence);
        Some(diff)
    }

    /// Ends the presence of `member`; nothing when it was not present.
    pub fn untrack(&mut self, member: MemberId) -> Option<Diff> {
        let presence = self.by_member.remove(&member)?;
        Some(Diff {
            joins: None,
            leaves: Some((presence.key.clone(), presence.meta())),
        })
    }

    /// The payload of a `presence_state`.
    pub fn state(&self) -> Value {
        let mut keys: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for presence in self.by_member.values() {
            keys.entry(&presence.key)
                .or_default()
                .push(Value::Object(presence.meta()));
        }
        let state = keys
            .into_iter()
            .map(|(key, metas)| (key.to_owned(), json!({ "metas": metas })));
        Value::Object(state.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::hub::{Hub, Member, Topic};
    use super::super::{frame::Vsn, outbox};
    use super::*;

    fn members<const N: usize>() -> [MemberId; N] {
        let hub = Hub::default();
        std::array::from_fn(|_| {
            let (outbox, _) = outbox::channel(1, tokio_util::sync::CancellationToken::new());
            let member = Member {
                outbox,
                vsn: Vsn::V2,
                reads_broadcasts: true,
                reads_presence: true,
                replayed: Vec::new(),
            };
            hub.join(&Topic::new("t", false), member)
        })
    }

    fn shown(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn two_members_of_one_key_are_two_metas() {
        let [a, b, c] = members();
        let mut presences = Presences::default();
        for (member, key) in [(a, "ann"), (b, "ann"), (c, "bob")] {
            presences
                .track(member, key, shown(json!({"typing": false})))
                .unwrap();
        }
        let state = presences.state();
        assert_eq!(state["ann"]["metas"].as_array().unwrap().len(), 2);
        assert_eq!(state["bob"]["metas"][0]["typing"], json!(false));
        presences.untrack(a).unwrap();
        assert_eq!(presences.state()["ann"]["metas"].as_array().unwrap().len(), 1);
        assert_eq!(presences.untrack(a), None);
    }

    #[test]
    fn a_change_leaves_with_the_old_reference_and_joins_with_a_new_one() {
        let [a] = members();
        let mut presences = Presences::default();
        let first = presences
            .track(a, "ann", shown(json!({"typing": false})))
            .unwrap()
            .to_json();
        assert_eq!(first["leaves"], json!({}));
        assert_eq!(presences.track(a, "ann", shown(json!({"typing": false}))), None);
        let second = presences
            .track(a, "ann", shown(json!({"typing": true})))
            .unwrap()
            .to_json();
        let (left, joined) = (
            &second["leaves"]["ann"]["metas"][0],
            &second["joins"]["ann"]["metas"][0],
        );
        assert_eq!(left["phx_ref"], first["joins"]["ann"]["metas"][0]["phx_ref"]);
        assert_eq!(joined["phx_ref_prev"], left["phx_ref"]);
        assert_ne!(joined["phx_ref"], left["phx_ref"]);
        assert_eq!(joined["typing"], json!(true));
    }

    #[test]
    fn a_client_cannot_forge_its_reference() {
        let [a] = members();
        let mut presences = Presences::default();
        let diff = presences
            .track(a, "ann", shown(json!({"phx_ref": "forged"})))
            .unwrap()
            .to_json();
        assert_ne!(diff["joins"]["ann"]["metas"][0]["phx_ref"], json!("forged"));
    }
}
