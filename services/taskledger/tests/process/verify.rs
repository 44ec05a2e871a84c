//! `taskledger ledger verify`, beside a running suite and after somebody was there.

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
