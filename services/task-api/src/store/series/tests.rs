//! What the migration makes of a ledger that is older than its tables.

use std::sync::Arc;

use clock::TestClock;
use database::testing::TestDatabase;
use database::{Database, on};
use event_schema::{App, SeriesEvent, TaskEvent, TimeValue};
use event_store::{Answer, Context, LaneLimits, Ledger};
use sqlx::AssertSqlSafe;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::domain::occurrence::{self, Turn, slot_of};
use crate::domain::{SeriesStream, TaskStream, time};
use crate::error::Error;
use crate::store::{MIGRATIONS, projections};

type SeriesRow = (Uuid, Uuid, i64, String, String);
type TaskRow = (Uuid, Option<Uuid>, Option<String>);

/// A ledger with a series and its first occurrence.
async fn ledger(database: &TestDatabase) -> Ledger {
    let now = time::instant("2026-11-22T10:00:00.120Z").unwrap();
    let (ledger, lane) = Ledger::new(
        App::TaskApi,
        database.database.clone(),
        Arc::new(TestClock::new(now)),
        projections(),
        LaneLimits::default(),
    );
    tokio::spawn(lane.run(CancellationToken::new()));
    let start = TimeValue::Date {
        date: time::date("2027-01-31").unwrap(),
    };
    let series = occurrence::fixtures::series("FREQ=MONTHLY", start.clone());
    let turn = Turn {
        slot: slot_of(&start).unwrap(),
        index: 1,
        missed_count: 0,
    };
    let task = occurrence::task_of(&series, turn, None, series.created_by, now);
    let done = ledger.execute(
        Context::of_worker(App::TaskApi, now),
        None,
        &[],
        move |unit| {
            let started = SeriesEvent::Started(Box::new(series.clone()));
            unit.append::<SeriesStream>(series.id, &started);
            unit.append::<TaskStream>(task.id, &TaskEvent::Created(Box::new(task.clone())));
            Ok::<_, Error>(Answer::default())
        },
    );
    done.await.unwrap();
    ledger
}

async fn rows(database: &Database) -> (Vec<SeriesRow>, Vec<TaskRow>) {
    let mut tx = database.read().await.unwrap();
    let series = on!(&mut tx, conn => sqlx::query_as(
        "select series_id, owner_id, version, status, cast(created_at as text) from series"
    ).fetch_all(conn).await);
    let tasks = on!(&mut tx, conn => sqlx::query_as("select task_id, series_id, slot from tasks")
        .fetch_all(conn).await);
    (series.unwrap(), tasks.unwrap())
}

async fn run(database: &Database, statement: &str) {
    let mut tx = database.begin().await.unwrap();
    on!(&mut tx, conn => sqlx::raw_sql(AssertSqlSafe(statement)).execute(conn).await.map(drop))
        .unwrap();
    tx.commit().await.unwrap();
}

/// The statements of the migration that fill what it adds.
fn filling(database: &Database) -> impl Iterator<Item = &'static str> {
    let text = match database {
        Database::Postgres { .. } => include_str!("../../../migrations/postgres/0003_series.sql"),
        Database::Sqlite { .. } => include_str!("../../../migrations/sqlite/0003_series.sql"),
    };
    let statements = text.split(";\n").map(str::trim);
    statements.filter(|text| text.starts_with("update") || text.starts_with("insert"))
}

#[tokio::test]
async fn the_migration_fills_rows_as_the_projections_do() {
    for database in TestDatabase::every(&[event_store::MIGRATIONS, MIGRATIONS]).await {
        ledger(&database).await;
        let database = &database.database;
        let wanted = rows(database).await;
        assert!(wanted.0.len() == 1 && wanted.1[0].1.is_some() && wanted.1[0].2.is_some());

        run(database, "delete from series").await;
        run(database, "update tasks set series_id = null, slot = null").await;
        assert_ne!(rows(database).await, wanted);
        for statement in filling(database) {
            run(database, statement).await;
        }

        assert_eq!(rows(database).await, wanted);
    }
}
