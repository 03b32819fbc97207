//! A file of 100k people, from the first byte of the upload to the job's end, and the same rows by COPY and one INSERT … SELECT.

use super::AREA;
use crate::audience::{api::Api, served_database};
use crate::figures::Times;
use crate::organisation::{Organisation, sign_in};
use crate::report::{Goal, Row};
use crate::stack::Stack;
use anyhow::{Context, bail, ensure};
use futures_util::SinkExt;
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::{Duration, Instant};
use tokio_postgres::Client;
use uuid::Uuid;

const ROWS: usize = 100_000;
const ROUNDS: usize = 3;
const HEADER: &str = "Phone,Name,E-mail,Company,Job title,City,Spend\n";
const FIELDS: [&str; 7] = [
    "phone",
    "full_name",
    "email",
    "company",
    "job_title",
    "address.city",
    "custom.spend",
];

pub async fn run(stack: &Stack) -> anyhow::Result<Vec<Row>> {
    let database = served_database(stack).await?;
    let session = sign_in(stack, "import@load.test").await?;
    let api = Api::new(stack, &session);
    let lines = lines();
    let (mut imports, mut copies) = (Times::default(), Times::default());
    for _ in 0..ROUNDS {
        let org_id = organisation(&database, session.user_id).await?;
        api.rpc(
            "create_custom_field",
            json!({ "p_org_id": org_id, "p_label": "Spend", "p_type": "number" }),
        )
        .await?;
        imports.add(import(&api, org_id, format!("{HEADER}{lines}").into_bytes()).await?);
        crate::audience::settle(&database, true).await?;
        let imported = people(&database, org_id).await?;
        database
            .execute("delete from public.contacts where org_id = $1", &[&org_id])
            .await?;

        let org_id = organisation(&database, session.user_id).await?;
        copies.add(copy(&database, org_id, &lines).await?);
        crate::audience::settle(&database, true).await?;
        let copied = people(&database, org_id).await?;
        ensure!(
            imported == copied,
            "the import and the copy made different people"
        );
        database
            .execute("delete from public.contacts where org_id = $1", &[&org_id])
            .await?;
        crate::audience::settle(&database, true).await?;
    }
    let (import, copy) = (imports.percentile(0.5) / 1000.0, copies.percentile(0.5) / 1000.0);
    Ok(vec![
        Row::new(
            AREA,
            "import of 100k rows, upload to done (s)",
            import,
            Goal::AtMost(30.0),
        )
        .note(format!(
            "CSV of {} columns by Storage, create_import, start_import; median of {ROUNDS}, slowest {:.1}",
            FIELDS.len(),
            imports.percentile(1.0) / 1000.0
        )),
        Row::new(
            AREA,
            "import of 100k rows ÷ COPY + one INSERT … SELECT",
            import / copy,
            Goal::AtMost(4.0),
        )
        .against(format!(
            "{copy:.2} s into the same table with its triggers, numbers not looked at"
        )),
    ])
}

async fn organisation(database: &Client, user_id: Uuid) -> anyhow::Result<Uuid> {
    let made = Organisation::create(database, user_id, super::NUMBER, 80).await?;
    database
        .execute(
            "update public.org_memberships set role = 'owner' where org_id = $1",
            &[&made.org_id],
        )
        .await?;
    Ok(made.org_id)
}

/// People in no order, without quotes that only one of the two sides would have to read.
fn lines() -> String {
    let mut lines = String::with_capacity(ROWS * 110);
    for n in 0..ROWS {
        let shuffled = (n * 7919 + 13) % ROWS;
        let _ = writeln!(
            lines,
            "+60111{shuffled:07},Person {shuffled} bin Yusof,person{shuffled}@example.my,Company {} Sdn Bhd,{},{},{}.{:02}",
            shuffled % 4000,
            ["Manager", "Teacher", "Nurse", "Owner"][shuffled % 4],
            ["Kuala Lumpur", "Ipoh", "Kuching", "George Town", "Melaka"][shuffled % 5],
            shuffled % 3000,
            shuffled % 100
        );
    }
    lines
}

async fn import(api: &Api, org_id: Uuid, file: Vec<u8>) -> anyhow::Result<Duration> {
    let path = format!("{org_id}/{}/people.csv", Uuid::now_v7());
    let mapping: Vec<Value> = FIELDS
        .iter()
        .enumerate()
        .map(|(index, field)| json!({ "index": index, "field": field }))
        .collect();
    let begin = Instant::now();
    api.upload("imports", &path, file).await?;
    let job = api
        .rpc(
            "create_import",
            json!({ "p_org_id": org_id, "p_path": path, "p_file_name": "people.csv" }),
        )
        .await?;
    let id = job["id"].as_str().context("a job has an id")?.to_owned();
    wait(api, &id, "waiting").await?;
    let options = json!({ "has_header": true, "duplicates": "skip" });
    api.rpc(
        "start_import",
        json!({ "p_job_id": id, "p_mapping": mapping, "p_options": options }),
    )
    .await?;
    let done = wait(api, &id, "done").await?;
    let took = begin.elapsed();
    ensure!(done["result"]["created"] == json!(ROWS), "{}", done["result"]);
    Ok(took)
}

async fn wait(api: &Api, id: &str, status: &str) -> anyhow::Result<Value> {
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        let job = api.row("jobs", id).await?;
        if job["status"] == status {
            return Ok(job);
        }
        if job["status"] == "failed" || Instant::now() > deadline {
            bail!(
                "the import is {} and not {status}: {}",
                job["status"],
                job["problem"]
            );
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn copy(database: &Client, org_id: Uuid, lines: &str) -> anyhow::Result<Duration> {
    database
        .batch_execute("create temporary table lines (phone text, full_name text, email text, company text, job_title text, city text, spend numeric)")
        .await?;
    let begin = Instant::now();
    let sink = database.copy_in("copy lines from stdin (format csv)").await?;
    let mut sink = std::pin::pin!(sink);
    for piece in lines.as_bytes().chunks(1 << 16) {
        sink.send(std::io::Cursor::new(piece.to_vec())).await?;
    }
    sink.close().await?;
    database
        .execute(include_str!("../../../sql/insert_lines.sql"), &[&org_id])
        .await?;
    let took = begin.elapsed();
    database.batch_execute("drop table lines").await?;
    Ok(took)
}

/// A fingerprint of an organisation's people.
async fn people(database: &Client, org_id: Uuid) -> anyhow::Result<(i64, String)> {
    let row = database
        .query_one(include_str!("../../../sql/people_fingerprint.sql"), &[&org_id])
        .await?;
    Ok((row.get(0), row.get(1)))
}
