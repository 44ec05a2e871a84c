//! Verification finds nothing in a ledger that only the lane wrote, and every row that somebody else did.

use database::on;
use event_schema::TimeValue;
use event_store::{Verification, Verifier};
use uuid::Uuid;

use crate::fixture::{Fixture, catalog, complete, start_of_test, task};

async fn verify(fixture: &Fixture) -> Verification {
    let database = fixture.ledger.database();
    Verifier::new(database, &catalog()).run().await.unwrap()
}

/// Three streams, five events, a timer, three titles.
async fn fill(fixture: &Fixture) {
    for id in 1..=2 {
        fixture.create(id, "verified").await.unwrap();
        let context = fixture.context();
        fixture
            .ledger
            .execute(context, None, &[], complete(id))
            .await
            .unwrap();
    }
    let mut due = task(3, "due", start_of_test());
    due.due = Some(TimeValue::Instant {
        instant: start_of_test(),
    });
    fixture.create_task(due).await.unwrap();
}

#[tokio::test]
async fn what_the_lane_wrote_is_sound() {
    for fixture in Fixture::every().await {
        fill(&fixture).await;

        let found = verify(&fixture).await;

        assert_eq!(
            found,
            Verification {
                events: 5,
                streams: 3,
                rows: 3,
                findings: Vec::new()
            }
        );
    }
}

/// What verification says after somebody changed a row by hand.
async fn after(statement: &'static str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for fixture in Fixture::every().await {
        fill(&fixture).await;
        let mut tx = fixture.ledger.database().begin().await.unwrap();
        let changed = on!(&mut tx, conn => sqlx::query(statement)
            .bind(Uuid::from_u128(1)).execute(conn).await.map(|done| done.rows_affected()));
        assert_eq!(changed.unwrap(), 1, "{statement}");
        tx.commit().await.unwrap();
        all.push(verify(&fixture).await.findings);
    }
    all
}

#[tokio::test]
async fn a_change_behind_the_lane_is_found_with_its_row() {
    let (stream, due) = (Uuid::from_u128(1), Uuid::from_u128(3));
    for (statement, expected) in [
        (
            "delete from event where stream_id = $1 and version = 2",
            format!("task {stream}: its head is at version 2, its events end at 1"),
        ),
        (
            "update stream set version = 7 where stream_id = $1",
            format!("task {stream}: its head is at version 7, its events end at 2"),
        ),
        (
            "update stream set state = replace(state, 'verified', 'forged') where stream_id = $1",
            format!("task {stream}: the state of its head is not the fold of its events"),
        ),
        (
            "update event set envelope = replace(envelope, 'verified', 'forged')
              where stream_id = $1 and version = 2",
            format!("task {stream}: version 2: its state is not the fold up to it"),
        ),
        (
            "update event set type = 'task.reopened.v1' where stream_id = $1 and version = 2",
            "position 2: type is task.reopened.v1, its envelope says task.completed.v1".to_owned(),
        ),
        (
            "delete from stream where stream_id = $1",
            format!("task {stream}: has events and no head"),
        ),
        (
            "insert into timer (kind, stream_id, timer_id, fire_at, lease_until)
             select kind, $1, $1, fire_at, lease_until from timer",
            format!(
                "task {stream}: timer {stream} is at 2026-11-22 10:00:00 UTC, its state wants none"
            ),
        ),
        (
            "update timer set timer_id = $1",
            format!("task {due}: timer {due} is missing, its state wants 2026-11-22 10:00:00 UTC"),
        ),
        (
            "update timer set fire_at = lease_until where $1 = $1",
            format!(
                "task {due}: timer {due} is at 1970-01-01 00:00:00 UTC, its state wants \
                 2026-11-22 10:00:00 UTC"
            ),
        ),
        (
            "delete from event where stream_id <> $1 and version = 1 and position = 5",
            format!("task {due}: has a head and no events"),
        ),
        (
            "delete from event where stream_id <> $1 and position = 3",
            "position 3 is missing".to_owned(),
        ),
        (
            "update event set event_id = (select event_id from event where position = 1)
              where position = 2 and $1 = $1",
            "stands in the log 2 times".to_owned(),
        ),
        (
            "update stream set kind = 'chore' where stream_id = $1",
            "no service knows streams of kind chore".to_owned(),
        ),
        (
            "update title set title = 'stale' where task_id = $1",
            format!("title task_id={stream}: is stale in title"),
        ),
        (
            "update title set title = null where task_id = $1",
            format!("title task_id={stream}: is stale in title"),
        ),
        (
            "delete from title where task_id = $1",
            format!("title task_id={stream}: is missing"),
        ),
        (
            "update title set task_id = (select event_id from event where position = 1)
              where task_id = $1",
            format!("title task_id={stream}: is missing"),
        ),
        (
            "update title set task_id = (select event_id from event where position = 1)
              where task_id = $1",
            ": follows from no event".to_owned(),
        ),
        (
            "update ledger_position set last_position = 9 where id = 0 and $1 = $1",
            "the next position follows 9, but the log ends at 5".to_owned(),
        ),
    ] {
        for findings in after(statement).await {
            let named = findings.iter().any(|finding| finding.ends_with(&expected));
            assert!(named, "{statement}: {findings:#?}");
        }
    }
}
