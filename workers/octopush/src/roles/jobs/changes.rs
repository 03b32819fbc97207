//! Work in slices that the database does by itself: the same change of many contacts, and what an erasure leaves to do.

use super::job::{Job, Stopped};

/// Contacts changed in one transaction: a message to one of them waits no longer than that takes.
const CONTACTS: i32 = 1000;
/// Raw webhooks looked through in one transaction.
const WEBHOOKS: i32 = 5000;

pub async fn run(job: &Job) -> Result<(), Stopped> {
    loop {
        if job.stop.is_cancelled() {
            return Err(Stopped::Stopping);
        }
        let rows = if job.kind == "erasure" {
            let sql = include_str!("../../database/queries/blank_webhooks.sql");
            job.query(sql, &[&job.id, &WEBHOOKS]).await?
        } else {
            let sql = include_str!("../../database/queries/apply_bulk_change.sql");
            job.query(sql, &[&job.id, &job.holder.id, &CONTACTS]).await?
        };
        match rows.first().and_then(|row| row.get::<_, Option<bool>>(0)) {
            Some(true) => return Ok(()),
            Some(false) => {}
            None => return Err(Stopped::Lost),
        }
    }
}
