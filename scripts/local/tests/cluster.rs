//! The private Postgres, driven as a user would: made, started, found again, repaired, refused.

mod copy;

use copy::Copy;
use std::fs;
use std::net::TcpListener;

#[test]
fn a_cluster_is_made_started_found_again_and_stopped() {
    let copy = Copy::new("life");
    let url = copy.ok(&["cluster", "start"]);
    let settings = copy.query(
        &url,
        "select current_user || ' ' || current_setting('wal_level') || ' ' || current_setting('fsync') || ' ' ||
         current_setting('max_connections') || ' ' || current_setting('password_encryption')",
    );
    assert_eq!(settings, "supabase_admin logical on 200 scram-sha-256");
    let first = copy.server_pid();
    assert_eq!(copy.ok(&["cluster", "start"]), url);
    assert_eq!(copy.server_pid(), first);

    assert_eq!(copy.ok(&["cluster", "stop"]), "Postgres stopped");
    assert!(!copy.is_alive(first));
    assert_eq!(copy.ok(&["cluster", "stop"]), "Postgres does not run");
}

#[test]
fn a_wrong_password_is_refused() {
    let copy = Copy::new("password");
    let url = copy.ok(&["cluster", "start"]);
    let password = url.split([':', '@']).nth(2).expect("a password");
    let refusal = copy
        .try_query(&url.replace(password, "guess"), "select 1")
        .expect_err("refused");
    assert!(refusal.contains("password authentication failed"), "{refusal}");
}

#[test]
fn a_volatile_cluster_does_not_wait_for_the_disk() {
    let copy = Copy::new("volatile");
    let url = copy.ok(&["cluster", "start", "--volatile"]);
    let settings =
        copy.query(&url, "select current_setting('fsync') || current_setting('synchronous_commit') || current_setting('full_page_writes')");
    assert_eq!(settings, "offoffoff");
}

#[test]
fn two_copies_run_side_by_side() {
    let (one, two) = (Copy::new("side1"), Copy::new("side2"));
    let (first, second) = (
        one.ok(&["cluster", "start", "--volatile"]),
        two.ok(&["cluster", "start", "--volatile"]),
    );
    one.query(&first, "create table only_here ()");
    let error = two
        .try_query(&second, "table only_here")
        .expect_err("another database");
    assert!(error.contains("does not exist"), "{error}");
    one.ok(&["cluster", "stop"]);
    assert_eq!(two.query(&second, "select 1"), "1");
}

#[test]
fn after_a_crash_the_server_starts_again_with_its_data() {
    let copy = Copy::new("crash");
    let url = copy.ok(&["cluster", "start"]);
    copy.query(&url, "create table kept as select 42 as answer");
    copy.kill(copy.server_pid());
    let url = copy.ok(&["cluster", "start"]);
    assert_eq!(copy.query(&url, "select answer from kept"), "42");
}

#[test]
fn lock_files_that_name_another_program_do_not_stop_a_start() {
    let copy = Copy::new("reused");
    copy.ok(&["cluster", "start", "--volatile"]);
    let file = copy.data().join("postmaster.pid");
    let text = fs::read_to_string(&file).expect("pid file");
    copy.ok(&["cluster", "stop"]);
    // The number now belongs to this test.
    let rest = text.split_once('\n').expect("lines").1;
    fs::write(&file, format!("{}\n{rest}", std::process::id())).expect("written");
    let url = copy.ok(&["cluster", "start", "--volatile"]);
    assert_eq!(copy.query(&url, "select 1"), "1");
}

#[test]
fn what_an_interrupted_initdb_left_is_made_anew() {
    let copy = Copy::new("interrupted");
    let unfinished = copy.home().join("data.unfinished");
    fs::create_dir_all(unfinished.join("base")).expect("made");
    fs::write(unfinished.join("PG_VERSION"), "15\n").expect("written");
    let said = copy.ok(&["cluster", "start", "--volatile"]);
    assert!(said.contains("removed a half-made cluster"), "{said}");
    assert!(!unfinished.exists());
}

#[test]
fn a_data_directory_with_parts_missing_is_reported_and_left_alone() {
    let copy = Copy::new("parts");
    copy.ok(&["cluster", "start", "--volatile"]);
    copy.ok(&["cluster", "stop"]);
    let control = copy.data().join("global/pg_control");
    fs::rename(&control, copy.home().join("taken")).expect("moved");
    let said = copy.fails(&["cluster", "start", "--volatile"]);
    assert!(
        said.contains("is not whole: global/pg_control is missing") && said.contains("Nothing was changed"),
        "{said}"
    );
    fs::rename(copy.home().join("taken"), &control).expect("moved back");
    copy.ok(&["cluster", "start", "--volatile"]);
}

#[test]
fn a_port_in_use_is_named_and_nothing_is_made() {
    let copy = Copy::new("port");
    let _listener = TcpListener::bind(("127.0.0.1", copy.port)).expect("the port is free");
    let said = copy.fails(&["cluster", "start"]);
    assert!(
        said.contains(&format!("port {}, meant for Postgres, is in use by", copy.port)),
        "{said}"
    );
    assert!(!copy.home().exists());
}

#[test]
fn damaged_secrets_are_reported_and_kept() {
    let copy = Copy::new("secrets");
    fs::create_dir_all(&copy.state).expect("made");
    fs::write(copy.state.join("secrets.json"), "{}").expect("written");
    let said = copy.fails(&["cluster", "start"]);
    assert!(said.contains("secrets.json is damaged"), "{said}");
    assert_eq!(
        fs::read_to_string(copy.state.join("secrets.json")).expect("kept"),
        "{}"
    );
}

#[test]
fn a_copy_is_deleted_only_when_asked_twice_and_takes_nothing_else_along() {
    let copy = Copy::new("deleted");
    copy.ok(&["cluster", "start", "--volatile"]);
    let mine = copy.state.join("mine.txt");
    fs::write(&mine, "not yours").expect("written");
    let said = copy.fails(&["destroy"]);
    assert!(said.contains("--yes"), "{said}");
    assert!(copy.data().exists());
    copy.ok(&["destroy", "--yes"]);
    let left: Vec<_> = fs::read_dir(&copy.state)
        .expect("readable")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    assert_eq!(left, [mine]);
}

#[test]
fn lost_secrets_are_reported_instead_of_a_start_that_nobody_can_sign_in_to() {
    let copy = Copy::new("lost");
    copy.ok(&["cluster", "start", "--volatile"]);
    copy.ok(&["cluster", "stop"]);
    let secrets = copy.state.join("secrets.json");
    let kept = copy.state.join("kept.json");
    fs::rename(&secrets, &kept).expect("moved");
    let said = copy.fails(&["cluster", "start", "--volatile"]);
    assert!(said.contains("made with another secrets.json"), "{said}");
    fs::rename(&kept, &secrets).expect("moved back");
    copy.ok(&["cluster", "start", "--volatile"]);
}

#[test]
fn a_postgres_that_is_not_there_is_named() {
    let copy = Copy::new("missing");
    let said = copy.fails_with(&["cluster", "start"], &[("OCTOPUSH_PG_BIN", "/nowhere")]);
    assert!(said.contains("OCTOPUSH_PG_BIN is /nowhere"), "{said}");
}
