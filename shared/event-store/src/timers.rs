//! Durable timers: claimed by lease when they are due, never earlier.

mod renew;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::futures::Notified;
use uuid::Uuid;

use crate::store::timers;
use crate::{Aggregate, Error, Ledger, metrics};

/// How long a claimed timer is its worker's alone; after that another may try.
const LEASE: TimeDelta = TimeDelta::seconds(15);

/// A timer whose time has come. It stays until the stream's state no longer names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueTimer {
    /// The stream that it belongs to.
    pub stream_id: Uuid,
    /// Its identity within the stream.
    pub timer_id: Uuid,
    /// Its time. A decision compares it with the state, so a stale claim has no effect.
    pub fire_at: DateTime<Utc>,
}

impl Ledger {
    /// Claims timers of `A`'s streams that are due now, the earliest first.
    pub async fn claim_due_timers<A: Aggregate>(&self, limit: u32) -> Result<Vec<DueTimer>, Error> {
        let now = self.core.clock.now();
        if self
            .next_timer_at::<A>()
            .await?
            .is_none_or(|next| next > now)
        {
            return Ok(Vec::new()); // A look costs no write lock.
        }
        let mut tx = self.core.database.begin().await?;
        let rows = timers::claim(&mut tx, A::KIND, now, LEASE, limit).await?;
        tx.commit().await?;
        let due = |row: timers::TimerRow| DueTimer {
            stream_id: row.stream_id,
            timer_id: row.timer_id,
            fire_at: row.fire_at,
        };
        Ok(rows.into_iter().map(due).collect())
    }

    /// When the next timer of `A`'s streams can be claimed.
    pub async fn next_timer_at<A: Aggregate>(&self) -> Result<Option<DateTime<Utc>>, Error> {
        let now = self.core.clock.now();
        let mut tx = self.core.database.read().await?;
        Ok(timers::next_at(&mut tx, A::KIND, now, LEASE).await?)
    }

    /// How long ago the earliest timer of `A`'s streams that is still there was due, whoever claimed it;
    /// zero when none is due. The gauge `timers.oldest_due` shows it too.
    pub async fn measure_timers<A: Aggregate>(&self) -> Result<TimeDelta, Error> {
        let mut tx = self.core.database.read().await?;
        let earliest = timers::earliest(&mut tx, A::KIND).await?;
        let now = self.core.clock.now();
        let late = earliest.map_or(TimeDelta::zero(), |at| (now - at).max(TimeDelta::zero()));
        metrics::oldest_due(self.core.app, A::KIND, late);
        Ok(late)
    }

    /// Completes when a commit of this process changed a timer. Ask for it before looking at
    /// [`next_timer_at`](Self::next_timer_at), or a change in between goes unnoticed.
    pub fn timers_changed(&self) -> Notified<'_> {
        self.core.timers_changed.notified()
    }
}
