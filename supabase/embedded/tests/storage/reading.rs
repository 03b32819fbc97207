use reqwest::Method;
use serde_json::json;

use super::{ANN, by, create_bucket, files, get, put, refused, stack};
use crate::support::stack::send;

#[tokio::test]
async fn parts_heads_and_conditions_are_answered_as_players_and_caches_need() {
    let stack = stack().await;
    let name = format!("{ANN}/audio.ogg");
    put(&stack, ANN, &name, "0123456789").await.expect(200);
    let path = format!("/object/media/{name}");
    let ranged = |range: &'static str| send(by(&stack, ANN, Method::GET, &path).header("range", range));
    for (range, body, shown) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-1", "9", "bytes 9-9/10"),
        ("bytes=5-99", "56789", "bytes 5-9/10"),
    ] {
        let part = ranged(range).await;
        assert_eq!(
            (part.status, part.body.to_string().trim_matches('"')),
            (206, body),
            "{range}"
        );
        assert_eq!(part.headers["content-range"], shown);
        assert_eq!(part.headers["content-length"], body.len().to_string());
    }
    let beyond = ranged("bytes=10-").await;
    assert_eq!(
        (beyond.status, &beyond.headers["content-range"]),
        (416, &"bytes */10".parse().unwrap())
    );
    let head = send(by(&stack, ANN, Method::HEAD, &path)).await;
    assert_eq!(
        (head.status, &head.headers["content-length"], head.body),
        (200, &"10".parse().unwrap(), json!(""))
    );
    assert_eq!(head.headers["accept-ranges"], "bytes");
    let etag = head.headers["etag"].clone();
    let fresh = by(&stack, ANN, Method::GET, &path).header("if-none-match", &etag);
    assert_eq!(send(fresh).await.status, 304);
    let stale = by(&stack, ANN, Method::GET, &path)
        .header("range", "bytes=1-1")
        .header("if-range", "\"old\"");
    assert_eq!(send(stale).await.status, 200);
    let current = by(&stack, ANN, Method::GET, &path)
        .header("range", "bytes=1-1")
        .header("if-range", &etag);
    assert_eq!(send(current).await.status, 206);
}

#[tokio::test]
async fn a_large_file_is_read_back_unchanged() {
    let stack = stack().await;
    let bytes: Vec<u8> = (0..20_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    put(&stack, ANN, &format!("{ANN}/large"), bytes.clone())
        .await
        .expect(200);
    let response = by(&stack, ANN, Method::GET, &format!("/object/media/{ANN}/large"))
        .send()
        .await
        .unwrap();
    assert!(response.bytes().await.unwrap() == bytes);
}

#[tokio::test]
async fn public_buckets_are_read_by_all_and_what_browsers_run_is_sandboxed() {
    let stack = stack().await;
    create_bucket(&stack, json!({ "name": "site", "public": true })).await;
    let upload = stack
        .service(Method::POST, "/storage/v1/object/site/page.html")
        .header("content-type", "text/html");
    send(upload.body("<script></script>")).await.expect(200);
    let url = format!("{}/storage/v1/object/public/site/page.html", stack.url);
    let page = send(stack.http.get(&url)).await;
    assert_eq!(
        (page.status, page.body.as_str()),
        (200, Some("<script></script>"))
    );
    assert!(
        page.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("sandbox")
    );
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    let attached = send(stack.http.get(format!("{url}?download=a%20b.html"))).await;
    assert_eq!(
        attached.headers["content-disposition"],
        "attachment; filename=a%20b.html; filename*=UTF-8''a%20b.html;"
    );
    // With a token the bucket is as public.
    send(by(&stack, ANN, Method::GET, "/object/site/page.html")).await;
    assert_eq!(
        send(by(&stack, ANN, Method::GET, "/object/site/page.html"))
            .await
            .status,
        200
    );
    let info = format!("{}/storage/v1/object/info/public/site/page.html", stack.url);
    assert_eq!(
        send(stack.http.get(info)).await.expect(200)["content_type"],
        "text/html"
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_found_even_if_only_the_bytes_are_gone() {
    let stack = stack().await;
    refused(
        &get(&stack, ANN, &format!("{ANN}/none")).await,
        "404",
        "NoSuchKey",
    );
    refused(
        &send(by(&stack, ANN, Method::GET, "/object/none/x")).await,
        "404",
        "NoSuchBucket",
    );
    put(&stack, ANN, &format!("{ANN}/a"), "x").await.expect(200);
    let version = stack
        .sql_value("select replace(version, '-', '') from storage.objects")
        .await;
    let objects = stack.cluster.data_directory().with_file_name("objects");
    std::fs::remove_file(objects.join("objects").join(&version[..2]).join(&version)).unwrap();
    refused(&get(&stack, ANN, &format!("{ANN}/a")).await, "404", "NoSuchKey");
    // A version somebody wrote into the row by hand names no file outside.
    stack
        .sql("update storage.objects set version = '../../data/PG_VERSION'")
        .await;
    refused(&get(&stack, ANN, &format!("{ANN}/a")).await, "404", "NoSuchKey");
    assert_eq!(files(&stack), 0);
}
