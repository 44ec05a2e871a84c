//! What the hand-over between decider and committer holds.

use std::iter::repeat_with;

use clock::SystemClock;
use database::testing::TestDatabase;
use event_schema::App;

use super::*;
use crate::{LaneLimits, Ledger, MIGRATIONS};

async fn add(next: &Next, count: usize) {
    next.add(repeat_with(Submission::of_nothing).take(count))
        .await;
}

#[tokio::test]
async fn what_arrived_and_what_was_decided_ahead_take_room() {
    let test = TestDatabase::sqlite(&[MIGRATIONS]).await;
    let (clock, limits) = (Arc::new(SystemClock::new()), LaneLimits::default());
    let (ledger, _lane) = Ledger::new(App::TaskApi, test.database, clock, Vec::new(), limits);
    let next = Next::new(ledger.core, 6);
    assert_eq!(next.room().await, 6);

    add(&next, 1).await;
    assert_eq!(next.room().await, 5);
    assert_eq!(next.take().await.unwrap().submissions.len(), 1);
    assert_eq!(next.room().await, 6);

    add(&next, 3).await;
    assert!(next.decide().await, "beside the batch that was taken");
    assert_eq!(next.room().await, 3);
    add(&next, 2).await;
    assert_eq!(next.room().await, 1);
    add(&next, 1).await;
    assert_eq!(next.room().await, 0);
}
