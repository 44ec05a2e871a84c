//! One pass of the relay: waves of at most one event per key, cursors over the published prefix.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::RangeInclusive;

use dapr_client::advised;
use tracing::{error, warn};
use uuid::Uuid;

use super::progress::Progress;
use super::send::Wave;
use super::trouble::Trouble;
use crate::store::relay::{self, BucketLease, OutgoingEvent, Wanted};
use crate::store::relay_parked;
use crate::{Error, Relay, RelayPass, metrics};

/// Events of one bucket that a pass reads: so many when it reads a few, and down to so few when it reads
/// many, that all together are 1 024.
const PER_BUCKET: RangeInclusive<usize> = 64..=256;
/// Bytes of one bucket that a pass reads, nearly: in the same way, all together a MiB.
const BYTES_PER_BUCKET: RangeInclusive<usize> = 64 * 1024..=256 * 1024;

/// What a pass tries to publish.
#[derive(Default)]
struct Window {
    /// By position.
    events: Vec<OutgoingEvent>,
    /// How far buckets were looked through.
    seen: HashMap<i16, i64>,
    /// The buckets that have more, a bit each.
    more: u16,
}

impl Relay {
    pub(super) async fn publish(&mut self, dirty: u16) -> Result<RelayPass, Error> {
        let window = self.read(dirty).await?;
        let mut outage = false;
        let mut published = 0;
        let mut blocked = HashSet::new();
        let mut waves = VecDeque::from(waves(&window.events));
        while let Some(wave) = waves.front()
            && !self.leases_are_old()
        {
            let due = self.due_of(wave, &blocked);
            let result = self.send(&due).await;
            if self.is_outage(&due, &result) {
                outage = true;
                break;
            }
            published += result.published.len();
            self.settle(&due, &result, &mut blocked).await?;
            waves.pop_front();
            if self.has_to_look() {
                break; // The next pass does and goes on here.
            }
        }
        let untried: Vec<&OutgoingEvent> = waves.into_iter().flatten().collect();
        let left = self.advance(&window, &untried).await?;
        metrics::published(self.core.app, published);
        Ok(RelayPass {
            published,
            left,
            read: window.events.len(),
            outage,
        })
    }

    /// What there is to try: what nobody has looked at yet, and what waited until now.
    async fn read(&mut self, dirty: u16) -> Result<Window, Error> {
        let (wanted, full) = self.wanted(dirty);
        let due = self.due();
        if wanted.is_empty() && due.is_empty() {
            return Ok(Window {
                more: full,
                ..Window::default()
            });
        }
        let mut tx = self.writer.read().await?;
        let fresh = relay::outgoing(&mut tx, &wanted).await?;
        let due_again = relay::at(&mut tx, &due, *BYTES_PER_BUCKET.start()).await?;
        tx.rollback().await?;
        let mut window = Window {
            more: full | fresh.cut,
            events: due_again,
            ..Window::default()
        };
        for event in &fresh.events {
            window.seen.insert(event.bucket, event.position); // The last one stays.
        }
        window.events.extend(self.leave_out(fresh.events));
        window.events.sort_by_key(|event| event.position);
        Ok(window)
    }

    /// What to read of the buckets that have news, and those of them that can take no more.
    fn wanted(&self, dirty: u16) -> (Vec<Wanted>, u16) {
        let mut behind = Vec::new();
        let mut full = 0;
        for BucketLease { bucket, .. } in &self.held {
            match self.progress.get(bucket) {
                Some(_) if dirty & (1 << bucket) == 0 => {}
                Some(progress) if progress.is_full() => full |= 1 << bucket,
                Some(progress) => behind.push((*bucket, progress.seen())),
                None => {}
            }
        }
        let count = behind.len();
        let wanted = behind.into_iter().map(|(bucket, after)| Wanted {
            bucket,
            after,
            limit: share(&PER_BUCKET, count),
            bytes: share(&BYTES_PER_BUCKET, count),
        });
        (wanted.collect(), full)
    }

    /// The positions that wait for keys whose turn has come.
    fn due(&self) -> Vec<i64> {
        let buckets = self.progress.values();
        let due = buckets.flat_map(|progress| {
            let due = progress.waiting().filter(|(_, key)| !self.waits(*key));
            due.take(*PER_BUCKET.start())
        });
        due.map(|(position, _)| position).collect()
    }

    fn waits(&self, key: Uuid) -> bool {
        let trouble = self.troubles.get(&key);
        trouble.is_some_and(|trouble| trouble.waits(self.core.clock.now()))
    }

    /// Those of events that nobody has looked at yet that can be tried. What has to wait is remembered.
    fn leave_out(&mut self, events: Vec<OutgoingEvent>) -> Vec<OutgoingEvent> {
        let keys = self.progress.values().map(Progress::keys_waiting);
        let behind: HashSet<Uuid> = keys.flatten().collect();
        let mut left = Vec::with_capacity(events.len());
        for event in events {
            let waits = behind.contains(&event.key) || self.waits(event.key);
            let Some(progress) = self.progress.get_mut(&event.bucket) else {
                continue;
            };
            if progress.knows(event.position) || self.parked.contains(&event.key) {
                continue;
            }
            if waits {
                progress.wait(event.position, event.key);
            } else {
                left.push(event);
            }
        }
        left
    }

    /// Those of a wave that are sent. What is behind an event of this pass that was refused waits.
    fn due_of<'w>(
        &mut self,
        wave: &[&'w OutgoingEvent],
        blocked: &HashSet<Uuid>,
    ) -> Vec<&'w OutgoingEvent> {
        let mut due = Vec::with_capacity(wave.len());
        for event in wave {
            if self.parked.contains(&event.key) {
                continue;
            }
            if !blocked.contains(&event.key) {
                due.push(*event);
            } else if let Some(progress) = self.progress.get_mut(&event.bucket) {
                progress.wait(event.position, event.key);
            }
        }
        due
    }

    /// When nothing passes, it is the broker that is away, not these events, unless others passed
    /// where these did not.
    fn is_outage(&self, due: &[&OutgoingEvent], result: &Wave) -> bool {
        let passed = !result.published.is_empty() || !result.refused.is_empty();
        let mut reasons = result.misconfigured.iter().chain(&result.failed);
        let suspects = due.iter().all(|one| self.troubles.contains_key(&one.key));
        match reasons.next() {
            Some((_, reason)) if !passed && !suspects => {
                warn!("the sidecar does not publish: {}", advised(reason));
                true
            }
            _ => false,
        }
    }

    /// Remembers what was taken, and what was not; a key that was not is left out of later waves.
    async fn settle(
        &mut self,
        due: &[&OutgoingEvent],
        result: &Wave,
        blocked: &mut HashSet<Uuid>,
    ) -> Result<(), Error> {
        let by_position: HashMap<i64, &OutgoingEvent> =
            due.iter().map(|event| (event.position, *event)).collect();
        let find = |position: &i64| by_position.get(position).copied();
        for event in result.published.iter().filter_map(find) {
            self.troubles.remove(&event.key);
            if let Some(progress) = self.progress.get_mut(&event.bucket) {
                progress.published(event.position);
            }
        }
        let others_pass = !result.published.is_empty();
        let counted = result.failed.iter().map(|one| (one, others_pass));
        let held_back = result.misconfigured.iter().map(|one| (one, false));
        for ((position, reason), counts) in counted.chain(held_back) {
            if let Some(event) = find(position) {
                blocked.insert(event.key);
                if let Some(progress) = self.progress.get_mut(&event.bucket) {
                    progress.wait(event.position, event.key);
                }
                self.refused(event, reason, counts).await?;
            }
        }
        for (position, reason) in &result.refused {
            if let Some(event) = find(position) {
                self.park(event, reason).await?;
            }
        }
        Ok(())
    }

    /// Lets the key wait; when there is no hope it is parked, so that others need not wait for it.
    pub(super) async fn refused(
        &mut self,
        event: &OutgoingEvent,
        reason: &str,
        counts: bool,
    ) -> Result<(), Error> {
        let now = self.core.clock.now();
        if !self.troubles.contains_key(&event.key) {
            warn!(event.key = %event.key, event.position = event.position,
                "the sidecar refuses the next event of key {}: {}", event.key, advised(reason));
        }
        metrics::refused(self.core.app, &event.topic);
        let in_trouble = self.troubles.len();
        let trouble = self
            .troubles
            .entry(event.key)
            .or_insert_with(|| Trouble::new(now));
        trouble.refused(counts, now);
        if trouble.is_hopeless(in_trouble, now) {
            self.park(event, reason).await?;
        }
        Ok(())
    }

    pub(super) async fn park(&mut self, event: &OutgoingEvent, reason: &str) -> Result<(), Error> {
        let mut tx = self.core.database.begin().await?;
        relay_parked::park(&mut tx, event, reason, self.core.clock.now()).await?;
        tx.commit().await?;
        self.troubles.remove(&event.key);
        self.parked.insert(event.key);
        if let Some(progress) = self.progress.get_mut(&event.bucket) {
            progress.parked(event.key);
        }
        self.released.retain(|released| released.key != event.key);
        self.count_parked();
        error!(event.key = %event.key, event.position = event.position,
            "the relay parked key {}: {reason}", event.key);
        Ok(())
    }

    /// Moves each cursor over what is published or parked without a gap; returns how much is left.
    async fn advance(
        &mut self,
        window: &Window,
        untried: &[&OutgoingEvent],
    ) -> Result<usize, Error> {
        let mut more = window.more;
        let mut first_untried: HashMap<i16, i64> = HashMap::new();
        for event in untried {
            let first = first_untried.entry(event.bucket).or_insert(event.position);
            *first = event.position.min(*first);
            more |= 1 << event.bucket;
        }
        let mut waiting = 0;
        for lease in &mut self.held {
            let Some(progress) = self.progress.get_mut(&lease.bucket) else {
                continue;
            };
            if let Some(seen) = window.seen.get(&lease.bucket) {
                let untried = first_untried.get(&lease.bucket);
                progress.looked_to(untried.map_or(*seen, |first| *seen.min(&(first - 1))));
            }
            waiting += progress.count_waiting();
            let cursor = progress.advance();
            if cursor > lease.last_position {
                lease.last_position = cursor;
                self.moved |= 1 << lease.bucket;
            }
        }
        self.core.mark_dirty(more);
        if self.has_to_store() {
            self.store_cursors().await?;
        }
        let cut = usize::try_from(window.more.count_ones()).unwrap_or_default();
        Ok(untried.len() + waiting + cut)
    }
}

/// What each of `count` buckets has of what a pass can take: four of them have the most.
fn share(bounds: &RangeInclusive<usize>, count: usize) -> usize {
    let equal = bounds.end() * 4 / count.max(1);
    equal.clamp(*bounds.start(), *bounds.end())
}

/// The n-th wave holds the n-th event of every key.
pub(super) fn waves(events: &[OutgoingEvent]) -> Vec<Vec<&OutgoingEvent>> {
    let mut waves: Vec<Vec<&OutgoingEvent>> = Vec::new();
    let mut depth: HashMap<Uuid, usize> = HashMap::new();
    for event in events {
        let wave = depth.entry(event.key).or_default();
        if waves.len() == *wave {
            waves.push(Vec::new());
        }
        waves[*wave].push(event);
        *wave += 1;
    }
    waves
}
