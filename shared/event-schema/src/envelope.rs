//! The CloudEvents 1.0 envelope, built once and published as it is stored.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::EventId;

/// An event as it travels: CloudEvents 1.0 attributes, our extensions and the data, undecoded.
///
/// Attributes this version does not know are ignored when reading, so that newer producers may add some.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Envelope {
    /// Always `1.0`.
    pub specversion: String,
    /// With `source` the identity of the event.
    pub id: EventId,
    /// The publishing service, `/task-api`.
    pub source: String,
    /// `task.completed.v1`; the suffix is the major version.
    #[serde(rename = "type")]
    pub event_type: String,
    /// `taskledger://schemas/task.completed/1.0.0`, the full version of the data's schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataschema: Option<String>,
    /// The stream the event belongs to: a task, series or notification id.
    pub subject: String,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// What keeps its order on the broker.
    pub partitionkey: String,
    /// The version of the stream, as text: integers above 2^53 do not survive every sidecar.
    pub sequence: String,
    /// The request or event that everything of this story goes back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlationid: Option<String>,
    /// The event or request that directly caused this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causationid: Option<String>,
    /// W3C trace context. Dapr overwrites it unless `traceid` is there too, so both are set together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceid: Option<String>,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// `{"actor", "change", "<state>"}`, see [`crate::Data`].
    pub data: Box<RawValue>,
}

/// What a new event's envelope is made of, besides its data.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    /// See [`Envelope::id`].
    pub id: EventId,
    /// See [`Envelope::source`].
    pub source: &'a str,
    /// See [`Envelope::event_type`].
    pub event_type: &'a str,
    /// The full semantic version of the data's schema, `1.0.0`.
    pub schema_version: &'a str,
    /// See [`Envelope::subject`].
    pub subject: uuid::Uuid,
    /// See [`Envelope::time`].
    pub time: DateTime<Utc>,
    /// See [`Envelope::partitionkey`].
    pub partition_key: uuid::Uuid,
    /// See [`Envelope::sequence`].
    pub version: u64,
    /// See [`Envelope::correlationid`].
    pub correlation_id: Option<&'a str>,
    /// See [`Envelope::causationid`].
    pub causation_id: Option<&'a str>,
    /// See [`Envelope::traceparent`].
    pub traceparent: Option<&'a str>,
}

/// Bytes that are not one of our envelopes.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Not JSON, or a required attribute is missing or of the wrong type.
    #[error("not a CloudEvent of ours: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A CloudEvents version we do not speak.
    #[error("specversion {0} is not 1.0")]
    SpecVersion(String),
    /// The sequence is not a positive integer.
    #[error("sequence {0:?} is not a positive integer")]
    Sequence(String),
}

/// The `dataschema` of a type's schema version: `task.completed.v1` and `1.2.0` make `…/task.completed/1.2.0`.
pub fn dataschema(event_type: &str, schema_version: &str) -> String {
    let name = event_type
        .rsplit_once(".v")
        .map_or(event_type, |(name, _)| name);
    format!("taskledger://schemas/{name}/{schema_version}")
}

impl Envelope {
    /// Wraps data that was already serialized.
    pub fn new(attributes: &Attributes<'_>, data: Box<RawValue>) -> Self {
        Self {
            specversion: "1.0".to_owned(),
            id: attributes.id,
            source: attributes.source.to_owned(),
            event_type: attributes.event_type.to_owned(),
            dataschema: Some(dataschema(attributes.event_type, attributes.schema_version)),
            subject: attributes.subject.to_string(),
            time: attributes.time,
            datacontenttype: "application/json".to_owned(),
            partitionkey: attributes.partition_key.to_string(),
            sequence: attributes.version.to_string(),
            correlationid: attributes.correlation_id.map(str::to_owned),
            causationid: attributes.causation_id.map(str::to_owned),
            traceid: attributes.traceparent.map(str::to_owned),
            traceparent: attributes.traceparent.map(str::to_owned),
            data,
        }
    }

    /// Reads an envelope and checks what every consumer relies on. Never panics, whatever the bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let envelope: Self = serde_json::from_slice(bytes)?;
        if envelope.specversion != "1.0" {
            return Err(EnvelopeError::SpecVersion(envelope.specversion));
        }
        if envelope.version() == 0 {
            return Err(EnvelopeError::Sequence(envelope.sequence));
        }
        Ok(envelope)
    }

    /// The version of the data's schema, `1.0.0`.
    pub fn schema_version(&self) -> Option<&str> {
        let (_, version) = self.dataschema.as_deref()?.rsplit_once('/')?;
        Some(version)
    }

    /// The stream's version that this event made; 0 only in an envelope that was not checked.
    pub fn version(&self) -> u64 {
        // `parse` alone would take a plus sign.
        let digits = self.sequence.bytes().all(|byte| byte.is_ascii_digit());
        if digits {
            self.sequence.parse().unwrap_or(0)
        } else {
            0
        }
    }
}
