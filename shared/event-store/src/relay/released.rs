//! Keys that an operator released: what was skipped is published, and then they are like any other.

use std::collections::HashSet;

use tracing::info;
use uuid::Uuid;

use super::pass::waves;
use super::send::Wave;
use crate::store::relay::{BucketLease, OutgoingEvent};
use crate::store::relay_parked::{self, ParkedKey};
use crate::{Error, Relay, RelayPass};

/// Released keys that a pass works on.
const MOST_KEYS: usize = 16;
/// Events of one key that a pass publishes.
const PER_KEY: usize = 64;
/// Bytes of one key that a pass reads, nearly.
const BYTES_PER_KEY: usize = 256 * 1024;
/// Positions that one statement looks through; about a sixteenth of them are in the key's bucket.
const SPAN: i64 = 65_536;

/// What is to be published of a released key.
struct Skipped {
    parked: ParkedKey,
    lease: BucketLease,
    events: Vec<OutgoingEvent>,
    /// Nothing of the key is left before this position.
    until: i64,
}

impl Relay {
    /// Publishes what was skipped of the released keys. `pass` is what happened to the other keys.
    pub(super) async fn catch_up(&mut self, pass: RelayPass) -> Result<RelayPass, Error> {
        let keys = self.released_keys();
        if keys.is_empty() || pass.outage {
            return Ok(pass);
        }
        let mut skipped = Vec::with_capacity(keys.len());
        for (parked, lease) in keys {
            skipped.push(self.read_skipped(parked, lease).await?);
        }
        let sent = self.send_skipped(&skipped).await;
        let published: HashSet<i64> = sent.published.iter().copied().collect();
        self.store_progress(&skipped, &published).await?;
        let passed = pass.published > 0 || !published.is_empty();
        self.settle_skipped(&skipped, sent, passed).await?;
        Ok(RelayPass {
            published: pass.published + published.len(),
            left: pass.left + self.released_keys().len(),
            ..pass
        })
    }

    /// Those whose bucket is held and whose turn has come.
    fn released_keys(&self) -> Vec<(ParkedKey, BucketLease)> {
        let now = self.core.clock.now();
        let held = |parked: &ParkedKey| {
            let mut leases = self.held.iter();
            leases
                .find(|lease| lease.bucket == parked.bucket)
                .map(|lease| (*parked, *lease))
        };
        let waits = |key: &Uuid| self.troubles.get(key).is_some_and(|one| one.waits(now));
        self.released
            .iter()
            .filter(|parked| !waits(&parked.key))
            .filter_map(held)
            .take(MOST_KEYS)
            .collect()
    }

    /// The next events of the key, however far behind the cursor they are.
    async fn read_skipped(
        &self,
        mut parked: ParkedKey,
        lease: BucketLease,
    ) -> Result<Skipped, Error> {
        let mut tx = self.core.database.read().await?;
        loop {
            let last = lease.last_position.min(parked.from_position + SPAN - 1);
            let (events, more) =
                relay_parked::skipped(&mut tx, parked, last, PER_KEY, BYTES_PER_KEY).await?;
            let end = last.max(parked.from_position - 1);
            let until = match events.last() {
                Some(event) if more => event.position + 1,
                _ => end + 1,
            };
            if !events.is_empty() || until > lease.last_position || self.leases_are_old() {
                return Ok(Skipped {
                    parked,
                    lease,
                    events,
                    until,
                });
            }
            parked.from_position = until;
        }
    }

    /// One event of each key at a time; a key with one that was not taken has no further turn.
    async fn send_skipped(&self, skipped: &[Skipped]) -> Wave {
        let events: Vec<OutgoingEvent> = skipped
            .iter()
            .flat_map(|one| one.events.iter().cloned())
            .collect();
        let mut all = Wave::default();
        let mut blocked = HashSet::new();
        for wave in waves(&events) {
            if self.leases_are_old() {
                break; // The next pass renews them and goes on here.
            }
            let due: Vec<&OutgoingEvent> = wave
                .into_iter()
                .filter(|event| !blocked.contains(&event.key))
                .collect();
            let result = self.send(&due).await;
            let taken: HashSet<i64> = result.published.iter().copied().collect();
            let left = due.iter().filter(|event| !taken.contains(&event.position));
            blocked.extend(left.map(|event| event.key));
            all.merge(result);
        }
        all
    }

    async fn store_progress(
        &mut self,
        skipped: &[Skipped],
        published: &HashSet<i64>,
    ) -> Result<(), Error> {
        let mut tx = self.core.database.begin().await?;
        let mut caught_up = Vec::new();
        for one in skipped {
            let mut events = one.events.iter();
            let left = events.find(|event| !published.contains(&event.position));
            let next = left.map_or(one.until, |event| event.position);
            let (key, lease) = (one.parked.key, one.lease);
            if next <= lease.last_position {
                relay_parked::advance(&mut tx, lease, self.owner, key, next).await?;
                let mut released = self.released.iter_mut();
                if let Some(known) = released.find(|known| known.key == key) {
                    known.from_position = next;
                }
            } else if relay_parked::remove(&mut tx, lease, self.owner, key).await? {
                caught_up.push(one.parked);
            }
        }
        tx.commit().await?;
        for parked in caught_up {
            self.parked.remove(&parked.key);
            self.released.retain(|known| known.key != parked.key);
            self.look_behind_the_cursor(parked.bucket);
            info!(event.key = %parked.key, "the relay publishes key {} again", parked.key);
        }
        self.count_parked();
        Ok(())
    }

    /// There passes saw events of the key, and passed over them.
    fn look_behind_the_cursor(&mut self, bucket: i16) {
        let lease = self.held.iter().find(|lease| lease.bucket == bucket);
        if let (Some(lease), Some(progress)) = (lease, self.progress.get_mut(&bucket)) {
            progress.look_again_behind(lease.last_position);
        }
        self.core.mark_dirty(1 << bucket);
    }

    async fn settle_skipped(
        &mut self,
        skipped: &[Skipped],
        sent: Wave,
        passed: bool,
    ) -> Result<(), Error> {
        let events = || skipped.iter().flat_map(|one| &one.events);
        let find = |position: i64| events().find(|event| event.position == position);
        for event in sent.published.iter().filter_map(|position| find(*position)) {
            self.troubles.remove(&event.key);
        }
        let failed = sent.failed.iter().map(|one| (one, passed));
        let held_back = sent.misconfigured.iter().map(|one| (one, false));
        for ((position, reason), counts) in failed.chain(held_back) {
            if let Some(event) = find(*position) {
                self.refused(event, reason, counts).await?;
            }
        }
        for (position, reason) in &sent.refused {
            if let Some(event) = find(*position) {
                self.park(event, reason).await?;
            }
        }
        Ok(())
    }
}
