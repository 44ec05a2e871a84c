//! One pass of the relay: waves of at most one event per key, cursors over the published prefix.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use dapr_client::{Message, PublishError};
use futures_util::future::join_all;
use tracing::warn;
use uuid::Uuid;

use crate::store::relay::{self, BucketLease, OutgoingEvent};
use crate::{Error, Relay, RelayPass, metrics};

/// Events of one bucket that a pass reads.
const PER_BUCKET: u32 = 256;
/// Events of one bulk call.
const PER_CALL: usize = 100;
/// An event that is refused so often, while others pass, will be refused for ever.
const MOST_REFUSALS: u32 = 10;

/// What became of the events of a wave.
#[derive(Default)]
struct Wave {
    published: Vec<i64>,
    /// Will be refused for ever, as the sidecar says.
    refused: Vec<(i64, String)>,
    /// Not taken this time.
    failed: Vec<(i64, String)>,
}

impl Relay {
    pub(super) async fn publish(&mut self, dirty: u16) -> Result<RelayPass, Error> {
        let events = self.read(dirty).await?;
        if events.is_empty() {
            return Ok(RelayPass::default());
        }
        let mut done: HashSet<i64> = HashSet::new();
        let mut blocked: HashSet<Uuid> = HashSet::new();
        let mut outage = false;
        let mut published = 0;
        for wave in waves(&events) {
            let due: Vec<&OutgoingEvent> = wave
                .into_iter()
                .filter(|event| !self.parked.contains(&event.key) && !blocked.contains(&event.key))
                .filter(|event| !self.ahead.contains(&event.position))
                .collect();
            let result = self.send(&due).await;
            published += result.published.len();
            done.extend(&result.published);
            // When nothing passes, it is the broker that is away, not these events.
            let away = result.published.is_empty();
            if let (true, Some((_, reason))) = (away, result.failed.first()) {
                warn!("the sidecar does not publish: {reason}");
                outage = true;
                break;
            }
            for (position, reason) in result.refused.iter().chain(&result.failed) {
                if let Some(event) = due.iter().find(|event| event.position == *position) {
                    blocked.insert(event.key);
                    self.refused(event, reason).await?;
                }
            }
        }
        for event in events.iter().filter(|event| done.contains(&event.position)) {
            self.refusals.remove(&event.key);
        }
        self.ahead.extend(&done);
        let left = self.advance(&events).await?;
        self.record(&events, published, left);
        Ok(RelayPass {
            published,
            left,
            outage,
        })
    }

    async fn read(&self, dirty: u16) -> Result<Vec<OutgoingEvent>, Error> {
        let due = self
            .held
            .iter()
            .filter(|bucket| dirty & (1 << bucket.bucket) != 0);
        let mut tx = self.core.database.read().await?;
        let mut events = Vec::new();
        for bucket in due {
            let after = bucket.last_position;
            events.extend(relay::outgoing(&mut tx, bucket.bucket, after, PER_BUCKET).await?);
        }
        events.sort_by_key(|event| event.position);
        Ok(events)
    }

    /// Publishes events of different keys, topic by topic, all topics at once.
    async fn send(&self, events: &[&OutgoingEvent]) -> Wave {
        let mut topics: BTreeMap<&str, Vec<&OutgoingEvent>> = BTreeMap::new();
        for event in events {
            topics.entry(&event.topic).or_default().push(event);
        }
        let calls = topics
            .iter()
            .flat_map(|(topic, events)| events.chunks(PER_CALL).map(|chunk| (*topic, chunk)));
        let mut wave = Wave::default();
        for part in join_all(calls.map(|(topic, chunk)| self.call(topic, chunk))).await {
            wave.published.extend(part.published);
            wave.refused.extend(part.refused);
            wave.failed.extend(part.failed);
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
            }
            Err(error) if error.is_permanent() => {
                self.call_singly(topic, &messages, &mut wave).await;
            }
            Err(error) => {
                let reason = crate::error::chain(&error);
                wave.failed
                    .extend(events.iter().map(|event| (event.position, reason.clone())));
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

    /// Counts a refusal; after too many the key is parked, so that others need not wait for it.
    async fn refused(&mut self, event: &OutgoingEvent, reason: &str) -> Result<(), Error> {
        let count = self.refusals.entry(event.key).or_default();
        *count += 1;
        if *count < MOST_REFUSALS {
            return Ok(());
        }
        let mut tx = self.core.database.begin().await?;
        relay::park(&mut tx, event, reason, self.core.clock.now()).await?;
        tx.commit().await?;
        self.refusals.remove(&event.key);
        self.parked.insert(event.key);
        warn!(event.key = %event.key, event.position = event.position,
            "the relay parked key {}: {reason}", event.key);
        Ok(())
    }

    /// Moves each cursor over what is published or parked without a gap; returns how much is left.
    async fn advance(&mut self, events: &[OutgoingEvent]) -> Result<usize, Error> {
        let mut moved = Vec::new();
        let mut left = 0;
        for bucket in &mut self.held {
            let mut passed = Vec::new();
            let of_bucket: Vec<_> = events
                .iter()
                .filter(|e| e.bucket == bucket.bucket)
                .collect();
            for event in &of_bucket {
                let published = self.ahead.contains(&event.position);
                if !published && !self.parked.contains(&event.key) {
                    break;
                }
                passed.push(event.position);
            }
            left += of_bucket.len() - passed.len();
            if of_bucket.len() == PER_BUCKET as usize {
                left += 1; // There may be more behind what was read.
            }
            if let Some(last) = passed.last() {
                bucket.last_position = *last;
                moved.push(*bucket);
                for position in &passed {
                    self.ahead.remove(position);
                }
            }
        }
        self.store_cursors(&moved).await?;
        Ok(left)
    }

    async fn store_cursors(&mut self, moved: &[BucketLease]) -> Result<(), Error> {
        if moved.is_empty() {
            return Ok(());
        }
        let mut robbed = Vec::new();
        let mut tx = self.core.database.begin().await?;
        for bucket in moved {
            if !relay::advance(&mut tx, *bucket, self.owner).await? {
                robbed.push(bucket.bucket);
            }
        }
        tx.commit().await?;
        // Its new owner repeats what this pass sent; consumers gate by version.
        self.held.retain(|bucket| !robbed.contains(&bucket.bucket));
        Ok(())
    }

    fn record(&self, events: &[OutgoingEvent], published: usize, left: usize) {
        let now = self.core.clock.now();
        let oldest = events
            .iter()
            .map(|event| event.recorded_at)
            .min()
            .unwrap_or(now);
        let lag = if left == 0 {
            Duration::ZERO
        } else {
            (now - oldest).to_std().unwrap_or_default()
        };
        metrics::relay(self.core.app, published, left, lag);
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
fn waves(events: &[OutgoingEvent]) -> Vec<Vec<&OutgoingEvent>> {
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
