//! The jobs role: imports, exports and changes of many contacts, one lease a job, several jobs at once.
//!
//! A job is done in steps that the database commits together with how far it is, so that another worker goes on where this one was
//! killed. What a worker may do with a job it asks anew at every step: that is how a cancel is noticed.

mod changes;
mod export;
mod import;
mod inspect;
mod job;
mod lines;
mod retention;
mod sheet;

use crate::config::Config;
use crate::runtime::backoff::Backoff;
use crate::runtime::database::DatabaseError;
use crate::runtime::listener::Holder;
use crate::runtime::metrics as names;
use crate::runtime::storage::{self, Storage};
use deadpool_postgres::Pool;
use job::{Job, Stopped};
use metrics::counter;
use std::collections::HashMap;
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

/// How often new jobs are looked for: somebody who has just uploaded a file waits for its columns.
const PAUSE: Duration = Duration::from_millis(500);
/// Tries without progress before a job is given up: with the back-off some five minutes.
const TRIES: u32 = 15;

/// Runs until cancelled. Fails at once when the address of Storage is no address.
pub fn run(
    pool: Pool,
    config: Config,
    holder: watch::Receiver<Option<Holder>>,
    stop: CancellationToken,
) -> anyhow::Result<impl Future<Output = ()>> {
    let storage = match &config.storage {
        Some((url, key)) => Some(Storage::new(url, key.clone())?),
        None => {
            warn!("SUPABASE_SERVICE_ROLE_KEY is not set: imports and exports wait for a worker that has it");
            None
        }
    };
    let role = JobsRole {
        pool,
        config,
        holder,
        storage,
        stop,
    };
    Ok(role.run())
}

struct JobsRole {
    pool: Pool,
    config: Config,
    holder: watch::Receiver<Option<Holder>>,
    storage: Option<Storage>,
    stop: CancellationToken,
}

impl JobsRole {
    async fn run(self) {
        let mut running = JoinSet::new();
        let mut held: HashMap<Id, (Uuid, Holder)> = HashMap::new();
        let mut backoff = Backoff::default();
        let mut extended = Instant::now();
        let cleaning = tokio::spawn(retention::run(
            self.pool.clone(),
            self.storage.clone(),
            self.stop.clone(),
        ));
        while !self.stop.is_cancelled() {
            let mut pause = PAUSE;
            let free = self.config.job_concurrency.saturating_sub(running.len());
            let holder = *self.holder.borrow();
            if let (Some(holder), 1..) = (holder, free) {
                match self.claim(holder, free as i32).await {
                    Ok(jobs) => {
                        backoff.reset();
                        for job in jobs {
                            let leased = (job.id, holder);
                            held.insert(running.spawn(work(job)).id(), leased);
                        }
                    }
                    Err(error) => pause = failed(&error, &mut backoff),
                }
            }
            if extended.elapsed() >= self.config.lease / 3 {
                extended = Instant::now();
                if let Err(error) = self.extend(&held).await {
                    pause = failed(&error, &mut backoff);
                }
            }
            tokio::select! {
                Some(ended) = running.join_next_with_id(), if !running.is_empty() => {
                    // After a panic too: the lease runs out, and the job is taken up again.
                    let task = match &ended {
                        Ok((task, ())) => *task,
                        Err(error) => error.id(),
                    };
                    held.remove(&task);
                }
                () = tokio::time::sleep(pause) => {}
                () = self.stop.cancelled() => {}
            }
        }
        while running.join_next().await.is_some() {}
        cleaning.await.ok();
    }

    async fn claim(&self, holder: Holder, most: i32) -> Result<Vec<Job>, DatabaseError> {
        let kinds: &[&str] = match self.storage {
            Some(_) => &["import", "export", "bulk_change", "erasure"],
            None => &["bulk_change", "erasure"],
        };
        let client = self.pool.get().await?;
        let statement = client
            .prepare_cached(include_str!("../../database/queries/claim_jobs.sql"))
            .await?;
        let seconds = self.config.lease.as_secs() as i32;
        let rows = client
            .query(
                &statement,
                &[&holder.id, &holder.lock_key, &seconds, &most, &kinds],
            )
            .await?;
        let jobs = rows.iter().map(|row| Job {
            id: row.get("job_id"),
            org_id: row.get("org_id"),
            kind: row.get("kind"),
            holder,
            pool: self.pool.clone(),
            storage: self.storage.clone(),
            import_batch: self.config.import_batch,
            stop: self.stop.clone(),
        });
        Ok(jobs.collect())
    }

    async fn extend(&self, held: &HashMap<Id, (Uuid, Holder)>) -> Result<(), DatabaseError> {
        let client = self.pool.get().await?;
        let statement = client
            .prepare_cached(include_str!("../../database/queries/extend_jobs.sql"))
            .await?;
        let seconds = self.config.lease.as_secs() as i32;
        for (job, holder) in held.values() {
            client
                .query(&statement, &[&holder.id, &vec![*job], &seconds])
                .await?;
        }
        Ok(())
    }
}

fn failed(error: &DatabaseError, backoff: &mut Backoff) -> Duration {
    counter!(names::WORKER_ERRORS, "role" => "jobs").increment(1);
    warn!(%error, "looking for jobs failed");
    backoff.next_delay()
}

/// One job to its end, or until it must be left to others.
async fn work(job: Job) {
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(30));
    let began = Instant::now();
    for attempt in 1.. {
        let outcome = match job.kind.as_str() {
            "import" => import::run(&job, &mut backoff).await,
            "export" => export::run(&job).await,
            _ => changes::run(&job).await,
        };
        let error = match outcome {
            Ok(()) => {
                counter!(names::JOBS, "kind" => job.kind.clone(), "outcome" => "done").increment(1);
                info!(job = %job.id, kind = job.kind, seconds = began.elapsed().as_secs_f32(), "job step done");
                break;
            }
            Err(error) => error,
        };
        match &error {
            Stopped::Lost => {
                info!(job = %job.id, "{error}");
                break;
            }
            Stopped::Stopping => {
                release(&job).await;
                break;
            }
            Stopped::Unusable(problem) => {
                give_up(&job, problem).await;
                break;
            }
            error if error.is_transient() && attempt < TRIES => {
                counter!(names::WORKER_ERRORS, "role" => "jobs").increment(1);
                warn!(job = %job.id, attempt, %error, "job interrupted, going on");
                let delay = backoff.next_delay();
                tokio::select! { () = tokio::time::sleep(delay) => {} () = job.stop.cancelled() => {} }
            }
            error => {
                warn!(job = %job.id, %error, "job given up");
                give_up(&job, "The work could not be finished because of a fault on our side. Nothing that is done was lost; try again.").await;
                break;
            }
        }
    }
}

async fn give_up(job: &Job, problem: &str) {
    counter!(names::JOBS, "kind" => job.kind.clone(), "outcome" => "failed").increment(1);
    let sql = include_str!("../../database/queries/fail_job.sql");
    if let Err(error) = job.query(sql, &[&job.id, &job.holder.id, &problem]).await {
        // The lease runs out; whoever takes the job up next comes to the same end.
        warn!(job = %job.id, %error, "the end of a job was not recorded");
    }
}

async fn release(job: &Job) {
    let sql = include_str!("../../database/queries/release_job.sql");
    if let Err(error) = job.query(sql, &[&job.id, &job.holder.id]).await {
        warn!(job = %job.id, %error, "a job was not given back; its lease runs out by itself");
    }
}
