//! Writing: everything a batch adds, one statement per table.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use database::{Error as DatabaseError, Tx};

use super::Batch;
use crate::ledger::Core;
use crate::projection::{StreamChange, Tables};
use crate::store::streams::HeadRow;
use crate::store::{dead_letters, events, idempotency, inbox, streams, timers};
use crate::{Answer, IdempotencyKey, StreamRef, Timer, relay};

impl Batch {
    /// Writes everything the batch adds, one statement per table.
    pub(super) async fn write(
        &mut self,
        core: &Core,
        tx: &mut Tx,
        answers: &[(&IdempotencyKey, &Answer)],
    ) -> Result<(Option<i64>, bool), DatabaseError> {
        let consumer = core.app.id();
        let now = core.clock.now();
        let mut position = None;
        let mut timers_changed = false;
        if !self.events.is_empty() {
            position = Some(events::append(tx, &self.events, now).await?);
            let changes = self.changes();
            timers_changed = timers::replace(tx, &wanted_timers(&changes)).await? > 0;
            for projection in &core.projections {
                projection.apply(tx, Tables::LIVE, &changes).await?;
            }
            // After the projections: had one of them hidden an error, PostgreSQL would answer the
            // commit of the broken transaction with success. This statement it refuses.
            self.write_heads(tx, &changes, now).await?;
        }
        if !answers.is_empty() {
            idempotency::insert(tx, answers, now).await?;
        }
        if !self.facts.is_empty() {
            inbox::insert(tx, consumer, &self.facts, now).await?;
        }
        if !self.raised.is_empty() {
            inbox::raise(tx, consumer, &self.raised).await?;
        }
        for inbound in &self.waiting {
            dead_letters::wait(tx, consumer, inbound, now).await?;
        }
        Ok((position, timers_changed))
    }

    async fn write_heads(
        &self,
        tx: &mut Tx,
        changes: &[StreamChange],
        now: DateTime<Utc>,
    ) -> Result<(), DatabaseError> {
        let rows: Vec<HeadRow<'_>> = changes
            .iter()
            .filter_map(|change| {
                let stream = change.stream();
                let state = self.heads.get(&stream)?.json.as_deref()?;
                let owner = change.snapshot.owner();
                Some(HeadRow {
                    stream,
                    owner,
                    version: change.version,
                    state,
                    state_version: change.snapshot.state_version(),
                })
            })
            .collect();
        let written = streams::upsert(tx, &rows, now).await?;
        if usize::try_from(written).ok() == Some(changes.len()) {
            return Ok(());
        }
        // Somebody wrote past the lane's lock. Committing would lose one of the two writes.
        Err(DatabaseError::Corrupt {
            table: "stream",
            column: "version",
            id: format!(
                "{} of {} heads",
                changes.len() as u64 - written,
                changes.len()
            ),
            reason: "a head changed while the lane held its lock".to_owned(),
        })
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

/// A bit for each bucket, however often it is named.
fn bits(buckets: impl Iterator<Item = i16>) -> u16 {
    buckets.fold(0, |bits, bucket| bits | 1 << bucket)
}

/// The timers of the changed streams, without the streams that want the same as before.
fn wanted_timers(changes: &[StreamChange]) -> Vec<(StreamRef, Vec<Timer>)> {
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
