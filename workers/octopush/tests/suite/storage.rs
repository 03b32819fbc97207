//! A real embedded Storage over a test's database, and an administrator's calls to it and to the RPCs of jobs.

use super::fixture::{Database, Organisation, Worker, eventually};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use uuid::Uuid;

fn environment(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; see docs/plan.md"))
}

/// The program `supabase-embedded`, gone with the test.
pub struct Storage {
    pub url: String,
    process: Child,
    directory: PathBuf,
    http: reqwest::Client,
}

impl Storage {
    pub async fn start(database: &Database) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let url = format!("http://127.0.0.1:{port}");
        let directory = std::env::temp_dir().join(format!("octopush-storage-{}", Uuid::now_v7().simple()));
        let server = environment("OCTOPUSH_TEST_DATABASE_URL");
        let database_url = format!("{}/{}", server.rsplit_once('/').unwrap().0, database.name);
        let program = PathBuf::from(environment("OCTOPUSH_BIN_DIR")).join("supabase-embedded");
        let process = Command::new(program)
            .arg("serve")
            .env("SUPABASE_LISTEN", format!("127.0.0.1:{port}"))
            .env("SUPABASE_DB_URL", database_url)
            .env("SUPABASE_URL", &url)
            .env("SUPABASE_SITE_URL", &url)
            .env("SUPABASE_STORAGE_DIR", &directory)
            .env("SUPABASE_STORAGE_FILE_SIZE_LIMIT", "2147483648")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("supabase-embedded is built");
        let storage = Self {
            url,
            process,
            directory,
            http: reqwest::Client::new(),
        };
        eventually("Storage is healthy", || async {
            let answer = reqwest::get(format!("{}/health", storage.url)).await;
            answer.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        storage
    }

    /// Stores a file as the service; returns its path.
    pub async fn put(&self, organisation: &Organisation, bytes: impl Into<reqwest::Body>) -> String {
        let path = format!("{}/{}/contacts.csv", organisation.org_id, Uuid::now_v7());
        let key = environment("SUPABASE_SERVICE_ROLE_KEY");
        let answer = self
            .http
            .post(format!("{}/storage/v1/object/imports/{path}", self.url))
            .bearer_auth(&key)
            .header("apikey", &key)
            .header("content-type", "text/csv")
            .body(bytes)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        path
    }

    pub async fn get(&self, path: &str) -> Vec<u8> {
        let key = environment("SUPABASE_SERVICE_ROLE_KEY");
        let answer = self
            .http
            .get(format!("{}/storage/v1/object/exports/{path}", self.url))
            .bearer_auth(&key)
            .header("apikey", &key)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.bytes().await.unwrap().to_vec()
    }

    /// A worker of the jobs role that knows this Storage.
    pub async fn worker(&self, database: &Database, extra: &[(&str, &str)]) -> Worker {
        let key = environment("SUPABASE_SERVICE_ROLE_KEY");
        let mut settings = vec![
            ("OCTOPUSH_ROLES", "jobs"),
            ("SUPABASE_URL", self.url.as_str()),
            ("SUPABASE_SERVICE_ROLE_KEY", key.as_str()),
        ];
        settings.extend_from_slice(extra);
        Worker::start(database, &settings).await
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        std::fs::remove_dir_all(&self.directory).ok();
    }
}

/// Calls `select sql` as the organisation's administrator; the answer as JSON.
pub async fn call(database: &Database, organisation: &Organisation, sql: &str) -> Result<Value, String> {
    let mut client = database.connect().await;
    let transaction = client.transaction().await.unwrap();
    let claims = json!({ "sub": organisation.agent_id, "role": "authenticated" }).to_string();
    transaction
        .execute(
            "select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)",
            &[&claims],
        )
        .await
        .unwrap();
    let row = transaction
        .query_one(&format!("select to_jsonb({sql})"), &[])
        .await
        .map_err(|error| {
            error
                .as_db_error()
                .map_or(error.to_string(), |e| e.message().to_owned())
        })?;
    transaction.commit().await.unwrap();
    Ok(row.get(0))
}

/// An organisation whose person may import.
pub async fn administration(database: &Database) -> Organisation {
    let organisation = Organisation::create(database).await;
    database
        .admin
        .execute("update public.org_memberships set role = 'admin'", &[])
        .await
        .unwrap();
    organisation
}

pub async fn job(database: &Database, id: &str) -> Value {
    let sql = format!("select to_jsonb(j)::text from public.jobs j where id = '{id}'");
    serde_json::from_str(&database.text(&sql).await.unwrap()).unwrap()
}

/// Waits until the job has one of these states.
pub async fn job_is(database: &Database, id: &str, states: &[&str]) -> Value {
    eventually(&format!("the job is {states:?}"), || async {
        let job = job(database, id).await;
        states.iter().any(|state| job["status"] == *state)
    })
    .await;
    job(database, id).await
}

/// `create_import` of a file, and what the worker made of it.
pub async fn look_at(
    database: &Database,
    storage: &Storage,
    organisation: &Organisation,
    bytes: impl Into<reqwest::Body>,
) -> Value {
    let path = storage.put(organisation, bytes).await;
    let sql = format!(
        "public.create_import('{}', '{path}', 'contacts.csv')",
        organisation.org_id
    );
    let created = call(database, organisation, &sql).await.unwrap();
    job_is(database, created["id"].as_str().unwrap(), &["waiting", "failed"]).await
}

/// The columns as suggested.
pub fn suggested(job: &Value) -> Value {
    let columns = job["result"]["columns"].as_array().unwrap();
    columns
        .iter()
        .filter(|column| column["suggested"].is_string())
        .map(|column| json!({ "index": column["index"], "field": column["suggested"] }))
        .collect()
}

/// Starts an import with the suggested mapping.
pub async fn start(database: &Database, organisation: &Organisation, job: &Value, options: &Value) -> String {
    let id = job["id"].as_str().unwrap();
    let sql = format!("public.start_import('{id}', '{}', '{options}')", suggested(job));
    call(database, organisation, &sql).await.unwrap();
    id.to_owned()
}

/// The whole of an import; the finished job.
pub async fn import(
    database: &Database,
    storage: &Storage,
    organisation: &Organisation,
    bytes: impl Into<reqwest::Body>,
    options: Value,
) -> Value {
    let looked_at = look_at(database, storage, organisation, bytes).await;
    assert_eq!(looked_at["status"], "waiting", "{looked_at}");
    let id = start(database, organisation, &looked_at, &options).await;
    job_is(database, &id, &["done", "failed"]).await
}
