//! A server that is killed under load, and connections that are cut: every command is asked again
//! under its key until it is answered, and happens once.

use std::time::Duration;

use database::sqlx::{self, Connection, PgConnection};
use database::testing::TestDatabase;
use event_schema::UserId;
use event_store::{IdempotencyKey, StreamRef};
use futures_util::future::join_all;
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;
use tokio::time::{interval, timeout};
use uuid::Uuid;

use super::is_unavailable;
use crate::fixture::{Fixture, SETS, TestTask, create, task, user};
use crate::server::Server;

const CALLERS: u128 = 16;
const TASKS_OF_EACH: u128 = 40;
const PATIENCE: Duration = Duration::from_mins(1);

/// Callers who ask until they are answered; `answered` gets a permit each time. Returns how often
/// somebody had to ask again.
async fn ask_for_all(fixture: &Fixture, answered: &Semaphore) -> usize {
    let callers = (0..CALLERS).map(|caller| async move {
        let mut again = 0;
        for number in 0..TASKS_OF_EACH {
            again += until_answered(fixture, caller * TASKS_OF_EACH + number).await;
            answered.add_permits(1);
        }
        again
    });
    let all = timeout(PATIENCE, join_all(callers)).await;
    all.unwrap().iter().sum() // It heals by itself.
}

async fn until_answered(fixture: &Fixture, id: u128) -> usize {
    let key = IdempotencyKey {
        owner: UserId(user().as_uuid()),
        key: format!("create-{id}"),
        request_hash: [0; 32],
    };
    let stream = StreamRef::of::<TestTask>(Uuid::from_u128(id));
    let mut tries = interval(Duration::from_millis(20));
    for tried in 0.. {
        tries.tick().await;
        let decide = create(task(id, &format!("{id:05}"), fixture.context().now));
        let asked = fixture
            .ledger
            .execute(fixture.context(), Some(key.clone()), &[stream], decide)
            .await;
        if asked.is_ok() {
            return tried;
        }
        assert!(is_unavailable(&asked), "{asked:?}");
    }
    unreachable!("somebody gives up before")
}

async fn assert_each_happened_once(fixture: &Fixture) {
    let all: Vec<String> = (0..CALLERS * TASKS_OF_EACH)
        .map(|id| format!("{id:05}"))
        .collect();
    assert_eq!(fixture.titles().await, all);
    let last = fixture.ledger.last_position().await.unwrap();
    assert_eq!(usize::try_from(last).unwrap(), all.len());
    fixture.assert_dense().await;
}

#[tokio::test]
async fn a_server_that_is_stopped_immediately_and_started_again_loses_and_repeats_nothing() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let config = server.database("stopped", "").await;
    let fixture = Fixture::over(TestDatabase::over(config, SETS).await);
    let answered = Semaphore::new(0);
    let stops = async {
        for _ in 0..2 {
            answered.acquire_many(200).await.unwrap().forget();
            server.stop_immediately().await;
            server.start_again().await;
        }
    };

    let (again, ()) = tokio::join!(ask_for_all(&fixture, &answered), stops);

    assert!(again > 0, "the server was away");
    assert_each_happened_once(&fixture).await;
}

#[tokio::test]
async fn a_storm_of_terminated_connections_loses_and_repeats_nothing() {
    let databases = TestDatabase::every(SETS).await;
    for test in databases.into_iter().filter(TestDatabase::is_postgres) {
        let url = test.config.database_url.expose_secret();
        let mut foreign = PgConnection::connect(url).await.unwrap();
        let fixture = Fixture::over(test);
        let answered = Semaphore::new(0);
        let storm = async {
            for _ in 0..30 {
                answered.acquire_many(20).await.unwrap().forget();
                sqlx::query(
                    "select pg_terminate_backend(pid) from pg_stat_activity
                      where datname = current_database() and pid <> pg_backend_pid()",
                )
                .execute(&mut foreign)
                .await
                .unwrap();
            }
        };

        tokio::join!(ask_for_all(&fixture, &answered), storm);

        assert_each_happened_once(&fixture).await;
    }
}
