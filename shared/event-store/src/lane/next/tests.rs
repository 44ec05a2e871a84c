//! What the hand-over between decider and committer holds, and in which order.

use clock::SystemClock;
use database::Database;
use database::testing::TestDatabase;
use event_schema::{Actor, App, Task, TaskEvent, TaskId, UserId};
use uuid::Uuid;

use super::*;
use crate::{Aggregate, Answer, LaneLimits, Ledger, MIGRATIONS, Unit};

const MOST: usize = 6;

#[derive(Debug)]
struct Chore;

impl Aggregate for Chore {
    const KIND: &'static str = "task";
    type Events = TaskEvent;

    fn evolve(state: Option<Task>, event: &TaskEvent) -> Option<Task> {
        match event {
            TaskEvent::Created(task) => Some((**task).clone()),
            _ => state,
        }
    }

    fn partition_key(task: &Task) -> Uuid {
        task.id.as_uuid()
    }
}

fn stream(id: u128) -> StreamRef {
    StreamRef::of::<Chore>(Uuid::from_u128(id))
}

/// A command that looks at a stream.
fn looks_at(id: u128) -> Submission {
    Submission {
        streams: vec![stream(id)],
        ..Submission::of_nothing()
    }
}

/// A command that adds an event of 300 KiB: four of them fill a batch.
fn adds_much(id: u128) -> Submission {
    let (owner, title) = (UserId(Uuid::nil()), "x".repeat(300 * 1024));
    let now = chrono::DateTime::UNIX_EPOCH;
    let task = Task::new(
        TaskId(Uuid::from_u128(id)),
        owner,
        &title,
        Actor::User(owner),
        now,
    );
    let decide = move |unit: &mut Unit<'_>| {
        unit.append::<Chore>(
            task.id.as_uuid(),
            &TaskEvent::Created(Box::new(task.clone())),
        );
        Ok(Answer::default())
    };
    Submission {
        streams: vec![stream(id)],
        ..Submission::of(decide)
    }
}

/// The hand-over while a batch is written that looks at stream 9.
async fn beside_a_batch(test: &TestDatabase) -> Next {
    beside_a_batch_with_room(test, MOST).await
}

async fn beside_a_batch_with_room(test: &TestDatabase, most: usize) -> Next {
    let (clock, limits) = (Arc::new(SystemClock::new()), LaneLimits::default());
    let database = test.database.clone();
    let (ledger, _lane) = Ledger::new(App::TaskApi, database, clock, Vec::new(), limits);
    let next = Next::new(ledger.core, most);
    add(&next, [looks_at(9)]).await;
    next.take().await.unwrap();
    next
}

async fn add(next: &Next, commands: impl IntoIterator<Item = Submission>) {
    next.add(commands.into_iter()).await;
}

/// The streams of the next batch in its order, and whether it was decided ahead.
async fn take(next: &Next) -> (Vec<u128>, bool) {
    let job = next.take().await.unwrap();
    let streams = job.submissions.iter().flat_map(|one| &one.streams);
    let ids = streams.map(|stream| stream.stream_id.as_u128()).collect();
    (ids, job.decided.is_some())
}

#[tokio::test]
async fn what_arrived_and_what_was_decided_ahead_take_room() {
    let test = TestDatabase::sqlite(&[MIGRATIONS]).await;
    let next = beside_a_batch(&test).await;
    assert_eq!(next.room().await, 6);

    add(&next, [1, 2, 3].map(looks_at)).await;
    assert_eq!(next.room().await, 3);
    assert!(next.decide().await);
    assert_eq!(next.room().await, 3);
    add(&next, [4, 5].map(looks_at)).await;
    assert_eq!(next.room().await, 1);
    add(&next, [looks_at(6)]).await;
    assert_eq!(next.room().await, 0);
}

#[tokio::test]
async fn what_may_be_changed_by_the_batch_waits_for_it_and_so_does_what_is_behind() {
    let test = TestDatabase::sqlite(&[MIGRATIONS]).await;
    let next = beside_a_batch(&test).await;
    assert!(!next.decide().await, "there is nothing");

    add(&next, [9, 1].map(looks_at)).await;
    assert!(!next.decide().await, "the first waits");
    assert_eq!(take(&next).await, (vec![9, 1], false));

    add(&next, [Submission::of_fact("a key", 1)]).await;
    assert!(next.decide().await);
    assert!(take(&next).await.1);
    add(&next, [Submission::of_fact("a key", 2)]).await;
    assert!(!next.decide().await, "the same key");
}

#[tokio::test]
async fn a_full_batch_takes_no_more_and_the_rest_is_the_next() {
    let test = TestDatabase::sqlite(&[MIGRATIONS]).await;
    let next = beside_a_batch(&test).await;

    add(&next, [1, 2, 3, 4, 5].map(adds_much)).await;
    assert!(next.decide().await);
    assert_eq!(next.room().await, 1, "all five are here");
    assert!(!next.decide().await, "the batch is full");

    assert_eq!(take(&next).await, (vec![1, 2, 3, 4], true));
    assert_eq!(take(&next).await, (vec![5], false));
}

#[tokio::test]
async fn what_cannot_be_decided_ahead_is_decided_later_in_its_order() {
    let test = TestDatabase::sqlite(&[MIGRATIONS]).await;
    let next = beside_a_batch(&test).await;
    add(&next, [looks_at(1)]).await;
    assert!(next.decide().await);

    let Database::Sqlite { readers, .. } = &test.database else {
        panic!("it is a file")
    };
    readers.close().await;
    add(&next, [2, 3].map(looks_at)).await;
    assert!(next.decide().await);
    assert_eq!(next.room().await, 3);
    assert!(!next.decide().await, "it was given up");

    assert_eq!(take(&next).await, (vec![1, 2, 3], false));
}

#[tokio::test]
async fn of_many_commands_half_are_left_to_the_next_batch() {
    let test = TestDatabase::sqlite(&[MIGRATIONS]).await;
    let next = beside_a_batch_with_room(&test, 256).await;

    add(&next, (101..=199).map(looks_at)).await;
    assert!(next.decide().await);
    assert!(!next.decide().await, "half of the hundred is decided");
    assert_eq!(take(&next).await, ((101..=150).collect(), true));

    assert!(next.decide().await);
    assert!(!next.decide().await, "nothing is left");
    assert_eq!(take(&next).await, ((151..=199).collect(), true));
}

#[tokio::test]
async fn a_share_is_decided_in_several_goes() {
    let test = TestDatabase::sqlite(&[MIGRATIONS]).await;
    let next = beside_a_batch_with_room(&test, 256).await;

    add(&next, (101..=255).map(looks_at)).await;
    assert!(next.decide().await);
    assert!(next.decide().await);
    assert!(!next.decide().await, "half of the 156 is decided");
    assert_eq!(take(&next).await, ((101..=178).collect(), true));
}

#[tokio::test]
async fn what_is_not_worth_two_commits_is_one_batch() {
    let test = TestDatabase::sqlite(&[MIGRATIONS]).await;
    let next = beside_a_batch_with_room(&test, 256).await;

    add(&next, (101..=132).map(looks_at)).await;
    assert!(next.decide().await);
    assert_eq!(take(&next).await, ((101..=132).collect(), true));
}

#[tokio::test]
async fn half_of_what_waited_for_a_batch_waits_for_the_next() {
    let test = TestDatabase::sqlite(&[MIGRATIONS]).await;
    let next = beside_a_batch_with_room(&test, 256).await;

    add(&next, (0..100).map(|_| looks_at(9))).await;
    assert!(!next.decide().await, "all wait for it");
    assert_eq!(take(&next).await, (vec![9; 50], false));
    assert_eq!(take(&next).await, (vec![9; 32], false));
    assert_eq!(take(&next).await, (vec![9; 18], false));
}
