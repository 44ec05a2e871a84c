//! Many dead letters at once: in order, at a pace, and consistent wherever it ends.

use std::num::NonZeroU32;

use chrono::TimeDelta;
use clock::Clock;
use dapr_client::DeadLetters;
use event_store::{BulkReplay, DeadLetterFilter, ReplayProgress};
use tokio_util::sync::CancellationToken;

use super::{ids, parked_with, rows, states};
use crate::fixture::Fixture;
use crate::inbox::poison;

fn at_rate(rate: u32) -> BulkReplay {
    BulkReplay {
        rate: NonZeroU32::new(rate),
        ..BulkReplay::default()
    }
}

/// Runs a replay, the clock always moved to where it waits for; returns the events of every step with
/// the seconds since the start, and ends it after so many steps.
async fn run(
    fixture: &Fixture,
    replay: &BulkReplay,
    steps: usize,
) -> (Vec<(i64, u64)>, ReplayProgress) {
    let table = fixture.ledger.dead_letter_table();
    let (clock, stop) = (&fixture.clock, CancellationToken::new());
    let start = clock.now();
    let mut seen = Vec::new();
    let end = table.replay_all(replay, clock.as_ref(), &stop, |progress| {
        seen.push(((clock.now() - start).num_seconds(), progress.released));
        clock.advance(TimeDelta::seconds(1));
        if seen.len() == steps {
            stop.cancel();
        }
    });
    let end = end.await.unwrap();
    (seen, end)
}

#[tokio::test]
async fn everything_that_is_meant_is_replayed_once_and_in_order() {
    for fixture in Fixture::every().await {
        for key in 1..=40 {
            parked_with(&fixture, key, 1).await;
        }

        let (_, end) = run(&fixture, &BulkReplay::default(), 100).await;
        let (_, again) = run(&fixture, &BulkReplay::default(), 100).await;

        assert_eq!(
            (end.chosen, end.replayed, end.released, end.finished),
            (40, 40, 80, true)
        );
        assert_eq!((again.chosen, again.released, again.finished), (0, 0, true));
        let table = fixture.ledger.dead_letter_table();
        let released = table.released(0, 100).await.unwrap();
        assert_eq!(released, rows(&fixture).await);
    }
}

#[tokio::test]
async fn a_pace_counts_what_waits_and_waits_itself_between_the_steps() {
    for fixture in Fixture::every().await {
        parked_with(&fixture, 1, 2).await;
        parked_with(&fixture, 2, 0).await;

        let (steps, end) = run(&fixture, &at_rate(1), 100).await;

        assert_eq!(steps[..4], [(0, 1), (1, 2), (2, 3), (3, 4)]);
        assert!(end.finished);
        assert_eq!((end.replayed, end.released), (2, 4));
        assert_eq!(states(&fixture).await, ["released"; 4]);
    }
}

#[tokio::test]
async fn a_replay_that_is_stopped_within_a_key_leaves_the_rest_parked_and_in_order() {
    for fixture in Fixture::every().await {
        parked_with(&fixture, 1, 3).await;
        parked_with(&fixture, 2, 0).await;

        let (_, end) = run(&fixture, &at_rate(1), 2).await;

        assert!(!end.finished);
        assert_eq!(
            states(&fixture).await,
            ["released", "released", "parked", "waiting", "parked"]
        );
        let stopped = &rows(&fixture).await[2];
        assert!(
            stopped.reason.contains("a replay stopped"),
            "{}",
            stopped.reason
        );
        // The same filter finds it again.
        let mut replay = at_rate(1);
        replay.filter.reason = Some("unreadable".to_owned());
        let (_, end) = run(&fixture, &replay, 100).await;
        assert_eq!((end.chosen, end.released), (2, 3));
        assert_eq!(states(&fixture).await, ["released"; 5]);
    }
}

#[tokio::test]
async fn a_stop_before_the_first_step_changes_nothing() {
    for fixture in Fixture::every().await {
        parked_with(&fixture, 1, 1).await;
        let table = fixture.ledger.dead_letter_table();
        let stop = CancellationToken::new();
        stop.cancel();

        let replay = BulkReplay::default();
        let end = table.replay_all(&replay, fixture.clock.as_ref(), &stop, |_| {});

        assert!(!end.await.unwrap().finished);
        assert_eq!(states(&fixture).await, ["parked", "waiting"]);
    }
}

#[tokio::test]
async fn a_filter_and_a_limit_choose_the_oldest_that_match() {
    for fixture in Fixture::every().await {
        for key in 1..=4 {
            let mut dead = poison(key, b"\xff");
            dead.event_id = Some(key.to_string());
            dead.reason = if key == 1 { "else" } else { "matches" }.to_owned();
            fixture.ledger.park(dead).await.unwrap();
        }
        let replay = BulkReplay {
            filter: DeadLetterFilter {
                reason: Some("match".to_owned()),
                ..DeadLetterFilter::default()
            },
            limit: Some(2),
            rate: None,
        };

        let (_, end) = run(&fixture, &replay, 100).await;

        assert_eq!((end.chosen, end.released), (2, 2));
        assert_eq!(
            states(&fixture).await,
            ["parked", "released", "released", "parked"]
        );
    }
}

#[tokio::test]
async fn what_is_parked_again_meanwhile_is_not_replayed_in_a_circle() {
    for fixture in Fixture::every().await {
        parked_with(&fixture, 1, 0).await;
        parked_with(&fixture, 2, 0).await;
        let first = ids(&fixture).await[0];
        run(&fixture, &at_rate(1), 1).await;
        fixture.ledger.park(poison(1, b"\xff")).await.unwrap();

        let row = fixture
            .ledger
            .dead_letter_table()
            .find(first)
            .await
            .unwrap();

        assert_eq!(
            row.map(|row| (row.state, row.attempts)),
            Some(("parked".to_owned(), 2))
        );
        let (_, end) = run(&fixture, &at_rate(1), 100).await;
        assert_eq!((end.replayed, end.released), (2, 2));
    }
}
