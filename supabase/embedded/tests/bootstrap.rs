use std::os::unix::fs::PermissionsExt;

use supabase_embedded::bootstrap;

use crate::support::cluster::Cluster;
use crate::support::stack::bootstrap_args;

#[tokio::test]
async fn it_may_run_again_and_for_many_databases_at_once() {
    let cluster = Cluster::start().await;
    let admin = cluster.connect("supabase_admin", "postgres").await;
    let databases = ["one", "two", "three", "four"];
    for database in databases {
        admin
            .batch_execute(&format!("create database {database}"))
            .await
            .unwrap();
    }
    let runs = databases.iter().chain(&databases).map(|database| {
        let args = bootstrap_args(cluster.url(database));
        async move { bootstrap::run(&args).await }
    });
    for result in futures_util::future::join_all(runs).await {
        result.expect("bootstrap");
    }
    for database in databases {
        let client = cluster.connect("postgres", database).await;
        let owner: String = client
            .query_one(
                "select datdba::regrole::text from pg_database where datname = current_database()",
                &[],
            )
            .await
            .unwrap()
            .get(0);
        assert_eq!(owner, "postgres");
        client
            .batch_execute("create schema private; create table private.t (id int)")
            .await
            .unwrap();
        bootstrap::run(&bootstrap_args(cluster.url(database)))
            .await
            .expect("once more");
    }
}

#[tokio::test]
async fn roles_are_those_of_supabase() {
    let cluster = Cluster::start().await;
    bootstrap::run(&bootstrap_args(cluster.url("postgres")))
        .await
        .expect("bootstrap");
    let client = cluster.connect("supabase_admin", "postgres").await;
    let rows = client
        .query(
            "select rolname::text, rolsuper, rolcanlogin, rolbypassrls, rolinherit from pg_roles \
             where rolname in ('postgres', 'anon', 'authenticated', 'service_role', 'authenticator') order by 1",
            &[],
        )
        .await
        .unwrap();
    let roles: Vec<(String, bool, bool, bool, bool)> = rows
        .iter()
        .map(|r| (r.get(0), r.get(1), r.get(2), r.get(3), r.get(4)))
        .collect();
    let expected = [
        ("anon", false, false, false, false),
        ("authenticated", false, false, false, false),
        ("authenticator", false, true, false, false),
        ("postgres", false, true, true, true),
        ("service_role", false, false, true, false),
    ];
    assert_eq!(
        roles,
        expected.map(|(name, s, l, b, i)| (name.to_owned(), s, l, b, i))
    );
    // Passwords are stored only as verifiers.
    let stored: String = client
        .query_one(
            "select rolpassword from pg_authid where rolname = 'authenticator'",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert!(stored.starts_with("SCRAM-SHA-256$"), "{stored}");
}

#[tokio::test]
async fn new_tables_are_closed_and_internals_out_of_reach() {
    let cluster = Cluster::start().await;
    bootstrap::run(&bootstrap_args(cluster.url("postgres")))
        .await
        .expect("bootstrap");
    let postgres = cluster.connect("postgres", "postgres").await;
    postgres
        .batch_execute("create table public.t (id int)")
        .await
        .unwrap();
    for role in ["anon", "authenticated", "service_role"] {
        for statement in [
            "select from public.t",
            "select from auth.users",
            "select from auth.refresh_tokens",
            "select from supabase_embedded.mailbox",
            "create table public.mine (id int)",
        ] {
            let attempt = format!("begin; set local role {role}; {statement}");
            let error = postgres.batch_execute(&attempt).await.expect_err(&attempt);
            assert_eq!(
                error.code().map(|code| code.code()),
                Some("42501"),
                "{attempt}: {error:?}"
            );
            postgres.batch_execute("rollback").await.unwrap();
        }
    }
    // A migration must be able to do what it can on the real one.
    postgres
        .batch_execute(
            "create table public.profiles (user_id uuid primary key references auth.users (id) on delete cascade); \
             create function public.on_user() returns trigger language plpgsql security definer \
             set search_path = '' as $$ begin return new; end $$; \
             create trigger on_user after insert on auth.users for each row execute function public.on_user();",
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn secrets_are_sealed_by_a_key_that_no_table_holds() {
    let cluster = Cluster::start().await;
    bootstrap::run(&bootstrap_args(cluster.url("postgres")))
        .await
        .expect("bootstrap");
    let postgres = cluster.connect("postgres", "postgres").await;
    let secret = "EAAG-token-\u{1F511}";
    let id: uuid::Uuid = postgres
        .query_one("select vault.create_secret($1, 'whatsapp', 'of Ana')", &[&secret])
        .await
        .unwrap()
        .get(0);
    let read = async |id: uuid::Uuid| -> String {
        let query = "select decrypted_secret from vault.decrypted_secrets where id = $1";
        postgres.query_one(query, &[&id]).await.unwrap().get(0)
    };
    assert_eq!(read(id).await, secret);
    let sealed: String = postgres
        .query_one("select secret from vault.secrets where id = $1", &[&id])
        .await
        .unwrap()
        .get(0);
    assert!(!sealed.contains("EAAG"));
    postgres
        .execute("select vault.update_secret($1, new_secret => 'second')", &[&id])
        .await
        .unwrap();
    assert_eq!(read(id).await, "second");

    let key_file = cluster.data_directory().join("vault_root.key");
    assert_eq!(
        std::fs::metadata(&key_file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let key = std::fs::read_to_string(&key_file).unwrap();
    bootstrap::run(&bootstrap_args(cluster.url("postgres")))
        .await
        .expect("bootstrap");
    assert_eq!(
        std::fs::read_to_string(&key_file).unwrap(),
        key,
        "a repeat must keep the key"
    );

    let admin = cluster.connect("supabase_admin", "postgres").await;
    for role in ["anon", "authenticated"] {
        for statement in [
            "select from vault.decrypted_secrets",
            "select vault.create_secret('x')",
            "select vault._unseal('x', gen_random_uuid(), 'x')",
        ] {
            let attempt = format!("begin; set local role {role}; {statement}");
            admin.batch_execute(&attempt).await.expect_err(&attempt);
            admin.batch_execute("rollback").await.unwrap();
        }
    }
    postgres
        .batch_execute("select vault._derived_key('x')")
        .await
        .expect_err("the key is nobody's");
    postgres
        .batch_execute("select pg_read_file('vault_root.key')")
        .await
        .expect_err("the file is nobody's");

    let other: uuid::Uuid = postgres
        .query_one("select vault.create_secret('other')", &[])
        .await
        .unwrap()
        .get(0);
    admin
        .execute(
            "update vault.secrets as t set secret = f.secret, nonce = f.nonce from vault.secrets as f \
             where t.id = $1 and f.id = $2",
            &[&other, &id],
        )
        .await
        .unwrap();
    let moved = postgres
        .query_one(
            "select decrypted_secret from vault.decrypted_secrets where id = $1",
            &[&other],
        )
        .await;
    moved.expect_err("a value moved to another row must not decrypt");
}

#[tokio::test]
async fn it_refuses_to_run_as_an_ordinary_role() {
    let cluster = Cluster::start().await;
    bootstrap::run(&bootstrap_args(cluster.url("postgres")))
        .await
        .expect("bootstrap");
    let refused = bootstrap::run(&bootstrap_args(cluster.url_as("postgres", "postgres")))
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("must run as a superuser"),
        "{refused}"
    );
}
