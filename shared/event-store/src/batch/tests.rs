//! What was decided ahead stands or falls with the queues of dead letters of its keys.

use std::sync::Arc;

use chrono::DateTime;
use clock::SystemClock;
use dapr_client::DeadLetter;
use database::testing::TestDatabase;
use event_schema::App;

use super::*;
use crate::store::{dead_letters, events};
use crate::{LaneLimits, Ledger, MIGRATIONS};

const APP: App = App::TaskApi;

fn core(database: &TestDatabase) -> Arc<Core> {
    let (clock, limits) = (Arc::new(SystemClock::new()), LaneLimits::default());
    let (ledger, _lane) = Ledger::new(APP, database.database.clone(), clock, Vec::new(), limits);
    ledger.core
}

async fn decided_ahead(core: &Core, submissions: &mut [Submission]) -> Batch {
    let (mut tx, past) = look(core, &core.database.reader(), submissions)
        .await
        .unwrap();
    let mut batch = Batch::default();
    batch
        .decide_ahead(core, &mut tx, past, submissions)
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    batch
}

async fn is_overtaken(core: &Core, batch: Batch, submissions: &mut [Submission]) -> bool {
    let writer = core.database.writer(events::BEGIN_LANE);
    let committed = batch.commit(core, &writer, submissions).await.unwrap();
    committed.is_none()
}

async fn park(core: &Core, key: &str) {
    let poison = DeadLetter {
        topic: "task-events".to_owned(),
        event_id: None,
        event_type: None,
        subject: None,
        key: Some(key.to_owned()),
        version: None,
        raw: b"{".as_slice().into(),
        reason: "unreadable".to_owned(),
    };
    let mut tx = core.database.begin().await.unwrap();
    let parked = dead_letters::park(&mut tx, APP.id(), &poison, DateTime::UNIX_EPOCH).await;
    assert_eq!(parked.unwrap(), Some(1));
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_delivery_whose_key_has_no_queue_is_not_overtaken() {
    for test in TestDatabase::every(&[MIGRATIONS]).await {
        let core = core(&test);
        let mut submissions = [Submission::of_fact("a key", 1)];
        let batch = decided_ahead(&core, &mut submissions).await;

        park(&core, "another key").await;

        assert!(!is_overtaken(&core, batch, &mut submissions).await);
    }
}

#[tokio::test]
async fn a_delivery_whose_key_was_parked_since_is_overtaken() {
    for test in TestDatabase::every(&[MIGRATIONS]).await {
        let core = core(&test);
        let mut submissions = [Submission::of_fact("a key", 1)];
        let batch = decided_ahead(&core, &mut submissions).await;

        park(&core, "a key").await;

        assert!(is_overtaken(&core, batch, &mut submissions).await);
    }
}
