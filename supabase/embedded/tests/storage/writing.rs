use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{ANN, BOB, by, create_bucket, files, get, put, refused, stack};
use crate::support::socket::token;
use crate::support::stack::send;

#[tokio::test]
async fn raw_and_multipart_uploads_keep_bytes_type_and_metadata() {
    let stack = stack().await;
    let metadata = STANDARD.encode(json!({ "k": "ü" }).to_string());
    let raw = by(&stack, ANN, Method::POST, &format!("/object/media/{ANN}/raw.txt"))
        .header("content-type", "text/plain")
        .header("cache-control", "max-age=7")
        .header("x-metadata", metadata)
        .body("raw bytes");
    let answer = send(raw).await.expect(200);
    assert_eq!(answer["Key"], format!("media/{ANN}/raw.txt"));
    // As storage-js builds it: the file comes last and its field has no name.
    let form = Form::new()
        .text("cacheControl", "9")
        .text("metadata", json!({ "k": "form" }).to_string())
        .part(
            "",
            Part::bytes(b"form bytes".to_vec())
                .file_name("blob")
                .mime_str("image/png")
                .unwrap(),
        );
    let answer = send(
        by(
            &stack,
            ANN,
            Method::POST,
            &format!("/object/media/{ANN}/form.png"),
        )
        .multipart(form),
    )
    .await;
    let id = answer.expect(200)["Id"].clone();
    for (name, body, mime, cache, k) in [
        ("raw.txt", "raw bytes", "text/plain", "max-age=7", "ü"),
        ("form.png", "form bytes", "image/png", "max-age=9", "form"),
    ] {
        let read = get(&stack, ANN, &format!("{ANN}/{name}")).await;
        assert_eq!((read.status, read.body.as_str()), (200, Some(body)));
        assert_eq!(read.headers["content-type"], mime);
        assert_eq!(read.headers["cache-control"], cache);
        let info = send(by(
            &stack,
            ANN,
            Method::GET,
            &format!("/object/info/media/{ANN}/{name}"),
        ))
        .await
        .expect(200);
        assert_eq!(
            (&info["metadata"]["k"], &info["size"]),
            (&json!(k), &json!(body.len()))
        );
        assert_eq!(read.headers["etag"], info["etag"].as_str().unwrap());
    }
    assert_eq!(
        stack
            .sql_value(&format!(
                "select owner_id = '{ANN}' and owner = '{ANN}' and metadata ->> 'mimetype' = 'image/png'
                   and (metadata ->> 'size')::int = 10 and path_tokens = array['{ANN}', 'form.png']
                 from storage.objects where id = {}",
                id.to_string().replace('"', "'")
            ))
            .await,
        "true"
    );
}

#[tokio::test]
async fn a_name_is_taken_once_unless_replaced_and_the_old_bytes_go() {
    let stack = stack().await;
    let name = format!("{ANN}/a.txt");
    let first = put(&stack, ANN, &name, "one").await.expect(200);
    refused(&put(&stack, ANN, &name, "two").await, "409", "KeyAlreadyExists");
    assert_eq!(get(&stack, ANN, &name).await.body, "one");
    let upsert = by(&stack, ANN, Method::POST, &format!("/object/media/{name}")).header("x-upsert", "true");
    assert_eq!(send(upsert.body("three")).await.expect(200)["Id"], first["Id"]);
    send(by(&stack, ANN, Method::PUT, &format!("/object/media/{name}")).body("four"))
        .await
        .expect(200);
    assert_eq!(get(&stack, ANN, &name).await.body, "four");
    assert_eq!(files(&stack), 1);
}

#[tokio::test]
async fn uploads_at_once_under_one_name_end_with_one_whole_object() {
    let stack = stack().await;
    let name = format!("{ANN}/race.txt");
    let bodies: Vec<String> = ('a'..='h')
        .map(|letter| letter.to_string().repeat(100_000))
        .collect();
    let attempts = bodies.iter().map(|body| put(&stack, ANN, &name, body.clone()));
    let answers = futures_util::future::join_all(attempts).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        refused(answer, "409", "KeyAlreadyExists");
    }
    let stored = get(&stack, ANN, &name).await.body.as_str().unwrap().to_owned();
    assert!(bodies.contains(&stored));
    let attempts = bodies
        .iter()
        .map(|body| send(by(&stack, ANN, Method::PUT, &format!("/object/media/{name}")).body(body.clone())));
    for answer in futures_util::future::join_all(attempts).await {
        answer.expect(200);
    }
    let stored = get(&stack, ANN, &name).await.body.as_str().unwrap().to_owned();
    assert!(bodies.contains(&stored));
    assert_eq!(files(&stack), 1);
}

#[tokio::test]
async fn the_bucket_limits_size_and_type_and_a_large_refusal_is_still_read() {
    let stack = stack().await;
    create_bucket(
        &stack,
        json!({ "name": "small", "file_size_limit": "1KB", "allowed_mime_types": ["text/*", "image/png"] }),
    )
    .await;
    let upload = |length: usize, mime: &'static str| {
        let request = stack
            .service(Method::POST, "/storage/v1/object/small/x")
            .header("content-type", mime);
        send(request.body(vec![b'x'; length]))
    };
    refused(&upload(1001, "text/plain").await, "413", "EntityTooLarge");
    refused(&upload(20_000_000, "text/plain").await, "413", "EntityTooLarge");
    refused(&upload(10, "application/pdf").await, "415", "InvalidMimeType");
    let form = Form::new().part("", Part::bytes(vec![b'x'; 5000]).mime_str("text/plain").unwrap());
    let answer = send(
        stack
            .service(Method::POST, "/storage/v1/object/small/x")
            .multipart(form),
    )
    .await;
    refused(&answer, "413", "EntityTooLarge");
    // A length that is not announced is counted.
    let chunks = futures_util::stream::iter((0..100).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1000])));
    let request = stack
        .service(Method::POST, "/storage/v1/object/small/x")
        .header("content-type", "text/plain");
    refused(
        &send(request.body(reqwest::Body::wrap_stream(chunks))).await,
        "413",
        "EntityTooLarge",
    );
    assert_eq!(
        (
            files(&stack),
            stack.sql_value("select count(*) from storage.objects").await
        ),
        (0, "0".into())
    );
    upload(1000, "image/png").await.expect(200);
}

#[tokio::test]
async fn names_that_look_like_paths_reach_nothing() {
    let stack = stack().await;
    let names = [
        format!("{ANN}/..%2f..%2fetc%2fpasswd"),
        format!("{ANN}/%2e%2e/{BOB}/x"),
        format!("{ANN}/..%5c..%5cx"),
        format!("{ANN}/a%00b"),
        format!("{ANN}/gr%C3%B6%C3%9Fe"),
    ];
    for name in names {
        // Not through a client that folds dots away.
        let mut stream = TcpStream::connect(stack.url.trim_start_matches("http://"))
            .await
            .unwrap();
        let head = format!(
            "POST /storage/v1/object/media/{name} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             content-type: text/plain\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx",
            token(ANN, 600)
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer)
            .await
            .unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{name}: {answer}");
        assert!(
            answer.contains("InvalidKey") || answer.contains("AccessDenied"),
            "{name}: {answer}"
        );
    }
    assert_eq!(
        (
            files(&stack),
            stack.sql_value("select count(*) from storage.objects").await
        ),
        (0, "0".into())
    );
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let stack = stack().await;
    let mut stream = TcpStream::connect(stack.url.trim_start_matches("http://"))
        .await
        .unwrap();
    let head = format!(
        "POST /storage/v1/object/media/{ANN}/half HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: text/plain\r\ncontent-length: 1000000\r\n\r\n",
        token(ANN, 600)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&[b'x'; 100_000]).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let until = async |wanted: usize| {
        while files(&stack) != wanted {
            assert!(Instant::now() < deadline, "{} files", files(&stack));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    until(1).await;
    drop(stream);
    until(0).await;
    refused(
        &get(&stack, ANN, &format!("{ANN}/half")).await,
        "404",
        "NoSuchKey",
    );
}

#[tokio::test]
async fn moving_copying_and_removing_keep_bytes_and_rows_together() {
    let stack = stack().await;
    put(&stack, ANN, &format!("{ANN}/a"), "bytes").await.expect(200);
    let relocate = |verb: &str, source: &str, destination: &str| {
        let body = json!({ "bucketId": "media", "sourceKey": format!("{ANN}/{source}"),
                           "destinationKey": format!("{ANN}/{destination}") });
        send(by(&stack, ANN, Method::POST, &format!("/object/{verb}")).json(&body))
    };
    relocate("move", "a", "b/c").await.expect(200);
    refused(&get(&stack, ANN, &format!("{ANN}/a")).await, "404", "NoSuchKey");
    assert_eq!(
        relocate("copy", "b/c", "d").await.expect(200)["Key"],
        format!("media/{ANN}/d")
    );
    refused(&relocate("copy", "b/c", "d").await, "409", "KeyAlreadyExists");
    refused(&relocate("move", "b/c", "d").await, "409", "KeyAlreadyExists");
    refused(&relocate("move", "none", "e").await, "404", "NoSuchKey");
    assert_eq!(files(&stack), 2);
    // The copy stands alone.
    send(by(
        &stack,
        ANN,
        Method::DELETE,
        &format!("/object/media/{ANN}/b/c"),
    ))
    .await
    .expect(200);
    assert_eq!(get(&stack, ANN, &format!("{ANN}/d")).await.body, "bytes");
    let prefixes = json!({ "prefixes": [format!("{ANN}/d"), format!("{ANN}/none")] });
    let removed = send(by(&stack, ANN, Method::DELETE, "/object/media").json(&prefixes))
        .await
        .expect(200);
    assert_eq!(
        (removed.as_array().unwrap().len(), &removed[0]["name"]),
        (1, &json!(format!("{ANN}/d")))
    );
    assert_eq!(
        (
            files(&stack),
            stack.sql_value("select count(*) from storage.objects").await
        ),
        (0, "0".into())
    );
}
