//! Commits: all or nothing, dense, in order, decided against what they are appended to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use event_schema::TaskEvent;
use event_store::{Answer, Error, Lane, LaneLimits, Ledger, Outcome, StreamRef};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::fixture::{Fixture, TestError, TestTask, complete, create, open, task};

#[tokio::test]
async fn an_answer_means_committed_events_head_and_projection() {
    for fixture in Fixture::every().await {
        let outcome = fixture.create(1, "Pay rent").await.unwrap();

        assert!(matches!(outcome, Outcome::Accepted(answer) if answer.status == 201));
        let head = fixture
            .ledger
            .state::<TestTask>(Uuid::from_u128(1))
            .await
            .unwrap()
            .unwrap();
        assert_eq!((head.version, head.state.title.as_str()), (1, "Pay rent"));
        assert_eq!(fixture.titles().await, ["Pay rent"]);
        assert_eq!(fixture.ledger.events_after(0, 10).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_was_answered_survives_a_restart() {
    for fixture in Fixture::every().await {
        fixture.create(1, "Pay rent").await.unwrap();

        let fixture = fixture.restart().await;

        assert_eq!(fixture.titles().await, ["Pay rent"]);
        fixture.create(2, "Water plants").await.unwrap();
        fixture.assert_dense().await;
    }
}

#[tokio::test]
async fn many_writers_leave_dense_positions_and_versions() {
    for fixture in Fixture::every().await {
        let created = join_all((1..=300).map(|id| fixture.create(id, "one of many"))).await;
        let completed = join_all((1..=300).map(|id| {
            let context = fixture.context();
            fixture.ledger.execute(context, None, &[], complete(id))
        }))
        .await;

        assert!(created.iter().all(Result::is_ok));
        assert!(completed.iter().all(Result::is_ok));
        assert_eq!(fixture.ledger.last_position().await.unwrap(), 600);
        fixture.assert_dense().await;
    }
}

#[tokio::test]
async fn of_two_completions_at_once_one_is_refused() {
    for fixture in Fixture::every().await {
        fixture.create(1, "only once").await.unwrap();

        let both = join_all((0..2).map(|_| {
            fixture
                .ledger
                .execute(fixture.context(), None, &[], complete(1))
        }))
        .await;

        let refused = both
            .iter()
            .filter(|one| matches!(one, Err(TestError::Refused)))
            .count();
        assert_eq!(refused, 1);
        fixture.assert_dense().await;
    }
}

#[tokio::test]
async fn a_refused_command_leaves_nothing_even_after_it_appended() {
    for fixture in Fixture::every().await {
        let changes_its_mind = |unit: &mut event_store::Unit<'_>| {
            let task = task(1, "never", unit.now());
            unit.append::<TestTask>(Uuid::from_u128(1), &TaskEvent::Created(Box::new(task)));
            assert!(unit.state::<TestTask>(Uuid::from_u128(1)).is_some());
            Err::<Answer, _>(TestError::Refused)
        };
        let ledger = &fixture.ledger;
        let refused = ledger.execute(fixture.context(), None, &[], changes_its_mind);
        let (refused, neighbor) = tokio::join!(refused, fixture.create(2, "neighbor"));

        assert!(matches!(refused, Err(TestError::Refused)));
        assert!(neighbor.is_ok());
        assert_eq!(fixture.titles().await, ["neighbor"]);
        assert_eq!(fixture.ledger.last_position().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_panicking_decision_fails_alone() {
    for fixture in Fixture::every().await {
        let panics = |_: &mut event_store::Unit<'_>| -> Result<Answer, TestError> {
            std::panic::panic_any("a bug")
        };
        let failed = fixture.ledger.execute(fixture.context(), None, &[], panics);
        let (failed, neighbor) = tokio::join!(failed, fixture.create(2, "neighbor"));

        assert!(matches!(failed, Err(TestError::Ledger(Error::Bug(_)))));
        assert!(neighbor.is_ok());
    }
}

#[tokio::test]
async fn a_command_the_database_refuses_fails_alone() {
    for fixture in Fixture::every().await {
        let titles = ["one", "two", "poison", "four", "five"];
        let outcomes = join_all(
            titles
                .iter()
                .zip(1..)
                .map(|(title, id)| fixture.create(id, title)),
        )
        .await;

        let failed: Vec<usize> = (0..5).filter(|index| outcomes[*index].is_err()).collect();
        assert_eq!(failed, [2]);
        assert!(matches!(outcomes[2], Err(TestError::Ledger(Error::Bug(_)))));
        assert_eq!(fixture.titles().await, ["five", "four", "one", "two"]);
        fixture.assert_dense().await;
    }
}

#[tokio::test]
async fn a_stream_that_was_not_announced_is_loaded_and_decided_again() {
    for fixture in Fixture::every().await {
        fixture.create(1, "there already").await.unwrap();
        let fixture = fixture.restart().await; // Nothing in memory.
        let rounds = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&rounds);
        let inner = complete(1);
        let decide = move |unit: &mut event_store::Unit<'_>| {
            counted.fetch_add(1, Ordering::Relaxed);
            inner(unit)
        };

        let outcome = fixture
            .ledger
            .execute(fixture.context(), None, &[], decide)
            .await;

        assert!(outcome.is_ok());
        assert_eq!(rounds.load(Ordering::Relaxed), 2);
        fixture.assert_dense().await;
    }
}

#[tokio::test]
async fn a_unit_over_several_streams_happens_whole_or_not_at_all() {
    for fixture in Fixture::every().await {
        let both = |second: u128| {
            move |unit: &mut event_store::Unit<'_>| {
                let first = create(task(1, "first", unit.now()))(unit)?;
                create(task(second, "second", unit.now()))(unit)?;
                Ok::<_, TestError>(first)
            }
        };
        fixture.create(9, "taken").await.unwrap();

        let refused = fixture
            .ledger
            .execute(fixture.context(), None, &[], both(9))
            .await;
        assert!(matches!(refused, Err(TestError::Refused)));
        assert_eq!(fixture.titles().await, ["taken"]);

        fixture
            .ledger
            .execute(fixture.context(), None, &[], both(2))
            .await
            .unwrap();
        assert_eq!(fixture.titles().await, ["first", "second", "taken"]);
        fixture.assert_dense().await;
    }
}

#[tokio::test]
async fn the_stored_envelope_is_the_event_with_its_state() {
    for fixture in Fixture::every().await {
        fixture.create(1, "Pay rent").await.unwrap();
        fixture
            .ledger
            .execute(fixture.context(), None, &[], complete(1))
            .await
            .unwrap();

        let events = fixture
            .ledger
            .events_of::<TestTask>(Uuid::from_u128(1), 1, 10)
            .await
            .unwrap();

        assert_eq!(events.len(), 1);
        let envelope = event_schema::Envelope::parse(events[0].envelope.as_bytes()).unwrap();
        let event_schema::Decoded::Known(data) =
            event_schema::decode::<TaskEvent>(&envelope).unwrap()
        else {
            panic!("task.completed.v1 is known")
        };
        assert_eq!(envelope.version(), 2);
        assert_eq!(envelope.correlationid.as_deref(), Some("request"));
        assert_eq!(data.state.status, event_schema::Status::Completed);
        assert!(matches!(data.change, TaskEvent::Completed(_)));
    }
}

#[tokio::test]
async fn more_commands_than_the_queue_holds_are_refused_at_once() {
    for fixture in Fixture::every().await {
        let clock = Arc::clone(&fixture.clock) as clock::SharedClock;
        let database = fixture.ledger.database().clone();
        let limits = LaneLimits {
            queue: 2,
            batch: 256,
        };
        let (ledger, mut lane): (Ledger, Lane) = Ledger::new(
            event_schema::App::TaskApi,
            database,
            clock,
            Vec::new(),
            limits,
        );
        let submit = |id: u128| {
            let ledger = ledger.clone();
            let (context, decide) = (
                fixture.context(),
                create(task(id, "queued", fixture.context().now)),
            );
            let streams = [StreamRef::of::<TestTask>(Uuid::from_u128(id))];
            async move { ledger.execute(context, None, &streams, decide).await }
        };

        let (first, second, third, ()) = tokio::join!(submit(1), submit(2), submit(3), async {
            while lane.run_once().await == 0 {}
        });

        assert!(first.is_ok() && second.is_ok());
        assert!(matches!(third, Err(TestError::Ledger(Error::Overloaded))));
    }
}

#[tokio::test]
async fn an_unavailable_database_refuses_and_the_lane_recovers_by_itself() {
    for fixture in Fixture::every().await {
        let closed = fixture.ledger.database().clone();
        let (ledger, lane) = open(&closed, &fixture.clock);
        closed.close().await;
        let lane = tokio::spawn(lane.run(CancellationToken::new()));

        let refused = ledger
            .execute(fixture.context(), None, &[], complete(1))
            .await;

        assert!(
            matches!(refused, Err(TestError::Ledger(Error::Unavailable(_)))),
            "{refused:?}"
        );
        assert!(!lane.is_finished());
        lane.abort();
    }
}

#[tokio::test]
async fn a_lane_that_is_never_idle_stops_when_it_is_told() {
    for fixture in Fixture::every().await {
        let clock = Arc::clone(&fixture.clock) as clock::SharedClock;
        let limits = LaneLimits {
            queue: 64,
            batch: 1,
        };
        let database = fixture.ledger.database().clone();
        let (ledger, lane) = Ledger::new(
            event_schema::App::TaskApi,
            database,
            clock,
            Vec::new(),
            limits,
        );
        let stop = CancellationToken::new();
        let lane = tokio::spawn(lane.run(stop.clone()));
        let callers = join_all((0..3).map(|_| async {
            let refuse = |_: &mut event_store::Unit<'_>| Err::<Answer, _>(TestError::Refused);
            loop {
                let context = fixture.context();
                let outcome = ledger.execute(context, None, &[], refuse).await;
                if matches!(outcome, Err(TestError::Ledger(Error::Stopping))) {
                    return;
                }
                stop.cancel();
            }
        }));

        tokio::time::timeout(Duration::from_secs(5), callers)
            .await
            .unwrap();

        lane.await.unwrap();
    }
}
