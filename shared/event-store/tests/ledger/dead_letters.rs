//! What an operator does with events that could not be processed: nothing of a key is out of order.

mod bulk;
mod filters;

use dapr_client::DeadLetters;
use event_store::{DeadLetterRow, Dropped, Outcome, Replayed};

use crate::fixture::Fixture;
use crate::inbox::{inbound, poison, receive};

async fn rows(fixture: &Fixture) -> Vec<DeadLetterRow> {
    fixture.ledger.dead_letters(100).await.unwrap()
}

async fn states(fixture: &Fixture) -> Vec<String> {
    let rows = rows(fixture).await.into_iter();
    rows.map(|row| row.state).collect()
}

async fn ids(fixture: &Fixture) -> Vec<i64> {
    let rows = rows(fixture).await.into_iter();
    rows.map(|row| row.dead_letter_id).collect()
}

/// A parked event of a key, and so many behind it.
async fn parked_with(fixture: &Fixture, key: u128, waiting: u64) {
    fixture.ledger.park(poison(key, b"\xff")).await.unwrap();
    for version in 1..=waiting {
        let outcome = receive(fixture, inbound(key, version, true)).await.unwrap();
        assert_eq!(outcome, Outcome::Waiting);
    }
}

/// Delivers a released row again, as the service does; returns whether that settled it.
async fn deliver(fixture: &Fixture, key: u128, version: u64, row: i64) -> bool {
    receive(fixture, inbound(key, version, true)).await.unwrap();
    let table = fixture.ledger.dead_letter_table();
    table.settle(row).await.unwrap()
}

#[tokio::test]
async fn a_replayed_event_takes_those_that_wait_with_it_and_other_keys_stay() {
    for fixture in Fixture::every().await {
        let table = fixture.ledger.dead_letter_table();
        parked_with(&fixture, 1, 1).await;
        parked_with(&fixture, 2, 1).await;
        let parked = ids(&fixture).await[0];

        let replayed = table.replay(parked).await.unwrap();

        assert_eq!(replayed, Replayed::Released(2));
        assert_eq!(
            states(&fixture).await,
            ["released", "released", "parked", "waiting"]
        );
        assert_eq!(table.replay(parked).await.unwrap(), Replayed::Already);
        for row in table.released(0, 10).await.unwrap() {
            table.settle(row.dead_letter_id).await.unwrap();
        }
        assert_eq!(states(&fixture).await, ["parked", "waiting"]);
        assert_eq!(table.replay(parked).await.unwrap(), Replayed::Unknown);
    }
}

#[tokio::test]
async fn a_new_event_stands_in_line_until_all_released_ones_of_its_key_are_processed() {
    for fixture in Fixture::every().await {
        let table = fixture.ledger.dead_letter_table();
        parked_with(&fixture, 1, 2).await;
        let first = ids(&fixture).await[0];
        table.discard(first).await.unwrap();

        let early = receive(&fixture, inbound(1, 3, true)).await.unwrap();
        assert_eq!(early, Outcome::Waiting);
        assert_eq!(states(&fixture).await, ["released"; 3]);
        for (version, row) in (1..).zip(ids(&fixture).await) {
            assert!(deliver(&fixture, 1, version, row).await);
        }
        let late = receive(&fixture, inbound(1, 4, true)).await.unwrap();

        assert!(matches!(late, Outcome::Accepted(_)));
        assert_eq!(fixture.titles().await, ["1 v1", "1 v2", "1 v3", "1 v4"]);
    }
}

#[tokio::test]
async fn one_that_another_replica_delivers_too_early_goes_back_into_its_place() {
    for fixture in Fixture::every().await {
        let table = fixture.ledger.dead_letter_table();
        parked_with(&fixture, 1, 2).await;
        table.discard(ids(&fixture).await[0]).await.unwrap();
        let [first, second] = ids(&fixture).await[..] else {
            panic!("two wait")
        };

        assert!(!deliver(&fixture, 1, 2, second).await);

        assert_eq!(fixture.titles().await, [""; 0]);
        assert!(deliver(&fixture, 1, 1, first).await);
        assert_eq!(states(&fixture).await, ["released"]);
        assert!(deliver(&fixture, 1, 2, second).await);
        assert_eq!(fixture.titles().await, ["1 v1", "1 v2"]);
    }
}

#[tokio::test]
async fn an_event_that_fails_again_is_parked_with_its_new_reason_and_those_behind_wait_again() {
    for fixture in Fixture::every().await {
        let table = fixture.ledger.dead_letter_table();
        parked_with(&fixture, 1, 2).await;
        let parked = ids(&fixture).await[0];
        for reason in ["still unreadable", "unreadable for good"] {
            table.replay(parked).await.unwrap();
            let mut again = poison(1, b"\xff");
            again.reason = reason.to_owned();
            fixture.ledger.park(again).await.unwrap();
            assert!(!table.settle(parked).await.unwrap());
        }

        assert_eq!(states(&fixture).await, ["parked", "waiting", "waiting"]);
        let row = table.find(parked).await.unwrap().unwrap();
        assert_eq!(row.reason, "unreadable for good");
        assert_eq!(row.attempts, 3);
        assert!(row.failed_at.is_some());
    }
}

#[tokio::test]
async fn what_comes_before_a_second_parked_event_of_a_key_is_released_without_it() {
    for fixture in Fixture::every().await {
        let table = fixture.ledger.dead_letter_table();
        parked_with(&fixture, 1, 1).await;
        let mut second = poison(1, b"\xfe");
        second.reason = "another".to_owned();
        fixture.ledger.park(second).await.unwrap();
        receive(&fixture, inbound(1, 2, true)).await.unwrap();
        let rows = ids(&fixture).await;

        table.replay(rows[0]).await.unwrap();

        assert_eq!(
            states(&fixture).await,
            ["released", "released", "parked", "waiting"]
        );
    }
}

#[tokio::test]
async fn a_second_parked_event_that_is_replayed_first_goes_after_the_first() {
    for fixture in Fixture::every().await {
        let table = fixture.ledger.dead_letter_table();
        parked_with(&fixture, 1, 0).await;
        fixture.ledger.park(poison(1, b"\xfe")).await.unwrap();
        let rows = ids(&fixture).await;

        let second = table.replay(rows[1]).await.unwrap();

        assert_eq!(second, Replayed::Behind(rows[0]));
        assert_eq!(states(&fixture).await, ["parked", "waiting"]);
        let first = table.replay(rows[0]).await.unwrap();
        assert_eq!(first, Replayed::Released(2));
    }
}

#[tokio::test]
async fn a_dropped_event_is_gone_and_those_behind_it_go_on() {
    for fixture in Fixture::every().await {
        let table = fixture.ledger.dead_letter_table();
        parked_with(&fixture, 1, 1).await;
        let parked = ids(&fixture).await[0];

        assert_eq!(table.discard(parked).await.unwrap(), Dropped::Gone(1));

        assert_eq!(states(&fixture).await, ["released"]);
        assert_eq!(table.discard(parked).await.unwrap(), Dropped::Unknown);
    }
}

#[tokio::test]
async fn a_waiting_event_can_be_dropped_alone() {
    for fixture in Fixture::every().await {
        let table = fixture.ledger.dead_letter_table();
        parked_with(&fixture, 1, 3).await;
        let rows = ids(&fixture).await;

        assert_eq!(table.discard(rows[2]).await.unwrap(), Dropped::Gone(0));

        assert_eq!(ids(&fixture).await, [rows[0], rows[1], rows[3]]);
        assert_eq!(states(&fixture).await, ["parked", "waiting", "waiting"]);
    }
}
