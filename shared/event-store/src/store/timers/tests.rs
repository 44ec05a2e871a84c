//! However many timers there are, a claim looks only at those that it takes.

use database::Database;
use database::testing::TestDatabase;
use sqlx::AssertSqlSafe;

use super::replace::SQLITE_DELETE;
use super::*;
use crate::store::trip::Trip;
use crate::{MIGRATIONS, StreamRef, Timer};

const KIND: &str = "task";

async fn fill(database: &Database, count: i64) {
    let mut tx = database.begin().await.unwrap();
    let timers: Vec<Wanted> = (0..count)
        .map(|number| {
            let id = Uuid::from_u128(u128::try_from(number).unwrap());
            let stream = StreamRef {
                kind: KIND,
                stream_id: id,
            };
            let fire_at = DateTime::UNIX_EPOCH + TimeDelta::seconds(number + 1);
            let timer = Timer {
                timer_id: id,
                fire_at,
            };
            (stream, vec![timer])
        })
        .collect();
    let mut trip = Trip::on(&mut tx);
    replace(&mut trip, &timers).await.unwrap();
    trip.end().await.unwrap();
    tx.commit().await.unwrap();
    if let Database::Postgres(pool) = database {
        sqlx::query("analyze timer").execute(pool).await.unwrap();
    }
}

/// How the database would carry a claim out.
async fn plan(database: &Database, postgres: &str, sqlite: &str, expired: bool) -> String {
    let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
    let until = now + TimeDelta::seconds(15);
    let lines: Vec<String> = match database {
        Database::Postgres(pool) => {
            let text = AssertSqlSafe(format!("explain {postgres}"));
            let query = sqlx::query_as(text).bind(until).bind(KIND).bind(now);
            let query = query.bind(256_i64).bind(FREE);
            let query = if expired { query.bind(until) } else { query };
            let rows: Vec<(String,)> = query.fetch_all(pool).await.unwrap();
            rows.into_iter().map(|(line,)| line).collect()
        }
        Database::Sqlite { readers, .. } => {
            let text = AssertSqlSafe(format!("explain query plan {sqlite}"));
            let query = sqlx::query_as(text).bind(until).bind(KIND).bind(now);
            let query = query.bind(256_i64).bind(FREE);
            let query = if expired { query.bind(until) } else { query };
            let rows: Vec<(i64, i64, i64, String)> = query.fetch_all(readers).await.unwrap();
            rows.into_iter().map(|(.., line)| line).collect()
        }
    };
    lines.join("\n")
}

#[tokio::test]
async fn a_claim_neither_scans_nor_sorts_the_timers_that_wait() {
    for test in TestDatabase::every(&[MIGRATIONS]).await {
        fill(&test.database, 20_000).await;

        let free = plan(&test.database, postgres!(free!()), sqlite!(free!()), false).await;

        assert!(free.contains("timer_due"), "{free}");
        for slow in ["Seq Scan", "SCAN timer", "Sort", "TEMP B-TREE"] {
            assert!(!free.contains(slow), "{free}");
        }
    }
}

#[tokio::test]
async fn a_claim_finds_expired_leases_without_a_look_at_the_timers_that_wait() {
    for test in TestDatabase::every(&[MIGRATIONS]).await {
        fill(&test.database, 20_000).await;

        let (postgres, sqlite) = (postgres!(expired!()), sqlite!(expired!()));
        let expired = plan(&test.database, postgres, sqlite, true).await;

        assert!(expired.contains("timer_due"), "{expired}");
        for slow in ["Seq Scan", "SCAN timer"] {
            assert!(!expired.contains(slow), "{expired}");
        }
    }
}

#[tokio::test]
async fn timers_of_a_batch_are_found_and_deleted_without_a_look_at_the_others_in_sqlite() {
    let test = TestDatabase::sqlite(&[MIGRATIONS]).await;
    let mut tx = test.database.read().await.unwrap();
    let Tx::Sqlite(tx) = &mut tx else {
        return;
    };
    let delete = SQLITE_DELETE.replace("{rows}", "('a', x'01', '[]'), ('a', x'02', '[\"02\"]')");
    let explain = AssertSqlSafe(format!("explain query plan {delete}"));
    let plan: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(explain).fetch_all(&mut **tx).await.unwrap();
    assert!(
        plan.iter().all(|(.., line)| !line.contains("SCAN timer")),
        "{plan:?}"
    );
    assert!(plan.iter().all(|(.., line)| line != "SCAN t"), "{plan:?}");
}
