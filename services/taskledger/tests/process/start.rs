//! Starting, stopping, and the one clear sentence when it cannot.

use std::process::Stdio;
use std::time::Duration;

use reqwest::Client;
use tokio::process::Command;
use tokio::time::interval;

use crate::running::{Running, command, run};

async fn signal(name: &str, process: u32) {
    let sent = Command::new("kill")
        .args([name, &process.to_string()])
        .status()
        .await
        .unwrap();
    assert!(sent.success());
}

#[tokio::test]
async fn the_banner_says_where_it_is_and_what_to_try() {
    let directory = tempfile::tempdir().unwrap();
    let suite = Running::start(directory.path()).await;

    assert!(
        suite.banner.contains(&format!("{}/docs", suite.base)),
        "{}",
        suite.banner
    );
    assert_eq!(suite.banner.matches("curl").count(), 2);
    let client = Client::builder().build().unwrap();
    for path in [
        "/docs/",
        "/openapi.json",
        "/healthz",
        "/readyz",
        "/metrics",
        "/v1/tasks",
    ] {
        let status = client
            .get(format!("{}{path}", suite.base))
            .send()
            .await
            .unwrap()
            .status();
        assert_eq!(status, 200, "{path}");
    }
    suite.kill().await;
}

#[tokio::test]
async fn both_signals_end_it_well() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["-INT", "-TERM"] {
        let suite = Running::start(directory.path()).await;

        signal(name, suite.id()).await;

        assert_eq!(suite.ended().await, Some(0), "{name}");
    }
}

#[tokio::test]
async fn a_directory_in_use_is_refused_in_one_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let suite = Running::start(directory.path()).await;

    let second = run(command(directory.path())).await;

    assert_eq!(second.code, Some(1));
    assert!(
        second.stderr.contains("in use by another taskledger"),
        "{}",
        second.stderr
    );
    assert_eq!(second.stderr.lines().count(), 1, "{}", second.stderr);
    suite.kill().await;
}

#[tokio::test]
async fn a_taken_port_is_refused_in_one_sentence() {
    let (directory, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let suite = Running::start(directory.path()).await;
    let address = suite.base.strip_prefix("http://").unwrap();

    let mut second = Command::new(env!("CARGO_BIN_EXE_taskledger"));
    second
        .args(["--listen", address, "--data-dir"])
        .arg(other.path())
        .stderr(Stdio::piped());
    let second = run(second).await;

    assert_eq!(second.code, Some(1));
    assert!(
        second.stderr.contains("another program already does"),
        "{}",
        second.stderr
    );
    assert_eq!(second.stderr.lines().count(), 1, "{}", second.stderr);
    suite.kill().await;
}

#[tokio::test]
async fn it_does_not_listen_to_the_network_without_authentication() {
    let directory = tempfile::tempdir().unwrap();
    let mut open = Command::new(env!("CARGO_BIN_EXE_taskledger"));
    open.args(["--listen", "0.0.0.0:0", "--data-dir"])
        .arg(directory.path());

    let refused = run({
        open.stderr(Stdio::piped());
        open
    })
    .await;

    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("without authentication"),
        "{}",
        refused.stderr
    );
}

#[tokio::test]
async fn an_unusable_directory_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "in the way").unwrap();

    let refused = run(command(&file)).await;

    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("cannot be used"),
        "{}",
        refused.stderr
    );
}

#[tokio::test]
async fn a_directory_that_is_removed_ends_it_with_one_sentence() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("data");
    let suite = Running::heard(command(&directory)).await;

    std::fs::remove_dir_all(&directory).unwrap();

    let ended = suite.ended_saying().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let last = ended.stderr.lines().last().unwrap();
    let begin = format!(
        "taskledger: the data directory {} was removed",
        directory.display()
    );
    assert!(last.starts_with(&begin), "{}", ended.stderr);
}

#[tokio::test]
async fn a_signal_during_the_start_ends_it_well() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("data");
    let mut child = command(&directory).spawn().unwrap();
    let mut looks = interval(Duration::from_millis(1));
    while !directory.exists() {
        looks.tick().await;
    }

    signal("-TERM", child.id().unwrap()).await;

    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn nobody_has_to_read_the_banner() {
    let parent = tempfile::tempdir().unwrap();
    let mut child = command(parent.path()).spawn().unwrap();
    drop(child.stdout.take());
    let mut looks = interval(Duration::from_millis(10));
    while !parent.path().join("notifier.db").exists() {
        looks.tick().await;
    }

    signal("-TERM", child.id().unwrap()).await;

    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn with_tokens_the_banner_shows_where_one_goes() {
    let directory = tempfile::tempdir().unwrap();
    let mut guarded = command(directory.path());
    guarded.env("AUTH_JWT_KEY", "0123456789abcdef0123456789abcdef");

    let suite = Running::of(guarded).await;

    let lines = suite.banner.lines().filter(|line| line.contains("curl"));
    let shown: Vec<_> = lines
        .filter(|line| line.contains("-H \"authorization: Bearer $TOKEN\""))
        .collect();
    assert_eq!(shown.len(), 2, "{}", suite.banner);
    suite.kill().await;
}

async fn health(ops: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taskledger"));
    let output = command.args(["health", "--ops-listen", ops]).output();
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[tokio::test]
async fn it_is_asked_by_itself_whether_it_is_well() {
    let directory = tempfile::tempdir().unwrap();
    let suite = Running::start(directory.path()).await;
    let address = suite.base.trim_start_matches("http://").to_owned();

    assert_eq!(health(&address).await, (Some(0), String::new()));
    suite.kill().await;
    let (code, said) = health(&address).await;
    assert_eq!(code, Some(1));
    assert!(
        said.contains(&format!("nobody answers at {address}")),
        "{said}"
    );
}
