//! Files: upload, address, download, expiry.

use octopush_whatsapp::client::DownloadError;
use octopush_whatsapp::error::ApiError;
use octopush_whatsapp::{OutboundMessage, Recipient};
use serde_json::json;
use whatsapp_sandbox::config::default_account::{PHONE_NUMBER_ID, TOKEN};

use crate::support::{CUSTOMER, Stage, refused};

async fn upload(stage: &Stage, mime_type: &str, content: Vec<u8>) -> Result<String, ApiError> {
    stage
        .api
        .upload_media(PHONE_NUMBER_ID, TOKEN, "file", mime_type, content)
        .await
}

fn code(result: Result<String, ApiError>) -> i64 {
    match result {
        Err(ApiError::Refused(error)) => error.code,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_file_goes_up_is_sent_and_comes_down() {
    let stage = Stage::start().await;
    stage.customer_writes(CUSTOMER, "hi").await;
    let id = upload(&stage, "image/jpeg", b"picture".to_vec()).await.unwrap();
    let image = |kind: &str, id: &str| {
        OutboundMessage::from_stored(Recipient::phone(CUSTOMER), kind, None, Some(&json!({"id": id})))
            .unwrap()
    };
    stage.send(&image("image", &id)).await.unwrap();
    assert_eq!(
        refused(stage.send(&image("document", &id)).await),
        (400, 131_053),
        "a picture is not a document"
    );
    let info = stage.api.media_info(&id, TOKEN, None).await.unwrap();
    assert_eq!(
        (info.file_size, info.mime_type.as_deref()),
        (Some(7), Some("image/jpeg"))
    );
    let download = stage.api.download_media(&info.url, TOKEN).await.unwrap();
    assert_eq!(download.mime_type.as_deref(), Some("image/jpeg"));
    assert_eq!(&download.into_bytes(7).await.unwrap()[..], b"picture");
    let download = stage.api.download_media(&info.url, TOKEN).await.unwrap();
    assert!(matches!(
        download.into_bytes(6).await,
        Err(DownloadError::TooLarge { limit: 6 })
    ));
    stage.api.delete_media(&id, TOKEN).await.unwrap();
    assert_eq!(refused(stage.send(&image("image", &id)).await), (400, 131_009));
    assert!(stage.api.delete_media(&id, TOKEN).await.is_err());
}

#[tokio::test]
async fn addresses_die_after_five_minutes_and_ids_after_their_days() {
    let stage = Stage::start().await;
    let id = upload(&stage, "application/pdf", b"%PDF".to_vec()).await.unwrap();
    let info = stage
        .api
        .media_info(&id, TOKEN, Some(PHONE_NUMBER_ID))
        .await
        .unwrap();
    let foreign = stage
        .api
        .download_media(&info.url, "not-a-token")
        .await
        .map(|_| ());
    assert!(matches!(foreign, Err(DownloadError::Api(ApiError::Refused(error))) if error.code == 190));
    stage.admin("clock", json!({"advance_seconds": 301})).await;
    let late = stage.api.download_media(&info.url, TOKEN).await.map(|_| ());
    assert!(matches!(late, Err(DownloadError::Expired)), "{late:?}");
    let fresh = stage.api.media_info(&id, TOKEN, None).await.unwrap();
    assert!(stage.api.download_media(&fresh.url, TOKEN).await.is_ok());
    stage
        .admin("clock", json!({"advance_seconds": 30 * 86_400}))
        .await;
    assert!(stage.api.media_info(&id, TOKEN, None).await.is_err());
}

#[tokio::test]
async fn files_from_customers_die_after_a_week() {
    let stage = Stage::start().await;
    stage
        .admin(
            &format!("customers/{CUSTOMER}/messages"),
            json!({"type": "audio", "wait": true}),
        )
        .await;
    let payload = stage.receiver.messages()[0].payload.clone();
    let id = payload["id"].as_str().unwrap();
    assert_eq!(payload["mime_type"], "audio/ogg; codecs=opus");
    assert_eq!(payload["voice"], true);
    stage
        .admin("clock", json!({"advance_seconds": 7 * 86_400 - 10}))
        .await;
    stage.api.media_info(id, TOKEN, None).await.unwrap();
    stage.admin("clock", json!({"advance_seconds": 11})).await;
    assert!(stage.api.media_info(id, TOKEN, None).await.is_err());
}

#[tokio::test]
async fn kinds_and_sizes_are_limited() {
    let stage = Stage::start().await;
    assert_eq!(code(upload(&stage, "image/gif", b"x".to_vec()).await), 100);
    assert_eq!(code(upload(&stage, "image/png", Vec::new()).await), 100);
    assert_eq!(
        code(upload(&stage, "image/png", vec![0; 5 * 1024 * 1024 + 1]).await),
        131_053
    );
    assert!(
        upload(&stage, "image/png", vec![0; 5 * 1024 * 1024])
            .await
            .is_ok()
    );
    let unauthorised = stage
        .api
        .upload_media(PHONE_NUMBER_ID, "nobody", "f", "image/png", b"x".to_vec())
        .await;
    assert_eq!(code(unauthorised), 190);
    let url = format!("{}/v25.0/{PHONE_NUMBER_ID}/media", stage.sandbox.url());
    let form = reqwest::multipart::Form::new().text("messaging_product", "whatsapp");
    let without_file = stage
        .http
        .post(url)
        .bearer_auth(TOKEN)
        .multipart(form)
        .send()
        .await
        .unwrap();
    assert_eq!(without_file.status(), 400);
}
