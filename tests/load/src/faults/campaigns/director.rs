//! Somebody who launches one campaign after the other, some at once and some by schedule, and pauses and resumes them at random. Calls that
//! fail because something is just being killed are made again; what became of them the database says.

use crate::audience::member::Member;
use crate::bench::campaigns::field::Field;
use crate::wait::until;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_postgres::Client;
use tokio_postgres::types::Json;
use uuid::Uuid;

/// A person at work.
pub struct Director {
    launched: Arc<Mutex<Vec<Uuid>>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Director {
    pub fn start(field: &Field, url: String, seed: u64) -> Self {
        let launched = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = watch::channel(false);
        let directing = Directing {
            url,
            person: field.organisation.agent_id,
            org_id: field.organisation.org_id,
            fields: field.fields("Under fire"),
            launched: launched.clone(),
            stopped,
            random: StdRng::seed_from_u64(seed.wrapping_add(1)),
        };
        Self {
            launched,
            stop,
            task: tokio::spawn(directing.run()),
        }
    }

    pub fn launched(&self) -> usize {
        self.launched.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// No more campaigns; those there were.
    pub async fn stop(self) -> Vec<Uuid> {
        self.stop.send_replace(true);
        self.task.await.ok();
        std::mem::take(&mut *self.launched.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Directing {
    url: String,
    person: Uuid,
    org_id: Uuid,
    fields: serde_json::Value,
    launched: Arc<Mutex<Vec<Uuid>>>,
    stopped: watch::Receiver<bool>,
    random: StdRng,
}

impl Directing {
    async fn run(mut self) {
        let mut current = None;
        while !*self.stopped.borrow() {
            // Anything may be killed between two lines; the next turn begins with what the database says.
            if self.turn(&mut current).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    async fn turn(&mut self, current: &mut Option<Uuid>) -> anyhow::Result<()> {
        let member = Member::connect(&self.url, self.person).await?;
        while !*self.stopped.borrow() {
            let campaign = match *current {
                Some(campaign) => campaign,
                None => {
                    let sql = "select to_jsonb((public.create_campaign($1, $2)).id)";
                    let (id, _) = member.ask(sql, &[&self.org_id, &Json(&self.fields)]).await?;
                    let id: Uuid = serde_json::from_value(id)?;
                    self.launched
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(id);
                    *current = Some(id);
                    id
                }
            };
            let (status, _) = member
                .ask(
                    "select to_jsonb(status) from public.campaigns where id = $1",
                    &[&campaign],
                )
                .await?;
            match status.as_str().unwrap_or_default() {
                "draft" if self.random.random_bool(0.5) => {
                    let sql = "select public.schedule_campaign($1, clock_timestamp() + interval '300 milliseconds')";
                    member.tell(sql, &[&campaign]).await?;
                }
                // Twice: the second must change nothing.
                "draft" => {
                    let sql = "select public.launch_campaign($1)";
                    member.tell(sql, &[&campaign]).await?;
                    member.tell(sql, &[&campaign]).await.ok();
                }
                "sending" if self.random.random_bool(0.1) => {
                    member
                        .tell("select public.pause_campaign($1)", &[&campaign])
                        .await?;
                }
                "paused" if self.random.random_bool(0.4) => {
                    member
                        .tell("select public.resume_campaign($1)", &[&campaign])
                        .await?;
                }
                "completed" | "failed" => *current = None,
                _ => {}
            }
            tokio::time::sleep(Duration::from_millis(self.random.random_range(20..200))).await;
        }
        Ok(())
    }
}

/// Resumes what is paused and waits until every campaign is completed.
pub async fn let_finish(
    database: &Client,
    url: &str,
    person: Uuid,
    campaigns: &[Uuid],
) -> anyhow::Result<()> {
    // A draft that was never launched sends nothing, and a call that was lost may have left one.
    let open =
        "select count(*) from public.campaigns where id = any ($1) and status not in ('completed', 'draft')";
    let paused = "select id from public.campaigns where id = any ($1) and status = 'paused'";
    until(
        "every campaign is completed",
        Duration::from_secs(180),
        async || {
            for row in database.query(paused, &[&campaigns]).await.unwrap_or_default() {
                // A new connection: the one of the beginning has been killed.
                if let Ok(member) = Member::connect(url, person).await {
                    let id: Uuid = row.get(0);
                    member
                        .tell("select public.resume_campaign($1)", &[&id])
                        .await
                        .ok();
                }
            }
            database
                .query_one(open, &[&campaigns])
                .await
                .is_ok_and(|row| row.get::<_, i64>(0) == 0)
        },
    )
    .await
}
