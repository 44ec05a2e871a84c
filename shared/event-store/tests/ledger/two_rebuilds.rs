//! Two processes of a ledger that both find rows of an older version.

use database::Database;
use event_store::{Rebuild, RebuildError};

use crate::rebuild::{Running, catalog};

/// What a process does at its start, as often as it must; returns how many rebuilds it made.
async fn refresh_what_is_stale(database: Database) -> usize {
    let catalog = catalog();
    let rebuild = Rebuild::new(&database, &catalog).page(2);
    let mut made = 0;
    while let Some(stale) = rebuild.stale().await.unwrap().first() {
        match rebuild.refresh(stale.projection, |_| {}).await {
            Err(RebuildError::AlreadyRunning) => tokio::task::yield_now().await,
            done => made += usize::from(done.unwrap().is_some()),
        }
    }
    made
}

#[tokio::test]
async fn of_two_processes_that_find_stale_rows_one_makes_them_and_the_other_finds_them_made() {
    for running in Running::every().await {
        running.fill(20).await;
        let (schema, words) = (running.schema().await, running.words().await);
        for statement in ["delete from words", "update texts set version = 77"] {
            running.change(statement).await;
        }
        let (one, other) = (running.elsewhere().await, running.elsewhere().await);

        let (one, other, created) = tokio::join!(
            refresh_what_is_stale(one),
            refresh_what_is_stale(other),
            running.create(100),
        );

        created.unwrap();
        assert_eq!(one + other, 1, "{one} by the one, {other} by the other");
        assert_eq!(running.words().await[..words.len()], words);
        assert_eq!(running.schema().await, schema);
        running.assert_sound().await;
    }
}
