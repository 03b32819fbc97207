//! Customers who write and agents who answer, without pause, whatever breaks. Both remember what was acknowledged to them.

use crate::organisation::Organisation;
use crate::stack::{Stack, connect};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// What must exist afterwards.
#[derive(Debug, Default)]
pub struct Promises {
    /// Meta ids of messages that customers sent.
    pub inbound: BTreeSet<String>,
    /// Ids of messages that `send_message` returned.
    pub outbound: BTreeSet<Uuid>,
}

/// Traffic under way.
pub struct Traffic {
    pub promises: Arc<Mutex<Promises>>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Traffic {
    /// Starts `customers` writing and `agents` answering.
    pub fn start(
        stack: &Stack,
        organisation: &Organisation,
        conversations: &[Uuid],
        customers: usize,
        agents: usize,
    ) -> Self {
        let promises = Arc::new(Mutex::new(Promises::default()));
        let (stop, stopped) = watch::channel(false);
        let mut tasks = Vec::new();
        for n in 0..customers {
            let sandbox = stack.get("OCTOPUSH_SANDBOX_URL").to_owned();
            tasks.push(tokio::spawn(write(
                sandbox,
                organisation.phone_number_id.clone(),
                n,
                promises.clone(),
                stopped.clone(),
            )));
        }
        for n in 0..agents {
            let own: Vec<Uuid> = conversations.iter().skip(n).step_by(agents).copied().collect();
            let url = stack.database_url("postgres");
            tasks.push(tokio::spawn(answer(
                url,
                organisation.agent_id,
                own,
                promises.clone(),
                stopped.clone(),
            )));
        }
        Self {
            promises,
            stop,
            tasks,
        }
    }

    /// No new messages; returns when the last ones under way are acknowledged or given up.
    pub async fn stop(self) -> Arc<Mutex<Promises>> {
        self.stop.send_replace(true);
        for task in self.tasks {
            task.await.ok();
        }
        self.promises
    }
}

/// One customer, through the sandbox: it keeps delivering until it gets its 200.
async fn write(
    sandbox: String,
    phone_number_id: String,
    index: usize,
    promises: Arc<Mutex<Promises>>,
    stopped: watch::Receiver<bool>,
) {
    let http = reqwest::Client::new();
    let url = format!(
        "{sandbox}/admin/customers/+{}/messages",
        Organisation::customer(index)
    );
    let mut n = 0;
    while !*stopped.borrow() {
        let body = json!({ "phone_number_id": phone_number_id, "type": "text", "text": { "body": format!("message {n}") } });
        if let Ok(response) = http.post(&url).json(&body).send().await
            && let Ok(answer) = response.json::<Value>().await
            && let Some(id) = answer["wa_message_id"].as_str()
        {
            lock(&promises).inbound.insert(id.to_owned());
            n += 1;
        }
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
}

/// One agent, through the database as PostgREST would: the same client key until it is acknowledged.
async fn answer(
    url: String,
    agent_id: Uuid,
    conversations: Vec<Uuid>,
    promises: Arc<Mutex<Promises>>,
    stopped: watch::Receiver<bool>,
) {
    let claims = json!({ "sub": agent_id, "role": "authenticated" }).to_string();
    let mut pending: Option<(Uuid, String)> = None;
    let mut turn = 0;
    while !*stopped.borrow() || pending.is_some() {
        let Ok(mut client) = connect(&url).await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        loop {
            if *stopped.borrow() && pending.is_none() {
                return;
            }
            let (conversation, key) = pending
                .get_or_insert_with(|| {
                    turn += 1;
                    (
                        conversations[turn % conversations.len()],
                        Uuid::now_v7().to_string(),
                    )
                })
                .clone();
            match send(&mut client, &claims, conversation, &key).await {
                Ok(id) => {
                    lock(&promises).outbound.insert(id);
                    pending = None;
                }
                // Whether it was committed is unknown: the same key again.
                Err(_) => break,
            }
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
    }
}

async fn send(
    client: &mut tokio_postgres::Client,
    claims: &str,
    conversation: Uuid,
    key: &str,
) -> Result<Uuid, tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction
        .execute(
            "select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)",
            &[&claims],
        )
        .await?;
    let row = transaction
        .query_one(
            "select (public.send_message($1, $2, 'text', 'An answer')).id",
            &[&conversation, &key],
        )
        .await?;
    let id = row.get(0);
    // A read and a mark beside the answers, as in a real inbox.
    transaction
        .execute("select public.mark_conversation_read($1)", &[&conversation])
        .await?;
    transaction.commit().await?;
    Ok(id)
}

/// The promises, also after a task panicked.
pub fn lock(promises: &Mutex<Promises>) -> std::sync::MutexGuard<'_, Promises> {
    promises.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
