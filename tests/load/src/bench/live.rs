//! From a customer's message to the agent's screen: webhook, apply, broadcast, and the row read back by the subscribed client.

use crate::figures::Times;
use crate::organisation::{Organisation, PHONE_NUMBER_ID, sign_in};
use crate::report::{Goal, Row};
use crate::stack::Stack;
use crate::webhooks::{deliver, text_message};
use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

const MESSAGES: usize = 200;

pub async fn run(stack: &Stack) -> anyhow::Result<Vec<Row>> {
    let session = sign_in(stack, "live@load.test").await?;
    let database = stack.database("postgres").await?;
    let organisation = Organisation::create(&database, session.user_id, PHONE_NUMBER_ID, 80).await?;
    let conversation = organisation.conversations(&database, 1).await?[0];

    let url = format!(
        "{}/realtime/v1/websocket?apikey={}&vsn=1.0.0",
        stack.get("SUPABASE_URL").replacen("http", "ws", 1),
        stack.get("SUPABASE_ANON_KEY")
    );
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.context("realtime")?;
    let topic = format!("realtime:conversation:{conversation}");
    let join = json!({ "topic": topic, "event": "phx_join", "ref": "1", "join_ref": "1", "payload": {
        "access_token": session.access_token,
        "config": { "private": true, "broadcast": { "ack": false, "self": false }, "presence": { "key": "", "enabled": false }, "postgres_changes": [] },
    }});
    socket.send(Message::text(join.to_string())).await?;
    loop {
        let frame = next(&mut socket).await?;
        if frame["event"] == "phx_reply" {
            if frame["payload"]["status"] != "ok" {
                bail!("the channel was refused: {frame}");
            }
            break;
        }
    }

    let http = reqwest::Client::new();
    let rest = format!("{}/rest/v1/messages", stack.get("SUPABASE_URL"));
    let webhook = format!("{}/webhooks/whatsapp", stack.get("OCTOPUSH_WORKER_URL"));
    let (mut visible, mut heard) = (Times::default(), Times::default());
    for n in 0..MESSAGES {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() as i64;
        let body = text_message(
            PHONE_NUMBER_ID,
            &Organisation::customer(0),
            &format!("wamid.live.{}", Uuid::now_v7()),
            now,
            &format!("message {n}"),
        );
        let begin = Instant::now();
        let delivered = deliver(&http, &webhook, stack.get("WHATSAPP_APP_SECRET"), body);
        let seen = async {
            loop {
                let frame = next(&mut socket).await?;
                if frame["event"] != "broadcast" || frame["payload"]["event"] != "messages" {
                    continue;
                }
                let id = frame["payload"]["payload"]["message_ids"][0]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                let at = begin.elapsed();
                let rows: Value = http
                    .get(&rest)
                    .query(&[
                        ("id", format!("eq.{id}")),
                        ("select", "id,body,direction,status,occurred_at".into()),
                    ])
                    .header("apikey", stack.get("SUPABASE_ANON_KEY"))
                    .bearer_auth(&session.access_token)
                    .send()
                    .await?
                    .json()
                    .await?;
                if rows[0]["body"] == format!("message {n}") {
                    return anyhow::Ok(at);
                }
            }
        };
        let (acknowledged, at) = tokio::join!(delivered, tokio::time::timeout(Duration::from_secs(10), seen));
        if !acknowledged {
            bail!("a webhook was not acknowledged");
        }
        heard.add(at.context("no broadcast within 10 s")??);
        visible.add(begin.elapsed());
    }
    Ok(vec![
        Row::new("inbox", "customer's message → visible in a subscribed client, p95 (ms)", visible.percentile(0.95), Goal::AtMost(250.0)).note(
            format!(
                "{} messages one after the other; p50 {:.1}, broadcast heard p95 {:.1}; websocket client + REST read, no browser rendering",
                visible.len(),
                visible.percentile(0.5),
                heard.percentile(0.95)
            ),
        ),
    ])
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn next(socket: &mut Socket) -> anyhow::Result<Value> {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(10), socket.next())
            .await?
            .context("the socket closed")??;
        if let Message::Text(text) = message {
            return Ok(serde_json::from_str(&text)?);
        }
    }
}
