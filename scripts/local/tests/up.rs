//! `up` as a user meets it: started, watched, killed in every way, started twice, refused. Needs the programs of the
//! workspace, which `scripts/build` makes.

mod copy;

use copy::{Copy, is_alive, processes_in, processes_of, repository, text, wait_for};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

/// A copy with a page to serve, so that these tests do not hang on the web build.
fn copy(name: &str) -> (Copy, PathBuf) {
    let copy = Copy::new(name);
    let dist = copy.state.join("dist");
    fs::create_dir_all(&dist).expect("made");
    fs::write(dist.join("index.html"), "<!doctype html><title>OctoPush</title>").expect("written");
    (copy, dist)
}

fn up(copy: &Copy, dist: &PathBuf, arguments: &[&str]) -> String {
    let output = copy
        .command(&["up"])
        .args(arguments)
        .env("OCTOPUSH_WEB_DIST", dist)
        .output()
        .expect("the program starts");
    assert!(
        output.status.success(),
        "up {arguments:?} failed:\n{}",
        text(&output)
    );
    text(&output)
}

fn up_in_foreground(copy: &Copy, dist: &PathBuf) -> (Child, PathBuf) {
    fs::create_dir_all(&copy.state).expect("made");
    let console = copy.state.join("console.txt");
    let out = File::create(&console).expect("made");
    let child = copy
        .command(&["up", "--no-seed"])
        .env("OCTOPUSH_WEB_DIST", dist)
        .stdin(Stdio::null())
        .stderr(out.try_clone().expect("cloned"))
        .stdout(out)
        .spawn()
        .expect("the program starts");
    let shown = console.clone();
    wait_for("everything to be healthy", move || {
        fs::read_to_string(&shown).is_ok_and(|said| said.contains("all healthy"))
    });
    (child, console)
}

/// All that this copy runs, Postgres included, which knows nothing of our environment.
fn running(copy: &Copy) -> Vec<i32> {
    let data = fs::canonicalize(copy.data()).unwrap_or_default();
    let mut all = processes_of(&copy.state);
    all.extend(processes_in(&data).into_iter().filter(|pid| is_alive(*pid)));
    all
}

fn pid_listening(copy: &Copy, arguments: &str) -> i32 {
    processes_of(&copy.state)
        .into_iter()
        .find(|pid| {
            fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| {
                String::from_utf8_lossy(&line)
                    .replace('\0', " ")
                    .trim_end()
                    .ends_with(arguments)
            })
        })
        .unwrap_or_else(|| panic!("no process {arguments}"))
}

fn signal(name: &str, pid: i32) {
    let sent = std::process::Command::new("kill")
        .args([name, &pid.to_string()])
        .status()
        .expect("kill starts");
    assert!(sent.success());
}

#[test]
fn everything_starts_in_the_background_and_stops_without_a_trace() {
    let (copy, dist) = copy("background");
    let said = up(&copy, &dist, &["--detach"]);
    assert!(
        said.contains("all healthy") && said.contains("demo login"),
        "{said}"
    );
    let status = copy.ok(&["status"]);
    assert_eq!(status.matches(" healthy").count(), 5, "{status}");

    let local_env = copy.state.join("local.env");
    assert_eq!(
        fs::metadata(&local_env).expect("written").permissions().mode() & 0o777,
        0o600
    );
    let settings = fs::read_to_string(&local_env).expect("readable");
    for name in [
        "OCTOPUSH_DATABASE_URL",
        "SUPABASE_SERVICE_ROLE_KEY",
        "WHATSAPP_VERIFY_TOKEN",
        "OCTOPUSH_SANDBOX_URL",
    ] {
        assert!(
            settings.contains(&format!("\n{name}=")),
            "{name} is not in local.env"
        );
    }

    // Without the server's own backends, which come and go.
    let first = processes_of(&copy.state);
    let said = up(&copy, &dist, &["--detach"]);
    assert!(said.contains("already running"), "{said}");
    assert_eq!(processes_of(&copy.state), first);

    assert_eq!(copy.ok(&["down"]), "stopped");
    assert_eq!(running(&copy), []);
    assert_eq!(copy.ok(&["down"]), "nothing runs");

    let said = up(&copy, &dist, &["--detach"]);
    assert!(
        !said.contains("demo      made"),
        "the demo is made once only: {said}"
    );
    let seconds: f32 = said
        .split("all healthy after ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .and_then(|number| number.parse().ok())
        .expect("a time");
    assert!(seconds < 5.0, "a warm start took {seconds} s");
}

#[test]
fn the_demo_has_conversations_in_every_state() {
    let (copy, dist) = copy("demo");
    up(&copy, &dist, &["--detach"]);
    let url = fs::read_to_string(copy.state.join("local.env"))
        .expect("written")
        .lines()
        .find_map(|line| line.strip_prefix("OCTOPUSH_DATABASE_URL=").map(str::to_owned))
        .expect("a database");
    assert_eq!(
        copy.query(
            &url,
            "select string_agg(distinct status, ' ') from public.conversations"
        ),
        "expired open pending resolved"
    );
    assert_eq!(
        copy.query(
            &url,
            "select string_agg(status, ' ') from public.whatsapp_accounts"
        ),
        "connected"
    );
    assert_eq!(
        copy.query(
            &url,
            "select string_agg(distinct role, ' ') from public.org_memberships"
        ),
        "admin agent campaign_manager owner viewer"
    );
    assert_eq!(
        copy.query(&url, "select count(*) > 300 from public.contacts"),
        "t"
    );
    assert_eq!(
        copy.query(
            &url,
            "select string_agg(case status when 'completed' then 'sending' else status end, ' ' order by created_at) from public.campaigns"
        ),
        "sending scheduled draft"
    );
    let unlike_a_recount = "select count(*) from public.conversations c where unread_count <> (select count(*) from public.messages m
        where m.conversation_id = c.id and m.direction = 'inbound' and m.created_at > c.last_read_at)";
    assert_eq!(copy.query(&url, unlike_a_recount), "0");
    assert_eq!(
        copy.query(
            &url,
            "select count(*) from public.messages where occurred_at > clock_timestamp()"
        ),
        "0"
    );
    for state in [
        "status = 'failed'",
        "type = 'image'",
        "reply_to_message_id is not null",
        "type = 'note'",
        "status = 'delivered'",
    ] {
        assert_eq!(
            copy.query(
                &url,
                &format!("select count(*) > 0 from public.messages where {state}")
            ),
            "t",
            "{state}"
        );
    }
    for window in [
        "> now() + interval '4 hours'",
        "between now() + interval '1 hour' and now() + interval '4 hours'",
        "between now() and now() + interval '1 hour'",
        "< now()",
    ] {
        assert_eq!(
            copy.query(
                &url,
                &format!("select count(*) > 0 from public.conversations where window_expires_at {window}")
            ),
            "t",
            "{window}"
        );
    }
}

#[test]
fn a_process_that_dies_is_started_again_and_the_console_says_so() {
    let (copy, dist) = copy("restart");
    let (mut child, console) = up_in_foreground(&copy, &dist);
    let worker = pid_listening(&copy, "octopush run");
    signal("-9", worker);
    wait_for("the worker to be back", || {
        fs::read_to_string(&console).is_ok_and(|said| said.contains("worker    healthy again"))
    });
    assert_ne!(pid_listening(&copy, "octopush run"), worker);

    signal("-9", copy.server_pid());
    wait_for("Postgres to be back", || {
        fs::read_to_string(&console).is_ok_and(|said| said.contains("postgres  healthy again"))
    });
    wait_for("everything to be well", || {
        copy.command(&["status"])
            .output()
            .is_ok_and(|output| output.status.success())
    });

    signal("-INT", child.id() as i32);
    assert!(child.wait().expect("it ends").success());
    assert_eq!(running(&copy), []);
    let said = fs::read_to_string(&console).expect("readable");
    assert!(
        said.contains("worker ended (signal: 9 (SIGKILL))") && said.contains("starting it again"),
        "{said}"
    );
    assert!(said.trim_end().ends_with("stopped"), "{said}");
}

#[test]
fn when_the_supervisor_is_killed_nothing_lives_on_and_the_next_start_works() {
    let (copy, dist) = copy("orphans");
    let (mut child, _) = up_in_foreground(&copy, &dist);
    signal("-9", child.id() as i32);
    child.wait().expect("it ends");
    wait_for("every process to be gone", || running(&copy).is_empty());
    assert!(!copy.command(&["status"]).output().expect("runs").status.success());
    up(&copy, &dist, &["--detach", "--no-seed"]);
    copy.ok(&["status"]);
}

#[test]
fn a_signal_during_the_start_stops_what_was_started() {
    let (copy, dist) = copy("early");
    let mut child = copy
        .command(&["up", "--no-seed"])
        .env("OCTOPUSH_WEB_DIST", &dist)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    // The first process it starts is there long before the new cluster is.
    wait_for("the start to be under way", || {
        processes_of(&copy.state).len() > 1
    });
    signal("-TERM", child.id() as i32);
    child.wait().expect("it ends");
    assert_eq!(running(&copy), []);
    up(&copy, &dist, &["--detach", "--no-seed"]);
}

#[test]
fn two_copies_run_side_by_side() {
    let ((one, dist), (two, _)) = (copy("first"), copy("second"));
    up(&one, &dist, &["--detach", "--no-seed"]);
    up(&two, &dist, &["--detach", "--no-seed"]);
    one.ok(&["status"]);
    one.ok(&["down"]);
    two.ok(&["status"]);
}

#[test]
fn a_port_in_use_is_named_and_nothing_is_left_running() {
    let (copy, dist) = copy("taken");
    let _listener = TcpListener::bind(("127.0.0.1", copy.base + 2)).expect("the port is free");
    let output = copy
        .command(&["up", "--detach"])
        .env("OCTOPUSH_WEB_DIST", &dist)
        .output()
        .expect("runs");
    assert!(!output.status.success());
    let said = text(&output);
    assert!(
        said.contains(&format!(
            "port {}, meant for the workers, is in use by",
            copy.base + 2
        )),
        "{said}"
    );
    assert!(said.contains("OCTOPUSH_PORT_BASE"), "{said}");
    assert_eq!(running(&copy), []);
}

#[test]
fn what_is_not_built_is_named() {
    let (copy, dist) = copy("unbuilt");
    let output = copy
        .command(&["up"])
        .env("OCTOPUSH_WEB_DIST", &dist)
        .env("OCTOPUSH_BIN_DIR", repository().join("docs"))
        .output()
        .expect("runs");
    assert!(!output.status.success());
    assert!(
        text(&output).contains("whatsapp-sandbox is not built; run ./scripts/up"),
        "{}",
        text(&output)
    );

    fs::remove_file(dist.join("index.html")).expect("removed");
    let output = copy
        .command(&["up"])
        .env("OCTOPUSH_WEB_DIST", &dist)
        .output()
        .expect("runs");
    assert!(!output.status.success());
    assert!(
        text(&output).contains("the web UI is not built"),
        "{}",
        text(&output)
    );
    assert_eq!(running(&copy), []);
}

#[test]
fn a_value_of_the_environment_reaches_the_programs() {
    let (copy, dist) = copy("environment");
    let output = copy
        .command(&["up", "--detach", "--no-seed"])
        .env("OCTOPUSH_WEB_DIST", &dist)
        .env("WHATSAPP_VERIFY_TOKEN", "chosen-by-the-tester")
        .output()
        .expect("runs");
    assert!(output.status.success(), "{}", text(&output));
    let answer = get(
        copy.base + 2,
        "/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=chosen-by-the-tester&hub.challenge=7351",
    );
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("7351"),
        "{answer}"
    );
}

fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("set");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    answer
}
