//! Speaking to the client of one channel.

use std::sync::Arc;

use serde_json::{Value, json};

use super::frame;
use super::socket::SocketContext;

/// A channel as its client addresses it.
#[derive(Clone)]
pub struct Wire {
    pub context: Arc<SocketContext>,
    /// With its `realtime:` prefix.
    pub topic: String,
    pub join_ref: Option<String>,
}

impl Wire {
    /// An event with its payload as JSON text.
    pub fn push(&self, event: &str, payload: &str) {
        let message = frame::encode(
            self.context.vsn,
            self.join_ref.as_deref(),
            None,
            &self.topic,
            event,
            payload,
        );
        self.context.outbox.send(message);
    }

    /// An event that belongs to the frame with this reference.
    pub fn push_ref(&self, reference: Option<&str>, event: &str, payload: &Value) {
        let join_ref = self.join_ref.as_deref();
        let payload = payload.to_string();
        let message = frame::encode(
            self.context.vsn,
            join_ref,
            reference,
            &self.topic,
            event,
            &payload,
        );
        self.context.outbox.send(message);
    }

    /// The answer to a frame, if it wants one.
    pub fn reply(&self, reference: Option<&str>, status: &str, response: &Value) {
        if reference.is_some() {
            self.push_ref(
                reference,
                "phx_reply",
                &json!({ "status": status, "response": response }),
            );
        }
    }

    /// Tells the state of the channel, or why it ends.
    pub fn system(&self, extension: &str, status: &str, message: &str) {
        let channel = self.topic.strip_prefix("realtime:").unwrap_or_default();
        let payload =
            json!({ "extension": extension, "status": status, "message": message, "channel": channel });
        self.push("system", &payload.to_string());
    }
}
