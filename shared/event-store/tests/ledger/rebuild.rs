//! A rebuild makes the tables of a projection anew while the service writes and reads them.

mod words;

use std::sync::Arc;

use clock::{Clock, TestClock};
use database::testing::TestDatabase;
use database::{Config, Database, MigrateMode, Migration, MigrationSet, Tx, on};
use event_schema::App;
use event_store::{
    Catalog, Context, LaneLimits, Ledger, MIGRATIONS, Outcome, Rebuild, RebuildError, Rebuilt,
    Verifier,
};
use futures_util::future::select;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::fixture::{TestResult, TestTask, complete, create, start_of_test, task};
use words::Words;

/// The grant is to a role that every server has: roles are of the whole server, and tests that
/// run side by side would race to make one.
const WORDS: &[Migration] = &[Migration {
    name: "0001_words",
    postgres: "create table texts (task_id uuid primary key, version bigint not null check (version > 0),
                                   is_open boolean not null default true);
               create index texts_open on texts (version, task_id) where is_open;
               create table words (task_id uuid not null references texts (task_id) on delete cascade,
                                   word text not null, primary key (task_id, word));
               create unique index words_word on words (word, task_id);
               grant select, insert on words to pg_monitor;",
    sqlite: "create table texts (task_id blob primary key, version integer not null check (version > 0),
                                 is_open integer not null default true) strict;
             create index texts_open on texts (version, task_id) where is_open;
             create table words (
                 task_id blob not null references texts (task_id) on delete cascade, -- references texts
                 word text not null, primary key (task_id, word)) strict;
             create unique index words_word on words (word, task_id);",
}];

const SETS: &[MigrationSet] = &[
    MIGRATIONS,
    MigrationSet {
        name: "words",
        migrations: WORDS,
    },
];

pub(crate) fn catalog() -> Catalog {
    Catalog::new(vec![Arc::new(Words)]).kind::<TestTask>()
}

/// A ledger with the projection, whose lane runs.
pub(crate) struct Running {
    ledger: Ledger,
    clock: Arc<TestClock>,
    test: TestDatabase,
    stop: CancellationToken,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Running {
    pub(crate) async fn every() -> Vec<Self> {
        let tests = TestDatabase::every(SETS).await;
        tests.into_iter().map(Self::over).collect()
    }

    fn over(test: TestDatabase) -> Self {
        let clock = Arc::new(TestClock::new(start_of_test()));
        let (ledger, lane) = Ledger::new(
            App::TaskApi,
            test.database.clone(),
            clock.clone(),
            vec![Arc::new(Words)],
            LaneLimits::default(),
        );
        let stop = CancellationToken::new();
        tokio::spawn(lane.run(stop.clone()));
        Self {
            ledger,
            clock,
            test,
            stop,
        }
    }

    /// The database as another process opens it.
    pub(crate) async fn elsewhere(&self) -> Database {
        let config = Config {
            database_migrate: MigrateMode::Check,
            ..self.test.config.clone()
        };
        Database::connect(&config, SETS).await.unwrap()
    }

    pub(crate) async fn create(&self, id: u128) -> TestResult {
        let task = task(id, &format!("word{id} and more"), self.clock.now());
        self.execute(create(task)).await
    }

    async fn execute<F>(&self, decide: F) -> TestResult
    where
        F: Fn(&mut event_store::Unit<'_>) -> Result<event_store::Answer, crate::fixture::TestError>
            + Send
            + 'static,
    {
        let context = Context::of_worker(App::TaskApi, self.clock.now());
        self.ledger.execute(context, None, &[], decide).await
    }

    /// Two events for each of these tasks.
    pub(crate) async fn fill(&self, tasks: u128) {
        for id in 1..=tasks {
            self.create(id).await.unwrap();
            self.execute(complete(id)).await.unwrap();
        }
    }

    pub(crate) async fn change(&self, statement: &'static str) {
        let mut tx = self.ledger.database().begin().await.unwrap();
        on!(&mut tx, conn => sqlx::query(statement).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
    }

    pub(crate) async fn words(&self) -> Vec<(Uuid, String)> {
        let mut tx = self.ledger.database().read().await.unwrap();
        on!(&mut tx, conn => sqlx::query_as("select task_id, word from words order by task_id, word")
            .fetch_all(conn).await)
        .unwrap()
    }

    /// Everything that the database knows of the tables, but not of those that were kept.
    pub(crate) async fn schema(&self) -> Vec<String> {
        let mut tx = self.ledger.database().read().await.unwrap();
        let rows: Vec<(String,)> = match &mut tx {
            Tx::Postgres(tx) => sqlx::query_as(SCHEMA).fetch_all(&mut **tx).await.unwrap(),
            Tx::Sqlite(tx) => sqlx::query_as(
                "select type || ' ' || name || ' ' || coalesce(sql, '') from sqlite_schema
                  where tbl_name in ('texts', 'words') order by 1",
            )
            .fetch_all(&mut **tx)
            .await
            .unwrap(),
        };
        rows.into_iter().map(|(row,)| row).collect()
    }

    pub(crate) async fn assert_sound(&self) {
        let catalog = catalog();
        let database = self.elsewhere().await;
        let found = Verifier::new(&database, &catalog).run().await.unwrap();
        assert_eq!(found.findings, Vec::<String>::new());
    }
}

const SCHEMA: &str = "
    select c.relname || ' ' || pg_get_indexdef(indexrelid) || indisprimary::text
      from pg_index x join pg_class c on c.oid = x.indrelid where c.relname in ('texts', 'words')
     union all
    select c.relname || ' ' || conname || ' ' || pg_get_constraintdef(k.oid)
      from pg_constraint k join pg_class c on c.oid = k.conrelid where c.relname in ('texts', 'words')
     union all
    select c.relname || ' ' || attname || ' ' || format_type(atttypid, atttypmod) || attnotnull::text
           || attidentity::text || coalesce(pg_get_expr(adbin, adrelid), '')
      from pg_attribute a join pg_class c on c.oid = a.attrelid
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where c.relname in ('texts', 'words') and attnum > 0
     union all
    select relname || ' ' || relowner::regrole::text || coalesce(relacl::text, '')
      from pg_class where relname in ('texts', 'words')
     order by 1";

async fn rebuild(database: &Database) -> Result<Rebuilt, RebuildError> {
    let catalog = catalog();
    Rebuild::new(database, &catalog)
        .page(3)
        .run("words", |_| ())
        .await
}

#[tokio::test]
async fn new_tables_hold_what_follows_from_the_log_and_are_of_the_same_shape() {
    for running in Running::every().await {
        running.fill(5).await;
        let (schema, words) = (running.schema().await, running.words().await);
        let forge = [
            "delete from words where word = 'more'",
            "update texts set version = 77",
            "insert into words (task_id, word) select task_id, 'forged' from texts",
        ];
        let database = running.elsewhere().await;

        for round in 0..3 {
            for statement in forge {
                running.change(statement).await;
            }
            assert_ne!(running.words().await, words);
            let rebuilt = rebuild(&database).await.unwrap();
            assert_eq!(rebuilt.events, 10 + round);
            assert_eq!(running.words().await[..words.len()], words);
            assert_eq!(running.schema().await, schema);
            running.create(100 + u128::from(round)).await.unwrap();
            running.assert_sound().await;
        }
    }
}

#[tokio::test]
async fn the_tables_of_before_are_kept_until_the_next_rebuild() {
    for running in Running::every().await {
        running.fill(1).await;
        running
            .change("update words set word = 'forged' where word = 'and'")
            .await;

        let database = running.elsewhere().await;
        rebuild(&database).await.unwrap();

        let mut tx = database.read().await.unwrap();
        let kept: Vec<(String,)> = on!(&mut tx, conn =>
            sqlx::query_as("select word from words__old order by word").fetch_all(conn).await)
        .unwrap();
        assert_eq!(kept[0].0, "forged");
    }
}

#[tokio::test]
async fn a_service_writes_and_reads_through_the_switch() {
    for running in Running::every().await {
        running.fill(10).await;
        let database = running.elsewhere().await;
        let done = CancellationToken::new();
        let writing = async {
            for id in 100.. {
                running.create(id).await.unwrap();
                running.execute(complete(id)).await.unwrap();
                assert!(running.words().await.len() > 30);
                if done.is_cancelled() {
                    return id - 99;
                }
            }
            unreachable!()
        };
        let rebuilding = async {
            // Until one has found events that were written beside those before it.
            let mut events = Vec::new();
            while events.len() < 3 || events.last() <= Some(&26) {
                assert!(
                    events.len() < 1000,
                    "nothing is written meanwhile: {events:?}"
                );
                let catalog = catalog();
                let rebuild = Rebuild::new(&database, &catalog).page(20);
                events.push(rebuild.run("words", |_| ()).await.unwrap().events);
            }
            done.cancel();
        };

        let (written, ()) = tokio::join!(writing, rebuilding);

        assert!(written > 3, "{written} tasks");
        running.assert_sound().await;
    }
}

#[tokio::test]
async fn an_interrupted_rebuild_has_changed_nothing_and_the_next_begins_anew() {
    for running in Running::every().await {
        running.fill(6).await;
        let (schema, words) = (running.schema().await, running.words().await);
        for pages in 1..=4 {
            let database = running.elsewhere().await;
            stop_after(&database, pages).await;
            assert_eq!(running.words().await, words);
            assert_eq!(running.schema().await, schema);
        }
        running.execute(complete_all_again).await.unwrap_err();

        let rebuilt = rebuild(&running.elsewhere().await).await.unwrap();

        assert_eq!(rebuilt.events, 12);
        assert_eq!(running.words().await, words);
        running.assert_sound().await;
    }
}

fn complete_all_again(
    unit: &mut event_store::Unit<'_>,
) -> Result<event_store::Answer, crate::fixture::TestError> {
    complete(1)(unit)
}

/// Gives a rebuild up after so many pages, wherever it is by then.
async fn stop_after(database: &Database, pages: usize) {
    let catalog = catalog();
    let enough = Notify::new();
    let mut seen = 0;
    let rebuild = Rebuild::new(database, &catalog).page(3);
    let rebuilding = rebuild.run("words", |_| {
        seen += 1;
        if seen == pages {
            enough.notify_one();
        }
    });
    let enough = enough.notified();
    tokio::select! {
        biased;
        () = enough => {}
        done = rebuilding => panic!("was not interrupted: {done:?}"),
    }
}

#[tokio::test]
async fn a_second_rebuild_at_the_same_time_is_refused() {
    for running in Running::every().await {
        running.fill(3).await;
        let database = running.elsewhere().await;
        let (catalog, begun) = (catalog(), Notify::new());
        let first = Rebuild::new(&database, &catalog).page(2);
        let first = Box::pin(first.run("words", |_| begun.notify_one()));
        let waiting = select(first, Box::pin(begun.notified())).await;
        let futures_util::future::Either::Right(((), first)) = waiting else {
            panic!("it ended before its first page")
        };

        let second = rebuild(&running.elsewhere().await).await;

        assert!(
            matches!(second, Err(RebuildError::AlreadyRunning)),
            "{second:?}"
        );
        first.await.unwrap();
        rebuild(&database).await.unwrap();
    }
}

#[tokio::test]
async fn only_what_there_is_can_be_rebuilt() {
    for running in Running::every().await {
        let catalog = catalog();
        let refused = Rebuild::new(running.ledger.database(), &catalog)
            .run("titles", |_| ())
            .await;
        let sentence = refused.unwrap_err().to_string();
        assert_eq!(
            sentence,
            "there is no projection titles here; there are: words"
        );
        let empty = rebuild(&running.elsewhere().await).await.unwrap();
        assert_eq!(empty.events, 0);
    }
}

/// PostgreSQL waits for readers; whoever comes after us is not to wait for them too.
#[tokio::test]
async fn a_long_reader_delays_the_switch_and_not_the_service() {
    for running in Running::every().await {
        running.fill(2).await;
        let database = running.elsewhere().await;
        let mut reader = database.read().await.unwrap();
        let count: (i64,) = on!(&mut reader, conn =>
            sqlx::query_as("select count(*) from words").fetch_one(conn).await)
        .unwrap();
        assert_eq!(count.0, 6);
        let serving = async {
            for id in 50..60 {
                let outcome = running.create(id).await;
                assert!(matches!(outcome, Ok(Outcome::Accepted(_))), "{outcome:?}");
            }
            reader.rollback().await.unwrap();
        };
        let other = running.elsewhere().await;

        let (rebuilt, ()) = tokio::join!(rebuild(&other), serving);

        assert!(rebuilt.is_ok(), "{rebuilt:?}");
        running.assert_sound().await;
    }
}
