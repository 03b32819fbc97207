//! The receiver: what is refused leaves nothing behind, what is acknowledged is kept.

use super::fixture::{APP_SECRET, Database, Organisation, VERIFY_TOKEN, Worker, eventually, inbound, text};
use octopush_whatsapp::signature;

const KEPT: &str = "select count(*) from private.webhook_events";

#[tokio::test]
async fn the_handshake_answers_the_challenge_only_for_our_token() {
    let database = Database::create().await;
    let worker = Worker::start(&database, &[]).await;
    let ask = |token: &str| {
        let url = format!(
            "{}/webhooks/whatsapp?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}",
            worker.url
        );
        async move { reqwest::get(url).await.unwrap() }
    };
    let right = ask(VERIFY_TOKEN).await;
    assert_eq!(right.status(), 200);
    assert_eq!(right.text().await.unwrap(), "1158201444");
    assert_eq!(ask("guess").await.status(), 403);
    worker.stop().await;
}

#[tokio::test]
async fn a_missing_or_wrong_signature_is_401_and_nothing_is_stored() {
    let database = Database::create().await;
    let worker = Worker::start(&database, &[]).await;
    let body = inbound(
        "60111111111",
        &[text("wamid.1", "60111111111", 1_700_000_000, "hi")],
    );
    assert_eq!(worker.deliver_signed(&body, None).await, 401);
    assert_eq!(worker.deliver_signed(&body, Some("sha256=00")).await, 401);
    assert_eq!(
        worker
            .deliver_signed(&body, Some(&signature::sign(b"wrong", &body)))
            .await,
        401
    );
    let mut changed = body.clone();
    changed.push(b' ');
    assert_eq!(
        worker
            .deliver_signed(&changed, Some(&signature::sign(APP_SECRET.as_bytes(), &body)))
            .await,
        401
    );
    assert_eq!(database.count(KEPT).await, 0);
    worker.stop().await;
}

#[tokio::test]
async fn an_older_secret_still_counts_while_rotating() {
    let database = Database::create().await;
    let worker = Worker::start(&database, &[]).await;
    let body = inbound("60111111111", &[]);
    assert_eq!(
        worker
            .deliver_signed(&body, Some(&signature::sign(b"an-older-secret", &body)))
            .await,
        200
    );
    worker.stop().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let database = Database::create().await;
    let worker = Worker::start(&database, &[("OCTOPUSH_WEBHOOK_MAX_BYTES", "2048")]).await;
    assert_eq!(worker.deliver(&vec![b' '; 2049]).await, 413);
    assert_eq!(database.count(KEPT).await, 0);
    worker.stop().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_kept_and_visible_and_stops_nobody() {
    let database = Database::create().await;
    Organisation::create(&database).await;
    let worker = Worker::start(&database, &[]).await;
    let strange: [&[u8]; 5] = [b"not json", b"{}", b"[1,2,3]", b"null", b"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"changes\":[{\"field\":\"messages\",\"value\":null}]}]}"];
    for body in strange {
        assert_eq!(worker.deliver(body).await, 200);
    }
    assert_eq!(
        worker
            .deliver(&inbound(
                "60111111111",
                &[text("wamid.ok", "60111111111", 1_700_000_000, "hi")]
            ))
            .await,
        200
    );
    eventually("the good message arrives", || async {
        database.count("select count(*) from public.messages").await == 1
    })
    .await;
    eventually("the strange ones are rejected with a problem", || async {
        database
            .count("select count(*) from private.webhook_events where state = 'rejected' and problem <> ''")
            .await
            == 5
    })
    .await;
    worker.stop().await;
}

#[tokio::test]
async fn an_unknown_number_is_kept_and_applied_once_it_is_connected() {
    let database = Database::create().await;
    let worker = Worker::start(&database, &[]).await;
    assert_eq!(
        worker
            .deliver(&inbound(
                "60111111111",
                &[text("wamid.early", "60111111111", 1_700_000_000, "hi")]
            ))
            .await,
        200
    );
    eventually("it is rejected", || async {
        database
            .count("select count(*) from private.webhook_events where state = 'rejected'")
            .await
            == 1
    })
    .await;
    Organisation::create(&database).await;
    database
        .admin
        .execute("select worker.replay_webhooks(null)", &[])
        .await
        .unwrap();
    eventually("replay applies it", || async {
        database.count("select count(*) from public.messages").await == 1
    })
    .await;
    worker.stop().await;
}

#[tokio::test]
async fn without_a_database_the_answer_is_503_and_afterwards_200() {
    let database = Database::create().await;
    let worker = Worker::start(&database, &[]).await;
    let body = inbound("60111111111", &[]);
    let root = database.root().await;
    root.batch_execute(&format!(
        "alter database {} allow_connections false",
        database.name
    ))
    .await
    .unwrap();
    database
        .admin
        .execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'octopush_worker' and datname = current_database()", &[])
        .await
        .unwrap();
    assert_eq!(worker.deliver(&body).await, 503);
    assert_eq!(database.count(KEPT).await, 0);
    root.batch_execute(&format!(
        "alter database {} allow_connections true",
        database.name
    ))
    .await
    .unwrap();
    eventually("it is kept again", || async {
        worker.deliver(&body).await == 200
    })
    .await;
    worker.stop().await;
}
