//! Keeps processes running: started, asked until healthy, restarted with back-off when they die, ended in the end.

use crate::process;
use crate::services::Service;
use std::time::Duration;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(10);
/// A process that ran this long was well; its next restart is prompt again.
const STEADY: Duration = Duration::from_secs(30);
/// A process that dies this often before it was healthy once has a fault that no restart mends.
const FIRST_ATTEMPTS: u32 = 3;
/// How often a process that starts is asked.
const ASK_EVERY: Duration = Duration::from_millis(25);
/// A process that is not healthy by then is reported; it may still become so.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How a supervised process stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    Starting,
    Healthy,
    /// Given up, with the reason to show.
    Failed(String),
}

/// A process under supervision.
pub struct Supervised {
    condition: watch::Receiver<Condition>,
    end: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Supervised {
    /// Starts the process and a task that keeps it running. Must be called on a `LocalSet`.
    pub fn start(service: Service, client: reqwest::Client) -> Self {
        let (report, condition) = watch::channel(Condition::Starting);
        let (end, ended) = watch::channel(false);
        let task = tokio::task::spawn_local(keep_running(service, client, report, ended));
        Self { condition, end, task }
    }

    /// Waits until it is healthy for the first time; the error says why it will not be.
    pub async fn healthy(&self) -> Result<(), String> {
        let mut condition = self.condition.clone();
        let settled = condition
            .wait_for(|condition| *condition != Condition::Starting)
            .await;
        match settled.as_deref() {
            Ok(Condition::Failed(reason)) => Err(reason.clone()),
            Ok(_) => Ok(()),
            Err(_) => Err("its supervision ended".to_owned()),
        }
    }

    /// Ends the process and waits for its end.
    pub async fn stop(self) {
        self.end.send_replace(true);
        self.task.await.ok();
    }
}

enum Outcome {
    Asked,
    Died {
        said: String,
        ran: Duration,
        was_healthy: bool,
    },
}

async fn keep_running(
    service: Service,
    client: reqwest::Client,
    report: watch::Sender<Condition>,
    mut ended: watch::Receiver<bool>,
) {
    let name = service.name;
    let mut delay = FIRST_DELAY;
    let mut failed_attempts = 0;
    let mut is_restart = false;
    loop {
        match run_once(&service, &client, &report, &mut ended, is_restart).await {
            Outcome::Asked => return,
            Outcome::Died {
                said,
                ran,
                was_healthy,
            } => {
                failed_attempts = if was_healthy { 0 } else { failed_attempts + 1 };
                let never_healthy = *report.borrow() == Condition::Starting;
                if never_healthy && failed_attempts >= FIRST_ATTEMPTS {
                    report.send_replace(Condition::Failed(format!("{name} does not start: {said}")));
                    return;
                }
                if ran >= STEADY {
                    delay = FIRST_DELAY;
                }
                println!(
                    "  {name} {said}  starting it again in {:.2} s",
                    delay.as_secs_f32()
                );
                tokio::select! {
                    () = sleep(delay) => {}
                    _ = ended.wait_for(|end| *end) => return,
                }
                delay = (delay * 2).min(LONGEST_DELAY);
                is_restart = true;
            }
        }
    }
}

async fn run_once(
    service: &Service,
    client: &reqwest::Client,
    report: &watch::Sender<Condition>,
    ended: &mut watch::Receiver<bool>,
    is_restart: bool,
) -> Outcome {
    let started = Instant::now();
    let position = process::log_position(&service.log);
    let spawned = (service.start)().and_then(|mut command| {
        process::tie_to_this_process(&mut command, service.stop_signal);
        Ok(command.spawn()?)
    });
    let mut child: Child = match spawned {
        Ok(child) => child,
        Err(error) => return died(format!("cannot be started: {error:#}\n"), started, false),
    };
    let mut was_healthy = false;
    let watching = async {
        let mut is_late = false;
        while !service.health.is_good(client).await {
            if !is_late && started.elapsed() > START_LIMIT {
                is_late = true;
                println!(
                    "  {} is not healthy after {} s; its log: {}",
                    service.name,
                    START_LIMIT.as_secs(),
                    service.log.display()
                );
            }
            sleep(ASK_EVERY).await;
        }
        was_healthy = true;
        let again = if is_restart { " again" } else { "" };
        println!(
            "  {:<9} healthy{again} after {:.2} s",
            service.name,
            started.elapsed().as_secs_f32()
        );
        report.send_replace(Condition::Healthy);
        std::future::pending::<()>().await;
    };
    let status = tokio::select! {
        biased;
        _ = ended.wait_for(|end| *end) => None,
        status = child.wait() => Some(status),
        () = watching => None,
    };
    let Some(status) = status else {
        process::stop(&mut child, service.stop_signal, service.grace).await;
        return Outcome::Asked;
    };
    let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
    let said = process::log_since(&service.log, position);
    died(format!("ended ({how}):\n{said}"), started, was_healthy)
}

fn died(said: String, started: Instant, was_healthy: bool) -> Outcome {
    Outcome::Died {
        said,
        ran: started.elapsed(),
        was_healthy,
    }
}
