//! The moment in which new tables take the place of the old ones.

use tokio::time::Instant;

use super::{PAUSE, Progress, RebuildError, Rebuilt, TRIES, Work};
use crate::projection::{self, Tables};
use crate::store::{events, projections, tables, to_u64};
use crate::{Error, replay};

impl Work<'_> {
    /// Tries until nothing reads the old tables for a moment. The lane waits for one try at a time.
    pub(super) async fn switch(
        &self,
        mut position: i64,
        progress: &mut impl FnMut(Progress),
    ) -> Result<Rebuilt, RebuildError> {
        let mut tries = 1;
        loop {
            match self.try_switch(position).await {
                Err(error) if !error.is_transient() => return Err(error.into()),
                Err(error) if tries == TRIES => return Err(RebuildError::Busy(error)),
                Err(_) => tries += 1,
                Ok(rebuilt) => return Ok(rebuilt),
            }
            tokio::time::sleep(PAUSE).await;
            position = self.catch_up(position, progress).await?;
        }
    }

    /// Holds the lane's place from the end of the log to the commit, so that nothing is between.
    async fn try_switch(&self, position: i64) -> Result<Rebuilt, Error> {
        let mut tx = self.begin().await?;
        events::lock_lane(&mut tx).await?;
        let begun = Instant::now();
        let mut end = position;
        while let Some(page) = replay::page(&mut tx, self.catalog, end, self.page).await? {
            let changes = &page.changes;
            projection::apply(self.projection, &mut tx, Tables::NEW, changes).await?;
            end = page.end;
        }
        tables::switch(&mut tx, self.projection.tables()).await?;
        projections::record(&mut tx, self.projection.name(), &self.projection.made()).await?;
        tx.commit().await?;
        Ok(Rebuilt {
            events: to_u64(end),
            tail: to_u64(end - position),
            switch: begun.elapsed(),
        })
    }
}
