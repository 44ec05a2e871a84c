//! Rows that an older version of their projection made, or nobody yet, are found and made anew.

use std::sync::Arc;

use database::{on, sqlx};
use event_store::{Catalog, Error, Projection, Rebuild, Stale, StreamChange, Tables, Trip};
use futures_util::future::BoxFuture;

use crate::fixture::{Fixture, TestTask, Titles};

/// The fixture's projection in another version of itself.
#[derive(Debug)]
struct Made(u32, &'static str);

impl Projection for Made {
    fn name(&self) -> &'static str {
        Titles.name()
    }

    fn tables(&self) -> &'static [&'static str] {
        Titles.tables()
    }

    fn version(&self) -> u32 {
        self.0
    }

    fn rules(&self) -> &'static str {
        self.1
    }

    fn apply<'a>(
        &'a self,
        trip: &'a mut Trip<'_>,
        into: Tables,
        changes: &'a [StreamChange],
    ) -> BoxFuture<'a, Result<(), database::Error>> {
        Titles.apply(trip, into, changes)
    }
}

fn by(version: u32, rules: &'static str) -> Catalog {
    Catalog::new(vec![Arc::new(Made(version, rules))]).kind::<TestTask>()
}

async fn stale(fixture: &Fixture, catalog: &Catalog) -> Vec<Stale> {
    let database = fixture.ledger.database();
    Rebuild::new(database, catalog).stale().await.unwrap()
}

/// Whether it was necessary.
async fn refresh(fixture: &Fixture, catalog: &Catalog) -> bool {
    let database = fixture.ledger.database();
    let rebuild = Rebuild::new(database, catalog);
    rebuild.refresh("titles", |_| {}).await.unwrap().is_some()
}

async fn run(fixture: &Fixture, statement: &'static str) {
    let mut tx = fixture.ledger.database().begin().await.unwrap();
    let done = on!(&mut tx, conn => sqlx::query(statement).execute(conn).await.map(drop));
    done.unwrap();
    tx.commit().await.unwrap();
}

const OLD: Stale = Stale {
    projection: "titles",
    is_unfilled: false,
};
const UNFILLED: Stale = Stale {
    projection: "titles",
    is_unfilled: true,
};

#[tokio::test]
async fn of_an_empty_log_every_row_is_there() {
    for fixture in Fixture::every().await {
        assert_eq!(stale(&fixture, &by(3, "2026a")).await, []);

        fixture.create(1, "one").await.unwrap();

        assert_eq!(stale(&fixture, &by(3, "2026a")).await, []);
        assert!(!refresh(&fixture, &by(3, "2026a")).await);
    }
}

#[tokio::test]
async fn what_a_later_version_makes_otherwise_is_made_anew_once() {
    for fixture in Fixture::every().await {
        assert_eq!(stale(&fixture, &by(1, "2026a")).await, []);
        fixture.create(1, "one").await.unwrap();
        run(&fixture, "update title set title = 'as it was'").await;

        for later in [by(1, "2026b"), by(2, "2026a")] {
            assert_eq!(stale(&fixture, &later).await, [OLD]);
            assert!(refresh(&fixture, &later).await);
            assert_eq!(fixture.titles().await, ["one"]);
            assert_eq!(stale(&fixture, &later).await, []);
            assert!(!refresh(&fixture, &later).await);
        }
    }
}

#[tokio::test]
async fn an_older_version_leaves_the_rows_of_a_newer_one_alone() {
    for fixture in Fixture::every().await {
        assert_eq!(stale(&fixture, &by(2, "2026b")).await, []);
        fixture.create(1, "one").await.unwrap();

        assert_eq!(stale(&fixture, &by(2, "2026a")).await, []);
        assert_eq!(stale(&fixture, &by(1, "2026c")).await, []);
    }
}

#[tokio::test]
async fn rows_of_before_versions_were_noted_are_made_anew_and_read_meanwhile() {
    for fixture in Fixture::every().await {
        fixture.create(1, "one").await.unwrap();

        assert_eq!(stale(&fixture, &by(1, "")).await, [OLD]);
        assert!(refresh(&fixture, &by(1, "")).await);
        assert_eq!(stale(&fixture, &by(1, "")).await, []);
    }
}

#[tokio::test]
async fn a_new_projection_of_an_old_log_is_filled_also_when_it_was_interrupted() {
    for fixture in Fixture::every().await {
        fixture.create(1, "one").await.unwrap();
        run(&fixture, "delete from title").await;

        assert_eq!(stale(&fixture, &by(1, "")).await, [UNFILLED]);
        // The service runs, writes what is new, and is killed before the rows are made.
        fixture.create(2, "two").await.unwrap();
        assert_eq!(fixture.titles().await, ["two"]);
        let fixture = fixture.restart().await;

        assert_eq!(stale(&fixture, &by(1, "")).await, [UNFILLED]);
        assert!(refresh(&fixture, &by(1, "")).await);
        assert_eq!(fixture.titles().await, ["one", "two"]);
        assert_eq!(stale(&fixture, &by(1, "")).await, []);
    }
}

#[tokio::test]
async fn nobody_reads_rows_that_are_made_for_the_first_time() {
    for fixture in Fixture::every().await {
        assert!(fixture.ledger.rows("titles").is_ok());

        fixture.ledger.set_unfilled(vec!["titles"]);

        let refused = fixture.ledger.rows("titles");
        assert!(matches!(refused, Err(Error::Rebuilding("titles"))));
        assert!(fixture.ledger.rows("others").is_ok());
        fixture.ledger.set_unfilled(Vec::new());
        assert!(fixture.ledger.rows("titles").is_ok());
    }
}
