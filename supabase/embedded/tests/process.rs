use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use supabase_embedded::jwt::{self, Keys};

use crate::support::cluster::{Cluster, free_port};
use crate::support::stack::SECRET;

/// The program itself, killed with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(cluster: &Cluster, port: u16) -> Command {
    let keys = Keys::new(SECRET);
    let mut command = Command::new(env!("CARGO_BIN_EXE_supabase-embedded"));
    command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .env("SUPABASE_LISTEN", format!("127.0.0.1:{port}"))
        .env("SUPABASE_DB_URL", cluster.url("postgres"))
        .env("SUPABASE_AUTHENTICATOR_PASSWORD", "unused under trust")
        .env("SUPABASE_URL", format!("http://127.0.0.1:{port}"))
        .env("SUPABASE_SITE_URL", "http://127.0.0.1:1")
        .env("SUPABASE_JWT_SECRET", SECRET)
        .env("SUPABASE_ANON_KEY", jwt::project_key(&keys, "anon").unwrap())
        .env(
            "SUPABASE_SERVICE_ROLE_KEY",
            jwt::project_key(&keys, "service_role").unwrap(),
        )
        .env(
            "SUPABASE_STORAGE_DIR",
            cluster.data_directory().with_file_name("objects"),
        );
    command
}

async fn until_health_is(port: u16, expected: u16) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = reqwest::get(format!("http://127.0.0.1:{port}/health")).await;
        if answer.is_ok_and(|answer| answer.status() == expected) {
            return;
        }
        assert!(Instant::now() < deadline, "health never was {expected}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn it_bootstraps_starts_before_the_database_and_stops_when_told() {
    let mut cluster = Cluster::start().await;
    let port = free_port();
    let bootstrapped = program(&cluster, port)
        .arg("bootstrap")
        .status()
        .expect("bootstrap");
    assert!(bootstrapped.success());
    cluster.crash();
    let mut server = Program(program(&cluster, port).arg("serve").spawn().expect("serve"));
    until_health_is(port, 503).await;
    cluster.start_again().await;
    until_health_is(port, 200).await;

    let told = Instant::now();
    let kill = Command::new("kill")
        .args(["-TERM", &server.0.id().to_string()])
        .status()
        .expect("kill");
    assert!(kill.success());
    let deadline = told + Duration::from_secs(15);
    let status = loop {
        if let Some(status) = server.0.try_wait().expect("try_wait") {
            break status;
        }
        assert!(Instant::now() < deadline, "still running after SIGTERM");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn wrong_settings_are_named_all_at_once_and_never_shown() {
    let cluster = Cluster::start().await;
    let output = program(&cluster, free_port())
        .arg("serve")
        .env("SUPABASE_SERVICE_ROLE_KEY", "not-a-key-5591")
        .env("SUPABASE_URL", "ftp://example.com")
        .env("SUPABASE_JWT_EXPIRY", "5")
        .output()
        .expect("serve");
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr);
    for name in ["SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_URL", "SUPABASE_JWT_EXPIRY"] {
        assert!(message.contains(name), "{name} in {message}");
    }
    assert!(
        !message.contains("5591") && !message.contains(SECRET),
        "{message}"
    );

    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let output = program(&cluster, taken.local_addr().unwrap().port())
        .arg("serve")
        .output()
        .expect("serve");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot listen on 127.0.0.1"));
}
