//! The same key is answered with the same bytes, whatever happens in between.

use event_store::{Answer, Error, IdempotencyKey, Outcome, Unit};
use futures_util::future::join_all;

use crate::fixture::{Fixture, TestError, create, task, user};

fn key(name: &str, request: u8) -> IdempotencyKey {
    IdempotencyKey {
        owner: user(),
        key: name.to_owned(),
        request_hash: [request; 32],
    }
}

#[tokio::test]
async fn fifty_at_once_make_one_task_and_get_one_answer() {
    for fixture in Fixture::every().await {
        let outcomes = join_all((1..=50).map(|id| {
            let task = task(id, "once", fixture.context().now);
            fixture
                .ledger
                .execute(fixture.context(), Some(key("k", 1)), &[], create(task))
        }))
        .await;

        let accepted = outcomes
            .iter()
            .filter(|o| matches!(o, Ok(Outcome::Accepted(_))))
            .count();
        let mut answers: Vec<_> = outcomes
            .into_iter()
            .map(|outcome| match outcome.unwrap() {
                Outcome::Accepted(answer) | Outcome::Replayed(answer) => answer,
                other => panic!("{other:?}"),
            })
            .collect();
        answers.dedup();
        assert_eq!((accepted, answers.len()), (1, 1));
        assert_eq!(fixture.titles().await.len(), 1);
    }
}

#[tokio::test]
async fn the_answer_survives_a_restart() {
    for fixture in Fixture::every().await {
        let make = |id| create(task(id, "once", crate::fixture::start_of_test()));
        let first = fixture
            .ledger
            .execute(fixture.context(), Some(key("k", 1)), &[], make(1))
            .await;
        let fixture = fixture.restart().await;

        let again = fixture
            .ledger
            .execute(fixture.context(), Some(key("k", 1)), &[], make(2))
            .await;

        let (Ok(Outcome::Accepted(first)), Ok(Outcome::Replayed(again))) = (first, again) else {
            panic!("the second is a replay of the first")
        };
        assert_eq!(first, again);
    }
}

#[tokio::test]
async fn another_request_under_the_key_is_refused() {
    for fixture in Fixture::every().await {
        let make = |id| create(task(id, "once", fixture.context().now));
        fixture
            .ledger
            .execute(fixture.context(), Some(key("k", 1)), &[], make(1))
            .await
            .unwrap();

        let other = fixture
            .ledger
            .execute(fixture.context(), Some(key("k", 2)), &[], make(2))
            .await;

        assert!(matches!(other, Err(TestError::Ledger(Error::KeyReused))));
        assert_eq!(fixture.titles().await.len(), 1);
    }
}

#[tokio::test]
async fn a_refused_command_leaves_its_key_free() {
    for fixture in Fixture::every().await {
        fixture.create(1, "taken").await.unwrap();
        let make = |id| create(task(id, "once", fixture.context().now));
        let refused = fixture
            .ledger
            .execute(fixture.context(), Some(key("k", 1)), &[], make(1))
            .await;

        let then = fixture
            .ledger
            .execute(fixture.context(), Some(key("k", 1)), &[], make(2))
            .await;

        assert!(matches!(refused, Err(TestError::Refused)));
        assert!(matches!(then, Ok(Outcome::Accepted(_))));
    }
}

#[tokio::test]
async fn a_key_is_forgotten_after_seven_days_and_not_before() {
    for fixture in Fixture::every().await {
        let make = |id| create(task(id, "once", crate::fixture::start_of_test()));
        fixture
            .ledger
            .execute(fixture.context(), Some(key("k", 1)), &[], make(1))
            .await
            .unwrap();

        fixture.clock.advance(chrono::TimeDelta::days(6));
        assert_eq!(fixture.ledger.purge().await.unwrap(), 0);
        fixture.clock.advance(chrono::TimeDelta::days(2));
        assert_eq!(fixture.ledger.purge().await.unwrap(), 1);

        let then = fixture
            .ledger
            .execute(fixture.context(), Some(key("k", 1)), &[], make(2))
            .await;
        assert!(matches!(then, Ok(Outcome::Accepted(_))));
    }
}

#[tokio::test]
async fn an_answer_without_events_is_kept_like_any_other() {
    for fixture in Fixture::every().await {
        let changes_nothing = |_: &mut Unit<'_>| {
            Ok::<_, TestError>(Answer {
                status: 200,
                ..Answer::default()
            })
        };
        let ledger = &fixture.ledger;
        ledger
            .execute(fixture.context(), Some(key("k", 1)), &[], changes_nothing)
            .await
            .unwrap();

        let later = create(task(1, "never", fixture.context().now));
        let again = ledger
            .execute(fixture.context(), Some(key("k", 1)), &[], later)
            .await
            .unwrap();

        assert!(matches!(again, Outcome::Replayed(answer) if answer.status == 200));
        assert!(fixture.titles().await.is_empty());
    }
}

#[tokio::test]
async fn however_many_keys_are_old_all_are_forgotten() {
    for fixture in Fixture::every().await {
        let nothing = |_: &mut Unit<'_>| Ok::<_, TestError>(Answer::default());
        for round in 0..3 {
            join_all((0..700).map(|n| {
                let key = Some(key(&format!("{round} {n}"), 1));
                fixture.ledger.execute(fixture.context(), key, &[], nothing)
            }))
            .await;
        }
        fixture.clock.advance(chrono::TimeDelta::days(8));

        assert_eq!(fixture.ledger.purge().await.unwrap(), 2_100);
        assert_eq!(fixture.ledger.purge().await.unwrap(), 0);
    }
}
