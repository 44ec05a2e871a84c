//! Bulk publish: the body, the two paths, and what a partial failure means.

use std::sync::atomic::Ordering;

use http::StatusCode;
use reqwest::Response;
use serde::Deserialize;

use crate::client::{CLOUD_EVENT, JSON, refused};
use crate::{Client, Message, PublishError, Refusal};

/// Where a call is split. Sidecars refuse bodies above 4 MiB.
const LARGEST_BODY: usize = 1024 * 1024;

/// What an entry costs beside its envelope and key: names, quotes, a 20-digit position.
const ENTRY_OVERHEAD: usize = 128;

const STABLE: [&str; 3] = ["v1.0", "publish", "bulk"];
const ALPHA: [&str; 3] = ["v1.0-alpha1", "publish", "bulk"];

/// An event of a bulk call that was not published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedEntry {
    /// [`Message::position`].
    pub position: u64,
    /// What the broker or the sidecar said.
    pub reason: String,
    /// Whether this event can never be published: see [`PublishError::is_permanent`].
    pub permanent: bool,
}

impl Client {
    /// Publishes many events, at most one per key. `Ok` lists those that failed, every other one is
    /// durable at the broker; `Err` means that nothing is known of any of them.
    ///
    /// Large calls are split. When a call is refused for good, its events are published one by one,
    /// so that only the guilty one is reported.
    pub async fn publish_bulk(
        &self,
        topic: &str,
        messages: &[Message<'_>],
    ) -> Result<Vec<FailedEntry>, PublishError> {
        let mut failed = Vec::new();
        let mut rest = messages;
        while !rest.is_empty() {
            let (call, later) = rest.split_at(call_length(rest));
            match self.publish_call(topic, call).await {
                Ok(entries) => failed.extend(entries),
                // What went before is published: only what is left is reported as failed.
                Err(error) if rest.len() < messages.len() => {
                    failed.extend(rest.iter().map(|message| failure(message, &error)));
                    break;
                }
                Err(error) => return Err(error),
            }
            rest = later;
        }
        Ok(failed)
    }

    async fn publish_call(
        &self,
        topic: &str,
        call: &[Message<'_>],
    ) -> Result<Vec<FailedEntry>, PublishError> {
        let answered = self.measured(topic, call.len(), async {
            let answer = self.post_bulk(topic, body(call)).await?;
            if answer.status().is_success() {
                return Ok(Vec::new());
            }
            failed_entries(call, answer).await
        });
        match answered.await {
            Err(error) if error.is_permanent() && call.len() > 1 => {
                self.publish_each(topic, call).await
            }
            outcome => outcome,
        }
    }

    async fn publish_each(
        &self,
        topic: &str,
        call: &[Message<'_>],
    ) -> Result<Vec<FailedEntry>, PublishError> {
        let mut failed = Vec::new();
        for (index, message) in call.iter().enumerate() {
            match self.publish(topic, message).await {
                Ok(()) => {}
                Err(error) if error.is_permanent() => failed.push(failure(message, &error)),
                Err(error) => {
                    failed.extend(call[index..].iter().map(|message| failure(message, &error)));
                    break;
                }
            }
        }
        Ok(failed)
    }

    /// Sidecars before 1.17 know only the alpha path. They answer the stable one with 404, as does
    /// a newer sidecar without the component: only an alpha path that answers is remembered.
    async fn post_bulk(&self, topic: &str, body: String) -> Result<Response, PublishError> {
        let remembered = self.alpha().load(Ordering::Relaxed);
        let (first, second) = if remembered {
            (ALPHA, STABLE)
        } else {
            (STABLE, ALPHA)
        };
        let known = self
            .post(self.publish_url(&first, topic), JSON, body.clone())
            .await?;
        if known.status() != StatusCode::NOT_FOUND {
            return Ok(known);
        }
        let other = self
            .post(self.publish_url(&second, topic), JSON, body)
            .await?;
        if other.status() != StatusCode::NOT_FOUND {
            self.alpha().store(second == ALPHA, Ordering::Relaxed);
            return Ok(other);
        }
        // A sidecar that has only the alpha path takes the stable one for a component named `bulk`, and
        // that is not what is missing.
        Ok(if remembered { known } else { other })
    }
}

/// How many of the messages fit into one call; always at least one.
fn call_length(messages: &[Message<'_>]) -> usize {
    let mut size = 0;
    let fitting = messages.iter().take_while(|message| {
        size += message.envelope.len() + message.key.len() + ENTRY_OVERHEAD;
        size <= LARGEST_BODY
    });
    fitting.count().max(1)
}

/// The envelopes are spliced in as they are: parsing and printing them again would be half the cost
/// of publishing, and change their bytes.
fn body(call: &[Message<'_>]) -> String {
    let size: usize = call
        .iter()
        .map(|message| message.envelope.len() + ENTRY_OVERHEAD)
        .sum();
    let mut body = String::with_capacity(size + 64);
    for (index, message) in call.iter().enumerate() {
        let start = if index == 0 { '[' } else { ',' };
        let key = serde_json::Value::from(message.key);
        let attributes = format!(
            r#"{start}{{"entryId":"{}","contentType":"{CLOUD_EVENT}","metadata":{{"partitionKey":{key}}},"event":"#,
            message.position,
        );
        body.push_str(&attributes);
        body.push_str(message.envelope);
        body.push('}');
    }
    body.push(']');
    body
}

#[derive(Deserialize)]
struct BulkFailure {
    #[serde(rename = "failedEntries", default)]
    failed_entries: Vec<FailedWireEntry>,
}

#[derive(Deserialize)]
struct FailedWireEntry {
    #[serde(rename = "entryId")]
    entry_id: String,
    #[serde(default)]
    error: String,
}

/// A 500 may list the entries that failed: the others were published.
async fn failed_entries(
    call: &[Message<'_>],
    answer: Response,
) -> Result<Vec<FailedEntry>, PublishError> {
    if answer.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return Err(refused(answer).await);
    }
    let status = answer.status().as_u16();
    let bytes = answer.bytes().await.map_err(PublishError::Unreachable)?;
    let listed = serde_json::from_slice::<BulkFailure>(&bytes)
        .map(|failure| failure.failed_entries)
        .unwrap_or_default();
    let failed: Vec<FailedEntry> = listed
        .into_iter()
        .filter_map(|entry| {
            let position = entry.entry_id.parse().ok()?;
            call.iter()
                .any(|message| message.position == position)
                .then_some(FailedEntry {
                    position,
                    reason: entry.error,
                    permanent: false,
                })
        })
        .collect();
    if failed.is_empty() {
        return Err(PublishError::Refused(Refusal::new(status, &bytes)));
    }
    Ok(failed)
}

fn failure(message: &Message<'_>, error: &PublishError) -> FailedEntry {
    FailedEntry {
        position: message.position,
        reason: error.to_string(),
        permanent: error.is_permanent(),
    }
}
