//! `taskledger ledger verify` and `rebuild`, beside a running suite and after somebody was there.

use database::sqlx::{self, Connection, SqliteConnection};

use crate::running::{Running, operator, run};

#[tokio::test]
async fn a_running_suite_is_sound_and_a_forged_state_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let suite = Running::start(directory.path()).await;
    let client = reqwest::Client::builder().build().unwrap();
    let task = serde_json::json!({ "title": "Pay rent" });
    let created = client
        .post(format!("{}/v1/tasks", suite.base))
        .json(&task)
        .send()
        .await
        .unwrap();
    assert_eq!(created.status(), 201);

    let sound = run(operator(&["ledger", "verify"], directory.path())).await;
    assert_eq!(sound.code, Some(0), "{}", sound.stderr);
    assert_eq!(sound.stdout.matches("sound").count(), 4, "{}", sound.stdout);
    suite.kill().await;

    let file = format!("sqlite://{}/task-api.db", directory.path().display());
    let mut database = SqliteConnection::connect(&file).await.unwrap();
    sqlx::query("update stream set state = replace(state, 'Pay rent', 'Pay Mallory')")
        .execute(&mut database)
        .await
        .unwrap();
    let forged = run(operator(&["ledger", "verify"], directory.path())).await;

    assert_eq!(forged.code, Some(1));
    assert!(
        forged.stdout.contains("is not the fold of its events"),
        "{}",
        forged.stdout
    );
    assert!(
        forged.stderr.contains("a row is wrong"),
        "{}",
        forged.stderr
    );
}

#[tokio::test]
async fn a_projection_is_made_anew_beside_a_running_suite() {
    let directory = tempfile::tempdir().unwrap();
    let suite = Running::start(directory.path()).await;
    let client = reqwest::Client::builder().build().unwrap();
    let tasks = format!("{}/v1/tasks", suite.base);
    for title in ["Pay rent", "Call home"] {
        let task = serde_json::json!({ "title": title, "labels": ["first"] });
        let created = client.post(&tasks).json(&task).send().await.unwrap();
        assert_eq!(created.status(), 201);
    }
    let file = format!("sqlite://{}/task-api.db", directory.path().display());
    let mut database = SqliteConnection::connect(&file).await.unwrap();
    sqlx::query("update task_labels set label = 'forged'")
        .execute(&mut database)
        .await
        .unwrap();
    let forged = run(operator(&["ledger", "verify"], directory.path())).await;
    assert_eq!(forged.code, Some(1));
    assert_eq!(
        forged
            .stdout
            .matches("label=forged: follows from no event")
            .count(),
        2
    );
    assert_eq!(forged.stdout.matches("label=first: is missing").count(), 2);

    let words = ["ledger", "rebuild", "--projection", "tasks"];
    let rebuilt = run(operator(&words, directory.path())).await;

    assert_eq!(rebuilt.code, Some(0), "{}", rebuilt.stderr);
    assert!(
        rebuilt.stderr.contains("tasks: 100 %, 2 of 2 events"),
        "{}",
        rebuilt.stderr
    );
    let first = client
        .get(format!("{tasks}?label=first"))
        .send()
        .await
        .unwrap();
    let first: serde_json::Value = first.json().await.unwrap();
    assert_eq!(first["items"].as_array().map(Vec::len), Some(2), "{first}");
    let sound = run(operator(&["ledger", "verify"], directory.path())).await;
    assert_eq!(sound.code, Some(0), "{}", sound.stdout);
    let words = ["ledger", "rebuild", "--projection", "nothing"];
    let unknown = run(operator(&words, directory.path())).await;
    assert!(
        unknown.stderr.contains(
            "there are: tasks of task-api, series of task-api, reminders of task-api, \
             preferences of task-api, plans of reminder-scheduler, notifications of notifier"
        ),
        "{}",
        unknown.stderr
    );
    suite.kill().await;
}
