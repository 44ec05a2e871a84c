//! One stream with very many versions.

use std::time::Duration;

use event_schema::TaskEvent;
use event_store::{Answer, StreamRef};
use tokio::time::Instant;
use uuid::Uuid;

use crate::fixture::{Fixture, TestError, TestTask, completed, task};

/// As many events as a unit of work appends here.
const TOGETHER: u64 = 500;
/// Commands of which the fastest counts.
const TRIES: u64 = 10;
const USUAL: u64 = 10_000;

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no command line to say it on"
)]
fn events() -> u64 {
    std::env::var("TASKLEDGER_TEST_STREAM_EVENTS").map_or(USUAL, |text| text.parse().unwrap())
}

/// Appends events to the stream; returns its version then.
async fn append(fixture: &Fixture, count: u64) -> u64 {
    let id = Uuid::from_u128(1);
    let decide = move |unit: &mut event_store::Unit<'_>| {
        if unit.version::<TestTask>(id) == 0 {
            let task = task(1, "long", unit.now());
            unit.append::<TestTask>(id, &TaskEvent::Created(Box::new(task)));
        } else {
            for _ in 0..count {
                unit.append::<TestTask>(id, &completed(unit.now()));
            }
        }
        let etag = Some(unit.version::<TestTask>(id));
        Ok::<_, TestError>(Answer {
            etag,
            ..Answer::default()
        })
    };
    let streams = [StreamRef::of::<TestTask>(id)];
    let outcome = fixture
        .ledger
        .execute(fixture.context(), None, &streams, decide)
        .await;
    let event_store::Outcome::Accepted(answer) = outcome.unwrap() else {
        unreachable!("no key was used")
    };
    answer.etag.unwrap()
}

/// How long a command takes that nothing held up.
async fn fastest(fixture: &Fixture) -> Duration {
    let mut fastest = Duration::MAX;
    for _ in 0..TRIES {
        let begun = Instant::now();
        append(fixture, 1).await;
        fastest = fastest.min(begun.elapsed());
    }
    fastest
}

#[tokio::test]
async fn a_stream_of_very_many_events_takes_commands_and_shows_any_page_of_its_history() {
    for fixture in Fixture::every().await {
        let (name, begun) = (fixture.test.name(), Instant::now());
        append(&fixture, 1).await;
        let short = fastest(&fixture).await;
        while append(&fixture, TOGETHER).await < events() {}
        let filled = begun.elapsed();

        let fixture = fixture.restart().await; // Nothing in memory.
        let version = append(&fixture, 1).await;
        let long = fastest(&fixture).await;
        let version = version + TRIES;

        let id = Uuid::from_u128(1);
        for after in [0, version / 2, version - 3] {
            let read = Instant::now();
            let page = fixture.ledger.events_of::<TestTask>(id, after, 100).await;
            let versions: Vec<i64> = page.unwrap().iter().map(|event| event.version).collect();
            let first = i64::try_from(after).unwrap() + 1;
            let last = i64::try_from(version.min(after + 100)).unwrap();
            assert_eq!(versions, (first..=last).collect::<Vec<_>>());
            eprintln!(
                "{name}: a page after version {after} in {:.1?}",
                read.elapsed()
            );
        }
        eprintln!(
            "{name}: {version} versions in {filled:.1?}; a command took {short:.1?} at the \
             beginning and {long:.1?} at the end"
        );
    }
}
