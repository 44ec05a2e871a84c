//! A small aggregate over tasks, and a ledger with a running lane.

use std::sync::Arc;

use chrono::{DateTime, TimeZone, Utc};
use clock::{Clock, TestClock};
use database::testing::TestDatabase;
use database::{Database, Migration, MigrationSet, on, rows};
use event_schema::{
    Actor, App, Changed, Status, Task, TaskCompleted, TaskEvent, TaskId, TimeValue, UserId,
};
use event_store::{
    Aggregate, Answer, Catalog, Context, Error, Lane, LaneLimits, Ledger, MIGRATIONS, Outcome,
    Projection, StreamChange, StreamRef, Tables, Timer, Trip, Unit, Way,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A task with a timer at its due instant.
#[derive(Debug)]
pub(crate) struct TestTask;

impl Aggregate for TestTask {
    const KIND: &'static str = "task";
    const HAS_TIMERS: bool = true;
    type Events = TaskEvent;

    fn evolve(state: Option<Task>, event: &TaskEvent) -> Option<Task> {
        match (state, event) {
            (_, TaskEvent::Created(task)) => Some((**task).clone()),
            (Some(mut task), TaskEvent::Completed(change)) => {
                task.status = change.status.to;
                task.completed_at = change.completed_at.to;
                Some(task)
            }
            (state, _) => state,
        }
    }

    fn partition_key(state: &Task) -> Uuid {
        state.id.as_uuid()
    }

    fn timers(state: &Task) -> Vec<Timer> {
        match state.due {
            Some(TimeValue::Instant { instant }) if state.is_open() => {
                vec![Timer {
                    timer_id: state.id.as_uuid(),
                    fire_at: instant,
                }]
            }
            _ => Vec::new(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum TestError {
    #[error("refused")]
    Refused,
    #[error(transparent)]
    Ledger(#[from] Error),
}

pub(crate) type TestResult = Result<Outcome, TestError>;

/// Titles by task; a title `poison` violates the table's check, as a bug of ours would.
#[derive(Debug)]
pub(crate) struct Titles;

impl Projection for Titles {
    fn name(&self) -> &'static str {
        "titles"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["title"]
    }

    fn apply<'a>(
        &'a self,
        trip: &'a mut Trip<'_>,
        into: Tables,
        changes: &'a [StreamChange],
    ) -> BoxFuture<'a, Result<(), database::Error>> {
        async move {
            let task = |change: &'a StreamChange| {
                let task = change.state::<TestTask>()?;
                Some((change.stream_id, task.title.as_str()))
            };
            let titles: Vec<(Uuid, &str)> = changes.iter().filter_map(task).collect();
            match trip.way() {
                Way::Postgres(together) => {
                    let upsert = "insert into title{} (task_id, title)
                                  select * from unnest($1::uuid[], $2::text[])
                                      on conflict (task_id) do update set title = excluded.title";
                    let (ids, titles): (Vec<Uuid>, Vec<&str>) = titles.into_iter().unzip();
                    let part = together.part("written_titles", into.sql(upsert));
                    part.bind(ids).bind(titles);
                }
                Way::Sqlite(conn) => {
                    let upsert = "insert into title{} (task_id, title) values {rows}
                                      on conflict (task_id) do update set title = excluded.title";
                    rows::execute(conn, &into.sql(upsert).0, &titles, |values, (id, title)| {
                        values.bind(*id).bind(*title);
                    })
                    .await?;
                }
            }
            Ok(())
        }
        .boxed()
    }
}

const TITLES: &[Migration] = &[Migration {
    name: "0001_titles",
    postgres: "create table title (task_id uuid primary key, title text check (title <> 'poison'));",
    sqlite: "create table title (task_id blob primary key, title text check (title <> 'poison'));",
}];
pub(crate) const SETS: &[MigrationSet] = &[
    MIGRATIONS,
    MigrationSet {
        name: "titles",
        migrations: TITLES,
    },
];

pub(crate) fn start_of_test() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 22, 10, 0, 0).unwrap()
}

/// A ledger whose lane runs, over a database of its own.
pub(crate) struct Fixture {
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) test: TestDatabase,
    stop: CancellationToken,
    lane: tokio::task::JoinHandle<()>,
}

impl Fixture {
    pub(crate) async fn every() -> Vec<Self> {
        let databases = TestDatabase::every(SETS).await;
        databases.into_iter().map(Self::over).collect()
    }

    pub(crate) fn over(test: TestDatabase) -> Self {
        let clock = Arc::new(TestClock::new(start_of_test()));
        let (ledger, lane) = open(&test.database, &clock);
        let stop = CancellationToken::new();
        let lane = tokio::spawn(lane.run(stop.clone()));
        Self {
            ledger,
            clock,
            test,
            stop,
            lane,
        }
    }

    /// Stops the lane and starts another over the same database, as a restart would.
    pub(crate) async fn restart(self) -> Self {
        self.stop.cancel();
        self.lane.await.unwrap();
        Self::over(self.test)
    }

    pub(crate) fn context(&self) -> Context {
        Context {
            actor: Actor::User(user()),
            now: self.clock.now(),
            correlation_id: Some("request".to_owned()),
            causation_id: None,
            traceparent: None,
        }
    }

    pub(crate) async fn create(&self, id: u128, title: &str) -> TestResult {
        let task = task(id, title, self.clock.now());
        self.create_task(task).await
    }

    pub(crate) async fn create_task(&self, task: Task) -> TestResult {
        let stream = StreamRef::of::<TestTask>(task.id.as_uuid());
        self.ledger
            .execute(self.context(), None, &[stream], create(task))
            .await
    }

    pub(crate) async fn titles(&self) -> Vec<String> {
        let mut tx = self.ledger.database().read().await.unwrap();
        let rows: Vec<(String,)> = on!(&mut tx, conn =>
            sqlx::query_as("select title from title order by title").fetch_all(conn).await)
        .unwrap();
        rows.into_iter().map(|(title,)| title).collect()
    }

    /// Positions are 1..n and every stream's versions 1..n, its head at the last one.
    pub(crate) async fn assert_dense(&self) {
        let events = self.ledger.events_after(0, 100_000).await.unwrap();
        let positions: Vec<i64> = events.iter().map(|event| event.position).collect();
        let expected: Vec<i64> = (1..).take(events.len()).collect();
        assert_eq!(positions, expected);
        let mut versions = std::collections::HashMap::<Uuid, i64>::new();
        for event in &events {
            let version = versions.entry(event.stream_id).or_default();
            *version += 1;
            assert_eq!(event.version, *version);
        }
        for (stream, version) in versions {
            let head = self
                .ledger
                .state::<TestTask>(stream)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(i64::try_from(head.version).unwrap(), version);
        }
    }
}

pub(crate) fn open(database: &Database, clock: &Arc<TestClock>) -> (Ledger, Lane) {
    let clock = Arc::clone(clock) as clock::SharedClock;
    let projections: Vec<Arc<dyn Projection>> = vec![Arc::new(Titles)];
    Ledger::new(
        App::TaskApi,
        database.clone(),
        clock,
        projections,
        LaneLimits::default(),
    )
}

/// What the fixture's ledger holds.
pub(crate) fn catalog() -> Catalog {
    Catalog::new(vec![Arc::new(Titles)]).kind::<TestTask>()
}

pub(crate) fn user() -> UserId {
    UserId(Uuid::from_u128(0xa))
}

pub(crate) fn task(id: u128, title: &str, now: DateTime<Utc>) -> Task {
    let (id, by) = (TaskId(Uuid::from_u128(id)), Actor::User(user()));
    Task::new(id, user(), title, by, now)
}

/// Creates the task unless it exists.
pub(crate) fn create(
    task: Task,
) -> impl Fn(&mut Unit<'_>) -> Result<Answer, TestError> + Send + 'static {
    move |unit| {
        let id = task.id.as_uuid();
        if unit.state::<TestTask>(id).is_some() {
            return Err(TestError::Refused);
        }
        unit.append::<TestTask>(id, &TaskEvent::Created(Box::new(task.clone())));
        Ok(Answer {
            status: 201,
            etag: Some(1),
            location: None,
            body: format!("{id}"),
        })
    }
}

/// Completes the task if it is open.
pub(crate) fn complete(
    id: u128,
) -> impl Fn(&mut Unit<'_>) -> Result<Answer, TestError> + Send + 'static {
    move |unit| {
        let id = Uuid::from_u128(id);
        let task = unit.state::<TestTask>(id).ok_or(TestError::Refused)?;
        if task.status != Status::Open {
            return Err(TestError::Refused);
        }
        unit.append::<TestTask>(id, &completed(unit.now()));
        let etag = Some(unit.version::<TestTask>(id));
        Ok(Answer {
            status: 200,
            etag,
            location: None,
            body: String::new(),
        })
    }
}

/// It was open and is completed.
pub(crate) fn completed(now: DateTime<Utc>) -> TaskEvent {
    TaskEvent::Completed(TaskCompleted {
        status: Changed {
            from: Status::Open,
            to: Status::Completed,
        },
        completed_at: Changed {
            from: None,
            to: Some(now),
        },
        completed_by: Changed {
            from: None,
            to: Some(Actor::User(user())),
        },
        updated_at: now,
    })
}
