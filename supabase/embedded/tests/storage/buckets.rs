use reqwest::Method;
use serde_json::json;

use super::{ANN, by, files, put, refused, stack};
use crate::support::stack::send;

#[tokio::test]
async fn buckets_are_made_changed_emptied_and_deleted() {
    let stack = stack().await;
    let service = |method: Method, path: &str| stack.service(method, &format!("/storage/v1{path}"));
    let bucket = json!({ "id": "docs", "name": "docs", "public": true, "file_size_limit": 5000 });
    assert_eq!(
        send(service(Method::POST, "/bucket").json(&bucket))
            .await
            .expect(200),
        json!({ "name": "docs" })
    );
    refused(
        &send(service(Method::POST, "/bucket").json(&bucket)).await,
        "409",
        "BucketAlreadyExists",
    );
    let update = json!({ "public": false, "allowed_mime_types": ["text/plain"] });
    send(service(Method::PUT, "/bucket/docs").json(&update))
        .await
        .expect(200);
    let read = send(service(Method::GET, "/bucket/docs")).await.expect(200);
    assert_eq!(
        (
            &read["public"],
            &read["file_size_limit"],
            &read["allowed_mime_types"]
        ),
        (&json!(false), &json!(5000), &json!(["text/plain"]))
    );
    let clear = json!({ "file_size_limit": null, "allowed_mime_types": null });
    send(service(Method::PUT, "/bucket/docs").json(&clear))
        .await
        .expect(200);
    let read = send(service(Method::GET, "/bucket/docs")).await.expect(200);
    assert_eq!(
        (&read["file_size_limit"], &read["allowed_mime_types"]),
        (&json!(null), &json!(null))
    );
    let listed = send(service(Method::GET, "/bucket?sortColumn=name&sortOrder=desc"))
        .await
        .expect(200);
    assert_eq!(
        listed
            .as_array()
            .unwrap()
            .iter()
            .map(|b| b["id"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["media", "docs"]
    );

    put(&stack, ANN, &format!("{ANN}/a"), "x").await.expect(200);
    refused(
        &send(service(Method::DELETE, "/bucket/media")).await,
        "409",
        "ResourceNotEmpty",
    );
    send(service(Method::POST, "/bucket/media/empty"))
        .await
        .expect(200);
    assert_eq!(files(&stack), 0);
    for bucket in ["media", "docs"] {
        send(service(Method::DELETE, &format!("/bucket/{bucket}")))
            .await
            .expect(200);
        refused(
            &send(service(Method::GET, &format!("/bucket/{bucket}"))).await,
            "404",
            "NoSuchBucket",
        );
    }
}

#[tokio::test]
async fn users_have_no_buckets_unless_a_policy_says_so() {
    let stack = stack().await;
    let create = by(&stack, ANN, Method::POST, "/bucket").json(&json!({ "name": "mine" }));
    refused(&send(create).await, "403", "AccessDenied");
    refused(
        &send(by(&stack, ANN, Method::GET, "/bucket/media")).await,
        "404",
        "NoSuchBucket",
    );
    refused(
        &send(by(&stack, ANN, Method::DELETE, "/bucket/media")).await,
        "404",
        "NoSuchBucket",
    );
    refused(
        &send(by(&stack, ANN, Method::POST, "/bucket/media/empty")).await,
        "404",
        "NoSuchBucket",
    );
    assert_eq!(
        send(by(&stack, ANN, Method::GET, "/bucket")).await.expect(200),
        json!([])
    );
}

#[tokio::test]
async fn bad_names_and_limits_are_refused() {
    let stack = stack().await;
    for (body, code) in [
        (json!({ "name": "../x" }), "InvalidBucketName"),
        (json!({ "name": "" }), "InvalidBucketName"),
        (
            json!({ "name": "x", "file_size_limit": "many" }),
            "InvalidRequest",
        ),
    ] {
        let answer = send(stack.service(Method::POST, "/storage/v1/bucket").json(&body)).await;
        refused(&answer, "400", code);
    }
}
