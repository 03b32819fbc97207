//! Takes pieces of work from the database, has them done side by side, and records what became of each as soon as it is known.

use super::outcome::Fate;
use super::{Desk, ask};
use crate::config::Secret;
use crate::runtime::backoff::Backoff;
use crate::runtime::database::DatabaseError;
use crate::runtime::metrics as names;
use metrics::counter;
use serde::Serialize;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_postgres::types::Json;
use tracing::{info, warn};
use uuid::Uuid;

/// Pieces under way at once: few, since an account may make a hundred templates an hour (§8.1).
const AT_ONCE: usize = 8;

/// Something Meta is to be asked for a template.
pub struct Work {
    pub template_id: Uuid,
    /// submit, edit, delete or upload.
    pub action: String,
    pub waba_id: String,
    pub access_token: Secret,
    pub wa_template_id: Option<String>,
    pub payload: Value,
    /// From 1.
    pub attempt: i32,
}

#[derive(Debug, Serialize)]
struct Report<'a> {
    template_id: Uuid,
    action: &'a str,
    attempt: i32,
    #[serde(flatten)]
    fate: &'a Fate,
}

/// Runs until cancelled; requests under way are finished and recorded.
pub async fn run(desk: Desk) {
    let mut under_way = JoinSet::new();
    let mut backoff = Backoff::default();
    while !desk.stop.is_cancelled() {
        let mut pause = desk.poll;
        match claim(&desk, AT_ONCE - under_way.len()).await {
            Ok(claimed) => {
                backoff.reset();
                for work in claimed {
                    under_way.spawn(do_and_record(desk.clone(), work));
                }
            }
            Err(error) => {
                counter!(names::WORKER_ERRORS, "role" => "templates").increment(1);
                warn!(%error, "looking for work on templates failed");
                pause = backoff.next_delay();
            }
        }
        tokio::select! {
            Some(_) = under_way.join_next(), if !under_way.is_empty() => {}
            () = desk.wakes.templates.notified(), if under_way.len() < AT_ONCE => {}
            () = tokio::time::sleep(pause) => {}
            () = desk.stop.cancelled() => {}
        }
    }
    while under_way.join_next().await.is_some() {}
}

async fn claim(desk: &Desk, most: usize) -> Result<Vec<Work>, DatabaseError> {
    if most == 0 {
        return Ok(Vec::new());
    }
    let client = desk.pool.get().await?;
    let statement = client
        .prepare_cached(include_str!("../../database/queries/claim_template_work.sql"))
        .await?;
    let rows = client.query(&statement, &[&(most as i32)]).await?;
    let work = rows.iter().map(|row| Work {
        template_id: row.get("template_id"),
        action: row.get("action"),
        waba_id: row.get("waba_id"),
        access_token: Secret(row.get("access_token")),
        wa_template_id: row.get("wa_template_id"),
        payload: row.get::<_, Option<Value>>("payload").unwrap_or_default(),
        attempt: row.get("attempt"),
    });
    Ok(work.collect())
}

async fn do_and_record(desk: Desk, work: Work) {
    let fate = ask::meta(&desk, &work).await;
    match &fate {
        Fate::Done(_) => {
            info!(template_id = %work.template_id, action = work.action, "template: done at Meta")
        }
        Fate::Failed { error_code, .. } => {
            info!(template_id = %work.template_id, action = work.action, error_code, "template: refused by Meta");
        }
        Fate::Retry { retry_seconds, .. } => {
            warn!(template_id = %work.template_id, action = work.action, retry_seconds, "template: to be asked again");
        }
    }
    // Told until the database takes it: a creation nobody recorded would be looked for at the next claim, but a minute later.
    let mut backoff = Backoff::default();
    loop {
        match record(&desk, &work, &fate).await {
            Ok(()) => {
                counter!(names::TEMPLATE_WORK, "action" => work.action.clone(), "outcome" => fate.label())
                    .increment(1);
                break;
            }
            Err(error) if error.is_transient() && !desk.stop.is_cancelled() => {
                warn!(%error, template_id = %work.template_id, "an answer about a template was not recorded, trying again");
                tokio::time::sleep(backoff.next_delay()).await;
            }
            Err(error) => {
                counter!(names::WORKER_ERRORS, "role" => "templates").increment(1);
                warn!(%error, template_id = %work.template_id, "an answer about a template was not recorded");
                break;
            }
        }
    }
    // An upload is followed by what needs it; a full house has room again.
    desk.wakes.templates.notify_one();
}

async fn record(desk: &Desk, work: &Work, fate: &Fate) -> Result<(), DatabaseError> {
    let report = Report {
        template_id: work.template_id,
        action: &work.action,
        attempt: work.attempt,
        fate,
    };
    let client = desk.pool.get().await?;
    let statement = client
        .prepare_cached(include_str!("../../database/queries/record_template_work.sql"))
        .await?;
    client.query_opt(&statement, &[&Json([report])]).await?;
    Ok(())
}
