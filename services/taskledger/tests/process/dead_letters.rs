//! `taskledger dead-letters` beside a running suite.

use database::sqlx::{self, Connection, SqliteConnection};

use crate::running::{Running, operator, run};

#[tokio::test]
async fn a_parked_event_is_listed_shown_and_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let suite = Running::start(directory.path()).await;
    let file = format!("sqlite://{}/notifier.db", directory.path().display());
    let mut database = SqliteConnection::connect(&file).await.unwrap();
    sqlx::query(
        "insert into dead_letter (consumer, topic, type, key, envelope, fingerprint, reason, state,
                                  recorded_at)
         values ('notifier', 'task-events', 'task.created.v1', 'k', x'7b', x'01', 'not a task',
                 'parked', '2026-11-22T10:00:00+00:00')",
    )
    .execute(&mut database)
    .await
    .unwrap();
    let of_notifier = |words: &[&str]| {
        let words: Vec<&str> = ["dead-letters"]
            .iter()
            .chain(words)
            .chain(&["--service", "notifier"])
            .copied()
            .collect();
        operator(&words, directory.path())
    };

    let listed = run(of_notifier(&["list"])).await;
    assert!(
        listed.stdout.contains("task.created.v1"),
        "{}",
        listed.stdout
    );
    let shown = run(of_notifier(&["show", "1"])).await;
    assert!(shown.stdout.contains("not a task"), "{}", shown.stdout);
    let dropped = run(of_notifier(&["drop", "1"])).await;
    assert_eq!(dropped.code, Some(0), "{}", dropped.stderr);
    let again = run(of_notifier(&["drop", "1"])).await;
    assert_eq!(again.code, Some(1));
    assert!(
        again.stderr.contains("no parked dead letter 1"),
        "{}",
        again.stderr
    );
    let empty = run(of_notifier(&["list"])).await;
    assert!(
        empty.stdout.contains("No event is parked."),
        "{}",
        empty.stdout
    );
    suite.kill().await;
}
