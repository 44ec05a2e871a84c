//! Projections run inside the lane: whatever they do, the lane survives and nothing is half done.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clock::SharedClock;
use database::sqlx;
use event_schema::TaskEvent;
use event_store::{Answer, Error, LaneLimits, Ledger, Projection, StreamChange, Tables, Trip, Way};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::fixture::{Fixture, TestError, TestResult, TestTask, create, task};

/// What goes wrong is said by the title of the task.
#[derive(Debug, Default)]
struct Faulty {
    hanging: Notify,
    most_changes: AtomicUsize,
}

#[expect(clippy::panic, reason = "a bug in a projection is what is tested")]
impl Projection for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
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
            self.most_changes.fetch_max(changes.len(), Ordering::SeqCst);
            for task in changes.iter().filter_map(StreamChange::state::<TestTask>) {
                match task.title.as_str() {
                    "panics" => std::panic::panic_any("a bug"),
                    "hangs" => {
                        self.hanging.notify_one();
                        std::future::pending::<()>().await;
                    }
                    "swallows" => {
                        let insert = "insert into nowhere values (1)";
                        match trip.way() {
                            Way::Postgres(together) => drop(together.part("swallowed", insert)),
                            Way::Sqlite(conn) => drop(sqlx::query(insert).execute(conn).await),
                        }
                    }
                    _ => {}
                }
            }
            Ok(())
        }
        .boxed()
    }
}

/// A second ledger over the fixture's database, with the faulty projection.
fn faulty(fixture: &Fixture) -> (Ledger, Arc<Faulty>, CancellationToken) {
    let projection = Arc::new(Faulty::default());
    let (ledger, lane) = Ledger::new(
        event_schema::App::TaskApi,
        fixture.ledger.database().clone(),
        Arc::clone(&fixture.clock) as SharedClock,
        vec![Arc::clone(&projection) as Arc<dyn Projection>],
        LaneLimits::default(),
    );
    let stop = CancellationToken::new();
    tokio::spawn(lane.run(stop.clone()));
    (ledger, projection, stop)
}

async fn make(fixture: &Fixture, ledger: &Ledger, id: u128, title: &str) -> TestResult {
    let task = task(id, title, fixture.context().now);
    ledger
        .execute(fixture.context(), None, &[], create(task))
        .await
}

#[tokio::test]
async fn a_panic_in_a_projection_fails_alone_and_the_lane_goes_on() {
    for fixture in Fixture::every().await {
        let (ledger, _, _stop) = faulty(&fixture);

        let titles = ["one", "panics", "three"];
        let outcomes = join_all(
            titles
                .iter()
                .zip(1..)
                .map(|(title, id)| make(&fixture, &ledger, id, title)),
        )
        .await;

        assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");
        assert!(matches!(outcomes[1], Err(TestError::Ledger(Error::Bug(_)))));
        assert!(make(&fixture, &ledger, 4, "later").await.is_ok());
        fixture.assert_dense().await;
    }
}

#[tokio::test]
async fn a_projection_that_swallows_an_error_does_not_make_the_lane_lie() {
    for fixture in Fixture::every().await {
        let (ledger, _, _stop) = faulty(&fixture);

        let outcome = make(&fixture, &ledger, 1, "swallows").await;

        // SQLite undoes the statement alone, PostgreSQL the whole transaction.
        let id = Uuid::from_u128(1);
        let stored = ledger.state::<TestTask>(id).await.unwrap().is_some();
        assert_eq!(outcome.is_ok(), stored, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_transaction_that_hangs_is_given_up_and_the_lane_goes_on() {
    for fixture in Fixture::every().await {
        let (ledger, projection, _stop) = faulty(&fixture);
        let give_up = async {
            projection.hanging.notified().await;
            tokio::time::pause(); // Nothing but the lane's limit can happen now.
        };

        let (outcome, ()) = tokio::join!(make(&fixture, &ledger, 1, "hangs"), give_up);
        tokio::time::resume();

        assert!(
            matches!(outcome, Err(TestError::Ledger(Error::Unavailable(_)))),
            "{outcome:?}"
        );
        let later = make(&fixture, &ledger, 2, "later").await;
        assert!(later.is_ok(), "{later:?}");
        fixture.assert_dense().await;
    }
}

#[tokio::test]
async fn a_batch_ends_before_it_holds_much_more_than_a_mebibyte() {
    for fixture in Fixture::every().await {
        let (ledger, projection, _stop) = faulty(&fixture);

        let outcomes = join_all((1..=40).map(|id| {
            let mut large = task(id, "large", fixture.context().now);
            large.notes = "x".repeat(64 * 1024);
            ledger.execute(fixture.context(), None, &[], create(large))
        }));

        let outcomes = tokio::time::timeout(Duration::from_secs(30), outcomes)
            .await
            .unwrap();
        assert!(outcomes.iter().all(Result::is_ok));
        let most = projection.most_changes.load(Ordering::SeqCst);
        assert!((2..=17).contains(&most), "{most} streams in a batch");
        fixture.assert_dense().await;
    }
}

/// Notes what it is told: the title before and the title now.
#[derive(Debug, Default)]
struct Witness(Mutex<Vec<(Option<String>, String)>>);

impl Projection for Witness {
    fn name(&self) -> &'static str {
        "witness"
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
        let seen = changes.iter().filter_map(|change| {
            let before = change.before::<TestTask>().map(|task| task.title.clone());
            Some((before, change.state::<TestTask>()?.title.clone()))
        });
        self.0.lock().unwrap().extend(seen);
        async { Ok(()) }.boxed()
    }
}

#[tokio::test]
async fn a_projection_is_told_the_state_that_its_rows_were_made_from() {
    for fixture in Fixture::every().await {
        let witness = Arc::new(Witness::default());
        let (ledger, lane) = Ledger::new(
            event_schema::App::TaskApi,
            fixture.ledger.database().clone(),
            Arc::clone(&fixture.clock) as SharedClock,
            vec![Arc::clone(&witness) as Arc<dyn Projection>],
            LaneLimits::default(),
        );
        let mut lane = lane;
        // All of them in one batch, one command after the other.
        let mut batch = async |titles: &[&str]| {
            let commands = titles.iter().map(|title| retitle(&fixture, &ledger, title));
            let (outcomes, _) = tokio::join!(join_all(commands), lane.run_once());
            assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
            std::mem::take(&mut *witness.0.lock().unwrap())
        };
        let pair =
            |before: Option<&str>, now: &str| vec![(before.map(str::to_owned), now.to_owned())];

        assert_eq!(batch(&["one", "two"]).await, pair(None, "two"));
        assert_eq!(batch(&["three"]).await, pair(Some("two"), "three"));
        assert_eq!(batch(&["four", "five"]).await, pair(Some("three"), "five"));
        assert_eq!(batch(&["six", "five"]).await, pair(Some("five"), "five"));
    }
}

/// Makes task 1 with this title, or gives it to it: the state is looked at first.
async fn retitle(fixture: &Fixture, ledger: &Ledger, title: &str) -> TestResult {
    let task = task(1, title, fixture.context().now);
    ledger
        .execute(fixture.context(), None, &[], move |unit| {
            unit.append::<TestTask>(task.id, &TaskEvent::Created(Box::new(task.clone())));
            Ok::<_, TestError>(Answer::default())
        })
        .await
}
