//! Storage over HTTP, under policies that give every user the folder of its own id.

mod buckets;
mod listing;
mod policies;
mod reading;
mod signed;
mod writing;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::socket::token;
use crate::support::stack::{Answer, Stack, send};

pub const ANN: &str = "00000000-0000-4000-8000-00000000000a";
pub const BOB: &str = "00000000-0000-4000-8000-00000000000b";

const POLICIES: &str = "
    create policy own_read on storage.objects for select to authenticated
        using (bucket_id = 'media' and (storage.foldername(name))[1] = (select auth.uid())::text);
    create policy own_add on storage.objects for insert to authenticated
        with check (bucket_id = 'media' and (storage.foldername(name))[1] = (select auth.uid())::text);
    create policy own_change on storage.objects for update to authenticated
        using (bucket_id = 'media' and (storage.foldername(name))[1] = (select auth.uid())::text);
    create policy own_remove on storage.objects for delete to authenticated
        using (bucket_id = 'media' and (storage.foldername(name))[1] = (select auth.uid())::text);";

/// A stack with a private bucket `media`, its policies written as the unprivileged `postgres` writes them.
pub async fn stack() -> Stack {
    let stack = Stack::start().await;
    let postgres = stack.cluster.connect("postgres", "postgres").await;
    postgres.batch_execute(POLICIES).await.expect("policies");
    create_bucket(&stack, json!({ "id": "media", "name": "media", "public": false })).await;
    stack
}

pub async fn create_bucket(stack: &Stack, bucket: Value) {
    send(stack.service(Method::POST, "/storage/v1/bucket").json(&bucket))
        .await
        .expect(200);
}

/// A request of a user below `/storage/v1`.
pub fn by(stack: &Stack, user: &str, method: Method, path: &str) -> RequestBuilder {
    stack.as_user(&token(user, 600), method, &format!("/storage/v1{path}"))
}

pub async fn put(stack: &Stack, user: &str, name: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = by(stack, user, Method::POST, &format!("/object/media/{name}"));
    send(
        request
            .header("content-type", "text/plain")
            .header("cache-control", "max-age=60")
            .body(body),
    )
    .await
}

pub async fn get(stack: &Stack, user: &str, name: &str) -> Answer {
    send(by(stack, user, Method::GET, &format!("/object/media/{name}"))).await
}

/// How many files there are below the directory of objects.
pub fn files(stack: &Stack) -> usize {
    fn count(directory: &std::path::Path) -> usize {
        let Ok(entries) = std::fs::read_dir(directory) else {
            return 0;
        };
        entries
            .flatten()
            .map(|entry| {
                if entry.path().is_dir() {
                    count(&entry.path())
                } else {
                    1
                }
            })
            .sum()
    }
    count(&stack.cluster.data_directory().with_file_name("objects"))
}

/// Checks a refusal as storage-js reads it.
pub fn refused(answer: &Answer, status_code: &str, code: &str) {
    assert_eq!(
        (
            answer.status,
            answer.body["statusCode"].as_str(),
            answer.body["code"].as_str()
        ),
        (400, Some(status_code), Some(code)),
        "{}",
        answer.body
    );
    assert!(
        answer.body["message"]
            .as_str()
            .is_some_and(|message| !message.is_empty())
    );
}
