//! One group in one partition: reads on, delivers in order, retries in place, commits.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::answer::Verdict;
use super::app::App;
use super::message::Message;
use super::{FIRST_KNOCK, LAST_KNOCK, Subscription};
use crate::broker::{Partition, Progress};
use crate::{Broker, NewRecord, Record, RetryPolicy};

/// How many records are read at once when they are delivered one by one.
const READ_AHEAD: u32 = 64;

pub(super) struct Consumer {
    pub(super) app: Arc<App>,
    pub(super) broker: Broker,
    pub(super) subscription: Subscription,
    pub(super) partition: Arc<Partition>,
    pub(super) retry: RetryPolicy,
    /// How often each event is delivered.
    pub(super) rounds: u32,
}

/// The stop came before an event was answered; it comes again after the restart.
struct Stopped;

impl Consumer {
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut end = self.partition.end.subscribe();
        let mut next = self.committed();
        loop {
            let appended = stop
                .run_until_cancelled(end.wait_for(|end| *end > next))
                .await;
            let Some(Ok(end)) = appended.map(|end| end.map(|end| *end)) else {
                return;
            };
            match self.consume(next, end, &stop).await {
                Ok(reached) => next = reached,
                Err(Stopped) => return,
            }
        }
    }

    /// Delivers what one read finds; returns the offset to go on at.
    async fn consume(&self, next: u64, end: u64, stop: &CancellationToken) -> Result<u64, Stopped> {
        let limit = self.subscription.bulk.unwrap_or(READ_AHEAD);
        let records = match self
            .broker
            .read_partition(&self.partition, next, limit)
            .await
        {
            Ok(records) => records,
            Err(error) => {
                tracing::error!("consuming {} has to wait: {error}", self.partition.topic);
                wait(self.retry.longest_backoff, stop).await?;
                return Ok(next);
            }
        };
        if records.is_empty() {
            // Retention was faster than the app.
            self.commit(end, Vec::new(), stop).await?;
            return Ok(end);
        }
        let chunk = if self.subscription.bulk.is_some() {
            records.len()
        } else {
            1
        };
        let mut reached = next;
        for batch in records.chunks(chunk) {
            let dead = self.deliver_all(batch, stop).await?;
            reached = batch.last().map_or(reached, |record| record.offset + 1);
            self.commit(reached, dead, stop).await?;
        }
        Ok(reached)
    }

    /// Delivers a batch, as often as is wanted; returns what has to go to the dead-letter topic.
    async fn deliver_all(
        &self,
        batch: &[Record],
        stop: &CancellationToken,
    ) -> Result<Vec<NewRecord>, Stopped> {
        let now = self.app.clock().now();
        let mut dead = Vec::new();
        let mut open = Vec::new();
        for (index, record) in batch.iter().enumerate() {
            let message = Message {
                entry_id: index.to_string(),
                record: record.clone(),
            };
            if message.event().is_none() {
                self.bury(&message, "it is no JSON object", &mut dead);
            } else if message.is_expired(now) {
                self.bury(&message, "its time to live is over", &mut dead);
            } else {
                open.push(message);
            }
        }
        let mut open: Vec<&Message> = open.iter().collect();
        for _ in 0..self.rounds {
            let dropped = self.deliver(open.clone(), stop).await?;
            for (message, reason) in &dropped {
                self.bury(message, reason, &mut dead);
            }
            open.retain(|kept| {
                !dropped
                    .iter()
                    .any(|(message, _)| message.entry_id == kept.entry_id)
            });
        }
        Ok(dead)
    }

    /// Delivers until every message was answered; only those that failed are delivered again.
    /// Returns those that were dropped or failed too often.
    async fn deliver<'a>(
        &self,
        mut open: Vec<&'a Message>,
        stop: &CancellationToken,
    ) -> Result<Vec<(&'a Message, String)>, Stopped> {
        let mut given_up = Vec::new();
        let mut attempts = 0;
        let mut knock = FIRST_KNOCK;
        while !open.is_empty() {
            if stop.is_cancelled() {
                return Err(Stopped);
            }
            let Ok(verdicts) = self.app.deliver(&self.subscription, &open).await else {
                wait(knock, stop).await?;
                knock = (knock * 2).min(LAST_KNOCK);
                continue;
            };
            knock = FIRST_KNOCK;
            attempts += 1;
            open = self.judge(open, verdicts, attempts, &mut given_up);
            if !open.is_empty() {
                wait(self.backoff(attempts), stop).await?;
            }
        }
        Ok(given_up)
    }

    /// Sorts the messages by their verdicts; returns those to be delivered again.
    fn judge<'a>(
        &self,
        open: Vec<&'a Message>,
        verdicts: Vec<Verdict>,
        attempts: u32,
        given_up: &mut Vec<(&'a Message, String)>,
    ) -> Vec<&'a Message> {
        let last = self.subscription.dead_letter_topic.is_some()
            && self.retry.max_attempts.is_some_and(|most| attempts >= most);
        let mut again = Vec::new();
        for (message, verdict) in open.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Done => {}
                Verdict::Dropped(reason) => given_up.push((message, reason)),
                Verdict::Failed(reason) if last => given_up.push((message, reason)),
                Verdict::Failed(reason) => {
                    tracing::debug!(
                        "attempt {attempts} of {} failed: {reason}",
                        self.place(message)
                    );
                    again.push(message);
                }
            }
        }
        again
    }

    fn bury(&self, message: &Message, reason: &str, dead: &mut Vec<NewRecord>) {
        let place = self.place(message);
        if let Some(topic) = &self.subscription.dead_letter_topic {
            tracing::warn!("{place} goes to {topic}: {reason}");
            dead.push(message.dead_letter(&self.subscription.pubsub));
        } else {
            tracing::warn!("{place} is lost: {reason}");
        }
    }

    /// Commits the offset, in one transaction with the dead letters.
    async fn commit(
        &self,
        next_offset: u64,
        dead: Vec<NewRecord>,
        stop: &CancellationToken,
    ) -> Result<(), Stopped> {
        let progress = Progress {
            group: Arc::clone(self.app.group()),
            partition_id: self.partition.id,
            next_offset,
        };
        loop {
            let done = match &self.subscription.dead_letter_topic {
                Some(topic) if !dead.is_empty() => {
                    self.broker
                        .append(topic, dead.clone(), Some(progress.clone()))
                        .await
                }
                _ => self.broker.advance(progress.clone()).await,
            };
            let Err(error) = done else { return Ok(()) };
            tracing::error!("committing {} has to wait: {error}", self.partition.topic);
            wait(self.retry.longest_backoff, stop).await?;
        }
    }

    fn committed(&self) -> u64 {
        self.broker.committed_in(self.app.group(), &self.partition)
    }

    /// Doubles from attempt to attempt, and varies by a quarter, so that partitions do not march in step.
    fn backoff(&self, attempts: u32) -> Duration {
        let doubled = self
            .retry
            .first_backoff
            .saturating_mul(1 << attempts.saturating_sub(1).min(16));
        let quarter = u32::try_from(RandomState::new().hash_one(attempts) % 26).unwrap_or(0);
        doubled.min(self.retry.longest_backoff) * (100 - quarter) / 100
    }

    fn place(&self, message: &Message) -> String {
        let Record {
            topic,
            partition,
            offset,
            ..
        } = &message.record;
        format!("{topic}/{partition}/{offset} for {}", self.app.group())
    }
}

async fn wait(duration: Duration, stop: &CancellationToken) -> Result<(), Stopped> {
    let slept = stop.run_until_cancelled(tokio::time::sleep(duration)).await;
    slept.ok_or(Stopped)
}
