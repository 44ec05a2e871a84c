//! Timers follow the state: never early, never lost, claimed by one worker at a time.

use chrono::{DateTime, TimeDelta, Utc};
use clock::Clock;
use event_schema::TimeValue;
use futures_util::FutureExt;

use crate::fixture::{Fixture, TestTask, complete, start_of_test, task};

fn at(seconds: i64) -> DateTime<Utc> {
    start_of_test() + TimeDelta::seconds(seconds)
}

async fn create_due(fixture: &Fixture, id: u128, seconds: i64) {
    let mut due = task(id, "due", fixture.clock.now());
    due.due = Some(TimeValue::Instant {
        instant: at(seconds),
    });
    fixture.create_task(due).await.unwrap();
}

async fn claim(fixture: &Fixture) -> Vec<u128> {
    let due = fixture
        .ledger
        .claim_due_timers::<TestTask>(100)
        .await
        .unwrap();
    due.iter().map(|timer| timer.stream_id.as_u128()).collect()
}

#[tokio::test]
async fn a_timer_is_claimed_at_its_time_and_not_a_microsecond_before() {
    for fixture in Fixture::every().await {
        create_due(&fixture, 1, 60).await;

        fixture.clock.set(at(60) - TimeDelta::microseconds(1));
        assert!(claim(&fixture).await.is_empty());
        fixture.clock.set(at(60));
        assert_eq!(claim(&fixture).await, [1]);
    }
}

#[tokio::test]
async fn due_timers_come_in_the_order_of_their_times() {
    for fixture in Fixture::every().await {
        for (id, seconds) in [(1, 30), (2, 10), (3, 20), (4, 99)] {
            create_due(&fixture, id, seconds).await;
        }

        fixture.clock.set(at(40));

        assert_eq!(claim(&fixture).await, [2, 3, 1]);
        assert_eq!(
            fixture.ledger.next_timer_at::<TestTask>().await.unwrap(),
            Some(at(55))
        );
    }
}

#[tokio::test]
async fn a_claimed_timer_comes_back_when_its_worker_died() {
    for fixture in Fixture::every().await {
        create_due(&fixture, 1, 10).await;
        fixture.clock.set(at(10));
        assert_eq!(claim(&fixture).await, [1]);
        assert!(claim(&fixture).await.is_empty());

        let fixture = fixture.restart().await;
        fixture.clock.set(at(26));

        assert_eq!(claim(&fixture).await, [1]);
    }
}

#[tokio::test]
async fn a_timer_goes_when_the_state_no_longer_names_it() {
    for fixture in Fixture::every().await {
        create_due(&fixture, 1, 10).await;
        fixture
            .ledger
            .execute(fixture.context(), None, &[], complete(1))
            .await
            .unwrap();

        fixture.clock.set(at(100));

        assert!(claim(&fixture).await.is_empty());
        assert_eq!(
            fixture.ledger.next_timer_at::<TestTask>().await.unwrap(),
            None
        );
    }
}

#[tokio::test]
async fn a_clock_that_steps_back_fires_nothing_twice_and_nothing_early() {
    for fixture in Fixture::every().await {
        create_due(&fixture, 1, 10).await;
        fixture.clock.set(at(20));
        assert_eq!(claim(&fixture).await, [1]);

        fixture.clock.set(at(5));

        assert!(claim(&fixture).await.is_empty());
    }
}

#[tokio::test]
async fn a_new_timer_wakes_whoever_waits() {
    for fixture in Fixture::every().await {
        create_due(&fixture, 1, 3600).await;
        while fixture.ledger.timers_changed().now_or_never().is_some() {}
        let woken = fixture.ledger.timers_changed();

        create_due(&fixture, 2, 10).await;

        woken.await;
        assert_eq!(
            fixture.ledger.next_timer_at::<TestTask>().await.unwrap(),
            Some(at(10))
        );
    }
}

#[tokio::test]
async fn two_workers_never_claim_the_same_timer() {
    for fixture in Fixture::every().await {
        for id in 1..=40 {
            create_due(&fixture, id, 10).await;
        }
        fixture.clock.set(at(10));
        let claim_some = || fixture.ledger.claim_due_timers::<TestTask>(15);

        let claims = tokio::join!(claim_some(), claim_some(), claim_some());

        let mut all: Vec<u128> = [claims.0, claims.1, claims.2]
            .into_iter()
            .flat_map(Result::unwrap)
            .map(|timer| timer.stream_id.as_u128())
            .collect();
        let claimed = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), claimed);
        assert!(claimed >= 15);
    }
}
