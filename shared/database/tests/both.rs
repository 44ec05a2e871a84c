//! What both databases promise, run on each.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use database::sqlx::AssertSqlSafe;
use database::testing::TestDatabase;
use database::{
    Config, ConnectError, Database, Error, Migration, MigrationSet, ResultExt, on, sqlx,
};
use secrecy::ExposeSecret;
use uuid::Uuid;

const TABLES: &[Migration] = &[Migration {
    name: "0001_things",
    postgres: "-- Things.
        create table thing (thing_id uuid primary key, title text not null, at timestamptz not null);
        create unique index thing_title_key on thing (title);",
    sqlite: "-- Things.
        create table thing (thing_id blob primary key, title text not null, at text not null) strict;
        create unique index thing_title_key on thing (title);",
}];
const SETS: &[MigrationSet] = &[MigrationSet {
    name: "things",
    migrations: TABLES,
}];

fn fresh_id() -> Uuid {
    static LAST: AtomicU64 = AtomicU64::new(0);
    Uuid::from_u128(LAST.fetch_add(1, Ordering::Relaxed).into())
}

async fn insert(database: &Database, title: &str) -> Result<(), Error> {
    let at = Utc.timestamp_micros(1_800_000_000_123_456).unwrap();
    let mut tx = database.begin().await?;
    on!(&mut tx, conn => sqlx::query("insert into thing (thing_id, title, at) values ($1, $2, $3)")
        .bind(fresh_id()).bind(title).bind(at).execute(conn).await.map(drop))?;
    tx.commit().await
}

async fn titles(database: &Database) -> Vec<(String, DateTime<Utc>)> {
    let mut tx = database.read().await.unwrap();
    on!(&mut tx, conn => sqlx::query_as("select title, at from thing order by title")
        .fetch_all(conn).await)
    .unwrap()
}

#[tokio::test]
async fn what_was_committed_is_read_back_to_the_microsecond() {
    for test in TestDatabase::every(SETS).await {
        insert(&test.database, "one").await.unwrap();

        let rows = titles(&test.database).await;

        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].1.timestamp_micros(), 1_800_000_000_123_456);
    }
}

#[tokio::test]
async fn a_dropped_transaction_has_not_happened() {
    for test in TestDatabase::every(SETS).await {
        let mut tx = test.database.begin().await.unwrap();
        on!(&mut tx, conn => sqlx::query("delete from thing").execute(conn).await.map(drop))
            .unwrap();
        drop(tx);

        insert(&test.database, "after").await.unwrap();

        assert_eq!(titles(&test.database).await.len(), 1);
    }
}

#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("title taken")]
    TitleTaken,
    #[error(transparent)]
    Database(#[from] Error),
}

#[tokio::test]
async fn a_violated_constraint_becomes_a_domain_error_on_both() {
    for test in TestDatabase::every(SETS).await {
        insert(&test.database, "taken").await.unwrap();

        let again = insert(&test.database, "taken").await.on_constraint(
            "thing_title_key",
            "thing.title",
            || Refusal::TitleTaken,
        );

        assert!(matches!(again, Err(Refusal::TitleTaken)), "{again:?}");
    }
}

#[tokio::test]
async fn a_reader_cannot_write() {
    for test in TestDatabase::every(SETS).await {
        let mut tx = test.database.read().await.unwrap();

        let written = on!(&mut tx, conn =>
            sqlx::query("delete from thing").execute(conn).await.map(drop));

        assert!(written.is_err());
    }
}

#[tokio::test]
async fn opening_again_applies_nothing_twice() {
    for test in TestDatabase::every(SETS).await {
        insert(&test.database, "kept").await.unwrap();

        let again = Database::connect(&test.config, SETS).await.unwrap();

        assert_eq!(titles(&again).await.len(), 1);
    }
}

#[tokio::test]
async fn a_changed_migration_is_refused() {
    const CHANGED: &[Migration] = &[Migration {
        name: "0001_things",
        postgres: "create table other (id int)",
        sqlite: "create table other (id int)",
    }];
    for test in TestDatabase::every(SETS).await {
        let sets = [MigrationSet {
            name: "things",
            migrations: CHANGED,
        }];

        let opened = Database::connect(&test.config, &sets).await;

        assert!(matches!(opened, Err(ConnectError::Changed { .. })));
    }
}

#[tokio::test]
async fn a_failing_migration_leaves_nothing() {
    const BROKEN: &[Migration] = &[Migration {
        name: "0001_half",
        postgres: "create table half (id int); create table half (id int);",
        sqlite: "create table half (id int); create table half (id int);",
    }];
    for test in TestDatabase::every(&[]).await {
        let sets = [MigrationSet {
            name: "half",
            migrations: BROKEN,
        }];

        let opened = Database::connect(&test.config, &sets).await;

        assert!(
            matches!(opened, Err(ConnectError::Failed { .. })),
            "{opened:?}"
        );
        let mut tx = test.database.read().await.unwrap();
        let half = on!(&mut tx, conn =>
            sqlx::query("select 1 from half").fetch_all(conn).await.map(drop));
        assert!(half.is_err());
    }
}

#[tokio::test]
async fn a_pending_migration_is_named_when_it_may_not_be_applied() {
    for test in TestDatabase::every(&[]).await {
        let mut config = test.config.clone();
        config.database_migrate = database::MigrateMode::Check;

        let opened = Database::connect(&config, SETS).await;

        assert!(matches!(
            opened,
            Err(ConnectError::Pending {
                name: "0001_things",
                ..
            })
        ));
    }
}

#[tokio::test]
async fn a_migration_may_sort_more_than_fits_into_memory() {
    let set = MigrationSet {
        name: "where it sorts",
        migrations: &[Migration {
            name: "0001_sorts",
            postgres: "select 1",
            sqlite: "create table sorts as select temp_store from pragma_temp_store",
        }],
    };

    let test = TestDatabase::sqlite(&[set]).await;

    let mut tx = test.database.read().await.unwrap();
    let kept: (i64,) = on!(&mut tx, conn => sqlx::query_as("select temp_store from sorts")
        .fetch_one(conn).await)
    .unwrap();
    assert_eq!(kept, (1,), "in a file");
}

#[tokio::test]
async fn a_full_disk_is_unavailable_and_heals_without_a_restart() {
    let test = TestDatabase::sqlite(SETS).await;
    let pages = |count: u32| {
        let pragma = format!("pragma max_page_count = {count}");
        let Database::Sqlite { writer, .. } = &test.database else {
            unreachable!("a SQLite file")
        };
        sqlx::query(AssertSqlSafe(pragma)).execute(writer)
    };
    pages(1).await.unwrap(); // As many as there are.
    let large = "x".repeat(1024 * 1024);
    let full = insert(&test.database, &large).await;
    assert!(full.is_err_and(|error| error.is_unavailable()));

    pages(100_000).await.unwrap();

    insert(&test.database, "there is room again").await.unwrap();
    insert(&test.database, &large).await.unwrap();
    assert_eq!(titles(&test.database).await.len(), 2);
}

/// How often the log of a SQLite file was begun anew, as its header says.
fn times_begun(log: &Path) -> u32 {
    let mut header = [0; 16];
    File::open(log).unwrap().read_exact(&mut header).unwrap();
    u32::from_be_bytes(header[12..].try_into().unwrap())
}

#[tokio::test]
async fn the_log_is_copied_and_begun_anew_while_it_is_written() {
    let test = TestDatabase::sqlite(SETS).await;
    let Database::Sqlite { writer, .. } = &test.database else {
        unreachable!("a SQLite file")
    };
    let file = writer.connect_options().get_filename().to_owned();
    let log = file.with_extension("db-wal");
    let begun = times_begun(&log);
    let writing = async {
        let large = "x".repeat(64 * 1024);
        for one in 0.. {
            insert(&test.database, &format!("{one} {large}"))
                .await
                .unwrap();
            if times_begun(&log) > begun {
                return;
            }
        }
    };

    let in_time = tokio::time::timeout(Duration::from_mins(1), writing).await;

    in_time.expect("the log is begun anew");
    let longest = std::fs::metadata(&log).unwrap().len();
    // In the midst of a commit it is begun anew, too, but not before 128 MiB.
    assert!(longest < 96 * 1024 * 1024, "{longest} bytes");
}

#[tokio::test]
async fn a_role_that_may_not_log_in_is_let_in_again_without_a_restart() {
    for test in TestDatabase::every(SETS).await {
        if !test.is_postgres() {
            continue; // A file lets everybody in who may read it.
        }
        let administrator = async |statement: String| {
            let mut tx = test.database.begin().await.unwrap();
            on!(&mut tx, conn => sqlx::query(AssertSqlSafe(statement)).execute(conn).await.map(drop))
                .unwrap();
            tx.commit().await.unwrap();
        };
        let role = format!("guest_{}", std::process::id());
        administrator(format!("create role {role} login superuser")).await;
        let url = test.config.database_url.expose_secret();
        let (_, server) = url.split_once('@').unwrap();
        let config = Config::for_url(format!("postgres://{role}@{server}"));
        let database = Database::connect(&config, SETS).await.unwrap();
        insert(&database, "before").await.unwrap();

        administrator(format!("alter role {role} nologin")).await;
        administrator(format!(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = '{role}'"
        ))
        .await;

        let refused = insert(&database, "meanwhile").await.unwrap_err();
        let said = refused.to_string();
        assert!(
            refused.is_unavailable() && said.contains("DATABASE_URL"),
            "{refused:?}"
        );
        let closed = Database::connect(&config, SETS)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            closed.contains("not permitted to log in") && closed.contains("DATABASE_URL"),
            "{closed}"
        );
        administrator(format!("alter role {role} login")).await;
        insert(&database, "after").await.unwrap();
        assert_eq!(titles(&database).await.len(), 2);
    }
}

#[tokio::test]
async fn a_migration_may_take_longer_than_a_request() {
    const PATIENT: &[Migration] = &[Migration {
        name: "0001_patient",
        postgres: "create table limits as
            select name, setting::bigint as milliseconds from pg_settings
             where name in ('statement_timeout', 'lock_timeout');",
        sqlite: "create table limits (name text, milliseconds integer);",
    }];
    for test in TestDatabase::every(&[MigrationSet {
        name: "patient",
        migrations: PATIENT,
    }])
    .await
    {
        let mut tx = test.database.read().await.unwrap();
        let rows: Vec<(String, i64)> = on!(&mut tx, conn =>
            sqlx::query_as("select name, milliseconds from limits").fetch_all(conn).await)
        .unwrap();

        let bounded = |milliseconds: i64| (1..60_000).contains(&milliseconds);
        assert!(rows.iter().all(|(_, limit)| !bounded(*limit)), "{rows:?}");
    }
}

#[tokio::test]
async fn the_databases_clock_is_measured_against_ours() {
    for test in TestDatabase::every(&[]).await {
        let postgres = matches!(test.database, Database::Postgres(_));
        // A clock that stands still in 2001 is behind by the same at every round trip.
        let ours = Utc.timestamp_opt(1_000_000_000, 0).unwrap();

        let offset = test.database.clock_offset(|| ours).await.unwrap();

        if postgres {
            assert!(ours + offset > ours + TimeDelta::days(365 * 20), "{offset}");
        } else {
            assert_eq!(offset, TimeDelta::zero());
        }
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_named_and_its_cause_told_once() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("other.db");
    std::fs::write(&file, "no database".repeat(100)).unwrap();
    let config = Config::for_url(format!("sqlite://{}", file.display()));

    let refused = Database::connect(&config, SETS).await.unwrap_err();

    let expected = format!(
        "the database {} cannot be opened: file is not a database",
        file.display()
    );
    assert_eq!(refused.to_string(), expected);
    assert!(std::error::Error::source(&refused).is_none());
}

#[tokio::test]
async fn who_does_not_answer_is_named_with_why_and_without_the_password() {
    let mut config = Config::for_url("postgres://me:hidden@127.0.0.1:1/tasks");
    config.database_acquire_timeout_ms = 100;

    let refused = Database::connect(&config, SETS).await.unwrap_err();

    let told = format!("{refused} {refused:?}");
    assert!(told.contains("127.0.0.1:1/tasks"), "{told}");
    assert!(told.contains("Connection refused"), "{told}");
    assert!(told.contains("see that a server is there"), "{told}");
    assert!(!told.contains("hidden"), "{told}");
}
