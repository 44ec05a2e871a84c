//! `taskledger ledger migrate`: a database is made ready before its service starts.

use std::path::Path;

use database::sqlx::{self, Connection, SqliteConnection};
use tokio::process::Command;

use crate::running::{Running, run};

fn ledger(words: &[&str], file: &Path) -> Command {
    ledger_of("notifier", words, file)
}

fn ledger_of(service: &str, words: &[&str], file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taskledger"));
    let url = format!("sqlite://{}", file.display());
    command
        .arg("ledger")
        .args(words)
        .args(["--service", service]);
    command
        .args(["--database-url", &url])
        .env_remove("TASKLEDGER_DATA_DIR");
    command
}

#[tokio::test]
async fn a_database_is_made_ready_and_again_without_a_change() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("notifier.db");
    for _ in 0..2 {
        let migrated = run(ledger(&["migrate"], &file)).await;

        assert_eq!(migrated.code, Some(0), "{}", migrated.stderr);
        assert!(
            migrated.stdout.contains("notifier are up to date"),
            "{}",
            migrated.stdout
        );
    }
    let sound = run(ledger(&["verify"], &file)).await;
    assert_eq!(sound.code, Some(0), "{}", sound.stderr);
}

#[tokio::test]
async fn a_role_is_refused_in_one_sentence_where_there_are_none() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("notifier.db");
    for (role, reason) in [
        ("notifier", "only PostgreSQL has roles"),
        ("No Role", "lower-case"),
    ] {
        let refused = run(ledger(&["migrate", "--app-role", role], &file)).await;

        assert_eq!(refused.code, Some(1));
        assert!(refused.stderr.contains(reason), "{}", refused.stderr);
    }
}

#[tokio::test]
async fn rows_that_an_older_version_made_are_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let suite = Running::start(directory.path()).await;
    let task = serde_json::json!({ "title": "Pay rent", "labels": ["first"] });
    let client = reqwest::Client::builder().build().unwrap();
    let created = client.post(format!("{}/v1/tasks", suite.base)).json(&task);
    assert_eq!(created.send().await.unwrap().status(), 201);
    suite.kill().await;
    let file = directory.path().join("task-api.db");
    let url = format!("sqlite://{}", file.display());
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    for statement in [
        "update task_labels set label = 'as it was'",
        "update projection set version = 0 where name = 'tasks'",
    ] {
        let done = sqlx::query(statement).execute(&mut database).await.unwrap();
        assert_eq!(done.rows_affected(), 1, "{statement}");
    }
    let of_tasks = |words| ledger_of("task-api", words, &file);
    assert_eq!(run(of_tasks(&["verify"])).await.code, Some(1));

    let migrated = run(of_tasks(&["migrate"])).await;

    assert_eq!(migrated.code, Some(0), "{}", migrated.stderr);
    let (label,): (String,) = sqlx::query_as("select label from task_labels")
        .fetch_one(&mut database)
        .await
        .unwrap();
    assert_eq!(label, "first");
    let sound = run(of_tasks(&["verify"])).await;
    assert_eq!(sound.code, Some(0), "{}", sound.stdout);
    // Nothing is left to make.
    let (versions,): (i64,) = sqlx::query_as("select count(*) from projection where version = 0")
        .fetch_one(&mut database)
        .await
        .unwrap();
    assert_eq!(versions, 0);
}
