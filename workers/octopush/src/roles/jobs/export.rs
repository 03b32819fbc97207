//! Exports: pages of contacts from the database, as a stream of CSV into Storage.

use super::job::{Job, Stopped};
use bytes::Bytes;
use octopush_rules::contact_import::spreadsheet::{BYTE_ORDER_MARK, write_line};
use reqwest::Body;
use std::io;
use tokio::sync::mpsc;

/// Contacts read at once.
const PAGE: i32 = 2000;

pub async fn run(job: &Job) -> Result<(), Stopped> {
    let sql = include_str!("../../database/queries/start_export.sql");
    let begun = job.query(sql, &[&job.id, &job.holder.id]).await?;
    let Some(begun) = begun.first() else {
        return Err(Stopped::Lost);
    };
    let (header, total): (Vec<String>, i32) = (begun.get("header"), begun.get("total"));
    let path = job.file("contacts.csv");
    let (sender, body) = csv_body();
    // Both at once: the pages are read as fast as Storage takes them.
    let (pages, written) = tokio::join!(
        send_pages(job, &header, total, sender),
        job.storage()?.write_csv("exports", &path, body)
    );
    let rows = pages?;
    written?;
    let sql = include_str!("../../database/queries/finish_export.sql");
    job.query(sql, &[&job.id, &job.holder.id, &path, &rows]).await?;
    Ok(())
}

async fn send_pages(job: &Job, header: &[String], total: i32, body: CsvSender) -> Result<i32, Stopped> {
    let mut text = BYTE_ORDER_MARK.to_vec();
    write_line(&mut text, header.iter().map(String::as_str));
    let (mut after, mut count) = (0, 0);
    loop {
        if job.stop.is_cancelled() {
            body.abandon().await;
            return Err(Stopped::Stopping);
        }
        let sql = include_str!("../../database/queries/export_page.sql");
        let page = match job.query(sql, &[&job.id, &job.holder.id, &after, &PAGE]).await {
            Ok(page) => page,
            Err(error) => {
                body.abandon().await;
                return Err(error.into());
            }
        };
        for row in &page {
            after = row.get("last_position");
            // Erased or merged since the export began.
            let Some(cells) = row.get::<_, Option<Vec<String>>>("cells") else {
                continue;
            };
            count += 1;
            write_line(&mut text, cells.iter().map(String::as_str));
        }
        if !body.send(std::mem::take(&mut text)).await {
            return Err(Stopped::Interrupted("Storage did not take the file"));
        }
        if page.is_empty() && after < total {
            // Half a file must not replace the one that whoever took the job over writes.
            body.abandon().await;
            return Err(Stopped::Lost);
        }
        if page.is_empty() {
            return Ok(count);
        }
    }
}

/// The writing end of a body. Dropped, it ends the file; abandoned, it makes Storage refuse it.
pub struct CsvSender(mpsc::Sender<io::Result<Bytes>>);

impl CsvSender {
    /// False when nobody reads any more.
    pub async fn send(&self, text: Vec<u8>) -> bool {
        text.is_empty() || self.0.send(Ok(text.into())).await.is_ok()
    }

    pub async fn abandon(self) {
        self.0.send(Err(io::Error::other("abandoned"))).await.ok();
    }
}

/// A body that is written while it is sent.
pub fn csv_body() -> (CsvSender, Body) {
    let (sender, receiver) = mpsc::channel(2);
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    (CsvSender(sender), Body::wrap_stream(stream))
}
