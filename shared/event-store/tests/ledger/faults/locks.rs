//! Somebody else holds what the lane needs, or a statement takes too long.

use std::sync::Arc;

use clock::SharedClock;
use database::sqlx::{self, Connection, PgConnection, SqliteConnection};
use database::testing::TestDatabase;
use event_schema::App;
use event_store::{LaneLimits, Ledger, Projection, StreamChange, Tables, Trip, Way};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use super::is_unavailable;
use crate::fixture::{Fixture, SETS, TestTask, create, task};

/// What a foreign session holds: the lane's place, the counter of positions, a SQLite file.
const HOLDS: [(bool, &str); 3] = [
    (true, "select pg_advisory_xact_lock(7001)"),
    (true, "select * from ledger_position for update"),
    (
        false,
        "update ledger_position set last_position = last_position",
    ),
];

/// Runs the statement in a foreign session's transaction, which ends with `until`.
async fn hold(url: &str, statement: &'static str, until: impl Future<Output = ()>) {
    if url.starts_with("postgres") {
        let mut foreign = PgConnection::connect(url).await.unwrap();
        let mut tx = foreign.begin().await.unwrap();
        sqlx::query(statement).execute(&mut *tx).await.unwrap();
        until.await;
        tx.rollback().await.unwrap();
    } else {
        let mut foreign = SqliteConnection::connect(url).await.unwrap();
        let mut tx = foreign.begin().await.unwrap();
        sqlx::query(statement).execute(&mut *tx).await.unwrap();
        until.await;
        tx.rollback().await.unwrap();
    }
}

async fn what_a_foreign_session_holds(postgres: bool, statement: &'static str) {
    let databases = TestDatabase::every(SETS).await;
    for test in databases {
        if test.is_postgres() != postgres {
            continue;
        }
        let url = test.config.database_url.expose_secret().to_owned();
        let fixture = Fixture::over(test);

        let refused = async {
            let outcomes = join_all((1..=10).map(|id| fixture.create(id, "held up"))).await;
            assert!(outcomes.iter().all(is_unavailable), "{outcomes:?}");
        };
        hold(&url, statement, refused).await;

        fixture.create(1, "goes on").await.unwrap();
        assert_eq!(fixture.titles().await, ["goes on"]);
        fixture.assert_dense().await;
    }
}

#[tokio::test]
async fn a_foreign_session_with_our_locks_makes_commands_fail_and_they_go_on_when_it_ends() {
    let holds =
        HOLDS.map(|(postgres, statement)| what_a_foreign_session_holds(postgres, statement));
    join_all(holds).await;
}

/// Takes longer than any statement may.
#[derive(Debug)]
struct Slow;

impl Projection for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn apply<'a>(
        &'a self,
        trip: &'a mut Trip<'_>,
        _into: Tables,
        changes: &'a [StreamChange],
    ) -> BoxFuture<'a, Result<(), database::Error>> {
        async move {
            for task in changes.iter().filter_map(StreamChange::state::<TestTask>) {
                if task.title == "slow" {
                    let Way::Postgres(together) = trip.way() else {
                        continue;
                    };
                    together.part(
                        "slow",
                        "delete from ledger_position where pg_sleep(60) is null",
                    );
                }
            }
            Ok(())
        }
        .boxed()
    }
}

#[tokio::test]
async fn a_statement_that_takes_too_long_fails_its_command_and_the_lane_goes_on() {
    let databases = TestDatabase::every(SETS).await;
    for test in databases.into_iter().filter(TestDatabase::is_postgres) {
        let fixture = Fixture::over(test);
        let (ledger, lane) = Ledger::new(
            App::TaskApi,
            fixture.ledger.database().clone(),
            Arc::clone(&fixture.clock) as SharedClock,
            vec![Arc::new(Slow)],
            LaneLimits::default(),
        );
        tokio::spawn(lane.run(CancellationToken::new()));
        let make = |id, title| {
            let decide = create(task(id, title, fixture.context().now));
            ledger.execute(fixture.context(), None, &[], decide)
        };

        let refused = make(1, "slow").await;
        let later = make(2, "later").await;

        assert!(is_unavailable(&refused), "{refused:?}");
        assert!(later.is_ok(), "{later:?}");
        fixture.assert_dense().await;
        assert_eq!(fixture.ledger.last_position().await.unwrap(), 1);
    }
}
