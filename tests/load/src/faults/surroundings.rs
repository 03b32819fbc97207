//! The copy around the faults: whether it is well, and the sandbox's switches.

use crate::stack::Stack;

/// Whether workers, Auth and the database all answer.
pub async fn is_healthy(http: &reqwest::Client, stack: &Stack) -> bool {
    let worker = http
        .get(format!("{}/readyz", stack.get("OCTOPUSH_WORKER_URL")))
        .send();
    let auth = http
        .get(format!("{}/health", stack.get("SUPABASE_URL")))
        .header("apikey", stack.get("SUPABASE_ANON_KEY"))
        .send();
    let database = stack.database("postgres");
    let (worker, auth, database) = tokio::join!(worker, auth, database);
    database.is_ok()
        && worker.is_ok_and(|r| r.status().is_success())
        && auth.is_ok_and(|r| r.status().is_success())
}

/// Changes something of the sandbox.
pub async fn set(
    http: &reqwest::Client,
    sandbox: &str,
    what: &str,
    value: &serde_json::Value,
) -> anyhow::Result<()> {
    http.post(format!("{sandbox}/admin/{what}"))
        .json(value)
        .send()
        .await?
        .error_for_status()?;
    Ok(())
}
