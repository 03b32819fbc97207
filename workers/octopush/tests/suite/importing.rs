//! Imports from the uploaded file to the contacts.

use super::fixture::{Database, Worker, eventually};
use super::storage::{Storage, administration, call, import, job, job_is, look_at, start};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};

const NAMES: &str =
    "select string_agg(full_name, '|' order by phone) from public.contacts where source = 'import'";

fn utf16(text: &str, big_endian: bool) -> Vec<u8> {
    let unit = |unit: u16| {
        if big_endian {
            unit.to_be_bytes()
        } else {
            unit.to_le_bytes()
        }
    };
    text.encode_utf16().flat_map(unit).collect()
}

/// A workbook of one sheet with these cells: texts, and numbers where they start with `#`.
fn workbook(rows: &[&[&str]]) -> Vec<u8> {
    let mut sheet = String::from(
        r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>"#,
    );
    for (number, row) in rows.iter().enumerate() {
        write!(sheet, r#"<row r="{}">"#, number + 1).unwrap();
        for (column, cell) in row.iter().enumerate() {
            let place = format!("{}{}", char::from(b'A' + column as u8), number + 1);
            match cell.strip_prefix('#') {
                Some(value) => write!(sheet, r#"<c r="{place}"><v>{value}</v></c>"#).unwrap(),
                None => write!(
                    sheet,
                    r#"<c r="{place}" t="inlineStr"><is><t>{cell}</t></is></c>"#
                )
                .unwrap(),
            }
        }
        sheet.push_str("</row>");
    }
    sheet.push_str("</sheetData></worksheet>");
    let parts = [
        (
            "[Content_Types].xml",
            r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>"#,
        ),
        (
            "_rels/.rels",
            r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
        ),
        (
            "xl/workbook.xml",
            r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="People" sheetId="1" r:id="r1"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#,
        ),
        ("xl/worksheets/sheet1.xml", &sheet),
    ];
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive
            .start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// `count` people from number `first` on.
fn people(first: usize, count: usize) -> String {
    let mut text = String::from("Phone,Name,Email,Tags\n");
    for number in first..first + count {
        writeln!(
            text,
            "+60121{number:06},Person {number},p{number}@example.com,vip"
        )
        .unwrap();
    }
    text
}

#[tokio::test]
async fn every_encoding_and_delimiter_gives_the_same_contacts() {
    let database = Database::create().await;
    let organisation = administration(&database).await;
    let storage = Storage::start(&database).await;
    let worker = storage.worker(&database, &[]).await;
    let text =
        "No. Telefon;Nama;Emel\r\n012-345 6789;Zoë Müller;zoe@example.com\r\n+65 9123 4567;Ségolène;\r\n";
    let western: Vec<u8> = text.chars().map(|c| c as u8).collect();
    let files = [
        ("utf-8", text.as_bytes().to_vec()),
        ("utf-8", [b"\xEF\xBB\xBF", text.as_bytes()].concat()),
        ("utf-16le", [b"\xFF\xFE".to_vec(), utf16(text, false)].concat()),
        ("utf-16be", [b"\xFE\xFF".to_vec(), utf16(text, true)].concat()),
        ("utf-16le", utf16(text, false)),
        ("windows-1252", western),
        ("utf-8", text.replace("\r\n", "\r").into_bytes()),
        ("utf-8", text.replace(';', "\t").into_bytes()),
        ("utf-8", text.replace(';', "|").into_bytes()),
    ];
    for (encoding, bytes) in files {
        let job = import(&database, &storage, &organisation, bytes, json!({})).await;
        assert_eq!(job["result"]["created"], 2, "{encoding} {job}");
        assert_eq!(
            database.text(NAMES).await.as_deref(),
            Some("Zoë Müller|Ségolène"),
            "{encoding}"
        );
        let phones =
            "select string_agg(phone, ' ' order by phone) from public.contacts where source = 'import'";
        assert_eq!(
            database.text(phones).await.as_deref(),
            Some("+60123456789 +6591234567")
        );
        database
            .admin
            .batch_execute("delete from public.contacts where source = 'import'; delete from public.jobs")
            .await
            .unwrap();
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_workbook_is_read_like_a_file_of_text() {
    let database = Database::create().await;
    let organisation = administration(&database).await;
    let storage = Storage::start(&database).await;
    let worker = storage.worker(&database, &[]).await;
    let rows: [&[&str]; 4] = [
        &["Name", "Phone", "Company"],
        &["Aina", "#60123456789", "Kedai"],
        &[],
        &["Ben", "#6.591234567E9", ""],
    ];
    let looked_at = look_at(&database, &storage, &organisation, workbook(&rows)).await;
    assert_eq!(looked_at["result"]["sheet"], "People", "{looked_at}");
    let id = start(&database, &organisation, &looked_at, &json!({})).await;
    let done = job_is(&database, &id, &["done", "failed"]).await;
    assert_eq!(done["result"]["created"], 1, "{done}");
    // Without a plus a foreign number is a guess.
    assert_eq!(done["result"]["failed"], 1, "{done}");
    assert_eq!(database.text(NAMES).await.as_deref(), Some("Aina"));
    worker.stop().await;
}

#[tokio::test]
async fn files_that_are_none_are_refused_with_a_reason() {
    let database = Database::create().await;
    let organisation = administration(&database).await;
    let storage = Storage::start(&database).await;
    let worker = storage.worker(&database, &[]).await;
    let mut truncated = workbook(&[&["Phone"], &["#60123456789"]]);
    truncated.truncate(truncated.len() / 2);
    let files: [(Vec<u8>, &str); 6] = [
        (Vec::new(), "empty"),
        (b"\r\n  \n".to_vec(), "empty"),
        (b"Phone,Name\n".to_vec(), "no rows"),
        (
            [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &[0, 200, 7, 13]].concat(),
            "picture",
        ),
        (truncated, "damaged"),
        (vec![0; 4000], "not a text file"),
    ];
    for (bytes, reason) in files {
        let job = look_at(&database, &storage, &organisation, bytes).await;
        assert_eq!(job["status"], "failed", "{reason}: {job}");
        assert!(
            job["problem"].as_str().unwrap().contains(reason),
            "{reason}: {job}"
        );
    }
    worker.stop().await;
}

#[tokio::test]
async fn refused_lines_are_given_back_with_their_reasons() {
    let database = Database::create().await;
    let organisation = administration(&database).await;
    let storage = Storage::start(&database).await;
    let worker = storage.worker(&database, &[("OCTOPUSH_IMPORT_BATCH", "7")]).await;
    let sql = format!(
        "insert into public.contacts (org_id, phone, full_name, deleted_at) values ('{}', '+60129999999', 'Gone', now())",
        organisation.org_id
    );
    database.admin.batch_execute(&sql).await.unwrap();
    let mut text = String::from("Phone,Name,Email,Name\n");
    text.push_str("0123456789,=HYPERLINK(\"http://x\"),a@example.com,\n");
    text.push_str("call me maybe,Abu,,\n");
    text.push_str("+60129999999,Back,,\n");
    text.push_str("0123456780,No\0ul,not-an-email,\n");
    text.push_str("0123456781,Cut,,,,extra\n");
    text.push_str("0123456782\n");
    text.push_str("0123456783,\"never closed,,\n");
    for _ in 0..50 {
        text.push_str("+6512,Short,,\n0123456784,Again,,\n");
    }
    let job = import(&database, &storage, &organisation, text, json!({})).await;
    let result = &job["result"];
    assert_eq!(
        (&result["created"], &result["skipped"], &result["failed"]),
        (&json!(3), &json!(49), &json!(55)),
        "{job}"
    );
    assert_eq!(
        database.text(NAMES).await.as_deref(),
        Some("Again|=HYPERLINK(\"http://x\")"),
        "a formula is text, and kept"
    );
    let errors = storage.get(result["errors_path"].as_str().unwrap()).await;
    let errors = String::from_utf8(errors).unwrap();
    assert!(
        errors.starts_with("\u{FEFF}Phone,Name,Email,Name (2),Line,Problem\r\n"),
        "{errors}"
    );
    for expected in [
        "call me maybe,Abu,,,3,“call me maybe” is not a phone number.",
        "in the trash",
        "“not-an-email” is not an e-mail address.",
        "more than the 4 columns",
        "a quote is opened and never closed",
    ] {
        assert!(errors.contains(expected), "{expected} missing in {errors}");
    }
    worker.stop().await;
}

#[tokio::test]
async fn existing_contacts_are_updated_and_nobody_is_opted_in_against_their_will() {
    let database = Database::create().await;
    let organisation = administration(&database).await;
    let storage = Storage::start(&database).await;
    let worker = storage.worker(&database, &[]).await;
    let sql = format!(
        "insert into public.contacts (org_id, phone, wa_id, full_name, opt_in_status) values
            ('{0}', '+60121000001', null, 'Out', 'opted_out'), ('{0}', null, '60121000002', 'By WhatsApp', 'pending')",
        organisation.org_id
    );
    database.admin.batch_execute(&sql).await.unwrap();
    let text = "Phone,Name,Company,Tags\n\
        +60121000001,,Kedai,vip\n+60121000002,Renamed,,\"vip, new\"\n+60121000003,First,,\n+60121000003,Second,Later,VIP\n";
    let options = json!({ "duplicates": "update", "consent": { "status": "opted_in", "source": "form", "evidence": "Fair 2026" } });
    let job = import(&database, &storage, &organisation, text, options).await;
    assert_eq!(
        (&job["result"]["created"], &job["result"]["updated"]),
        (&json!(1), &json!(3)),
        "{job}"
    );
    let state = "select string_agg(concat_ws(',', c.phone, c.full_name, c.company, c.opt_in_status,
            (select string_agg(t.name, '+' order by t.name) from public.contact_tags ct join public.tags t on t.id = ct.tag_id where ct.contact_id = c.id)
        ), '|' order by c.phone) from public.contacts c";
    assert_eq!(
        database.text(state).await.as_deref(),
        Some(
            "+60121000001,Out,Kedai,opted_out,vip|+60121000002,Renamed,opted_in,new+vip|+60121000003,Second,Later,opted_in,vip"
        )
    );
    let evidence = "select string_agg(distinct evidence || ' ' || source, '|') from public.contact_consents";
    assert_eq!(database.text(evidence).await.as_deref(), Some("Fair 2026 form"));
    worker.stop().await;
}

#[tokio::test]
async fn two_imports_of_the_same_people_create_each_once() {
    let database = Database::create().await;
    let organisation = administration(&database).await;
    let storage = Storage::start(&database).await;
    let worker = storage
        .worker(&database, &[("OCTOPUSH_IMPORT_BATCH", "100")])
        .await;
    let other = storage
        .worker(&database, &[("OCTOPUSH_IMPORT_BATCH", "130")])
        .await;
    let first = look_at(&database, &storage, &organisation, people(0, 3000)).await;
    let second = look_at(&database, &storage, &organisation, people(1500, 3000)).await;
    let first = start(
        &database,
        &organisation,
        &first,
        &json!({ "duplicates": "update" }),
    )
    .await;
    let second = start(
        &database,
        &organisation,
        &second,
        &json!({ "duplicates": "update" }),
    )
    .await;
    let first = job_is(&database, &first, &["done", "failed"]).await;
    let second = job_is(&database, &second, &["done", "failed"]).await;
    let sum = |key: &str| first["result"][key].as_i64().unwrap() + second["result"][key].as_i64().unwrap();
    assert_eq!(
        (sum("created"), sum("updated"), sum("failed")),
        (4500, 1500, 0),
        "{first} {second}"
    );
    assert_eq!(database.count("select count(*) from public.contacts").await, 4500);
    worker.stop().await;
    other.stop().await;
}

/// The worker as a process of its own, to be killed.
struct Program(Child);

impl Program {
    fn start(database: &Database, storage: &Storage) -> Self {
        let variable = |name: &str| std::env::var(name).unwrap();
        let program = std::path::PathBuf::from(variable("OCTOPUSH_BIN_DIR")).join("octopush");
        let child = Command::new(program)
            .arg("run")
            .env("OCTOPUSH_ROLES", "jobs")
            .env("OCTOPUSH_WORKER_DATABASE_URL", database.worker_url())
            .env("OCTOPUSH_WORKER_LISTEN", "127.0.0.1:0")
            .env("OCTOPUSH_IMPORT_BATCH", "50")
            .env("OCTOPUSH_LOG", "error")
            .env("SUPABASE_URL", &storage.url)
            .stdout(Stdio::null())
            .spawn()
            .expect("octopush is built");
        Self(child)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test]
async fn an_import_whose_worker_is_killed_goes_on_and_counts_nothing_twice() {
    let database = Database::create().await;
    let organisation = administration(&database).await;
    let storage = Storage::start(&database).await;
    let mut program = Program::start(&database, &storage);
    let looked_at = look_at(&database, &storage, &organisation, people(0, 20_000)).await;
    let id = start(
        &database,
        &organisation,
        &looked_at,
        &json!({ "duplicates": "update" }),
    )
    .await;
    let mut kills = 0;
    let mut seen = 0;
    while kills < 3 {
        let wanted = seen + 300;
        eventually("the import moves on", || async {
            job(&database, &id).await["done_count"].as_i64().unwrap() >= wanted
        })
        .await;
        drop(program);
        kills += 1;
        seen = job(&database, &id).await["done_count"].as_i64().unwrap();
        program = Program::start(&database, &storage);
    }
    assert!(seen < 20_000, "killed after its end");
    drop(program);
    let worker = storage.worker(&database, &[]).await;
    let done = job_is(&database, &id, &["done", "failed"]).await;
    // A line that is applied twice would count as updated.
    assert_eq!(
        (
            &done["result"]["created"],
            &done["result"]["updated"],
            &done["done_count"]
        ),
        (&json!(20_000), &json!(0), &json!(20_000)),
        "{done}"
    );
    assert_eq!(
        database.count("select count(*) from public.contacts").await,
        20_000
    );
    let told = "select count(*) from public.notifications where kind = 'job.finished'";
    assert_eq!(database.count(told).await, 1);
    worker.stop().await;
}

#[tokio::test]
async fn a_cancelled_import_stops_and_keeps_what_it_did() {
    let database = Database::create().await;
    let organisation = administration(&database).await;
    let storage = Storage::start(&database).await;
    let worker = storage
        .worker(&database, &[("OCTOPUSH_IMPORT_BATCH", "20")])
        .await;
    let looked_at = look_at(&database, &storage, &organisation, people(0, 50_000)).await;
    let id = start(&database, &organisation, &looked_at, &json!({})).await;
    eventually("the import is under way", || async {
        job(&database, &id).await["done_count"].as_i64().unwrap() > 0
    })
    .await;
    let began = std::time::Instant::now();
    let cancelled = call(&database, &organisation, &format!("public.cancel_job('{id}')"))
        .await
        .unwrap();
    assert!(began.elapsed().as_secs() < 2, "{:?}", began.elapsed());
    let contacts = database.count("select count(*) from public.contacts").await;
    assert_eq!(cancelled["result"]["created"], contacts);
    // The worker notices by itself, and is free for the next job.
    let next = import(&database, &storage, &organisation, people(60_000, 10), json!({})).await;
    assert_eq!(next["result"]["created"], 10);
    assert_eq!(
        database.count("select count(*) from public.contacts").await,
        contacts + 10
    );
    assert_eq!(job(&database, &id).await["status"], "cancelled");
    let again = call(&database, &organisation, &format!("public.cancel_job('{id}')")).await;
    assert!(again.unwrap_err().contains("JOB_002"));
    worker.stop().await;
}

#[tokio::test]
async fn the_preview_says_what_the_import_will_do() {
    let database = Database::create().await;
    let organisation = administration(&database).await;
    let storage = Storage::start(&database).await;
    let worker: Worker = storage.worker(&database, &[]).await;
    let text = "Telefon,Nama,Lahir\n0123456789,Ali,03/04/1990\nabc,Abu,\n";
    let looked_at = look_at(&database, &storage, &organisation, text).await;
    let id = looked_at["id"].as_str().unwrap();
    let mapping = json!([{ "index": 0, "field": "phone" }, { "index": 2, "field": "birthday" }]);
    let preview = call(
        &database,
        &organisation,
        &format!(
            "public.preview_import('{id}', '{mapping}', '{}')",
            json!({ "date_order": "mdy" })
        ),
    )
    .await
    .unwrap();
    assert_eq!(
        preview[0]["values"],
        json!({ "phone": "+60123456789", "birthday": "1990-03-04" })
    );
    assert_eq!(preview[1]["line"], 3);
    assert_eq!(preview[1]["problems"][0]["field"], "phone");
    let other = call(
        &database,
        &organisation,
        &format!(
            "public.inspect_import('{id}', '{}')",
            json!({ "has_header": false })
        ),
    )
    .await
    .unwrap();
    assert_eq!(other["columns"][0]["name"], "Column 1");
    for (mapping, code) in [
        (json!([]), "JOB_004"),
        (json!([{ "index": 9, "field": "phone" }]), "JOB_004"),
        (Value::Null, "JOB_004"),
    ] {
        let refused = call(
            &database,
            &organisation,
            &format!("public.start_import('{id}', '{mapping}', '{{}}')"),
        )
        .await;
        assert!(refused.unwrap_err().contains(code), "{mapping}");
    }
    worker.stop().await;
}
