//! Proves that an access token speaks for the number it was given for, and subscribes our app to its webhooks.

use crate::runtime::database::DatabaseError;
use deadpool_postgres::Pool;
use octopush_whatsapp::{ApiError, CloudApi, RetryClass};
use serde_json::{Value, json};
use tracing::info;
use uuid::Uuid;

const AT_ONCE: i32 = 10;

/// Checks the numbers that are due; returns how many.
pub async fn run_due(pool: &Pool, graph: &CloudApi) -> Result<usize, DatabaseError> {
    let client = pool.get().await?;
    let statement = client
        .prepare_cached(include_str!("../../database/queries/claim_account_checks.sql"))
        .await?;
    let due = client.query(&statement, &[&AT_ONCE]).await?;
    drop(client);
    for row in &due {
        let account_id: Uuid = row.get(0);
        let secret_id: Uuid = row.get(1);
        let outcome = check(graph, row.get(2), row.get(3), row.get(4)).await;
        info!(whatsapp_account_id = %account_id, ok = %outcome["ok"], "number checked");
        let client = pool.get().await?;
        client
            .query_one(
                include_str!("../../database/queries/record_account_check.sql"),
                &[&account_id, &secret_id, &outcome],
            )
            .await?;
    }
    Ok(due.len())
}

async fn check(graph: &CloudApi, waba_id: &str, phone_number_id: &str, token: &str) -> Value {
    match ask_meta(graph, waba_id, phone_number_id, token).await {
        Ok(facts) => facts,
        Err(Refusal { reason, is_final }) => json!({ "ok": false, "final": is_final, "reason": reason }),
    }
}

struct Refusal {
    reason: String,
    is_final: bool,
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let is_final = !matches!(
            error.retry_class(),
            RetryClass::RetryBackoff | RetryClass::RetryAfter { .. }
        );
        let reason = match &error {
            ApiError::Refused(graph) => format!("{}: {}", graph.code, graph.title),
            other => other.to_string(),
        };
        Self { reason, is_final }
    }
}

async fn ask_meta(
    graph: &CloudApi,
    waba_id: &str,
    phone_number_id: &str,
    token: &str,
) -> Result<Value, Refusal> {
    let number = graph.phone_number(phone_number_id, token).await?;
    // The token may reach the number through another account: what a person typed must belong together.
    let mut after = None;
    loop {
        let page = graph.phone_numbers(waba_id, token, after.as_deref()).await?;
        if page.items.iter().any(|n| n.id == phone_number_id) {
            break;
        }
        after = page.after;
        if after.is_none() {
            return Err(Refusal {
                reason: "WA_010: the number does not belong to this WhatsApp Business account".into(),
                is_final: true,
            });
        }
    }
    graph.subscribe_app(waba_id, token).await?;
    // Numbers of one portfolio share its messaging limit. A token that may not see it is as good for everything else.
    let business_id = graph
        .business_account(waba_id, token)
        .await
        .ok()
        .and_then(|account| account.business_id);
    let messages_per_second = match number.throughput_level() {
        // Meta's two rates (reference/whatsapp.md §9.1).
        Some("HIGH") => Some(1000),
        Some("STANDARD") => Some(80),
        _ => None,
    };
    Ok(json!({
        "ok": true,
        "display_phone_number": number.display_phone_number,
        "verified_name": number.verified_name,
        "quality_rating": number.quality_rating,
        "messaging_tier": number.whatsapp_business_manager_messaging_limit,
        "business_id": business_id,
        "messages_per_second": messages_per_second,
    }))
}
