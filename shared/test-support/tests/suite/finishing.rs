//! What `finish` finds.

use database::{Database, on};
use test_support::{TestSuite, fixture};

use super::suite;

/// What a suite fails with at its end.
async fn complaint(suite: TestSuite) -> String {
    let finished = tokio::spawn(suite.finish()).await;
    let panic = finished.unwrap_err().into_panic();
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

/// A suite with two published notifications.
async fn told() -> TestSuite {
    let (mut suite, _) = suite().await;
    let tasks = ["One", "Two"].map(|title| fixture::task(title).created().last());
    suite.deliver(tasks).await;
    suite.run_workers().await;
    suite
}

async fn tamper(database: &Database, statement: &'static str) {
    let mut tx = database.begin().await.unwrap();
    on!(&mut tx, conn => sqlx::query(statement).execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn an_unpublished_event_is_found() {
    let (mut suite, _) = suite().await;
    suite.sidecar().refuse(|_| true);
    suite.deliver(fixture::task("One").created().events()).await;
    assert_eq!(complaint(suite).await, "position 1 is not published");
}

#[tokio::test]
async fn an_unpublished_event_can_be_allowed() {
    let (mut suite, _) = suite().await;
    suite.sidecar().go_down();
    suite.deliver(fixture::task("One").created().events()).await;
    suite.allow_unpublished();
    suite.finish().await;
}

#[tokio::test]
async fn an_unexpected_dead_letter_is_found_and_a_missing_one_too() {
    let mut event = fixture::task("One").created().last();
    event["data"] = serde_json::Value::Null;
    for expected in [0, 1, 2] {
        let (mut suite, _) = suite().await;
        suite.deliver_in_order([event.clone()]).await;
        suite.expect_dead_letters(expected);
        if expected == 1 {
            suite.finish().await;
        } else {
            assert!(complaint(suite).await.contains("dead_letter"));
        }
    }
}

#[tokio::test]
async fn a_gap_in_the_log_is_found() {
    let suite = told().await;
    tamper(
        suite.ledger().database(),
        "delete from event where position = 1",
    )
    .await;
    let complaint = complaint(suite).await;
    assert!(complaint.contains("position 1 is missing"), "{complaint}");
    assert!(
        complaint.contains("has a head and no events"),
        "{complaint}"
    );
}

#[tokio::test]
async fn a_head_that_is_not_its_last_event_is_found() {
    let suite = told().await;
    tamper(suite.ledger().database(), "update stream set state = '{}'").await;
    assert!(
        complaint(suite)
            .await
            .contains("is not its last event's state")
    );
}

#[tokio::test]
async fn an_event_that_differs_from_what_was_published_is_found() {
    let suite = told().await;
    tamper(
        suite.ledger().database(),
        "update event set envelope = replace(envelope, 'One', 'Won'), topic = 'task-events'",
    )
    .await;
    assert!(complaint(suite).await.contains("was changed on its way"));
}
