//! Timers follow the state: never early, never lost, claimed by one worker at a time.

mod renewed;

use chrono::{DateTime, TimeDelta, Utc};
use clock::Clock;
use event_schema::{Task, TaskEvent, TimeValue};
use event_store::{Aggregate, Answer, Timer, Unit};
use futures_util::future::join_all;
use futures_util::{FutureExt, StreamExt, stream};
use uuid::Uuid;

use crate::fixture::{Fixture, TestError, TestTask, complete, start_of_test, task};

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
async fn the_oldest_timer_that_is_due_is_measured_until_it_is_done() {
    for fixture in Fixture::every().await {
        create_due(&fixture, 1, 30).await;
        create_due(&fixture, 2, 50).await;
        let measure = async || {
            let late = fixture.ledger.measure_timers::<TestTask>().await;
            late.unwrap().num_seconds()
        };
        assert_eq!(measure().await, 0);
        fixture.clock.set(at(40));
        assert_eq!(measure().await, 10);

        // Claimed is not done.
        assert_eq!(claim(&fixture).await, [1]);
        fixture.clock.set(at(60));
        assert_eq!(measure().await, 30);
        let done = complete(1);
        fixture
            .ledger
            .execute(fixture.context(), None, &[], done)
            .await
            .unwrap();
        assert_eq!(measure().await, 10);
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
async fn a_claim_takes_no_more_than_asked_for_also_when_a_worker_died() {
    for fixture in Fixture::every().await {
        for id in 1..=5 {
            create_due(&fixture, id, 10).await;
        }
        let claim = async |limit| {
            let due = fixture.ledger.claim_due_timers::<TestTask>(limit).await;
            due.unwrap().len()
        };
        fixture.clock.set(at(10));
        assert_eq!(claim(2).await, 2); // And their worker dies.
        fixture.clock.set(at(26));

        assert_eq!(claim(3).await, 3);
        assert_eq!(claim(3).await, 2);
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

/// Another kind of stream whose streams have the ids of tasks, and timers with the same ids.
#[derive(Debug)]
struct Shadow;

impl Aggregate for Shadow {
    const KIND: &'static str = "shadow";
    const HAS_TIMERS: bool = true;
    type Events = TaskEvent;

    fn evolve(state: Option<Task>, event: &TaskEvent) -> Option<Task> {
        TestTask::evolve(state, event)
    }

    fn partition_key(state: &Task) -> Uuid {
        state.id.as_uuid()
    }

    fn timers(state: &Task) -> Vec<Timer> {
        TestTask::timers(state)
    }
}

#[tokio::test]
async fn timers_of_two_kinds_with_the_same_ids_are_apart() {
    for fixture in Fixture::every().await {
        create_due(&fixture, 1, 10).await;
        let mut shadow = task(1, "shadow", fixture.clock.now());
        shadow.due = Some(TimeValue::Instant { instant: at(20) });
        let decide = move |unit: &mut Unit<'_>| {
            let event = TaskEvent::Created(Box::new(shadow.clone()));
            unit.append::<Shadow>(Uuid::from_u128(1), &event);
            Ok::<_, TestError>(Answer::default())
        };
        let ledger = &fixture.ledger;
        ledger
            .execute(fixture.context(), None, &[], decide)
            .await
            .unwrap();
        fixture.clock.set(at(30));

        assert_eq!(claim(&fixture).await, [1]);

        let shadows = ledger.claim_due_timers::<Shadow>(10).await.unwrap();
        assert_eq!(shadows.len(), 1);
        assert_eq!(shadows[0].fire_at, at(20));
    }
}

#[tokio::test]
async fn times_sort_whatever_their_fractions() {
    for fixture in Fixture::every().await {
        let micros = [999_999, 0, 500_000, 500_001, 1, 499_999, 100_000, 10];
        for (id, micros) in (1..).zip(micros) {
            let mut due = task(id, "due", fixture.clock.now());
            let instant = at(10) + TimeDelta::microseconds(micros);
            due.due = Some(TimeValue::Instant { instant });
            fixture.create_task(due).await.unwrap();
        }
        let mut claimed = Vec::new();
        for now in [
            0, 1, 10, 100_000, 499_999, 500_000, 500_001, 999_998, 999_999,
        ] {
            fixture.clock.set(at(10) + TimeDelta::microseconds(now));
            claimed.push(claim(&fixture).await);
        }

        let expected: [&[u128]; 9] = [&[2], &[5], &[8], &[7], &[6], &[3], &[4], &[], &[1]];
        assert_eq!(claimed, expected);
    }
}

#[tokio::test]
async fn a_time_between_two_microseconds_is_not_claimed_before_it() {
    for fixture in Fixture::every().await {
        let mut due = task(1, "due", fixture.clock.now());
        let instant = at(10) + TimeDelta::nanoseconds(1_500);
        due.due = Some(TimeValue::Instant { instant });
        fixture.create_task(due).await.unwrap();

        fixture.clock.set(at(10) + TimeDelta::microseconds(1));
        assert!(claim(&fixture).await.is_empty());
        fixture.clock.set(at(10) + TimeDelta::microseconds(2));
        assert_eq!(claim(&fixture).await, [1]);
    }
}

#[tokio::test]
async fn a_time_beyond_the_year_9999_is_not_due_today() {
    for fixture in Fixture::every().await {
        let mut due = task(1, "due", fixture.clock.now());
        let instant = DateTime::<Utc>::MAX_UTC;
        due.due = Some(TimeValue::Instant { instant });
        fixture.create_task(due).await.unwrap();
        create_due(&fixture, 2, 10).await;

        fixture.clock.set(at(20));

        assert_eq!(claim(&fixture).await, [2]);
    }
}

#[tokio::test]
async fn a_lease_that_was_taken_by_a_clock_far_ahead_does_not_hold() {
    for fixture in Fixture::every().await {
        create_due(&fixture, 1, 10).await;
        fixture.clock.set(at(3600));
        assert_eq!(claim(&fixture).await, [1]); // And its worker dies.

        fixture.clock.set(at(20));

        let next = fixture.ledger.next_timer_at::<TestTask>().await.unwrap();
        assert!(next.unwrap() <= at(20));
        assert_eq!(claim(&fixture).await, [1]);
    }
}

#[tokio::test]
async fn only_a_commit_that_changes_a_timer_wakes_whoever_waits() {
    for fixture in Fixture::every().await {
        create_due(&fixture, 1, 10).await;
        while fixture.ledger.timers_changed().now_or_never().is_some() {}

        fixture.create(2, "without a due time").await.unwrap();

        assert!(fixture.ledger.timers_changed().now_or_never().is_none());
    }
}

#[tokio::test]
async fn a_timer_that_is_moved_is_claimed_at_its_new_time_whoever_had_it() {
    for fixture in Fixture::every().await {
        create_due(&fixture, 1, 10).await;
        fixture.clock.set(at(10));
        assert_eq!(claim(&fixture).await, [1]);
        let mut moved = task(1, "moved", at(0));
        moved.due = Some(TimeValue::Instant { instant: at(12) });
        let decide = move |unit: &mut Unit<'_>| {
            let event = TaskEvent::Created(Box::new(moved.clone()));
            unit.append::<TestTask>(Uuid::from_u128(1), &event);
            Ok::<_, TestError>(Answer::default())
        };
        let ledger = &fixture.ledger;
        ledger
            .execute(fixture.context(), None, &[], decide)
            .await
            .unwrap();

        assert_eq!(
            ledger.next_timer_at::<TestTask>().await.unwrap(),
            Some(at(12))
        );
        fixture.clock.set(at(12));
        assert_eq!(claim(&fixture).await, [1]);
    }
}

/// So many at once take more than one claim of any worker.
const CROWD: u128 = 2_000;

/// Timers of 50 different instants within a second, created in another order.
async fn create_crowd(fixture: &Fixture) {
    let created = (1..=CROWD).map(|id| {
        let mut due = task(id, "one of a crowd", fixture.clock.now());
        let millis = i64::try_from(id * 7919 % 50).unwrap() * 20;
        let instant = at(10) + TimeDelta::milliseconds(millis);
        due.due = Some(TimeValue::Instant { instant });
        fixture.create_task(due)
    });
    let created: Vec<_> = stream::iter(created).buffered(500).collect().await;
    assert!(created.iter().all(Result::is_ok));
}

/// Carries out what it claimed until nothing is due; returns what it fired, in order.
async fn drain(fixture: &Fixture) -> Vec<(DateTime<Utc>, u128)> {
    let mut fired = Vec::new();
    loop {
        let due = fixture
            .ledger
            .claim_due_timers::<TestTask>(256)
            .await
            .unwrap();
        if due.is_empty() {
            return fired;
        }
        let done = join_all(due.iter().map(|timer| {
            let command = complete(timer.stream_id.as_u128());
            fixture
                .ledger
                .execute(fixture.context(), None, &[], command)
        }));
        assert!(done.await.iter().all(Result::is_ok), "fired twice");
        let claimed = due.iter().map(|one| (one.fire_at, one.stream_id.as_u128()));
        fired.extend(claimed);
    }
}

#[tokio::test]
async fn a_crowd_is_drained_by_two_workers_each_in_the_order_of_times_also_after_one_died() {
    for fixture in Fixture::every().await {
        create_crowd(&fixture).await;
        fixture.clock.set(at(11));
        // One claims and dies before it fires anything.
        let lost = fixture
            .ledger
            .claim_due_timers::<TestTask>(256)
            .await
            .unwrap();
        assert_eq!(lost.len(), 256);

        let (one, two) = tokio::join!(drain(&fixture), drain(&fixture));
        fixture.clock.advance(TimeDelta::seconds(15));
        let rest = drain(&fixture).await;

        for worker in [&one, &two, &rest] {
            assert!(worker.is_sorted_by_key(|(fire_at, _)| *fire_at));
        }
        let mut all: Vec<u128> = [one, two, rest]
            .concat()
            .into_iter()
            .map(|(_, id)| id)
            .collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(1..=CROWD));
        let next = fixture.ledger.next_timer_at::<TestTask>().await.unwrap();
        assert_eq!(next, None);
    }
}

#[tokio::test]
async fn a_clock_that_steps_back_and_forward_over_a_lease_loses_nothing_and_fires_nothing_early() {
    for fixture in Fixture::every().await {
        create_due(&fixture, 1, 10).await;
        create_due(&fixture, 2, 3600).await;
        fixture.clock.set(at(10));
        assert_eq!(claim(&fixture).await, [1]); // And its worker dies.

        fixture.clock.set(at(4)); // Corrected by the database: it was ahead.
        assert!(claim(&fixture).await.is_empty());
        fixture.clock.set(at(3599)); // A step of an hour: the lease is over, the second not yet due.
        assert_eq!(claim(&fixture).await, [1]);
        fixture.clock.set(at(3600));
        assert_eq!(claim(&fixture).await, [2]);
    }
}
