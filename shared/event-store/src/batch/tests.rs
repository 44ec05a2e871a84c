//! What was decided ahead stands or falls with the queues of dead letters of its keys.

use std::sync::Arc;

use chrono::DateTime;
use clock::SystemClock;
use dapr_client::DeadLetter;
use database::Database;
use database::testing::TestDatabase;
use event_schema::App;

use super::*;
use crate::store::{dead_letters, events};
use crate::{LaneLimits, Ledger, MIGRATIONS};

const APP: App = App::TaskApi;

fn core(database: &TestDatabase) -> Arc<Core> {
    let (clock, limits) = (Arc::new(SystemClock::new()), LaneLimits::default());
    let (ledger, _lane) = Ledger::new(APP, database.database.clone(), clock, Vec::new(), limits);
    ledger.core
}

async fn decided_ahead(core: &Core, submissions: &mut [Submission]) -> Batch {
    let (mut tx, past) = look(core, &core.database.reader(), submissions)
        .await
        .unwrap();
    let mut batch = Batch::default();
    batch
        .decide_ahead(core, &mut tx, past, submissions)
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    batch
}

/// With the lane's lock on every database, and on PostgreSQL with one statement.
async fn ways() -> Vec<(TestDatabase, bool)> {
    let locked = TestDatabase::every(&[MIGRATIONS]).await;
    let mut ways: Vec<_> = locked.into_iter().map(|test| (test, false)).collect();
    let alone = TestDatabase::every(&[MIGRATIONS]).await;
    ways.extend(
        alone
            .into_iter()
            .filter(TestDatabase::is_postgres)
            .map(|test| (test, true)),
    );
    ways
}

async fn is_overtaken(
    core: &Core,
    batch: Batch,
    submissions: &mut [Submission],
    alone: bool,
) -> bool {
    let writer = core.database.writer(events::BEGIN_LANE);
    let committed = batch.commit(core, &writer, submissions, alone).await;
    committed.unwrap().is_none()
}

async fn park(core: &Core, key: &str) {
    let poison = DeadLetter {
        topic: "task-events".to_owned(),
        event_id: None,
        event_type: None,
        subject: None,
        key: Some(key.to_owned()),
        version: None,
        raw: b"{".as_slice().into(),
        reason: "unreadable".to_owned(),
    };
    let mut tx = core.database.begin().await.unwrap();
    let parked = dead_letters::park(&mut tx, APP.id(), &poison, DateTime::UNIX_EPOCH).await;
    assert_eq!(parked.unwrap(), Some(1));
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_delivery_whose_key_has_no_queue_is_not_overtaken() {
    for (test, alone) in ways().await {
        let core = core(&test);
        let mut submissions = [Submission::of_fact("a key", 1)];
        let batch = decided_ahead(&core, &mut submissions).await;

        park(&core, "another key").await;

        assert!(!is_overtaken(&core, batch, &mut submissions, alone).await);
    }
}

#[tokio::test]
async fn a_delivery_whose_key_was_parked_since_is_overtaken() {
    for (test, alone) in ways().await {
        let core = core(&test);
        let mut submissions = [Submission::of_fact("a key", 1)];
        let batch = decided_ahead(&core, &mut submissions).await;

        park(&core, "a key").await;

        assert!(is_overtaken(&core, batch, &mut submissions, alone).await);
    }
}

/// Whether a batch is overtaken that is written with one statement while a foreign session is in a
/// transaction that has run this.
async fn is_overtaken_beside(test: &TestDatabase, foreign: &'static str) -> bool {
    let Database::Postgres(pool) = &test.database else {
        return true; // One statement is nothing else there than a transaction.
    };
    let core = core(test);
    let mut submissions = [Submission::of_fact("a key", 1)];
    let batch = decided_ahead(&core, &mut submissions).await;
    let mut tx = pool.begin().await.unwrap();
    sqlx::query(foreign).execute(&mut *tx).await.unwrap();

    let foreign = async {
        let waits = "select count(*) from pg_stat_activity
                      where datname = current_database() and wait_event_type = 'Lock'";
        let mut waiting = 0_i64;
        while waiting == 0 {
            tokio::task::yield_now().await;
            (waiting,) = sqlx::query_as(waits).fetch_one(pool).await.unwrap();
        }
        tx.commit().await.unwrap();
        std::future::pending::<()>().await;
    };
    let overtaken = is_overtaken(&core, batch, &mut submissions, true);
    tokio::select! {
        overtaken = overtaken => overtaken,
        () = foreign => false,
    }
}

#[tokio::test]
async fn one_statement_is_overtaken_by_whoever_has_the_lanes_lock() {
    for test in TestDatabase::every(&[MIGRATIONS]).await {
        let lock = "select pg_advisory_xact_lock(7001)";
        assert!(is_overtaken_beside(&test, lock).await);
    }
}

#[tokio::test]
async fn one_statement_is_overtaken_by_whoever_took_a_turn_since_it_began_to_look() {
    for test in TestDatabase::every(&[MIGRATIONS]).await {
        let turn = "update ledger_position set turn = turn + 1";
        assert!(is_overtaken_beside(&test, turn).await);
    }
}

#[tokio::test]
async fn one_statement_is_overtaken_by_an_older_release_that_took_a_position_since() {
    for test in TestDatabase::every(&[MIGRATIONS]).await {
        let position = "update ledger_position set last_position = last_position + 1";
        assert!(is_overtaken_beside(&test, position).await);
    }
}

#[tokio::test]
async fn every_holder_of_the_lanes_lock_takes_a_turn() {
    for test in TestDatabase::every(&[MIGRATIONS]).await {
        let Database::Postgres(pool) = &test.database else {
            continue;
        };
        let turn = async || {
            let turn = sqlx::query_as("select turn from ledger_position");
            let (turn,): (i64,) = turn.fetch_one(pool).await.unwrap();
            turn
        };
        let mut turns = vec![turn().await];
        let mut tx = test.database.begin().await.unwrap();
        events::lock_lane(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        turns.push(turn().await);
        for (fact, alone) in [(1, false), (2, true)] {
            let core = core(&test);
            let mut submissions = [Submission::of_fact("a key", fact)];
            let batch = decided_ahead(&core, &mut submissions).await;
            assert!(!is_overtaken(&core, batch, &mut submissions, alone).await);
            turns.push(turn().await);
        }
        assert!(turns.is_sorted_by(|one, next| one < next), "{turns:?}");
    }
}
