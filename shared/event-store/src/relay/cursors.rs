//! Writes down how far the buckets are published.

use chrono::TimeDelta;

use super::share::is_over;
use crate::store::relay::{self, BucketLease};
use crate::{Error, Relay};

/// How long a cursor that moved may be in memory alone. A transaction and its flush are dear, and who
/// goes on after a crash only repeats what was published meanwhile: consumers gate by version.
pub(super) const STORE_AFTER: TimeDelta = TimeDelta::milliseconds(250);

impl Relay {
    pub(super) fn has_to_store(&self) -> bool {
        self.moved != 0 && is_over(self.stored_at, STORE_AFTER, self.core.clock.now())
    }

    /// Stores the cursors that moved. A bucket that somebody else owns by now is given up.
    pub(super) async fn store_cursors(&mut self) -> Result<(), Error> {
        let moved = |lease: &&BucketLease| self.moved & (1 << lease.bucket) != 0;
        let moved: Vec<BucketLease> = self.held.iter().filter(moved).copied().collect();
        if moved.is_empty() {
            self.moved = 0; // Those that did are not held any more.
            return Ok(());
        }
        let mut tx = self.writer.begin().await?;
        let ours = relay::advance(&mut tx, &moved, self.owner).await?;
        tx.commit().await?;
        (self.moved, self.stored_at) = (0, Some(self.core.clock.now()));
        // The new owner of any other repeats what this one sent since, and publishes what waits.
        for robbed in moved.iter().filter(|one| !ours.contains(&one.bucket)) {
            self.held.retain(|lease| lease.bucket != robbed.bucket);
            self.progress.remove(&robbed.bucket);
        }
        Ok(())
    }
}
