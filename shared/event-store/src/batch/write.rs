//! Writing: everything a batch adds, in one trip to PostgreSQL: the ledger's own rows, timers and the
//! rows of projections.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use database::{Error as DatabaseError, Tx};

use super::Batch;
use super::past::Arrivals;
use crate::ledger::Core;
use crate::projection::{StreamChange, Tables};
use crate::store::streams::HeadRow;
use crate::store::trip::Trip;
use crate::store::{dead_letters, events, idempotency, inbox, streams, timers};
use crate::{Answer, IdempotencyKey, StreamRef, relay};

/// What a batch was decided on.
pub(super) enum Basis {
    /// What the lane's lock keeps as it is.
    Locked,
    /// What was so before the lock, for these deliveries among others.
    Ahead(Arrivals),
    /// The same, and it is written with one statement that takes the lock, if that is free.
    Alone(Arrivals),
}

/// What was written.
#[derive(Default)]
pub(super) struct Written {
    /// The newest position, when events were written.
    pub(super) position: Option<i64>,
    pub(super) timers_changed: bool,
}

impl Batch {
    /// Writes everything the batch adds. `None` when it was overtaken: what it was decided on is not so
    /// any more, and what was written has to be rolled back.
    pub(super) async fn write(
        &mut self,
        core: &Core,
        tx: &mut Tx,
        answers: &[(&IdempotencyKey, &Answer)],
        basis: &Basis,
    ) -> Result<Option<Written>, DatabaseError> {
        let now = core.clock.now();
        let changes = self.changes();
        for inbound in &self.waiting {
            dead_letters::wait(tx, core.app.id(), inbound, now).await?;
        }
        let adds = !self.is_empty() || !answers.is_empty();
        let mut trip = Trip::on(tx);
        if adds {
            let alone = matches!(basis, Basis::Alone(_));
            events::take_turn(&mut trip, self.events.len(), alone);
        }
        if let Basis::Ahead(arrivals) | Basis::Alone(arrivals) = basis {
            self.doubt(core, &mut trip, arrivals).await?;
        }
        self.derive(core, &mut trip, &changes).await?;
        self.add(core, &mut trip, answers, &changes, now).await?;
        let told = match basis {
            Basis::Alone(_) if adds => trip.end_alone().await?,
            _ => Some(trip.end().await?),
        };
        let Some(told) = told else {
            return Ok(None);
        };
        if !told.is_as_wanted("heads") {
            return Err(written_past_the_lock(changes.len()));
        }
        if !told.are_as_wanted() {
            return Ok(None);
        }
        Ok(Some(Written {
            position: told.number("position"),
            timers_changed: told.number("timers").is_some_and(|changed| changed > 0),
        }))
    }

    /// The rows that follow from the changed streams.
    async fn derive(
        &self,
        core: &Core,
        trip: &mut Trip<'_>,
        changes: &[StreamChange],
    ) -> Result<(), DatabaseError> {
        if changes.is_empty() {
            return Ok(());
        }
        timers::replace(trip, &wanted_timers(changes)).await?;
        for projection in &core.projections {
            projection.apply(trip, Tables::LIVE, changes).await?;
        }
        Ok(())
    }

    /// The ledger's own rows.
    async fn add(
        &self,
        core: &Core,
        trip: &mut Trip<'_>,
        answers: &[(&IdempotencyKey, &Answer)],
        changes: &[StreamChange],
        now: DateTime<Utc>,
    ) -> Result<(), DatabaseError> {
        let consumer = core.app.id();
        if !self.events.is_empty() {
            events::append(trip, &self.events, now).await?;
            streams::upsert(trip, &self.head_rows(changes), now).await?;
        }
        if !answers.is_empty() {
            idempotency::insert(trip, answers, now).await?;
        }
        if !self.facts.is_empty() {
            inbox::insert(trip, consumer, &self.facts, now).await?;
        }
        if !self.raised.is_empty() {
            inbox::raise(trip, consumer, &self.raised).await?;
        }
        Ok(())
    }

    fn head_rows<'a>(&'a self, changes: &'a [StreamChange]) -> Vec<HeadRow<'a>> {
        let row = |change: &'a StreamChange| {
            let stream = change.stream();
            Some(HeadRow {
                stream,
                owner: change.snapshot.owner(),
                version: change.version,
                state: self.heads.get(&stream)?.json.as_deref()?,
                state_version: change.snapshot.state_version(),
            })
        };
        changes.iter().filter_map(row).collect()
    }

    /// Every changed stream once, with its newest state, in a fixed order.
    fn changes(&mut self) -> Vec<StreamChange> {
        self.changed.sort_unstable();
        self.changed.dedup();
        let change = |stream: &StreamRef| {
            let head = self.heads.get(stream)?;
            Some(StreamChange {
                kind: stream.kind,
                stream_id: stream.stream_id,
                version: head.version,
                snapshot: Arc::clone(head.snapshot.as_ref()?),
                before: head.stored_state().cloned(),
            })
        };
        self.changed.iter().filter_map(change).collect()
    }

    /// Which of the relay's buckets have something to publish, a bit each.
    pub(super) fn buckets(&self) -> u16 {
        let published = self.events.iter();
        let published = published.filter(|event| event.event_type.topic.is_some());
        bits(published.map(|event| relay::bucket_of(event.key)))
    }
}

/// Committing would lose one of the two writes.
fn written_past_the_lock(heads: usize) -> DatabaseError {
    DatabaseError::Corrupt {
        table: "stream",
        column: "version",
        id: format!("one of {heads} heads"),
        reason: "a head changed while the lane held its lock".to_owned(),
    }
}

/// A bit for each bucket, however often it is named.
fn bits(buckets: impl Iterator<Item = i16>) -> u16 {
    buckets.fold(0, |bits, bucket| bits | 1 << bucket)
}

/// The timers of the changed streams, without the streams that want the same as before.
fn wanted_timers(changes: &[StreamChange]) -> Vec<timers::Wanted> {
    let with_timers = changes.iter().filter(|change| change.snapshot.has_timers());
    let wanted = |change: &StreamChange| {
        let timers = change.snapshot.timers();
        let before = change.before.as_ref().map(|before| before.timers());
        (before.as_ref() != Some(&timers)).then(|| (change.stream(), timers))
    };
    with_timers.filter_map(wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::bits;

    #[test]
    fn a_bucket_that_is_named_twice_is_woken_all_the_same() {
        assert_eq!(bits([3, 0, 3, 15].into_iter()), 0b1000_0000_0000_1001);
        assert_eq!(bits(std::iter::empty()), 0);
    }
}
