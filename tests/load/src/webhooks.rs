//! Signed webhooks as Meta sends them.

use octopush_whatsapp::signature;
use serde_json::json;

/// One text message of one customer.
pub fn text_message(phone_number_id: &str, from: &str, wa_message_id: &str, at: i64, body: &str) -> Vec<u8> {
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": "200000000000001", "changes": [{ "field": "messages", "value": {
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "60355500001", "phone_number_id": phone_number_id },
        "contacts": [{ "profile": { "name": format!("Customer {from}") }, "wa_id": from }],
        "messages": [{ "from": from, "id": wa_message_id, "timestamp": at.to_string(), "type": "text", "text": { "body": body } }],
    } }] }] })
    .to_string()
    .into_bytes()
}

/// Posts a body with its signature; true when it was acknowledged.
pub async fn deliver(http: &reqwest::Client, url: &str, secret: &str, body: Vec<u8>) -> bool {
    let signed = signature::sign(secret.as_bytes(), &body);
    let request = http
        .post(url)
        .header("x-hub-signature-256", signed)
        .header("content-type", "application/json")
        .body(body);
    request.send().await.is_ok_and(|r| r.status() == 200)
}
