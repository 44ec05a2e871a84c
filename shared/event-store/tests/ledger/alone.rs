//! While nobody else writes to a ledger on PostgreSQL, a batch is one statement and no transaction
//! around it; a holder of the lane's lock is waited for, and then for a while every batch waits its turn.

use database::Database;
use database::sqlx::{self, AssertSqlSafe, PgPool};

use crate::fixture::Fixture;

/// The counter of positions, which a batch raises.
const COUNTER: &str = "select 1 from ledger_position for update";
/// The lane's lock.
const LANE: &str = "select pg_advisory_xact_lock(7001)";
/// Whether the statement that waits takes the lane's lock itself, without a transaction around it.
const WAITING: &str = "select query like '%pg_try_advisory_xact_lock%' from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'";

/// Creates a task while a foreign session holds something, which it gives back as soon as the lane waits
/// for it; returns whether it waited with a statement that is a transaction by itself.
async fn waits_alone(fixture: &Fixture, pool: &PgPool, id: u128, holds: &'static str) -> bool {
    let mut foreign = pool.begin().await.unwrap();
    sqlx::query(AssertSqlSafe(holds))
        .execute(&mut *foreign)
        .await
        .unwrap();
    let waiting = async {
        let waiting = loop {
            let found: Option<(bool,)> =
                sqlx::query_as(WAITING).fetch_optional(pool).await.unwrap();
            match found {
                Some((alone,)) => break alone,
                None => tokio::task::yield_now().await,
            }
        };
        foreign.rollback().await.unwrap();
        waiting
    };
    let (created, alone) = tokio::join!(fixture.create(id, "waits"), waiting);
    created.unwrap();
    alone
}

fn pool(fixture: &Fixture) -> Option<PgPool> {
    match fixture.ledger.database() {
        Database::Postgres(pool) => Some(pool.clone()),
        Database::Sqlite { .. } => None,
    }
}

#[tokio::test]
async fn a_batch_is_one_statement_while_nobody_else_writes() {
    for fixture in Fixture::every().await {
        let Some(pool) = pool(&fixture) else {
            continue;
        };
        fixture.create(1, "first").await.unwrap();

        assert!(waits_alone(&fixture, &pool, 2, COUNTER).await);

        fixture.assert_dense().await;
    }
}

#[tokio::test]
async fn a_connection_that_was_ended_while_it_was_kept_refuses_nothing() {
    const END_OTHERS: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()";
    for fixture in Fixture::every().await {
        let Some(pool) = pool(&fixture) else {
            continue;
        };
        for id in 1..10 {
            fixture.create(id, "kept").await.unwrap();
            let ended: (i64,) = sqlx::query_as(END_OTHERS).fetch_one(&pool).await.unwrap();
            assert!(ended.0 > 0, "the lane keeps no connection");
        }
        fixture.assert_dense().await;
    }
}

#[tokio::test]
async fn whoever_was_overtaken_waits_for_the_lock_and_is_alone_again_after_a_second() {
    for fixture in Fixture::every().await {
        let Some(pool) = pool(&fixture) else {
            continue;
        };
        let mut ids = 1..;
        let mut waits_alone = async |holds| {
            let id = ids.next().unwrap();
            waits_alone(&fixture, &pool, id, holds).await
        };
        // A statement does not wait for the lock: it is overtaken, and the lane waits in a transaction,
        // as does what follows within a second. On a slow machine more than that may have passed.
        let mut waited_its_turn = false;
        for _ in 0..20 {
            waits_alone(LANE).await;
            waited_its_turn |= !waits_alone(COUNTER).await;
            if waited_its_turn {
                break;
            }
        }
        assert!(waited_its_turn);

        while !waits_alone(COUNTER).await {}

        fixture.assert_dense().await;
    }
}
