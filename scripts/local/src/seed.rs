//! The demo organisation: people through the Auth API, the WhatsApp number through the RPC the UI calls, the rest by
//! SQL that makes the same demo every time.

mod api;
mod campaigns;

use crate::database;
use crate::settings::Settings;
use anyhow::{Context, Result};
use api::Api;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Who to sign in as, for people.
pub const LOGIN: &str = "owner@demo.octopush.test / octopush-demo";

/// The password of every demo account.
const PASSWORD: &str = "octopush-demo";

const ORGANISATION: &str = "0192de30-0000-7000-8000-000000000001";

/// Mailbox, last two digits of the id, name.
const PEOPLE: [(&str, &str, &str); 6] = [
    ("owner", "a1", "Puan Salmah Angsana"),
    ("admin", "a2", "Daniel Chong"),
    ("manager", "a3", "Nadia Kamal"),
    ("agent", "a4", "Amirul Hakim"),
    ("agent2", "a5", "Grace Fernandez"),
    ("viewer", "a6", "Mr Ramasamy (auditor)"),
];

/// The number every sandbox starts with, and the token that reaches it.
const SANDBOX_ACCOUNT: [(&str, &str); 3] = [
    ("p_waba_id", "200000000000001"),
    ("p_phone_number_id", "100000000000001"),
    ("p_access_token", "sandbox-token"),
];

/// How long the workers may take to prove the number with the Graph API.
const CONNECT_LIMIT: Duration = Duration::from_secs(20);

/// How long the workers may take to fetch its templates; without them the demo's own are made all the same.
const LIST_LIMIT: Duration = Duration::from_secs(5);

/// Makes the demo organisation unless it is there.
pub async fn run(settings: &Settings) -> Result<()> {
    let url = settings.migrate_url("postgres");
    let mut database = database::connect(&url).await?;
    let is_there = "select from public.contacts where org_id = $1::text::uuid limit 1";
    if database.query_opt(is_there, &[&ORGANISATION]).await?.is_some() {
        return Ok(());
    }
    let began = Instant::now();
    let api = Api::new(settings);
    for (mailbox, id, full_name) in PEOPLE {
        api.make_person(mailbox, id, full_name).await?;
    }
    database
        .batch_execute(include_str!("../seed/10_organization.sql"))
        .await
        .context("10_organization.sql")?;
    if connect_number(&api, &database).await? {
        make_templates(&api, &database).await?;
    }

    let transaction = database.transaction().await?;
    for (name, sql) in [
        ("20_contacts.sql", include_str!("../seed/20_contacts.sql")),
        ("30_scripts.sql", include_str!("../seed/30_scripts.sql")),
        ("40_inbox.sql", include_str!("../seed/40_inbox.sql")),
        ("50_activity.sql", include_str!("../seed/50_activity.sql")),
    ] {
        transaction.batch_execute(sql).await.context(name)?;
    }
    transaction.commit().await?;
    // The people are there whatever becomes of these.
    if let Err(error) = campaigns::make(&api, &database).await {
        println!("  the demo's campaigns are not made: {error:#}");
    }
    println!(
        "  {:<9} made after {:.2} s",
        "demo",
        began.elapsed().as_secs_f32()
    );
    Ok(())
}

/// Drafts the owner writes and submits; the workers bring them to Meta and the sandbox reviews them while the rest of the demo is made.
async fn make_templates(api: &Api, database: &tokio_postgres::Client) -> Result<()> {
    // After the first list of what the sandbox has anyway, as somebody would who looks at it first.
    let listed = "select from private.template_syncs where synced_at is not null limit 1";
    let deadline = Instant::now() + LIST_LIMIT;
    while database.query_opt(listed, &[]).await?.is_none() && Instant::now() < deadline {
        sleep(Duration::from_millis(20)).await;
    }
    let token = api.sign_in("owner").await?;
    let templates: Vec<Value> = serde_json::from_str(include_str!("../seed/templates.json"))?;
    for fields in templates {
        let arguments = json!({ "p_org_id": ORGANISATION, "p_fields": fields });
        let draft = match api.call("create_template", &token, &arguments).await {
            // An earlier start that was interrupted made it.
            Err(error) if error.to_string().contains("TEMPLATE_005") => continue,
            draft => draft?,
        };
        api.call("submit_template", &token, &json!({ "p_id": draft["id"] }))
            .await?;
    }
    Ok(())
}

/// As the owner does it in the settings, and then waits for the workers' word; false when they say no.
async fn connect_number(api: &Api, database: &tokio_postgres::Client) -> Result<bool> {
    let status = "select status, coalesce(status_reason, '') from public.whatsapp_accounts where org_id = $1::text::uuid";
    if database.query_opt(status, &[&ORGANISATION]).await?.is_none() {
        let token = api.sign_in("owner").await?;
        let mut arguments = json!({ "p_org_id": ORGANISATION });
        for (name, value) in SANDBOX_ACCOUNT {
            arguments[name] = json!(value);
        }
        api.call("connect_whatsapp_account", &token, &arguments).await?;
    }
    let deadline = Instant::now() + CONNECT_LIMIT;
    loop {
        let row = database.query_one(status, &[&ORGANISATION]).await?;
        let (status, reason): (String, String) = (row.get(0), row.get(1));
        match status.as_str() {
            "connected" => return Ok(true),
            "connecting" if Instant::now() < deadline => sleep(Duration::from_millis(50)).await,
            // With another Graph server than the sandbox this is what has to happen; the rest of the demo stands.
            _ => {
                println!("  the demo's WhatsApp number is not connected: {status} {reason}");
                return Ok(false);
            }
        }
    }
}

fn email(mailbox: &str) -> String {
    format!("{mailbox}@demo.octopush.test")
}
