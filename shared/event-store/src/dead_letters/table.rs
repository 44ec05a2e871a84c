//! The dead-letter table of a service, for its operator.

use database::{Database, Tx};
use event_schema::App;

use crate::store::dead_letters::{moves, rows};
use crate::store::events;
use crate::{DeadLetterCount, DeadLetterFilter, DeadLetterGroup, DeadLetterRow, Error, metrics};

/// The dead-letter table of a service, for its operator; it may be used beside the running service.
///
/// An event that could not be processed is *parked*, and later ones of its key *wait* behind it. An
/// operator replays the parked one (after the cause was mended) or drops it; either way it and those
/// that wait are *released*: the service delivers them to itself again, in order, and what comes of the
/// key meanwhile stands in line behind them. One that fails again is parked again, with what still waits
/// behind it.
#[derive(Clone, Debug)]
pub struct DeadLetterTable {
    pub(super) database: Database,
    pub(super) app: App,
}

/// What became of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// It and those that waited behind it will be delivered again: so many.
    Released(u64),
    /// Nothing: it was released before and is still to be delivered.
    Already,
    /// It will be delivered again after this one, which stands before it in its key.
    Behind(i64),
    /// There is none of this number.
    Unknown,
}

/// What became of a drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// It is gone, and so many that waited behind it will be delivered again.
    Gone(u64),
    /// There is none of this number.
    Unknown,
}

impl DeadLetterTable {
    /// The table of this service in its database.
    pub fn new(database: Database, app: App) -> Self {
        Self { database, app }
    }

    /// Rows after a number, in the order of their numbers.
    pub async fn list(
        &self,
        filter: &DeadLetterFilter,
        after: i64,
        limit: u32,
    ) -> Result<Vec<DeadLetterRow>, Error> {
        let mut tx = self.database.read().await?;
        let ids = (after, i64::MAX);
        Ok(rows::list(&mut tx, self.app.id(), filter, ids, limit).await?)
    }

    /// How many rows there are.
    pub async fn count(&self, filter: &DeadLetterFilter) -> Result<u64, Error> {
        self.count_after(filter, 0).await
    }

    /// How many rows there are after a number.
    pub async fn count_after(&self, filter: &DeadLetterFilter, after: i64) -> Result<u64, Error> {
        let mut tx = self.database.read().await?;
        let ids = (after, i64::MAX);
        let (count, _) = rows::count(&mut tx, self.app.id(), filter, ids).await?;
        Ok(count.cast_unsigned())
    }

    /// How many rows there are by state, type and reason, the most frequent first.
    pub async fn groups(
        &self,
        filter: &DeadLetterFilter,
        limit: u32,
    ) -> Result<Vec<DeadLetterGroup>, Error> {
        let mut tx = self.database.read().await?;
        Ok(rows::groups(&mut tx, self.app.id(), filter, limit).await?)
    }

    /// One row.
    pub async fn find(&self, id: i64) -> Result<Option<DeadLetterRow>, Error> {
        let mut tx = self.database.read().await?;
        Ok(rows::find(&mut tx, self.app.id(), id).await?)
    }

    /// The bytes of an event as they were received.
    pub async fn envelope(&self, id: i64) -> Result<Option<Vec<u8>>, Error> {
        let mut tx = self.database.read().await?;
        Ok(rows::envelope(&mut tx, self.app.id(), id).await?)
    }

    /// What waits behind a row until the next parked one: how many, and the first of them.
    pub async fn behind(
        &self,
        row: &DeadLetterRow,
        limit: u32,
    ) -> Result<(u64, Vec<DeadLetterRow>), Error> {
        let Some(key) = &row.key else {
            return Ok((0, Vec::new()));
        };
        let (consumer, id) = (self.app.id(), row.dead_letter_id);
        let mut tx = self.database.read().await?;
        let end = moves::next_parked(&mut tx, consumer, key, id).await?;
        let ids = (id, end.unwrap_or(i64::MAX));
        let count = rows::count_waiting(&mut tx, consumer, key, ids).await?;
        let first = rows::waiting(&mut tx, consumer, key, ids, limit).await?;
        Ok((count.cast_unsigned(), first))
    }

    /// Releases a parked event and what waits behind it. Once is as good as twice.
    pub async fn replay(&self, id: i64) -> Result<Replayed, Error> {
        let mut tx = self.begin().await?;
        let (replayed, _) = super::replay::release(&mut tx, self.app.id(), id, None).await?;
        tx.commit().await?;
        Ok(replayed)
    }

    /// Forgets an event, in whatever state it is, and releases what waited behind it.
    pub async fn discard(&self, id: i64) -> Result<Dropped, Error> {
        let consumer = self.app.id();
        let mut tx = self.begin().await?;
        let Some(place) = moves::place(&mut tx, consumer, id).await? else {
            return Ok(Dropped::Unknown);
        };
        moves::remove(&mut tx, consumer, id, ["parked", "waiting"]).await?;
        moves::remove(&mut tx, consumer, id, ["released", "released"]).await?;
        let mut freed = 0;
        if let (Some(key), None) = (&place.key, place.behind) {
            freed = release_behind(&mut tx, consumer, key, id).await?;
        }
        tx.commit().await?;
        Ok(Dropped::Gone(freed))
    }

    /// What is to be delivered again after a number, in order.
    pub async fn released(&self, after: i64, limit: u32) -> Result<Vec<DeadLetterRow>, Error> {
        let mut tx = self.database.read().await?;
        Ok(rows::released(&mut tx, self.app.id(), after, limit).await?)
    }

    /// Forgets a released event after it was delivered, unless it was parked again or put back into
    /// its queue meanwhile; says whether it did.
    pub async fn settle(&self, id: i64) -> Result<bool, Error> {
        let consumer = self.app.id();
        let mut tx = self.begin().await?;
        let removed = moves::remove(&mut tx, consumer, id, ["released", "released"]).await?;
        if let Some(Some(key)) = &removed {
            // What another replica delivered too early was put back behind this one.
            release_behind(&mut tx, consumer, key, id).await?;
        }
        tx.commit().await?;
        Ok(removed.is_some())
    }

    /// How much there is in every state; the gauges show it too.
    pub async fn measure(&self) -> Result<Vec<DeadLetterCount>, Error> {
        let mut tx = self.database.read().await?;
        let counts = rows::by_state(&mut tx, self.app.id()).await?;
        metrics::dead_letters(self.app, &counts);
        Ok(counts)
    }

    /// A transaction under the lane's lock: nothing is put into a queue or taken out of it meanwhile.
    pub(super) async fn begin(&self) -> Result<Tx, Error> {
        let mut tx = self.database.begin().await?;
        events::lock_lane(&mut tx).await?;
        Ok(tx)
    }
}

/// Releases what waits in a key after an id, up to the next parked row.
async fn release_behind(
    tx: &mut Tx,
    consumer: &str,
    key: &str,
    id: i64,
) -> Result<u64, database::Error> {
    let end = moves::next_parked(tx, consumer, key, id).await?;
    moves::release(tx, consumer, key, (id, end.unwrap_or(i64::MAX))).await
}
