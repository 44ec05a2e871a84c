//! A SQLite file belongs to one process, so a successor need not wait for its predecessor's leases.

use chrono::TimeDelta;
use clock::Clock;
use database::testing::TestDatabase;
use event_schema::TimeValue;
use event_store::Relay;

use crate::fixture::{Fixture, SETS, TestTask, start_of_test, task};
use crate::sidecar::Sidecar;

#[tokio::test]
async fn after_a_kill_the_relay_goes_on_at_once() {
    let fixture = Fixture::over(TestDatabase::sqlite(SETS).await);
    let (sidecar, client) = Sidecar::start().await;
    fixture.create(1, "before the kill").await.unwrap();
    let mut killed = Relay::new(&fixture.ledger, client.clone());
    killed.run_once().await.unwrap();
    drop(killed); // Its leases stay.
    fixture.create(2, "after the kill").await.unwrap();

    fixture.ledger.take_over().await.unwrap();
    Relay::new(&fixture.ledger, client)
        .run_once()
        .await
        .unwrap();

    assert_eq!(sidecar.taken(), [(1, 1), (2, 1)]);
}

#[tokio::test]
async fn after_a_kill_a_claimed_timer_comes_back_at_once() {
    let fixture = Fixture::over(TestDatabase::sqlite(SETS).await);
    let mut due = task(1, "due", fixture.clock.now());
    due.due = Some(TimeValue::Instant {
        instant: start_of_test(),
    });
    fixture.create_task(due).await.unwrap();
    fixture.clock.advance(TimeDelta::seconds(1));
    let claimed = fixture
        .ledger
        .claim_due_timers::<TestTask>(10)
        .await
        .unwrap();
    assert_eq!(claimed.len(), 1);

    fixture.ledger.take_over().await.unwrap();

    let again = fixture
        .ledger
        .claim_due_timers::<TestTask>(10)
        .await
        .unwrap();
    assert_eq!(again, claimed);
}

#[tokio::test]
async fn on_postgres_another_replica_may_hold_the_leases() {
    for fixture in Fixture::every().await {
        if matches!(fixture.ledger.database(), database::Database::Sqlite { .. }) {
            continue;
        }
        let (sidecar, client) = Sidecar::start().await;
        let mut living = Relay::new(&fixture.ledger, client.clone());
        living.run_once().await.unwrap();
        fixture.create(1, "published by its owner").await.unwrap();

        fixture.ledger.take_over().await.unwrap();
        let pass = Relay::new(&fixture.ledger, client)
            .run_once()
            .await
            .unwrap();

        assert_eq!(pass.published, 0);
        assert!(sidecar.taken().is_empty());
    }
}
