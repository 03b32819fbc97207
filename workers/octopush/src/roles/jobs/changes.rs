//! The same change of many contacts, slice by slice.

use super::job::{Job, Stopped};

/// Contacts changed in one transaction: a message to one of them waits no longer than that takes.
const SLICE: i32 = 1000;

pub async fn run(job: &Job) -> Result<(), Stopped> {
    loop {
        if job.stop.is_cancelled() {
            return Err(Stopped::Stopping);
        }
        let sql = include_str!("../../database/queries/apply_bulk_change.sql");
        let rows = job.query(sql, &[&job.id, &job.holder.id, &SLICE]).await?;
        match rows.first().and_then(|row| row.get::<_, Option<bool>>(0)) {
            Some(true) => return Ok(()),
            Some(false) => {}
            None => return Err(Stopped::Lost),
        }
    }
}
