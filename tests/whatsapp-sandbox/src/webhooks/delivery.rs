//! The carrier: takes what is due, applies the faults, posts with limited concurrency, and brings back what was not acknowledged.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use octopush_whatsapp::signature::{HEADER, sign};
use serde_json::Value;
use tokio::sync::oneshot;

use super::{DeliveryRecord, Due, Letter, Parcel, PostOffice, Route, Signature, payload};
use crate::world::World;

/// Carries until the process ends.
pub async fn run(world: Arc<World>) {
    let http = reqwest::Client::builder()
        .no_proxy()
        .user_agent("facebookexternalua")
        .pool_max_idle_per_host(64)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("an HTTP client without special wishes");
    let mut ready = VecDeque::new();
    let mut generation = world.post.generation.load(Ordering::Relaxed);
    loop {
        let current = world.post.generation.load(Ordering::Relaxed);
        if current != generation {
            ready.clear();
            generation = current;
        }
        if ready.is_empty() {
            ready.extend(write_letters(&world, take_due(&world.post)));
        }
        let concurrency = world.state().settings.webhook_concurrency.max(1);
        while world.post.in_flight.load(Ordering::Relaxed) < concurrency
            && let Some(letter) = ready.pop_front()
        {
            dispatch(&world, &http, letter);
        }
        world.post.ready.store(ready.len(), Ordering::Relaxed);
        let next = world.post.heap().peek().map(|due| due.at);
        match next {
            // Woken by a delivery that ended.
            _ if !ready.is_empty() => world.post.woken.notified().await,
            Some(at) => {
                tokio::select! {
                    () = tokio::time::sleep_until(at.into()) => {}
                    () = world.post.woken.notified() => {}
                }
            }
            None => world.post.woken.notified().await,
        }
    }
}

/// As many as one round writes; what is left stays due.
const ROUND: usize = 1000;

fn take_due(post: &PostOffice) -> Vec<Due> {
    let now = Instant::now();
    let mut heap = post.heap();
    let mut taken = Vec::new();
    while taken.len() < ROUND && heap.peek().is_some_and(|due| due.at <= now) {
        taken.extend(heap.pop());
    }
    taken
}

/// Makes what is due happen, and writes the notifications about it.
fn write_letters(world: &World, due: Vec<Due>) -> Vec<Letter> {
    let mut letters = Vec::new();
    let mut batches: HashMap<String, Batch> = HashMap::new();
    let batch_size = world.state().settings.webhook_batch.clamp(1, 1000);
    for Due { parcel, receipt, .. } in due {
        match parcel {
            Parcel::Letter(letter) => letters.push(*letter),
            Parcel::Review { template_id } => {
                if let Some((waba_id, field, value)) = crate::templates::review(world, &template_id) {
                    let route = Route::App { waba_id };
                    letters.extend(write_change(world, &route, field, value, receipt));
                }
            }
            Parcel::Change { route, field, value } => {
                letters.extend(write_change(world, &route, field, value, receipt))
            }
            Parcel::Raw { body, signature, url } => {
                letters.extend(write_raw(world, body, signature, url, receipt))
            }
            Parcel::Status {
                wa_message_id,
                status,
                error_code,
            } => {
                let Some(notice) = payload::status(world, &wa_message_id, status, error_code) else {
                    continue;
                };
                let batch = batches.entry(notice.phone_number_id.clone()).or_default();
                batch.statuses.push(notice.status);
                batch.contacts.extend(notice.contact);
                batch.marks.push((wa_message_id, status));
                batch.receipts.extend(receipt);
                if batch.statuses.len() >= batch_size {
                    letters.extend(write_statuses(
                        world,
                        &notice.phone_number_id,
                        std::mem::take(batch),
                    ));
                }
            }
        }
    }
    for (phone_number_id, batch) in batches {
        if !batch.statuses.is_empty() {
            letters.extend(write_statuses(world, &phone_number_id, batch));
        }
    }
    letters
}

#[derive(Default)]
struct Batch {
    statuses: Vec<Value>,
    contacts: Vec<Value>,
    marks: Vec<(Arc<str>, &'static str)>,
    receipts: Vec<oneshot::Sender<u16>>,
}

fn write_statuses(world: &World, phone_number_id: &str, batch: Batch) -> Option<Letter> {
    let route = Route::Number {
        phone_number_id: phone_number_id.to_owned(),
    };
    let value = payload::statuses_value(world, phone_number_id, batch.statuses, batch.contacts)?;
    let mut letter = write_change(world, &route, "messages", value, None)?;
    letter.statuses = batch.marks;
    letter.receipts = batch.receipts;
    Some(letter)
}

fn write_change(
    world: &World,
    route: &Route,
    field: &str,
    value: Value,
    receipt: Option<oneshot::Sender<u16>>,
) -> Option<Letter> {
    let (url, body) = {
        let state = world.state();
        let (waba_id, url) = payload::address(&state, route)?;
        // Only account-type fields carry the time of the entry.
        let time = matches!(route, Route::App { .. }).then(|| world.now());
        let body = payload::envelope(&waba_id, time, field, value);
        (url, payload::serialize(&body, state.settings.escape_unicode))
    };
    Some(signed(world, url, body.into(), field, receipt))
}

fn signed(
    world: &World,
    url: String,
    body: Bytes,
    field: &str,
    receipt: Option<oneshot::Sender<u16>>,
) -> Letter {
    Letter {
        signature: Some(sign(world.config.app_secret.as_bytes(), &body)),
        signature_after: None,
        url,
        body,
        field: field.to_owned(),
        attempt: 1,
        statuses: Vec::new(),
        receipts: receipt.into_iter().collect(),
    }
}

fn write_raw(
    world: &World,
    body: Bytes,
    signature: Signature,
    url: Option<String>,
    receipt: Option<oneshot::Sender<u16>>,
) -> Option<Letter> {
    let url = url
        .or_else(|| Some(world.state().settings.webhook_url.clone()))
        .filter(|url| !url.is_empty())?;
    let mut letter = signed(world, url, body, "raw", receipt);
    match signature {
        Signature::Valid => {}
        Signature::Wrong => letter.signature = Some(sign(b"not the app secret", &letter.body)),
        Signature::Missing => letter.signature = None,
    }
    Some(letter)
}

/// Applies the faults of the way and sends the letter off.
fn dispatch(world: &Arc<World>, http: &reqwest::Client, mut letter: Letter) {
    // Raw bodies are a test's own doing: it says itself what should be wrong with them.
    if letter.attempt == 1 && letter.field != "raw" {
        let (is_dropped, is_doubled, is_spoiled, delay) = {
            let faults = &mut world.state().faults;
            (
                faults.drops_webhook(),
                faults.duplicates_webhook(),
                faults.spoils_signature(),
                faults.webhook_delay_ms(),
            )
        };
        if is_dropped {
            return;
        }
        if is_doubled {
            let twin = Letter {
                url: letter.url.clone(),
                body: letter.body.clone(),
                signature: letter.signature.clone(),
                signature_after: None,
                field: letter.field.clone(),
                attempt: 2,
                statuses: Vec::new(),
                receipts: Vec::new(),
            };
            post(world, http, twin);
        }
        if is_spoiled {
            letter.signature_after = letter
                .signature
                .replace(sign(b"not the app secret", &letter.body));
        }
        if delay > 0 {
            letter.attempt = 2;
            world
                .post
                .put(Parcel::Letter(Box::new(letter)), Duration::from_millis(delay));
            return;
        }
    }
    post(world, http, letter);
}

fn post(world: &Arc<World>, http: &reqwest::Client, mut letter: Letter) {
    let (world, http) = (Arc::clone(world), http.clone());
    world.post.in_flight.fetch_add(1, Ordering::Relaxed);
    let generation = world.post.generation.load(Ordering::Relaxed);
    let timeout = Duration::from_millis(world.state().settings.webhook_timeout_ms);
    tokio::spawn(async move {
        let started = Instant::now();
        let mut request = http
            .post(&letter.url)
            .timeout(timeout)
            .header("content-type", "application/json")
            .body(letter.body.clone());
        if let Some(signature) = &letter.signature {
            request = request.header(HEADER, signature);
        }
        let http_status = match request.send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                // Read to the end, so that the connection can be used again.
                let _ = response.bytes().await;
                status
            }
            Err(_) => 0,
        };
        if generation == world.post.generation.load(Ordering::Relaxed) {
            world.post.record(DeliveryRecord {
                seq: 0,
                field: letter.field.clone(),
                url: letter.url.clone(),
                attempt: letter.attempt,
                http_status,
                took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                bytes: letter.body.len(),
            });
            for receipt in letter.receipts.drain(..) {
                // Nobody waits any more: fine.
                let _ = receipt.send(http_status);
            }
            if http_status == 200 {
                let mut state = world.state();
                for (wa_message_id, status) in &letter.statuses {
                    state.ledger.mark_delivered(wa_message_id, status);
                }
            } else if letter.field != "raw" {
                retry(&world, letter);
            }
        }
        world.post.in_flight.fetch_sub(1, Ordering::Relaxed);
        world.post.woken.notify_one();
    });
}

/// The first retry is immediate; then delays double up to a limit, without end: Meta goes on for seven days.
fn retry(world: &World, mut letter: Letter) {
    let after = {
        let settings = &world.state().settings;
        match letter.attempt {
            1 => 0,
            attempt => settings
                .webhook_retry_ms
                .saturating_mul(1_u64 << (attempt - 2).min(20))
                .min(settings.webhook_retry_max_ms),
        }
    };
    letter.attempt += 1;
    if let Some(right) = letter.signature_after.take() {
        letter.signature = Some(right);
    }
    world
        .post
        .put(Parcel::Letter(Box::new(letter)), Duration::from_millis(after));
}
