//! A batch is decided while the one before it is written, and still as if it came after it.

use std::sync::Arc;

use clock::SharedClock;
use database::{Database, on, sqlx};
use event_schema::{App, Status};
use event_store::{
    Answer, IdempotencyKey, Inbound, LaneLimits, Ledger, Outcome, Projection, StreamChange,
    StreamRef, Tables, Trip, Unit,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::fixture::{
    Fixture, TestError, TestResult, TestTask, Titles, complete, create, task, user,
};
use crate::inbox::inbound;

/// Stays in a batch that has a task of this title until it is let go.
const HOLDS: &str = "holds";

#[derive(Debug)]
struct Gate {
    entered: Notify,
    open: Semaphore,
}

impl Projection for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn apply<'a>(
        &'a self,
        _trip: &'a mut Trip<'_>,
        _into: Tables,
        changes: &'a [StreamChange],
    ) -> BoxFuture<'a, Result<(), database::Error>> {
        async move {
            let mut tasks = changes.iter().filter_map(StreamChange::state::<TestTask>);
            if tasks.any(|task| task.title == HOLDS) {
                self.entered.notify_one();
                self.open.acquire().await.unwrap().forget();
            }
            Ok(())
        }
        .boxed()
    }
}

/// A second ledger over the fixture's database, whose batches can be held.
struct Held<'f> {
    fixture: &'f Fixture,
    ledger: Ledger,
    gate: Arc<Gate>,
    _stop: DropGuard,
}

impl<'f> Held<'f> {
    fn over(fixture: &'f Fixture) -> Self {
        let gate = Arc::new(Gate {
            entered: Notify::new(),
            open: Semaphore::new(0),
        });
        let (ledger, lane) = Ledger::new(
            App::TaskApi,
            fixture.ledger.database().clone(),
            Arc::clone(&fixture.clock) as SharedClock,
            vec![Arc::new(Titles), Arc::clone(&gate) as Arc<dyn Projection>],
            LaneLimits::default(),
        );
        let stop = CancellationToken::new();
        tokio::spawn(lane.run(stop.clone()));
        Self {
            fixture,
            ledger,
            gate,
            _stop: stop.drop_guard(),
        }
    }

    /// Submits a command and does not wait for it.
    fn execute<F>(
        &self,
        key: Option<IdempotencyKey>,
        streams: &[u128],
        decide: F,
    ) -> JoinHandle<TestResult>
    where
        F: Fn(&mut Unit<'_>) -> Result<Answer, TestError> + Send + 'static,
    {
        let (ledger, context) = (self.ledger.clone(), self.fixture.context());
        let streams: Vec<StreamRef> = streams.iter().map(|id| stream(*id)).collect();
        tokio::spawn(async move { ledger.execute(context, key, &streams, decide).await })
    }

    fn receive<F>(&self, inbound: Inbound, decide: F) -> JoinHandle<TestResult>
    where
        F: Fn(&mut Unit<'_>) -> Result<Answer, TestError> + Send + 'static,
    {
        let (ledger, context) = (self.ledger.clone(), self.fixture.context());
        let decide = move |unit: &mut Unit<'_>| decide(unit).map(drop);
        tokio::spawn(async move { ledger.receive(context, inbound, &[], decide).await })
    }

    /// Waits until a batch is being written.
    async fn is_writing(&self) {
        self.gate.entered.notified().await;
    }

    fn let_go(&self) {
        self.gate.open.add_permits(1);
    }
}

fn stream(id: u128) -> StreamRef {
    StreamRef::of::<TestTask>(Uuid::from_u128(id))
}

/// Creates a task whose batch is held, after `first`, of which the lane was told nothing.
fn holding(
    fixture: &Fixture,
    first: impl Fn(&mut Unit<'_>) -> Result<Answer, TestError> + Send + 'static,
) -> impl Fn(&mut Unit<'_>) -> Result<Answer, TestError> + Send + 'static {
    let hold = create(task(8, HOLDS, fixture.context().now));
    move |unit| {
        first(unit)?;
        hold(unit)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is a decision like others")]
fn nothing(_: &mut Unit<'_>) -> Result<Answer, TestError> {
    Ok(Answer::default())
}

/// The decision, and how often it was made.
fn counted(
    decide: impl Fn(&mut Unit<'_>) -> Result<Answer, TestError> + Send + 'static,
) -> (
    impl Fn(&mut Unit<'_>) -> Result<Answer, TestError> + Send + 'static,
    watch::Receiver<usize>,
) {
    let (sender, rounds) = watch::channel(0);
    let decide = move |unit: &mut Unit<'_>| {
        sender.send_modify(|rounds| *rounds += 1);
        decide(unit)
    };
    (decide, rounds)
}

#[tokio::test]
async fn what_nobody_overtook_is_decided_once_and_beside_the_batch_before_it() {
    for fixture in Fixture::every().await {
        let held = Held::over(&fixture);
        let first = held.execute(None, &[8], holding(&fixture, nothing));
        held.is_writing().await;

        let (decide, mut rounds) = counted(create(task(2, "beside", fixture.context().now)));
        let second = held.execute(None, &[2], decide);
        rounds.wait_for(|rounds| *rounds == 1).await.unwrap();
        assert!(!first.is_finished());
        held.let_go();

        assert!(first.await.unwrap().is_ok());
        assert!(second.await.unwrap().is_ok());
        assert_eq!(*rounds.borrow(), 1);
        fixture.assert_dense().await;
    }
}

#[tokio::test]
async fn a_stream_that_was_changed_meanwhile_is_decided_again() {
    for fixture in Fixture::every().await {
        fixture.create(1, "only once").await.unwrap();
        let held = Held::over(&fixture);
        let first = held.execute(None, &[8], holding(&fixture, complete(1)));
        held.is_writing().await;

        let (decide, mut rounds) = counted(complete(1));
        let second = held.execute(None, &[1], decide);
        rounds.wait_for(|rounds| *rounds == 1).await.unwrap();
        held.let_go();

        assert!(first.await.unwrap().is_ok());
        assert!(matches!(second.await.unwrap(), Err(TestError::Refused)));
        assert_eq!(*rounds.borrow(), 2);
        fixture.assert_dense().await;
    }
}

#[tokio::test]
async fn a_stream_that_was_only_looked_at_is_decided_again() {
    for fixture in Fixture::every().await {
        fixture.create(1, "open").await.unwrap();
        let held = Held::over(&fixture);
        let first = held.execute(None, &[8], holding(&fixture, complete(1)));
        held.is_writing().await;

        let make = create(task(2, "while the other is open", fixture.context().now));
        let (decide, mut rounds) = counted(move |unit| {
            let other = unit.state::<TestTask>(Uuid::from_u128(1));
            let is_open = other.is_none_or(|other| other.status == Status::Open);
            if is_open {
                make(unit)
            } else {
                Err(TestError::Refused)
            }
        });
        let second = held.execute(None, &[1, 2], decide);
        rounds.wait_for(|rounds| *rounds == 1).await.unwrap();
        held.let_go();

        assert!(first.await.unwrap().is_ok());
        assert!(matches!(second.await.unwrap(), Err(TestError::Refused)));
        assert_eq!(*rounds.borrow(), 2);
        fixture.assert_dense().await;
    }
}

#[tokio::test]
async fn a_key_that_was_answered_meanwhile_gets_that_answer() {
    for fixture in Fixture::every().await {
        let key = IdempotencyKey {
            owner: user(),
            key: "k".to_owned(),
            request_hash: [1; 32],
        };
        let held = Held::over(&fixture);
        let first = held.execute(Some(key.clone()), &[8], holding(&fixture, nothing));
        held.is_writing().await;

        let (decide, mut rounds) = counted(create(task(2, "again", fixture.context().now)));
        let second = held.execute(Some(key), &[2], decide);
        rounds.wait_for(|rounds| *rounds == 1).await.unwrap();
        held.let_go();

        let Ok(Outcome::Accepted(answer)) = first.await.unwrap() else {
            panic!("the first was refused");
        };
        assert_eq!(second.await.unwrap().unwrap(), Outcome::Replayed(answer));
        assert_eq!(fixture.ledger.last_position().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_delivery_that_was_processed_meanwhile_has_no_second_effect() {
    for fact in [true, false] {
        for fixture in Fixture::every().await {
            let held = Held::over(&fixture);
            let first = held.receive(inbound(1, 1, fact), holding(&fixture, nothing));
            held.is_writing().await;

            let mut again = inbound(1, 1, fact);
            again.key = "another partition, as after a change of keys".to_owned();
            let (decide, mut rounds) = counted(create(task(2, "again", fixture.context().now)));
            let second = held.receive(again, decide);
            // A delivery names no streams: the first round finds out which one it looks at.
            rounds.wait_for(|rounds| *rounds == 2).await.unwrap();
            held.let_go();

            assert!(matches!(first.await.unwrap(), Ok(Outcome::Accepted(_))));
            assert_eq!(second.await.unwrap().unwrap(), Outcome::Stale);
            assert_eq!(fixture.ledger.last_position().await.unwrap(), 1);
        }
    }
}

/// Not on SQLite, whose one writer is the held batch: the row could not be written while it is.
#[tokio::test]
async fn a_delivery_whose_key_was_parked_meanwhile_waits_behind_it() {
    for fixture in Fixture::every().await {
        if matches!(fixture.ledger.database(), Database::Sqlite { .. }) {
            continue;
        }
        let held = Held::over(&fixture);
        let first = held.execute(None, &[8], holding(&fixture, nothing));
        held.is_writing().await;

        let delivery = inbound(1, 1, true);
        let key = delivery.key.clone();
        let (decide, mut rounds) = counted(create(task(2, "early", fixture.context().now)));
        let second = held.receive(delivery, decide);
        // A delivery names no streams: the first round finds out which one it looks at.
        rounds.wait_for(|rounds| *rounds == 2).await.unwrap();
        park_without_the_lock(&fixture, &key).await;
        held.let_go();

        assert!(first.await.unwrap().is_ok());
        assert_eq!(second.await.unwrap().unwrap(), Outcome::Waiting);
        assert_eq!(fixture.ledger.last_position().await.unwrap(), 1);
    }
}

/// As if another replica had parked it in between: the lock is the held batch's.
async fn park_without_the_lock(fixture: &Fixture, key: &str) {
    let mut tx = fixture.ledger.database().begin().await.unwrap();
    on!(&mut tx, conn => sqlx::query(
        "insert into dead_letter (consumer, topic, key, envelope, fingerprint, reason, state, recorded_at)
         values ('task-api', 'task-events', $1, $2, $2, 'poison', 'parked', $3)"
    )
    .bind(key)
    .bind(b"poison".as_slice())
    .bind(fixture.context().now)
    .execute(conn)
    .await
    .map(drop))
    .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn what_has_to_wait_for_a_batch_is_not_decided_in_vain_nor_overtaken() {
    for fixture in Fixture::every().await {
        fixture.create(1, "open").await.unwrap();
        let held = Held::over(&fixture);
        let both = holding(&fixture, nothing);
        let first = held.execute(None, &[1, 8], both);
        held.is_writing().await;

        let (decide, waiting) = counted(complete(1));
        let second = held.execute(None, &[1], decide);
        let (decide, behind) = counted(create(task(2, "behind", fixture.context().now)));
        let third = held.execute(None, &[2], decide);
        held.let_go();

        for outcome in [first, second, third] {
            assert!(outcome.await.unwrap().is_ok());
        }
        assert_eq!((*waiting.borrow(), *behind.borrow()), (1, 1));
        let events = fixture.ledger.events_after(2, 10).await.unwrap();
        let streams: Vec<u128> = events
            .iter()
            .map(|event| event.stream_id.as_u128())
            .collect();
        assert_eq!(streams, [1, 2]);
    }
}

#[tokio::test]
async fn a_command_the_database_refuses_fails_alone_also_when_it_was_decided_ahead() {
    for fixture in Fixture::every().await {
        let held = Held::over(&fixture);
        let first = held.execute(None, &[8], holding(&fixture, nothing));
        held.is_writing().await;

        let mut others = Vec::new();
        for (title, id) in ["two", "poison", "four"].iter().zip(2..) {
            let (decide, mut rounds) = counted(create(task(id, title, fixture.context().now)));
            others.push(held.execute(None, &[id], decide));
            rounds.wait_for(|rounds| *rounds == 1).await.unwrap();
        }
        held.let_go();

        assert!(first.await.unwrap().is_ok());
        let mut failed = Vec::new();
        for other in others {
            failed.push(other.await.unwrap().is_err());
        }
        assert_eq!(failed, [false, true, false]);
        fixture.assert_dense().await;
    }
}
