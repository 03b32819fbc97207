//! Sending, read receipts, blocking, and asking what became of a message.

use reqwest::Method;
use serde_json::{Value, json};

use super::{CloudApi, Page};
use crate::error::{ApiError, GraphError, SendError, TransportError};
use crate::outbound::OutboundMessage;

/// Meta accepted a message for processing; whether it arrives is told by statuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendReceipt {
    pub wa_message_id: String,
    /// The person's id, which may differ from the number dialled (Brazil, Mexico).
    pub wa_id: Option<String>,
    pub user_id: Option<String>,
    /// Templates only: `accepted`, `held_for_quality_assessment`, `paused`.
    pub message_status: Option<String>,
}

/// Which of the given people were (un)blocked. A partial failure is not an error.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BlockOutcome {
    pub done: Vec<String>,
    /// Who was refused, and why in Meta's words.
    pub failed: Vec<(String, String)>,
}

/// A step of a message, as Meta's history keeps it (§1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEvent {
    pub delivery_status: String,
    pub webhook_update_state: Option<String>,
    pub timestamp: Option<i64>,
}

impl CloudApi {
    /// Posts a message once. There is no idempotency key: see [`SendError::Ambiguous`].
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send_message(
        &self,
        phone_number_id: &str,
        token: &str,
        message: &OutboundMessage,
    ) -> Result<SendReceipt, SendError> {
        message.validate()?;
        let request = self
            .request(Method::POST, &[phone_number_id, "messages"], token)
            .json(&message.to_json());
        let response = match request.send().await.map_err(TransportError::from) {
            Ok(response) => response,
            Err(error) if error.is_before_request() => return Err(SendError::NotSent(error)),
            Err(error) => return Err(SendError::Ambiguous(error.to_string())),
        };
        let status = response.status();
        let body = match response.bytes().await.map_err(TransportError::from) {
            Ok(body) => body,
            Err(error) => return Err(SendError::Ambiguous(format!("HTTP {status}, then {error}"))),
        };
        if status.is_success() {
            return receipt(&body)
                .ok_or_else(|| SendError::Ambiguous(format!("HTTP {status} without a message id")));
        }
        match GraphError::read(status.as_u16(), &body) {
            Some(error) => Err(SendError::Refused(error)),
            None if status.is_server_error() => Err(SendError::Ambiguous(format!(
                "HTTP {status} without an error object"
            ))),
            None => Err(SendError::Refused(GraphError::without_body(status.as_u16()))),
        }
    }

    /// Blue ticks for this message and all earlier ones of its thread; optionally "typing…" until we send or 25 s pass.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn mark_read(
        &self,
        phone_number_id: &str,
        token: &str,
        wa_message_id: &str,
        with_typing: bool,
    ) -> Result<(), ApiError> {
        let mut body =
            json!({"messaging_product": "whatsapp", "status": "read", "message_id": wa_message_id});
        if with_typing {
            body["typing_indicator"] = json!({"type": "text"});
        }
        self.call_for_success(
            self.request(Method::POST, &[phone_number_id, "messages"], token)
                .json(&body),
        )
        .await
    }

    /// Blocks people who wrote within the last 24 hours (≤ 1000 a call).
    ///
    /// # Errors
    /// See [`ApiError`]; when only some people failed the call succeeds and says who.
    pub async fn block_users(
        &self,
        phone_number_id: &str,
        token: &str,
        users: &[&str],
    ) -> Result<BlockOutcome, ApiError> {
        self.change_blocks(Method::POST, "added_users", phone_number_id, token, users)
            .await
    }

    /// Lets blocked people write again.
    ///
    /// # Errors
    /// As [`CloudApi::block_users`].
    pub async fn unblock_users(
        &self,
        phone_number_id: &str,
        token: &str,
        users: &[&str],
    ) -> Result<BlockOutcome, ApiError> {
        self.change_blocks(Method::DELETE, "removed_users", phone_number_id, token, users)
            .await
    }

    async fn change_blocks(
        &self,
        method: Method,
        done: &str,
        phone_number_id: &str,
        token: &str,
        users: &[&str],
    ) -> Result<BlockOutcome, ApiError> {
        let users: Vec<Value> = users.iter().map(|user| json!({"user": user})).collect();
        let body = json!({"messaging_product": "whatsapp", "block_users": users});
        let request = self
            .request(method, &[phone_number_id, "block_users"], token)
            .json(&body);
        let response = request.send().await?;
        let status = response.status();
        let bytes = response.bytes().await?;
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        // A partial failure is HTTP 400 with both lists beside the error.
        let Some(lists) = answer.get("block_users") else {
            let error = GraphError::read(status.as_u16(), &bytes);
            return Err(error
                .unwrap_or_else(|| GraphError::without_body(status.as_u16()))
                .into());
        };
        let list = |key: &str| {
            lists
                .get(key)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        let input = |user: &Value| {
            user.get("input")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Ok(BlockOutcome {
            done: list(done).iter().map(input).collect(),
            failed: list("failed_users")
                .iter()
                .map(|user| {
                    let message = user
                        .pointer("/errors/0/message")
                        .and_then(Value::as_str)
                        .unwrap_or("refused");
                    (input(user), message.to_owned())
                })
                .collect(),
        })
    }

    /// What Meta remembers of a message we sent: a probe for outcomes that no webhook told.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn message_history(
        &self,
        phone_number_id: &str,
        token: &str,
        wa_message_id: &str,
    ) -> Result<Vec<HistoryEvent>, ApiError> {
        let fields = "id,message_id,events{delivery_status,webhook_update_state,timestamp}";
        let request = self
            .request(Method::GET, &[phone_number_id, "message_history"], token)
            .query(&[("message_id", wa_message_id), ("fields", fields)]);
        let page: Page<Value> = super::page(self.call(request).await?)?;
        let text = |event: &Value, key: &str| event.get(key).and_then(Value::as_str).map(str::to_owned);
        Ok(page
            .items
            .iter()
            .flat_map(|entry| {
                entry
                    .pointer("/events/data")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
            })
            .filter_map(|event| {
                Some(HistoryEvent {
                    delivery_status: text(event, "delivery_status")?,
                    webhook_update_state: text(event, "webhook_update_state"),
                    timestamp: event
                        .get("timestamp")
                        .and_then(|at| at.as_i64().or_else(|| at.as_str()?.parse().ok())),
                })
            })
            .collect())
    }
}

fn receipt(body: &[u8]) -> Option<SendReceipt> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    Some(SendReceipt {
        wa_message_id: text("/messages/0/id").filter(|id| !id.is_empty())?,
        wa_id: text("/contacts/0/wa_id").filter(|id| !id.is_empty()),
        user_id: text("/contacts/0/user_id").filter(|id| !id.is_empty()),
        message_status: text("/messages/0/message_status"),
    })
}
