//! Meta's list of an account's templates, page by page, handed to the database as a whole: only a complete list says what is gone.

use super::Desk;
use crate::config::Secret;
use crate::runtime::backoff::Backoff;
use crate::runtime::database::DatabaseError;
use crate::runtime::metrics as names;
use metrics::counter;
use octopush_whatsapp::client::{TemplateFilter, TemplateInfo};
use octopush_whatsapp::{ApiError, RetryClass};
use std::time::{Duration, SystemTime};
use tokio::task::JoinSet;
use tokio_postgres::types::Json;
use tracing::{info, warn};
use uuid::Uuid;

/// Lists under way at once.
const AT_ONCE: usize = 2;
/// A portfolio has 6,000 templates at most (§8.1), a page a hundred. More pages than this are a cursor that goes in circles.
const MOST_PAGES: usize = 200;
/// Waits for one page before the list is left as it is: together some quarter of an hour, as management quotas are hourly.
const MOST_WAITS: u32 = 9;
/// The first of them; each later one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(300);

struct Account {
    org_id: Uuid,
    waba_id: String,
    access_token: Secret,
    /// As of then the list is applied, by the database's clock.
    asked_at: SystemTime,
}

/// What a list brought.
struct Listing {
    templates: Vec<TemplateInfo>,
    is_complete: bool,
}

/// Runs until cancelled.
pub async fn run(desk: Desk) {
    let mut under_way = JoinSet::new();
    let mut backoff = Backoff::default();
    while !desk.stop.is_cancelled() {
        let mut pause = desk.poll;
        match due(&desk, AT_ONCE - under_way.len()).await {
            Ok(accounts) => {
                backoff.reset();
                for account in accounts {
                    under_way.spawn(sync(desk.clone(), account));
                }
            }
            Err(error) => {
                failed(&error);
                pause = backoff.next_delay();
            }
        }
        tokio::select! {
            Some(_) = under_way.join_next(), if !under_way.is_empty() => {}
            () = desk.wakes.template_lists.notified(), if under_way.len() < AT_ONCE => {}
            () = tokio::time::sleep(pause) => {}
            () = desk.stop.cancelled() => {}
        }
    }
    while under_way.join_next().await.is_some() {}
}

fn failed(error: &DatabaseError) {
    counter!(names::WORKER_ERRORS, "role" => "templates").increment(1);
    warn!(%error, "comparing templates with Meta failed");
}

async fn due(desk: &Desk, most: usize) -> Result<Vec<Account>, DatabaseError> {
    if most == 0 {
        return Ok(Vec::new());
    }
    let client = desk.pool.get().await?;
    let statement = client
        .prepare_cached(include_str!("../../database/queries/wabas_to_sync.sql"))
        .await?;
    let rows = client.query(&statement, &[&(most as i32)]).await?;
    let accounts = rows.iter().map(|row| Account {
        org_id: row.get("org_id"),
        waba_id: row.get("waba_id"),
        access_token: Secret(row.get("access_token")),
        asked_at: row.get("asked_at"),
    });
    Ok(accounts.collect())
}

async fn sync(desk: Desk, account: Account) {
    let listing = list(&desk, &account).await;
    let outcome = if listing.is_complete {
        "complete"
    } else {
        "partial"
    };
    counter!(names::TEMPLATE_SYNCS, "outcome" => outcome).increment(1);
    info!(org_id = %account.org_id, count = listing.templates.len(), outcome, "templates listed at Meta");
    if let Err(error) = apply(&desk, &account, &listing).await {
        failed(&error);
    }
}

async fn apply(desk: &Desk, account: &Account, listing: &Listing) -> Result<(), DatabaseError> {
    let client = desk.pool.get().await?;
    let statement = client
        .prepare_cached(include_str!("../../database/queries/apply_template_list.sql"))
        .await?;
    client
        .query_opt(
            &statement,
            &[
                &account.org_id,
                &account.waba_id,
                &Json(&listing.templates),
                &listing.is_complete,
                &account.asked_at,
            ],
        )
        .await?;
    Ok(())
}

async fn list(desk: &Desk, account: &Account) -> Listing {
    let mut listing = Listing {
        templates: Vec::new(),
        is_complete: false,
    };
    let mut skipped = 0;
    let mut after: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let page = match page(desk, account, after.as_deref()).await {
            Ok(page) => page,
            Err(error) => {
                warn!(org_id = %account.org_id, %error, "a list of templates broke off");
                return listing;
            }
        };
        skipped += page.skipped;
        listing.templates.extend(page.items);
        after = page.after;
        if after.is_none() {
            // What could not be read is not gone.
            listing.is_complete = skipped == 0;
            return listing;
        }
    }
    listing
}

/// One page, asked for again while Meta wants us to wait.
async fn page(
    desk: &Desk,
    account: &Account,
    after: Option<&str>,
) -> Result<octopush_whatsapp::client::Page<TemplateInfo>, ApiError> {
    let mut waits = 0;
    loop {
        let asked = desk
            .graph
            .templates(
                &account.waba_id,
                &account.access_token.0,
                &TemplateFilter::default(),
                after,
            )
            .await;
        let error = match asked {
            Ok(page) => return Ok(page),
            Err(error) => error,
        };
        let passes = matches!(
            error.retry_class(),
            RetryClass::RetryBackoff | RetryClass::RetryAfter { .. }
        );
        if !passes || waits == MOST_WAITS {
            return Err(error);
        }
        let wait = (FIRST_WAIT * 2_u32.pow(waits)).min(LONGEST_WAIT);
        waits += 1;
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = desk.stop.cancelled() => return Err(error),
        }
    }
}
