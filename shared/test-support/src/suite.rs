//! One service in process, with everything around it in the hands of the test.

mod deliver;
mod http;

use std::fmt;
use std::sync::PoisonError;

use axum::Router;
use chrono::{DateTime, TimeDelta, Utc};
use clock::{Clock, TestClock};
use database::testing::TestDatabase;
use event_store::{DeadLetterRow, DeadLetterTable, Ledger, Relay};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::environment::start;
use crate::parts::Worker;
use crate::seed::Random;
use crate::{RecordingSidecar, TestEnvironment, TestParts, verify};

/// A service whose workers are not idle after so many passes never will be.
const MOST_PASSES: usize = 10_000;
const MOST_DEAD_LETTERS: u32 = 1000;

type Build =
    Box<dyn Fn(TestEnvironment) -> BoxFuture<'static, Result<TestParts, String>> + Send + Sync>;

/// One service in process. End every test with [`finish`](Self::finish).
pub struct TestSuite {
    environment: TestEnvironment,
    build: Build,
    database: TestDatabase,
    sidecar: RecordingSidecar,
    running: Running,
    seed: u64,
    random: Random,
    expected_dead_letters: usize,
    may_be_unpublished: bool,
}

/// The service of now; a restart makes another.
struct Running {
    public: Router,
    door: Router,
    ledger: Ledger,
    relay: Relay,
    workers: Vec<Worker>,
    lane: JoinHandle<()>,
    stop: CancellationToken,
}

impl TestSuite {
    /// Starts a service on a fresh SQLite file.
    pub async fn start<F, Fut, E>(build: F) -> Self
    where
        F: Fn(TestEnvironment) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<TestParts, E>> + Send + 'static,
        E: fmt::Debug,
    {
        Self::start_on(TestDatabase::sqlite(&[]).await, build).await
    }

    /// Starts a service on a fresh database of every kind that can be had: SQLite, and PostgreSQL
    /// when a test server is named.
    pub async fn every<F, Fut, E>(build: F) -> Vec<Self>
    where
        F: Fn(TestEnvironment) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<TestParts, E>> + Send + 'static,
        E: fmt::Debug,
    {
        let mut all = Vec::new();
        for database in TestDatabase::every(&[]).await {
            all.push(Self::start_on(database, build.clone()).await);
        }
        all
    }

    async fn start_on<F, Fut, E>(database: TestDatabase, build: F) -> Self
    where
        F: Fn(TestEnvironment) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<TestParts, E>> + Send + 'static,
        E: fmt::Debug,
    {
        let sidecar = RecordingSidecar::start().await;
        let environment = TestEnvironment {
            clock: TestClock::new(start()),
            database: database.config.clone(),
            sidecar: sidecar.url().to_owned(),
        };
        let build: Build = Box::new(move |environment| {
            let parts = build(environment);
            async move { parts.await.map_err(|error| format!("{error:?}")) }.boxed()
        });
        let running = Running::start(&build, &environment).await;
        Self {
            environment,
            build,
            database,
            sidecar,
            running,
            seed: 1,
            random: Random::new(1),
            expected_dead_letters: 0,
            may_be_unpublished: false,
        }
    }

    /// Another order of deliveries than the usual one.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self.random = Random::new(seed);
        self
    }

    /// The ledger of the service.
    pub fn ledger(&self) -> &Ledger {
        &self.running.ledger
    }

    /// The sidecar beside the service: what it took, and how it fails.
    pub fn sidecar(&self) -> &RecordingSidecar {
        &self.sidecar
    }

    /// The time of the service.
    pub fn now(&self) -> DateTime<Utc> {
        self.environment.clock.now()
    }

    /// Lets time pass. Nothing happens by that alone: see [`run_workers`](Self::run_workers).
    pub fn advance(&self, by: TimeDelta) {
        self.environment.clock.advance(by);
    }

    /// Sets the time.
    pub fn set_now(&self, at: DateTime<Utc>) {
        self.environment.clock.set(at);
    }

    /// Runs every worker and the relay until none has anything left to do.
    pub async fn run_workers(&mut self) {
        for _ in 0..MOST_PASSES {
            if self.run_workers_once().await == 0 {
                return;
            }
        }
        panic!("the workers are never idle");
    }

    /// Runs every worker and the relay once; returns how much they did.
    pub async fn run_workers_once(&mut self) -> usize {
        let mut done = 0;
        for (name, run_once) in &mut self.running.workers {
            let run_once = run_once.get_mut().unwrap_or_else(PoisonError::into_inner);
            done += run_once()
                .await
                .unwrap_or_else(|error| panic!("worker {name:?} failed: {error}"));
        }
        let pass = self.running.relay.run_once().await;
        done + pass.expect("the relay reads the log").published
    }

    /// Envelopes that were published, without repeats, in the order of their arrival.
    pub fn published(&self) -> Vec<Value> {
        let distinct = self.sidecar.distinct().into_iter();
        distinct.map(|published| published.event).collect()
    }

    /// Published envelopes of one type.
    pub fn published_of(&self, event_type: &str) -> Vec<Value> {
        let mut published = self.published();
        published.retain(|event| event["type"] == event_type);
        published
    }

    /// The types of what was published, in the order of arrival.
    pub fn published_types(&self) -> Vec<String> {
        let published = self.published();
        let types = published.iter().map(|event| &event["type"]);
        types
            .map(|name| name.as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Events that could not be processed.
    pub async fn dead_letters(&self) -> Vec<DeadLetterRow> {
        let rows = self.running.ledger.dead_letters(MOST_DEAD_LETTERS).await;
        rows.expect("the dead-letter table can be read")
    }

    /// The dead-letter table, as an operator has it in their hands.
    pub fn dead_letter_table(&self) -> DeadLetterTable {
        self.running.ledger.dead_letter_table()
    }

    /// This test parks so many events, or makes them wait behind one that is.
    pub fn expect_dead_letters(&mut self, count: usize) {
        self.expected_dead_letters = count;
    }

    /// This test ends while the broker does not take everything.
    pub fn allow_unpublished(&mut self) {
        self.may_be_unpublished = true;
    }

    /// Stops the service in good order and starts it over the same database, at the same time.
    pub async fn restart(&mut self) {
        let next = async {
            self.running.stop().await;
            Running::start(&self.build, &self.environment).await
        };
        self.running = next.await;
    }

    /// Runs what is left to run and fails when an event is unpublished or out of order, a dead letter
    /// is unexpected, or log, heads and positions do not fit together.
    pub async fn finish(mut self) {
        self.run_workers().await;
        let dead = self.dead_letters().await;
        assert_eq!(dead.len(), self.expected_dead_letters, "{dead:#?}");
        let published = self.sidecar.distinct();
        let problems =
            verify::problems(&self.database.database, &published, self.may_be_unpublished);
        let problems = problems.await.expect("the log can be read");
        assert!(problems.is_empty(), "{}", problems.join("\n"));
        self.running.stop().await;
    }
}

impl Running {
    async fn start(build: &Build, environment: &TestEnvironment) -> Self {
        let parts = build(environment.clone()).await;
        let parts = parts.unwrap_or_else(|error| panic!("the service was not built: {error}"));
        let stop = CancellationToken::new();
        Self {
            lane: tokio::spawn(parts.lane.run(stop.clone())),
            public: parts.public,
            door: parts.sidecar,
            ledger: parts.ledger,
            relay: parts.relay,
            workers: parts.workers,
            stop,
        }
    }

    async fn stop(&mut self) {
        self.stop.cancel();
        (&mut self.lane).await.expect("the lane ends well");
        let relay = Relay::new(&self.ledger, unused_client());
        // A relay that is told to stop gives its leases back; the next one need not wait for them.
        let relay = std::mem::replace(&mut self.relay, relay);
        relay.run(self.stop.clone()).await;
        self.public = Router::new();
        self.door = Router::new();
        self.workers.clear();
        self.ledger.database().close().await;
    }
}

fn unused_client() -> dapr_client::Client {
    dapr_client::Client::new(&dapr_client::Config::default()).expect("a client")
}

impl Drop for TestSuite {
    fn drop(&mut self) {
        self.running.stop.cancel();
        if std::thread::panicking() {
            #[expect(
                clippy::print_stderr,
                reason = "it belongs to the report of a failed test"
            )]
            {
                eprintln!("the order of deliveries came from seed {}", self.seed);
            }
        }
    }
}

impl fmt::Debug for TestSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestSuite")
            .field("ledger", &self.running.ledger)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}
