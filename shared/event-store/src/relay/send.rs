//! Hands events to the sidecar and tells what became of them.

use std::collections::{BTreeMap, HashMap};

use dapr_client::{Message, PublishError, advised};
use futures_util::{FutureExt, StreamExt, stream};
use tracing::error;

use crate::store::relay::OutgoingEvent;
use crate::{Relay, metrics};

/// Events of one bulk call.
const PER_CALL: usize = 100;
/// Calls on their way at once. Their bodies are what a pass holds in memory beside the log's page.
const CALLS: usize = 4;

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

impl Relay {
    /// Publishes events of different keys, topic by topic, a few calls at a time.
    pub(super) async fn send(&self, events: &[&OutgoingEvent]) -> Wave {
        let mut topics: BTreeMap<&str, Vec<&OutgoingEvent>> = BTreeMap::new();
        for event in events {
            topics.entry(&event.topic).or_default().push(event);
        }
        let mut calls = Vec::new();
        for (topic, events) in &topics {
            for chunk in events.chunks(PER_CALL) {
                calls.push(self.call(topic, chunk).boxed());
            }
        }
        let mut parts = stream::iter(calls).buffer_unordered(CALLS);
        let mut wave = Wave::default();
        while let Some(part) = parts.next().await {
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
