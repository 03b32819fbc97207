//! What a client asks for when it joins a channel.

use serde_json::{Map, Value};

/// The config of a `phx_join`. Whatever is malformed counts as not given, as on the real server.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinRequest {
    pub private: bool,
    pub broadcast_ack: bool,
    pub broadcast_self: bool,
    pub replay: Option<Replay>,
    /// Tell the client when broadcasts from the database are flowing.
    pub replication_ready: bool,
    pub presence_key: Option<String>,
    pub presence_enabled: bool,
    pub changes: Vec<Map<String, Value>>,
    /// Answer the join only when the subscription to changes stands, within this many milliseconds.
    pub changes_wait_ms: Option<u64>,
    pub access_token: Option<String>,
}

/// Stored private broadcasts a client wants again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// Milliseconds since the epoch.
    pub since_ms: i64,
    pub limit: i64,
}

impl Replay {
    /// The most messages one join may ask for.
    pub const MAX: i64 = 25;
}

/// Default and longest time a client may let the server wait for its subscription.
const DEFAULT_WAIT_MS: u64 = 15_000;
const MAX_WAIT_MS: u64 = 20_000;

impl JoinRequest {
    /// Reads the payload of a `phx_join`.
    pub fn parse(payload: &Value) -> Self {
        let config = &payload["config"];
        let (broadcast, presence) = (&config["broadcast"], &config["presence"]);
        let flag = |value: &Value| value.as_bool().unwrap_or(false);
        let options = &config["postgres_changes_options"];
        let token = ["access_token", "user_token"]
            .iter()
            .find_map(|name| payload[*name].as_str())
            // An opaque project key says nothing about a user: the socket's own token stands.
            .filter(|token| !token.is_empty() && !token.starts_with("sb_"));
        Self {
            private: flag(&config["private"]),
            broadcast_ack: flag(&broadcast["ack"]),
            broadcast_self: flag(&broadcast["self"]),
            replay: broadcast
                .get("replay")
                .filter(|replay| replay.is_object())
                .map(|replay| Replay {
                    since_ms: replay["since"].as_i64().unwrap_or(0),
                    limit: replay["limit"]
                        .as_i64()
                        .unwrap_or(Replay::MAX)
                        .clamp(1, Replay::MAX),
                }),
            replication_ready: flag(&broadcast["replication_ready"]),
            presence_key: presence["key"]
                .as_str()
                .filter(|key| !key.is_empty())
                .map(str::to_owned),
            presence_enabled: flag(&presence["enabled"]),
            changes: config["postgres_changes"]
                .as_array()
                .map(|list| {
                    list.iter()
                        .filter_map(|entry| entry.as_object().cloned())
                        .collect()
                })
                .unwrap_or_default(),
            changes_wait_ms: flag(&options["wait"]).then(|| {
                options["timeout"]
                    .as_u64()
                    .unwrap_or(DEFAULT_WAIT_MS)
                    .min(MAX_WAIT_MS)
            }),
            access_token: token.map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_realtime_js_sends_is_read() {
        let request = JoinRequest::parse(&json!({
            "config": {
                "broadcast": {"ack": true, "self": false, "replay": {"since": 5, "limit": 100}},
                "presence": {"key": "ann", "enabled": true},
                "postgres_changes": [{"event": "*", "schema": "public"}, null],
                "postgres_changes_options": {"wait": true, "timeout": 60000},
                "private": true
            },
            "access_token": "a.b.c"
        }));
        assert_eq!(
            request,
            JoinRequest {
                private: true,
                broadcast_ack: true,
                broadcast_self: false,
                replay: Some(Replay {
                    since_ms: 5,
                    limit: 25
                }),
                replication_ready: false,
                presence_key: Some("ann".into()),
                presence_enabled: true,
                changes: vec![
                    json!({"event": "*", "schema": "public"})
                        .as_object()
                        .unwrap()
                        .clone()
                ],
                changes_wait_ms: Some(20_000),
                access_token: Some("a.b.c".into()),
            }
        );
    }

    #[test]
    fn nonsense_counts_as_not_given() {
        let nothing = JoinRequest::parse(&json!({}));
        assert!(!nothing.private && !nothing.presence_enabled && nothing.changes.is_empty());
        let odd = json!({"config": {"private": "yes", "broadcast": [], "presence": {"key": ""},
                                    "postgres_changes": {}}, "access_token": "sb_publishable_x"});
        assert_eq!(JoinRequest::parse(&odd), nothing);
        assert_eq!(JoinRequest::parse(&json!(null)), nothing);
        let old = JoinRequest::parse(&json!({"user_token": "x.y.z"}));
        assert_eq!(old.access_token.as_deref(), Some("x.y.z"));
    }
}
