//! One pass of the relay: waves of at most one event per key, cursors over the published prefix.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use dapr_client::{Message, PublishError, advised};
use futures_util::future::join_all;
use tracing::{error, warn};
use uuid::Uuid;

use super::trouble::Trouble;
use crate::store::relay::{self, BucketLease, OutgoingEvent, Wanted};
use crate::store::relay_parked;
use crate::{Error, Relay, RelayPass, metrics};

/// Events of one bucket that a pass reads.
const PER_BUCKET: usize = 256;
/// Bytes of one bucket that a pass reads, nearly.
const BYTES_PER_BUCKET: usize = 256 * 1024;
/// Events of one bucket that are published ahead of a refused one, nearly. Then its other keys wait as
/// well: whoever takes the bucket over publishes them again.
const MOST_AHEAD: usize = 1024;
/// Events of one bulk call.
const PER_CALL: usize = 100;

/// What became of the events of a wave.
#[derive(Default)]
pub(super) struct Wave {
    pub(super) published: Vec<i64>,
    /// Will be refused for ever, as the sidecar says.
    pub(super) refused: Vec<(i64, String)>,
    /// Not taken this time.
    pub(super) failed: Vec<(i64, String)>,
    /// Not taken until an operator changes something.
    pub(super) misconfigured: Vec<(i64, String)>,
}

impl Wave {
    pub(super) fn merge(&mut self, part: Self) {
        self.published.extend(part.published);
        self.refused.extend(part.refused);
        self.failed.extend(part.failed);
        self.misconfigured.extend(part.misconfigured);
    }
}

/// What a pass read: what is still to be published of some buckets.
#[derive(Default)]
struct Window {
    events: Vec<OutgoingEvent>,
    /// How far each of the buckets was looked through; there may be more behind it, unless that is the
    /// largest number.
    until: HashMap<i16, i64>,
}

impl Relay {
    pub(super) async fn publish(&mut self, dirty: u16) -> Result<RelayPass, Error> {
        let window = self.read(dirty).await?;
        if window.events.is_empty() {
            return Ok(RelayPass::default());
        }
        let now = self.core.clock.now();
        let waiting = self.troubles.iter().filter(|(_, one)| one.waits(now));
        let mut blocked: HashSet<Uuid> = waiting.map(|(key, _)| *key).collect();
        let mut outage = false;
        let mut published = 0;
        for wave in waves(&window.events) {
            if self.leases_are_old() {
                break; // The next pass renews them and goes on here.
            }
            let due: Vec<&OutgoingEvent> = wave
                .into_iter()
                .filter(|event| !self.parked.contains(&event.key) && !blocked.contains(&event.key))
                .collect();
            let result = self.send(&due).await;
            published += result.published.len();
            if self.is_outage(&due, &result) {
                outage = true;
                break;
            }
            self.settle(&due, &result, &mut blocked).await?;
        }
        let left = self.advance(&window).await?;
        metrics::published(self.core.app, published);
        Ok(RelayPass {
            published,
            left,
            read: window.events.len(),
            outage,
        })
    }

    async fn read(&self, dirty: u16) -> Result<Window, Error> {
        let due = self
            .held
            .iter()
            .filter(|bucket| dirty & (1 << bucket.bucket) != 0);
        let wanted: Vec<Wanted> = due.map(|bucket| self.wanted(bucket)).collect();
        if wanted.is_empty() {
            return Ok(Window::default());
        }
        let mut tx = self.writer.read().await?;
        let (mut events, cut) = relay::outgoing(&mut tx, &wanted).await?;
        tx.rollback().await?;
        events.sort_by_key(|event| event.position);
        let mut until: HashMap<i16, i64> =
            wanted.iter().map(|one| (one.bucket, one.until)).collect();
        let cut_off = events.iter().filter(|event| cut.contains(&event.bucket));
        until.extend(cut_off.map(|event| (event.bucket, event.position)));
        Ok(Window { events, until })
    }

    fn wanted(&self, bucket: &BucketLease) -> Wanted {
        let ahead = self.ahead.get(&bucket.bucket);
        let full = ahead.filter(|ahead| ahead.len() >= MOST_AHEAD);
        Wanted {
            bucket: bucket.bucket,
            after: bucket.last_position,
            until: full.and_then(BTreeSet::last).copied().unwrap_or(i64::MAX),
            except: ahead.into_iter().flatten().copied().collect(),
            limit: PER_BUCKET,
            bytes: BYTES_PER_BUCKET,
        }
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
            let ahead = self.ahead.entry(event.bucket).or_default();
            ahead.insert(event.position);
        }
        let others_pass = !result.published.is_empty();
        let counted = result.failed.iter().map(|one| (one, others_pass));
        let held_back = result.misconfigured.iter().map(|one| (one, false));
        for ((position, reason), counts) in counted.chain(held_back) {
            if let Some(event) = find(position) {
                blocked.insert(event.key);
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

    /// Publishes events of different keys, topic by topic, all topics at once.
    pub(super) async fn send(&self, events: &[&OutgoingEvent]) -> Wave {
        let mut topics: BTreeMap<&str, Vec<&OutgoingEvent>> = BTreeMap::new();
        for event in events {
            topics.entry(&event.topic).or_default().push(event);
        }
        let calls = topics
            .iter()
            .flat_map(|(topic, events)| events.chunks(PER_CALL).map(|chunk| (*topic, chunk)));
        let mut wave = Wave::default();
        for part in join_all(calls.map(|(topic, chunk)| self.call(topic, chunk))).await {
            wave.merge(part);
        }
        wave
    }

    async fn call(&self, topic: &str, events: &[&OutgoingEvent]) -> Wave {
        let keys: Vec<String> = events.iter().map(|event| event.key.to_string()).collect();
        let messages: Vec<Message<'_>> = events.iter().zip(&keys).map(message).collect();
        let mut wave = Wave::default();
        match self.client.publish_bulk(topic, &messages).await {
            Ok(failed) => {
                let reasons: HashMap<i64, _> = failed
                    .into_iter()
                    .filter_map(|entry| Some((i64::try_from(entry.position).ok()?, entry)))
                    .collect();
                for event in events {
                    match reasons.get(&event.position) {
                        None => wave.published.push(event.position),
                        Some(entry) if entry.permanent => {
                            wave.refused.push((event.position, entry.reason.clone()));
                        }
                        Some(entry) => wave.failed.push((event.position, entry.reason.clone())),
                    }
                }
                metrics::retried(self.core.app, "entry", wave.failed.len());
            }
            Err(error) if error.is_permanent() => {
                self.call_singly(topic, &messages, &mut wave).await;
            }
            Err(error) => {
                metrics::retried(self.core.app, kind(&error), events.len());
                let reason = crate::error::chain(&error);
                let all = events.iter().map(|event| (event.position, reason.clone()));
                if error.is_configuration() {
                    let advised = advised(&reason);
                    error!("nothing can be published to {topic}: {advised}");
                    wave.misconfigured.extend(all);
                } else {
                    wave.failed.extend(all);
                }
            }
        }
        wave
    }

    /// The whole call can never work: find the event that is the reason.
    async fn call_singly(&self, topic: &str, messages: &[Message<'_>], wave: &mut Wave) {
        for message in messages {
            let position = i64::try_from(message.position).unwrap_or(i64::MAX);
            match self.client.publish(topic, message).await {
                Ok(()) => wave.published.push(position),
                Err(error) if PublishError::is_permanent(&error) => {
                    wave.refused.push((position, crate::error::chain(&error)));
                }
                Err(error) => wave.failed.push((position, crate::error::chain(&error))),
            }
        }
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
        self.released.retain(|released| released.key != event.key);
        self.count_parked();
        error!(event.key = %event.key, event.position = event.position,
            "the relay parked key {}: {reason}", event.key);
        Ok(())
    }

    /// Moves each cursor over what is published or parked without a gap; returns how much is left.
    async fn advance(&mut self, window: &Window) -> Result<usize, Error> {
        let mut moved = Vec::new();
        let mut left = 0;
        for bucket in &mut self.held {
            let Some(until) = window.until.get(&bucket.bucket).copied() else {
                continue;
            };
            let ahead = self.ahead.entry(bucket.bucket).or_default();
            let events = window.events.iter();
            let events = events.filter(|event| event.bucket == bucket.bucket);
            let (done, to_do): (Vec<_>, Vec<_>) = events.partition(|event| {
                ahead.contains(&event.position) || self.parked.contains(&event.key)
            });
            left += to_do.len() + usize::from(until < i64::MAX);
            let next = to_do.first().map_or(i64::MAX, |event| event.position);
            let end = next.min(until.saturating_add(1));
            let behind = ahead.split_off(&end);
            let passed = std::mem::replace(ahead, behind);
            let done = done.iter().map(|event| event.position);
            let passed = passed.into_iter().chain(done).filter(|at| *at < end);
            if let Some(last) = passed.max().filter(|last| *last > bucket.last_position) {
                bucket.last_position = last;
                moved.push(*bucket);
            }
        }
        self.store_cursors(&moved).await?;
        Ok(left)
    }

    async fn store_cursors(&mut self, moved: &[BucketLease]) -> Result<(), Error> {
        if moved.is_empty() {
            return Ok(());
        }
        let mut tx = self.writer.begin().await?;
        let ours = relay::advance(&mut tx, moved, self.owner).await?;
        tx.commit().await?;
        // The new owner of any other repeats what this pass sent; consumers gate by version.
        let robbed = |one: &BucketLease| !ours.contains(&one.bucket);
        let robbed: Vec<i16> = moved
            .iter()
            .filter(|one| robbed(one))
            .map(|one| one.bucket)
            .collect();
        self.held.retain(|bucket| !robbed.contains(&bucket.bucket));
        Ok(())
    }
}

fn kind(error: &PublishError) -> &'static str {
    match error {
        _ if error.is_configuration() => "configuration",
        PublishError::Unreachable(_) => "unreachable",
        PublishError::Refused(_) => "refused",
    }
}

fn message<'a>((event, key): (&'a &'a OutgoingEvent, &'a String)) -> Message<'a> {
    let position = u64::try_from(event.position).unwrap_or_default();
    Message {
        position,
        key,
        envelope: &event.envelope,
    }
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
