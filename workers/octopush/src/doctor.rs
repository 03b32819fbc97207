//! `octopush doctor`: what a person would check first, in order, each with what to do about it.

use crate::config::{Config, redacted};
use crate::runtime::database::{self, DatabaseError};
use crate::{health, migrate};
use deadpool_postgres::Pool;

/// Prints settings and findings; returns whether everything is well.
pub async fn run() -> bool {
    println!("settings");
    for (name, value) in redacted(|name| std::env::var(name).ok()) {
        println!("  {name}={value}");
    }
    let config = match Config::load(|name| std::env::var(name).ok()) {
        Ok(config) => config,
        Err(error) => {
            println!("problem: {error}");
            return false;
        }
    };
    let pool = match database::pool(&config.database_url.0, 2) {
        Ok(pool) => pool,
        Err(error) => {
            println!("problem: OCTOPUSH_WORKER_DATABASE_URL is not usable: {error}");
            return false;
        }
    };
    match look(&pool).await {
        Ok(problems) => {
            for problem in &problems {
                println!("problem: {problem}");
            }
            if problems.is_empty() {
                println!("all is well");
            }
            problems.is_empty()
        }
        Err(error) => {
            println!("problem: the database does not answer: {error}");
            false
        }
    }
}

async fn look(pool: &Pool) -> Result<Vec<String>, DatabaseError> {
    let mut problems = Vec::new();
    let (schema, code) = health::versions(pool).await?;
    println!(
        "database\n  schema {schema:?}, this build {:?}",
        health::expected_schema()
    );
    if schema != health::expected_schema() {
        problems.push("the schema is another build's: run `octopush migrate`".to_owned());
    } else if code.as_deref() != Some(migrate::code_hash().as_str()) {
        problems.push("the functions are another build's: run `octopush migrate`".to_owned());
    }
    let client = pool.get().await?;
    let row = client
        .query_one(include_str!("database/queries/queue_figures.sql"), &[])
        .await?;
    let (waiting, oldest, rejected): (i64, f64, i64) = (row.get(0), row.get(1), row.get(2));
    let (sends, sends_oldest, uncertain): (i64, f64, i64) = (row.get(3), row.get(4), row.get(5));
    println!("queues\n  webhooks waiting {waiting} (oldest {oldest:.0} s), rejected {rejected}");
    println!("  messages to send {sends} (oldest ready {sends_oldest:.0} s), uncertain {uncertain}");
    if oldest > 60.0 {
        problems.push("webhooks wait for more than a minute: is the apply role running?".to_owned());
    }
    if sends_oldest > 60.0 {
        problems.push(
            "messages wait for more than a minute: is the send role running, is a number paused?".to_owned(),
        );
    }
    if rejected > 0 {
        problems.push(format!(
            "{rejected} webhooks were not understood: `octopush replay --list`"
        ));
    }
    Ok(problems)
}
