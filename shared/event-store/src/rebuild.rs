//! Makes the tables of a projection anew from the log, while its service runs.

mod stale;
mod switch;

pub use stale::Stale;

use std::time::Duration;

use database::{Database, Tx};
use tokio::time::Instant;

use crate::Error;
use crate::catalog::Catalog;
use crate::projection::{self, Projection, Tables};
use crate::replay::{self, Page};
use crate::store::{alone, events, tables, to_u64};

/// Events that are folded in one transaction. The lane of a SQLite file waits for it.
const PAGE: i64 = 2_000;
/// How often the switch is tried while something reads the old tables.
const TRIES: u32 = 30;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a transaction is asked for: a lane that never rests leaves small gaps only.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two questions.
const GAP: Duration = Duration::from_millis(2);

/// How far a rebuild is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Events that are in the new tables.
    pub events: u64,
    /// Events in the log, as far as is known.
    pub of: u64,
}

/// What a rebuild did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Events in the new tables.
    pub events: u64,
    /// Those of them that were folded while the lane waited.
    pub tail: u64,
    /// How long the lane waited.
    pub switch: Duration,
}

/// Why there are no new tables. What the service reads is as before.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// There is no such projection.
    #[error("there is no projection {wanted} here; there are: {}", known.join(", "))]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// Two would write the same tables.
    #[error("another rebuild of this ledger is running; wait for it, or end it")]
    AlreadyRunning,
    /// A long transaction reads the tables.
    #[error(
        "the new tables could not take the place of the old ones: something has been reading those \
         for long, such as a backup or `ledger verify`; try again when it has ended ({0})"
    )]
    Busy(Error),
    /// The log cannot be read or a table not be written.
    #[error(transparent)]
    Ledger(#[from] Error),
}

impl From<database::Error> for RebuildError {
    fn from(error: database::Error) -> Self {
        Self::Ledger(error.into())
    }
}

/// Makes the tables of a projection anew from the log, while its service runs.
///
/// The log is folded page by page into new tables; then, under the lane's lock, one transaction
/// adds what was appended meanwhile and switches the names. Whatever ends a rebuild before that
/// commit, the service has not noticed, and the next one begins anew. The tables of before are kept
/// until then, as `tasks__old`. Nothing but these tables is written: no event, timer or message.
#[derive(Debug)]
pub struct Rebuild<'a> {
    database: &'a Database,
    catalog: &'a Catalog,
    page: i64,
}

/// A rebuild under way.
struct Work<'a> {
    database: Database,
    catalog: &'a Catalog,
    page: i64,
    projection: &'a dyn Projection,
}

impl<'a> Rebuild<'a> {
    /// Of a projection in this catalog.
    pub fn new(database: &'a Database, catalog: &'a Catalog) -> Self {
        Self {
            database,
            catalog,
            page: PAGE,
        }
    }

    /// Folds so many events in one transaction.
    #[must_use]
    pub fn page(mut self, events: u32) -> Self {
        self.page = i64::from(events.max(1));
        self
    }

    /// Rebuilds the projection of this name. `progress` is told after every page.
    pub async fn run(
        &self,
        projection: &str,
        progress: impl FnMut(Progress),
    ) -> Result<Rebuilt, RebuildError> {
        let projection = self.find(projection)?;
        let alone = alone::claim(self.database).await?;
        let alone = alone.ok_or(RebuildError::AlreadyRunning)?;
        let rebuilt = self.work(projection, progress).await?;
        alone.release().await?;
        Ok(rebuilt)
    }

    fn find(&self, projection: &str) -> Result<&'a dyn Projection, RebuildError> {
        let found = self.catalog.projection(projection);
        found.ok_or_else(|| RebuildError::Unknown {
            wanted: projection.to_owned(),
            known: self.catalog.projection_names(),
        })
    }

    async fn work(
        &self,
        projection: &'a dyn Projection,
        mut progress: impl FnMut(Progress),
    ) -> Result<Rebuilt, RebuildError> {
        let work = Work {
            database: self.database.in_bulk().await?,
            catalog: self.catalog,
            page: self.page,
            projection,
        };
        work.clear().await?;
        let mut tx = work.begin().await?;
        tables::create(&mut tx, projection.tables(), Tables::NEW).await?;
        tx.commit().await?;
        let position = work.catch_up(0, &mut progress).await?;
        tables::prepare(&work.database, projection.tables()).await?;
        work.switch(position, &mut progress).await
    }
}

impl Work<'_> {
    /// A transaction that may write, as soon as the database has room for it.
    async fn begin(&self) -> Result<Tx, database::Error> {
        let begun = Instant::now();
        loop {
            match self.database.begin().await {
                Err(error) if error.is_unavailable() && begun.elapsed() < PATIENCE => {}
                outcome => return outcome,
            }
            tokio::time::sleep(GAP).await;
        }
    }

    /// Drops what earlier rebuilds left: tables that were replaced, and those of one that was
    /// interrupted. Step by step, because a SQLite file is not to be held for as long as all takes.
    async fn clear(&self) -> Result<(), database::Error> {
        for into in [Tables::NEW, Tables::OLD] {
            for table in self.projection.tables().iter().rev() {
                let mut more = true;
                while more {
                    let mut tx = self.begin().await?;
                    more = tables::discard(&mut tx, &into.name(table)).await?;
                    tx.commit().await?;
                }
            }
        }
        Ok(())
    }

    /// Folds page after page until one is not full, and returns its end.
    ///
    /// A SQLite file has one writer. It is ours for at most half of the time, the rest is the lane's.
    async fn catch_up(
        &self,
        mut position: i64,
        progress: &mut impl FnMut(Progress),
    ) -> Result<i64, Error> {
        let mut next_turn = Instant::now();
        loop {
            let mut tx = self.database.read().await?;
            let of = events::last_position(&mut tx).await?;
            let page = replay::page(&mut tx, self.catalog, position, self.page).await?;
            tx.rollback().await?;
            let Some(page) = page else {
                return Ok(position);
            };
            if matches!(self.database, Database::Sqlite { .. }) {
                tokio::time::sleep_until(next_turn).await;
            }
            let held = self.write(&page).await?;
            next_turn = Instant::now() + held;
            position = page.end;
            progress(Progress {
                events: to_u64(position),
                of: to_u64(of),
            });
            if i64::try_from(page.events) != Ok(self.page) {
                return Ok(position);
            }
        }
    }

    /// Writes a page into the new tables; returns how long that took.
    async fn write(&self, page: &Page) -> Result<Duration, database::Error> {
        let mut tx = self.begin().await?;
        let begun = Instant::now();
        projection::apply(self.projection, &mut tx, Tables::NEW, &page.changes).await?;
        tx.commit().await?;
        Ok(begun.elapsed())
    }
}
