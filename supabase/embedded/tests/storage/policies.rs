use reqwest::Method;
use serde_json::json;

use super::{ANN, BOB, by, create_bucket, files, get, put, refused, stack};
use crate::support::stack::send;

#[tokio::test]
async fn a_stranger_can_do_nothing_and_changes_nothing() {
    let stack = stack().await;
    let name = format!("{ANN}/a.txt");
    put(&stack, ANN, &name, "ann's").await.expect(200);
    refused(
        &put(&stack, BOB, &format!("{ANN}/b.txt"), "x").await,
        "403",
        "AccessDenied",
    );
    for method in [Method::POST, Method::PUT] {
        let upsert = by(&stack, BOB, method, &format!("/object/media/{name}")).header("x-upsert", "true");
        refused(&send(upsert.body("bob's")).await, "403", "AccessDenied");
    }
    refused(&get(&stack, BOB, &name).await, "404", "NoSuchKey");
    let relocation = |to: &str| json!({ "bucketId": "media", "sourceKey": name, "destinationKey": format!("{to}/stolen") });
    for (method, path, body) in [
        (Method::GET, format!("/object/info/media/{name}"), json!({})),
        (
            Method::GET,
            format!("/object/authenticated/media/{name}"),
            json!({}),
        ),
        (
            Method::POST,
            format!("/object/sign/media/{name}"),
            json!({ "expiresIn": 60 }),
        ),
        (Method::POST, "/object/move".into(), relocation(BOB)),
        (Method::POST, "/object/copy".into(), relocation(BOB)),
        (Method::DELETE, format!("/object/media/{name}"), json!({})),
    ] {
        let answer = send(by(&stack, BOB, method, &path).json(&body)).await;
        refused(&answer, "404", "NoSuchKey");
    }
    let upload_url = by(
        &stack,
        BOB,
        Method::POST,
        &format!("/object/upload/sign/media/{ANN}/new"),
    );
    refused(&send(upload_url).await, "403", "AccessDenied");
    let removed =
        send(by(&stack, BOB, Method::DELETE, "/object/media").json(&json!({ "prefixes": [name] }))).await;
    assert_eq!(removed.expect(200), json!([]));
    let signed = send(
        by(&stack, BOB, Method::POST, "/object/sign/media")
            .json(&json!({ "expiresIn": 60, "paths": [name] })),
    );
    assert_eq!(signed.await.expect(200)[0]["signedURL"], json!(null));
    // Ann cannot give hers away either.
    let given = send(by(&stack, ANN, Method::POST, "/object/move").json(&relocation(BOB))).await;
    refused(&given, "403", "AccessDenied");
    assert_eq!(get(&stack, ANN, &name).await.body, "ann's");
    assert_eq!(files(&stack), 1);
}

#[tokio::test]
async fn without_a_token_or_with_a_bad_one_nothing_is_served() {
    let stack = stack().await;
    let name = format!("{ANN}/a.txt");
    put(&stack, ANN, &name, "x").await.expect(200);
    let url = format!("{}/storage/v1/object/media/{name}", stack.url);
    refused(&send(stack.http.get(&url)).await, "400", "InvalidRequest");
    refused(
        &send(stack.http.get(&url).bearer_auth("nonsense")).await,
        "403",
        "AccessDenied",
    );
    let expired = crate::support::socket::token(ANN, -5);
    refused(
        &send(stack.http.get(&url).bearer_auth(expired)).await,
        "403",
        "AccessDenied",
    );
    refused(
        &send(stack.anon(Method::GET, &format!("/storage/v1/object/media/{name}"))).await,
        "404",
        "NoSuchKey",
    );
    let public = format!("{}/storage/v1/object/public/media/{name}", stack.url);
    refused(&send(stack.http.get(public)).await, "404", "NoSuchBucket");
}

#[tokio::test]
async fn rows_cannot_be_deleted_behind_the_apis_back() {
    let stack = stack().await;
    put(&stack, ANN, &format!("{ANN}/a.txt"), "x").await.expect(200);
    let postgres = stack.cluster.connect("postgres", "postgres").await;
    for table in ["storage.objects", "storage.buckets"] {
        let refused = postgres
            .batch_execute(&format!("delete from {table}"))
            .await
            .unwrap_err();
        assert_eq!(
            refused.code().map(|code| code.code()),
            Some("42501"),
            "{refused:?}"
        );
    }
    postgres
        .batch_execute(
            "begin; set local storage.allow_delete_query = 'true'; delete from storage.objects; commit",
        )
        .await
        .expect("allowed when said so");
}

#[tokio::test]
async fn policies_see_the_operation_and_the_claims() {
    let stack = stack().await;
    stack
        .sql(
            "create policy signing on storage.objects for select to authenticated
                 using (bucket_id = 'signing' and storage.operation() = 'storage.object.sign');
             create policy adding on storage.objects for insert to authenticated
                 with check (bucket_id = 'signing' and (select auth.uid()) is not null
                             and current_setting('request.method') = 'POST');",
        )
        .await;
    create_bucket(&stack, json!({ "name": "signing" })).await;
    let upload = by(&stack, ANN, Method::POST, "/object/signing/a").body("x");
    send(upload).await.expect(200);
    refused(
        &send(by(&stack, ANN, Method::GET, "/object/signing/a")).await,
        "404",
        "NoSuchKey",
    );
    let signed = by(&stack, ANN, Method::POST, "/object/sign/signing/a").json(&json!({ "expiresIn": 60 }));
    send(signed).await.expect(200);
}

#[tokio::test]
async fn helpers_take_names_apart() {
    let stack = stack().await;
    for (expression, value) in [
        ("storage.foldername('a/b/c.tar.gz')", "{a,b}"),
        ("storage.foldername('c')", "{}"),
        ("storage.filename('a/b/c.tar.gz')", "c.tar.gz"),
        ("storage.extension('a/b.x/c.tar.gz')", "gz"),
    ] {
        assert_eq!(stack.sql_value(expression).await, value, "{expression}");
    }
}
