//! The task that follows published tables while anybody is subscribed, and hands out what was judged visible.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use serde_json::Value;

use super::judge::{Case, Judge, Verdict, action};
use super::{Changes, Subscriber};
use crate::platform::Platform;
use crate::realtime::replication::{Backoff, Committed, Stream};

const PUBLICATION: &str = "supabase_realtime";
const SLOT: &str = "supabase_realtime_replication_slot";
/// Changes being judged at once: they share a connection, so this hides round trips and nothing else.
const JUDGED_AT_ONCE: usize = 32;
/// A client that reloads its page must not make the slot come and go.
const IDLE_BEFORE_STOP: Duration = Duration::from_secs(60);
/// 2000-01-01 in microseconds since 1970.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Follows changes until shutdown, over restarts of the database.
pub async fn follow(platform: Arc<Platform>) {
    let changes = platform.realtime.changes().clone();
    let mut demand = changes.demand.subscribe();
    let mut backoff = Backoff::new();
    loop {
        tokio::select! {
            wanted = demand.wait_for(|count| *count > 0) => {
                if wanted.is_err() {
                    return;
                }
            }
            () = platform.shutdown.cancelled() => return,
        }
        let outcome = tokio::select! {
            outcome = relay(&platform, &changes, &mut backoff) => outcome,
            () = platform.shutdown.cancelled() => return,
        };
        changes.status.lost();
        if let Err(error) = outcome {
            tracing::warn!("changes of tables are interrupted: {error:#}");
            tokio::select! {
                () = tokio::time::sleep(backoff.delay()) => {}
                () = platform.shutdown.cancelled() => return,
            }
        }
    }
}

/// Ends without error when nobody has been subscribed for a while.
async fn relay(platform: &Platform, changes: &Changes, backoff: &mut Backoff) -> anyhow::Result<()> {
    let judge = Judge::connect(&platform.config.db).await?;
    let mut stream = Stream::open(&platform.config.db, PUBLICATION, SLOT).await?;
    changes.status.established();
    backoff.reset();
    let mut judged = FuturesOrdered::new();
    let idle = idle(changes.demand.subscribe());
    tokio::pin!(idle);
    loop {
        tokio::select! {
            committed = stream.next(), if judged.len() < JUDGED_AT_ONCE => {
                if let Some(case) = case(changes, committed?) {
                    let judge = &judge;
                    judged.push_back(async move {
                        let verdicts = judge.ask(&case).await;
                        (case, verdicts)
                    });
                }
            }
            Some((case, verdicts)) = judged.next() => match verdicts {
                Ok(verdicts) => hand_out(&case, &verdicts),
                Err(error) if error.as_db_error().is_some() && !error.is_closed() => {
                    tracing::warn!(table = case.relation.name, "a change could not be judged: {error:?}");
                }
                Err(error) => return Err(error.into()),
            },
            () = &mut idle => return Ok(()),
        }
    }
}

/// Completes when there has been no subscriber for [`IDLE_BEFORE_STOP`].
async fn idle(mut demand: tokio::sync::watch::Receiver<usize>) {
    loop {
        if demand.wait_for(|count| *count == 0).await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::select! {
            () = tokio::time::sleep(IDLE_BEFORE_STOP) => return,
            _ = demand.wait_for(|count| *count > 0) => {}
        }
    }
}

fn case(changes: &Changes, committed: Committed) -> Option<Case> {
    let relation = &committed.relation;
    let covering = changes.covering(&relation.schema, &relation.name, action(&committed.change));
    if covering.is_empty() {
        return None;
    }
    Some(Case::new(committed, covering))
}

/// One event: for one channel and one selection of columns.
struct Event<'a> {
    subscriber: &'a Subscriber,
    /// Of all bindings that let it through.
    ids: Vec<u32>,
}

fn hand_out(case: &Case, verdicts: &[Verdict]) {
    for verdict in verdicts {
        let mut events: BTreeMap<(u64, Option<&[String]>), Event<'_>> = BTreeMap::new();
        for position in &verdict.visible {
            let Some((subscriber, binding)) = case.covering.get(*position) else {
                continue;
            };
            let binding = &subscriber.bindings[*binding];
            let event = events
                .entry((subscriber.id, binding.select.as_deref()))
                .or_insert_with(|| Event {
                    subscriber,
                    ids: Vec::new(),
                });
            if !event.ids.contains(&binding.id) {
                event.ids.push(binding.id);
            }
        }
        let whole = data(case, verdict, None);
        for ((_, select), event) in events {
            let cut = select.map(|select| data(case, verdict, Some(select)));
            let (ids, data) = (Value::from(event.ids), cut.as_deref().unwrap_or(&whole));
            event
                .subscriber
                .send(&format!(r#"{{"ids":{ids},"data":{data}}}"#));
        }
    }
}

/// The member `data` of an event as JSON text.
fn data(case: &Case, verdict: &Verdict, select: Option<&[String]>) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let cut = |json: &str| select.map_or_else(|| json.to_owned(), |names| only(json, names));
    let mut data = format!(
        r#"{{"schema":{},"table":{},"type":"{}","commit_timestamp":"{}","columns":{},"errors":{}"#,
        quoted(&case.relation.schema),
        quoted(&case.relation.name),
        case.action,
        commit_timestamp(case.commit_time_micros),
        cut(&verdict.columns),
        verdict
            .errors
            .as_ref()
            .map_or(Value::Null, |errors| Value::from(errors.as_slice())),
    );
    if case.action != "DELETE" {
        data.push_str(&format!(r#","record":{}"#, cut(&verdict.record)));
    }
    if case.action != "INSERT" {
        data.push_str(&format!(r#","old_record":{}"#, cut(&verdict.old_record)));
    }
    data.push('}');
    data
}

/// The named columns of a row, or of a list of columns.
fn only(json: &str, names: &[String]) -> String {
    match serde_json::from_str(json) {
        Ok(Value::Object(mut row)) => {
            row.retain(|name, _| names.contains(name));
            Value::Object(row).to_string()
        }
        Ok(Value::Array(mut columns)) => {
            columns.retain(|column| names.iter().any(|name| column["name"] == **name));
            Value::Array(columns).to_string()
        }
        _ => json.to_owned(),
    }
}

fn commit_timestamp(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros.saturating_add(POSTGRES_EPOCH_MICROS))
        .unwrap_or_default()
        .format("%Y-%m-%dT%H:%M:%S%.3fZ")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_have_milliseconds_and_zulu() {
        assert_eq!(commit_timestamp(0), "2000-01-01T00:00:00.000Z");
        assert_eq!(commit_timestamp(845_000_000_123_456), "2026-10-11T02:13:20.123Z");
    }

    #[test]
    fn a_selection_cuts_rows_and_columns() {
        let names = ["id".to_owned()];
        assert_eq!(
            only(r#"{"id": 12345678901234567890.5, "body": "x"}"#, &names),
            r#"{"id":12345678901234567890.5}"#
        );
        assert_eq!(
            only(
                r#"[{"name":"id","type":"int4"},{"name":"body","type":"text"}]"#,
                &names
            ),
            r#"[{"name":"id","type":"int4"}]"#
        );
    }
}
