//! What goes wrong around the ledger: a clear error for the caller, nothing lost, nothing twice, and
//! it goes on by itself.

mod database_away;
mod disk_full;
mod locks;

use event_store::Error;
use futures_util::future::join_all;

use crate::fixture::{Fixture, TestError, TestResult, task};

/// It was not carried out, or nobody knows; asking again may help.
fn is_unavailable(outcome: &TestResult) -> bool {
    matches!(outcome, Err(TestError::Ledger(Error::Unavailable(_))))
}

#[tokio::test]
async fn an_event_that_no_broker_would_take_is_refused_and_leaves_nothing() {
    for fixture in Fixture::every().await {
        let create = |id, length| {
            let mut task = task(id, "Pay rent", fixture.context().now);
            task.notes = "x".repeat(length);
            fixture.create_task(task)
        };

        let outcomes = join_all([create(1, 10), create(2, 1024 * 1024), create(3, 10)]).await;

        assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");
        let Err(TestError::Ledger(error @ Error::TooLarge { .. })) = &outcomes[1] else {
            panic!("{:?}", outcomes[1]);
        };
        assert!(!error.is_transient());
        assert!(error.to_string().contains("task.created.v1"), "{error}");
        assert_eq!(fixture.titles().await.len(), 2);
        fixture.assert_dense().await;
    }
}
