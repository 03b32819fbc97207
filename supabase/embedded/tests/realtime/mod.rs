//! Realtime over a real websocket and a real database.

mod changes;
mod changes_content;
mod http;
mod outage;
mod presence;
mod rights;
mod rooms;
mod socket;
mod tables;

use serde_json::{Value, json};

use crate::support::stack::Stack;

pub const ANN: &str = "00000000-0000-4000-8000-00000000000a";
pub const BOB: &str = "00000000-0000-4000-8000-00000000000b";

/// Everybody listens on `room:<own id>` and `hall`; on `hall` everybody may also speak and be present.
const POLICIES: &str = "
    create policy listen on realtime.messages for select to authenticated using (
        extension in ('broadcast', 'presence')
        and realtime.topic() in ('hall', 'room:' || (select auth.uid()))
    );
    create policy speak on realtime.messages for insert to authenticated with check (
        extension in ('broadcast', 'presence') and realtime.topic() = 'hall'
    );";

/// A stack with the policies above, written as the unprivileged `postgres` writes them.
pub async fn stack() -> Stack {
    let stack = Stack::start().await;
    let postgres = stack.cluster.connect("postgres", "postgres").await;
    postgres.batch_execute(POLICIES).await.expect("policies");
    stack
}

pub fn private() -> Value {
    json!({ "private": true })
}

pub fn public() -> Value {
    json!({})
}

/// `realtime.send` as an application's function calls it.
pub async fn send(stack: &Stack, topic: &str, event: &str, payload: &Value, private: bool) {
    let postgres = stack.cluster.connect("postgres", "postgres").await;
    postgres
        .execute(
            "select realtime.send($1, $2, $3, $4)",
            &[payload, &event, &topic, &private],
        )
        .await
        .expect("send");
}
