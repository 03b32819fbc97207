//! The verification request (§1.1): a callback is only accepted when it echoes the challenge.

use std::time::Duration;

use crate::ids;
use crate::refusal::Refusal;

/// Asks the callback; anything but 200 with the bare challenge refuses it.
pub async fn verify_callback(url: &str, verify_token: &str) -> Result<(), Refusal> {
    let refuse = |why: String| Refusal {
        title: format!("Callback verification failed with the following errors: {why}"),
        ..Refusal::new(2_200, "")
    };
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(10))
        .build()
        .map_err(|error| refuse(error.to_string()))?;
    let challenge = ids::object_id();
    let query = [
        ("hub.mode", "subscribe"),
        ("hub.challenge", challenge.as_str()),
        ("hub.verify_token", verify_token),
    ];
    let response = http
        .get(url)
        .query(&query)
        .send()
        .await
        .map_err(|error| refuse(format!("no answer: {}", error.without_url())))?;
    let status = response.status().as_u16();
    let body = response.text().await.unwrap_or_default();
    if status != 200 {
        return Err(refuse(format!("HTTP Status Code = {status}; expected 200")));
    }
    if body != challenge {
        return Err(refuse("the answer is not the challenge".to_owned()));
    }
    Ok(())
}
