//! Whether a failed send may have reached the customer: the difference between trying again and waiting for a status.

use std::io::ErrorKind;
use std::time::Duration;

use octopush_whatsapp::error::RetryClass;
use octopush_whatsapp::{CloudApi, OutboundMessage, Recipient, SendError, SendReceipt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const TOKEN: &str = "secret-token-that-must-not-leak";

fn api(address: &str) -> CloudApi {
    let http = reqwest::Client::builder()
        .timeout(Duration::from_millis(500))
        .no_proxy()
        .build()
        .unwrap();
    CloudApi::new(address, "v25.0", http).unwrap()
}

async fn read_request(stream: &mut TcpStream) {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).await.unwrap();
        request.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length: ")
                        .map(str::to_owned)
                })
                .and_then(|length| length.parse::<usize>().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return;
            }
        }
        assert!(read > 0, "the request ended early");
    }
}

/// Sends one message to a server that reads the request and answers with exactly these bytes; `None` keeps silent.
async fn send_to(answer: Option<&'static str>) -> Result<SendReceipt, SendError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        match answer {
            Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
            None => {
                // Held open until the client gives up.
                let mut rest = Vec::new();
                match stream.read_to_end(&mut rest).await {
                    Ok(_) => {}
                    Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
                }
            }
        }
    });
    let message = OutboundMessage::text(Recipient::phone("+60120000101"), "hello");
    let result = api(&address).send_message("1", TOKEN, &message).await;
    server.await.unwrap();
    if let Err(error) = &result {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(TOKEN) && !shown.contains("127.0.0.1"), "{shown}");
    }
    result
}

macro_rules! http {
    ($status:literal, $body:literal) => {
        Some(concat!(
            "HTTP/1.1 ",
            $status,
            "\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n",
            $body
        ))
    };
}

#[tokio::test]
async fn a_receipt_carries_the_ids() {
    let receipt = send_to(http!(
        "200 OK",
        r#"{"messaging_product":"whatsapp","contacts":[{"input":"+60120000101","wa_id":"60120000101"}],
        "messages":[{"id":"wamid.A","message_status":"accepted"}]}"#
    ))
    .await
    .unwrap();
    assert_eq!(receipt.wa_message_id, "wamid.A");
    assert_eq!(receipt.wa_id.as_deref(), Some("60120000101"));
    assert_eq!(receipt.message_status.as_deref(), Some("accepted"));
}

#[tokio::test]
async fn no_connection_means_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let message = OutboundMessage::text(Recipient::phone("+60120000101"), "hello");
    for address in [address.as_str(), "http://no-such-host.invalid"] {
        let error = api(address).send_message("1", TOKEN, &message).await.unwrap_err();
        assert!(matches!(error, SendError::NotSent(_)), "{address}: {error:?}");
        assert_eq!(error.retry_class(), Some(RetryClass::RetryBackoff));
    }
}

#[tokio::test]
async fn an_invalid_message_is_never_posted() {
    let message = OutboundMessage::text(Recipient::phone("+60120000101"), "");
    let error = api("http://no-such-host.invalid")
        .send_message("1", TOKEN, &message)
        .await
        .unwrap_err();
    assert!(matches!(error, SendError::Invalid(_)), "{error:?}");
    assert_eq!(error.retry_class(), Some(RetryClass::FailPermanent));
}

#[tokio::test]
async fn a_lost_answer_is_ambiguous() {
    for answer in [
        None,
        Some(""),
        Some("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"messages\":["),
        http!("200 OK", "{}"),
        http!("200 OK", r#"{"messages":[{"id":""}]}"#),
        http!("200 OK", "<html>"),
        http!("502 Bad Gateway", "<html>"),
        http!("500 Internal Server Error", "{}"),
    ] {
        let error = send_to(answer).await.unwrap_err();
        assert!(matches!(error, SendError::Ambiguous(_)), "{answer:?}: {error:?}");
        assert_eq!(error.retry_class(), None);
    }
}

#[tokio::test]
async fn a_refusal_is_certain() {
    let error = send_to(http!(
        "400 Bad Request",
        r##"{"error":{"message":"(#130429) Rate limit hit","code":130429,"fbtrace_id":"A"}}"##
    ))
    .await
    .unwrap_err();
    assert_eq!(error.retry_class(), Some(RetryClass::SlowNumber));
    let error = send_to(http!(
        "500 Internal Server Error",
        r##"{"error":{"message":"(#131045)","code":131045}}"##
    ))
    .await
    .unwrap_err();
    assert!(
        matches!(error.retry_class(), Some(RetryClass::NeedsHuman { .. })),
        "{error:?}"
    );
    let error = send_to(http!("413 Payload Too Large", "<html>"))
        .await
        .unwrap_err();
    assert_eq!(error.retry_class(), Some(RetryClass::FailPermanent));
}
