//! What goes into the ledger with a command, and what comes back.

use chrono::{DateTime, Utc};
use dapr_client::Delivery;
use event_schema::{Actor, App, UserId, event_type_of};
use uuid::Uuid;

/// Who wants it, when, and which story it belongs to.
#[derive(Clone, Debug)]
pub struct Context {
    /// Who caused it; kept in every event.
    pub actor: Actor,
    /// The time the door read from the clock; decisions know no other.
    pub now: DateTime<Utc>,
    /// The request or event that the story goes back to.
    pub correlation_id: Option<String>,
    /// The event or request that directly caused it.
    pub causation_id: Option<String>,
    /// W3C trace context of the cause.
    pub traceparent: Option<String>,
}

impl Context {
    /// The context of a delivered event: its story goes on, and `app` acts on its own account.
    pub fn of_delivery(app: App, delivery: &Delivery, now: DateTime<Utc>) -> Self {
        let envelope = &delivery.envelope;
        let id = envelope.id.to_string();
        Self {
            actor: Actor::Service(app),
            now,
            correlation_id: Some(envelope.correlationid.clone().unwrap_or_else(|| id.clone())),
            causation_id: Some(id),
            traceparent: envelope.traceparent.clone(),
        }
    }

    /// The context of what a service does because a time has come.
    pub fn of_worker(app: App, now: DateTime<Utc>) -> Self {
        Self {
            actor: Actor::Service(app),
            now,
            correlation_id: None,
            causation_id: None,
            traceparent: None,
        }
    }
}

/// A caller's promise that two requests are the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Keys of different callers never meet.
    pub owner: UserId,
    /// The caller's key.
    pub key: String,
    /// SHA-256 of what was asked; another request under the same key is refused.
    pub request_hash: [u8; 32],
}

/// The answer to a command, stored with its idempotency key in the transaction of its events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status; 0 for commands that nobody waits for over HTTP.
    pub status: u16,
    /// The version of the resource.
    pub etag: Option<u64>,
    /// Where a created resource is.
    pub location: Option<String>,
    /// JSON, or empty.
    pub body: String,
}

/// A delivered event on its way into the ledger.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// The topic it came from.
    pub topic: String,
    /// CloudEvents `id`.
    pub event_id: Uuid,
    /// CloudEvents `type`.
    pub event_type: String,
    /// CloudEvents `source`.
    pub source: String,
    /// CloudEvents `subject`.
    pub subject: Uuid,
    /// CloudEvents `sequence`.
    pub version: u64,
    /// The partition key: what waits together when one of its events is parked.
    pub key: String,
    /// The bytes as they were received.
    pub raw: Vec<u8>,
    /// A fact is processed once per id; a state only when it is newer than the newest seen.
    pub fact: bool,
}

/// A delivered event whose subject is no stream of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("subject {0:?} is not a UUID")]
pub struct SubjectError(String);

impl Inbound {
    /// What the gates need to know of a delivery. Whether it is a fact is a property of its type.
    pub fn of_delivery(delivery: &Delivery) -> Result<Self, SubjectError> {
        let envelope = &delivery.envelope;
        let subject = envelope.subject.parse();
        let known = event_type_of(&envelope.event_type);
        Ok(Self {
            topic: delivery.topic.name().to_owned(),
            event_id: envelope.id.as_uuid(),
            event_type: envelope.event_type.clone(),
            source: envelope.source.clone(),
            subject: subject.map_err(|_| SubjectError(envelope.subject.clone()))?,
            version: envelope.version(),
            key: envelope.partitionkey.clone(),
            raw: delivery.raw.to_vec(),
            fact: known.is_some_and(|known| known.fact),
        })
    }
}

/// How a command ended that was not refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was decided now and is durable.
    Accepted(Answer),
    /// It had been decided before under the same idempotency key; this is the answer of then.
    Replayed(Answer),
    /// The delivered event was processed before, or something newer was.
    Stale,
    /// An earlier event of the key is parked; this one waits behind it in the dead-letter table.
    Waiting,
}
