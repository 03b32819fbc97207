//! Acknowledging webhooks at Meta's pace, with everything running.

use crate::figures::Times;
use crate::organisation::{Organisation, PHONE_NUMBER_ID};
use crate::report::{Goal, Row};
use crate::stack::Stack;
use crate::wait::until;
use crate::webhooks::{deliver, text_message};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::Mutex;
use uuid::Uuid;

const AREA: &str = "webhook";

pub async fn run(stack: &Stack) -> anyhow::Result<Vec<Row>> {
    let database = stack.database("postgres").await?;
    let organisation = Organisation::create(&database, Uuid::now_v7(), PHONE_NUMBER_ID, 80).await?;
    let count = async || -> i64 {
        database
            .query_one(
                "select count(*) from public.messages where org_id = $1",
                &[&organisation.org_id],
            )
            .await
            .map_or(-1, |row| row.get(0))
    };

    let steady = storm(stack, 330, Duration::from_secs(60)).await;
    until(
        "the steady load is applied",
        Duration::from_secs(60),
        async || count().await == steady.sent as i64,
    )
    .await?;
    let burst = storm(stack, 3300, Duration::from_secs(10)).await;
    let started = Instant::now();
    let expected = (steady.sent + burst.acknowledged) as i64;
    let applied = until("the burst is applied", Duration::from_secs(180), async || {
        count().await == expected
    })
    .await;
    let kept = count().await - steady.sent as i64;

    let note = format!("{} deliveries, {} acknowledged", steady.sent, steady.acknowledged);
    Ok(vec![
        Row::new(
            AREA,
            "acknowledgement at 330/s for 60 s, p50 (ms)",
            steady.times.percentile(0.5),
            Goal::AtMost(10.0),
        )
        .note(note.clone()),
        Row::new(
            AREA,
            "acknowledgement at 330/s for 60 s, p99 (ms)",
            steady.times.percentile(0.99),
            Goal::AtMost(100.0),
        )
        .note(note),
        Row::new(
            AREA,
            "burst of 3,300/s for 10 s: acknowledged (share)",
            share(burst.acknowledged, burst.sent),
            Goal::AtLeast(1.0),
        )
        .note(format!(
            "{} deliveries in {:.1} s, p99 {:.0} ms",
            burst.sent,
            burst.took.as_secs_f64(),
            burst.times.percentile(0.99)
        )),
        Row::new(
            AREA,
            "burst: applied of those acknowledged (share)",
            share(kept.max(0) as usize, burst.acknowledged),
            Goal::AtLeast(1.0),
        )
        .note(match applied {
            Ok(()) => format!(
                "all {:.1} s after the last delivery",
                started.elapsed().as_secs_f64()
            ),
            Err(error) => error.to_string(),
        }),
    ])
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

struct Storm {
    times: Times,
    sent: usize,
    acknowledged: usize,
    took: Duration,
}

/// Open loop: deliveries start on time, however long earlier ones take.
async fn storm(stack: &Stack, per_second: u32, duration: Duration) -> Storm {
    let url = Arc::new(format!("{}/webhooks/whatsapp", stack.get("OCTOPUSH_WORKER_URL")));
    let secret = Arc::new(stack.get("WHATSAPP_APP_SECRET").to_owned());
    let http = reqwest::Client::builder()
        .pool_max_idle_per_host(512)
        .build()
        .expect("client");
    let times = Arc::new(Mutex::new(Times::default()));
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let sent = (f64::from(per_second) * duration.as_secs_f64()) as usize;
    let run = Uuid::now_v7().simple().to_string();
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    let mut begun = 0;
    while begun < sent {
        ticks.tick().await;
        let due = ((started.elapsed().as_secs_f64() * f64::from(per_second)) as usize).min(sent);
        for n in begun..due {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |d| d.as_secs() as i64);
            let body = text_message(
                PHONE_NUMBER_ID,
                &Organisation::customer(n % 2000),
                &format!("wamid.{run}.{n}"),
                now,
                "Do you deliver to Penang?",
            );
            let (http, url, secret, times, acknowledged) = (
                http.clone(),
                url.clone(),
                secret.clone(),
                times.clone(),
                acknowledged.clone(),
            );
            tasks.spawn(async move {
                let begin = Instant::now();
                if deliver(&http, &url, &secret, body).await {
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                times.lock().await.add(begin.elapsed());
            });
        }
        begun = due.max(begun);
    }
    while tasks.join_next().await.is_some() {}
    let took = started.elapsed();
    let times = times.lock().await.clone();
    Storm {
        times,
        sent,
        acknowledged: acknowledged.load(Ordering::Relaxed),
        took,
    }
}
