use reqwest::Method;
use serde_json::{Value, json};

use super::{ANN, BOB, by, get, put, refused, stack};
use crate::support::stack::{Answer, Stack, send};

async fn sign(stack: &Stack, name: &str, seconds: i64) -> String {
    let request = by(stack, ANN, Method::POST, &format!("/object/sign/media/{name}"));
    let answer = send(request.json(&json!({ "expiresIn": seconds })))
        .await
        .expect(200);
    format!(
        "{}/storage/v1{}",
        stack.url,
        answer["signedURL"].as_str().unwrap()
    )
}

async fn open(stack: &Stack, url: &str) -> Answer {
    send(stack.http.get(url)).await
}

#[tokio::test]
async fn a_signed_url_opens_its_object_to_anybody_and_no_other() {
    let stack = stack().await;
    let name = format!("{ANN}/a.txt");
    put(&stack, ANN, &name, "bytes").await.expect(200);
    put(&stack, ANN, &format!("{ANN}/b.txt"), "other")
        .await
        .expect(200);
    let url = sign(&stack, &name, 60).await;
    assert_eq!(open(&stack, &url).await.body, "bytes");
    let part = send(stack.http.get(&url).header("range", "bytes=0-1")).await;
    assert_eq!((part.status, part.body.as_str()), (206, Some("by")));
    refused(
        &open(&stack, &url.replace("a.txt", "b.txt")).await,
        "400",
        "InvalidSignature",
    );
    refused(&open(&stack, &format!("{url}x")).await, "400", "InvalidJWT");
    let (bare, token) = url.split_once("?token=").unwrap();
    refused(&open(&stack, bare).await, "400", "InvalidRequest");
    // The token says nothing about who holds it.
    let as_bearer = stack
        .http
        .get(format!("{}/storage/v1/object/media/{name}", stack.url))
        .bearer_auth(token);
    refused(&send(as_bearer).await, "404", "NoSuchKey");
    // A user's own token is no signature.
    let user = crate::support::socket::token(ANN, 60);
    refused(
        &open(&stack, &format!("{bare}?token={user}")).await,
        "400",
        "InvalidSignature",
    );
    refused(
        &send(
            by(&stack, ANN, Method::POST, &format!("/object/sign/media/{name}"))
                .json(&json!({ "expiresIn": 0 })),
        )
        .await,
        "400",
        "InvalidRequest",
    );
}

#[tokio::test]
async fn a_signed_url_ends_and_outlives_the_right_until_then() {
    let stack = stack().await;
    let name = format!("{ANN}/a.txt");
    put(&stack, ANN, &name, "bytes").await.expect(200);
    let (short, long) = (sign(&stack, &name, 1).await, sign(&stack, &name, 600).await);
    stack.sql("drop policy own_read on storage.objects").await;
    refused(&get(&stack, ANN, &name).await, "404", "NoSuchKey");
    assert_eq!(open(&stack, &long).await.body, "bytes");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let answer = open(&stack, &short).await;
        if answer.status == 400 {
            refused(&answer, "400", "InvalidJWT");
            break;
        }
        assert!(std::time::Instant::now() < deadline, "still open");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn many_are_signed_at_once_and_each_says_if_it_failed() {
    let stack = stack().await;
    put(&stack, ANN, &format!("{ANN}/a"), "a").await.expect(200);
    put(&stack, BOB, &format!("{BOB}/b"), "b").await.expect(200);
    let paths = json!([format!("{ANN}/a"), format!("{BOB}/b"), "none"]);
    let request =
        by(&stack, ANN, Method::POST, "/object/sign/media").json(&json!({ "expiresIn": 60, "paths": paths }));
    let signed = send(request).await.expect(200);
    let signed = signed.as_array().unwrap();
    assert_eq!(
        signed
            .iter()
            .map(|one| one["path"].clone())
            .collect::<Vec<Value>>(),
        *paths.as_array().unwrap()
    );
    let url = format!(
        "{}/storage/v1{}",
        stack.url,
        signed[0]["signedURL"].as_str().unwrap()
    );
    assert_eq!(open(&stack, &url).await.body, "a");
    for failed in &signed[1..] {
        assert_eq!(failed["signedURL"], Value::Null);
        assert!(
            failed["error"]
                .as_str()
                .unwrap()
                .contains("does not exist or you do not have access")
        );
    }
}

#[tokio::test]
async fn a_signed_upload_url_takes_one_object_for_its_signer() {
    let stack = stack().await;
    let request = by(
        &stack,
        ANN,
        Method::POST,
        &format!("/object/upload/sign/media/{ANN}/up.txt"),
    );
    let url = send(request).await.expect(200)["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let url = format!("{}/storage/v1{url}", stack.url);
    let upload = |url: &str| {
        send(
            stack
                .http
                .put(url)
                .header("content-type", "text/plain")
                .body("signed"),
        )
    };
    refused(
        &upload(&url.replace("up.txt", "other.txt")).await,
        "400",
        "InvalidSignature",
    );
    assert_eq!(
        upload(&url).await.expect(200)["Key"],
        format!("media/{ANN}/up.txt")
    );
    refused(&upload(&url).await, "409", "KeyAlreadyExists");
    assert_eq!(get(&stack, ANN, &format!("{ANN}/up.txt")).await.body, "signed");
    assert_eq!(stack.sql_value("select owner_id from storage.objects").await, ANN);
    // What lets one write lets nobody read.
    let token = url.split_once("?token=").unwrap().1;
    let read = format!(
        "{}/storage/v1/object/sign/media/{ANN}/up.txt?token={token}",
        stack.url
    );
    refused(&open(&stack, &read).await, "400", "InvalidSignature");
}
