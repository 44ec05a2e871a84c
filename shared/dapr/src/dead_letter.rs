//! Where an event goes that cannot be processed.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

/// An event that cannot be processed, with whatever could be read of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The topic it came from.
    pub topic: String,
    /// CloudEvents `id`.
    pub event_id: Option<String>,
    /// CloudEvents `type`.
    pub event_type: Option<String>,
    /// CloudEvents `subject`: the stream.
    pub subject: Option<String>,
    /// The partition key: what later events wait behind it.
    pub key: Option<String>,
    /// CloudEvents `sequence`, when it is a number.
    pub version: Option<u64>,
    /// The bytes as they were received.
    pub raw: Bytes,
    /// Why it could not be processed, for the operator.
    pub reason: String,
}

/// Our own dead-letter table.
pub trait DeadLetters: Send + Sync + 'static {
    /// Stores the event durably. After an error the sidecar is asked to deliver it again.
    fn park(&self, dead: DeadLetter) -> BoxFuture<'_, Result<(), ParkError>>;
}

/// The event could not even be parked.
#[derive(Debug, thiserror::Error)]
#[error("parking an event failed")]
pub struct ParkError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl ParkError {
    /// Wraps what the table answered.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    id: Option<Value>,
    #[serde(rename = "type")]
    event_type: Option<Value>,
    subject: Option<Value>,
    partitionkey: Option<Value>,
    sequence: Option<Value>,
}

impl DeadLetter {
    /// Reads what it can of `raw`, which may be any bytes. `key` is what the broker says.
    pub(crate) fn new(topic: &str, raw: Bytes, key: Option<String>, reason: String) -> Self {
        let attributes: Attributes = serde_json::from_slice(&raw).unwrap_or_default();
        Self {
            topic: topic.to_owned(),
            event_id: text(attributes.id),
            event_type: text(attributes.event_type),
            subject: text(attributes.subject),
            key: key.or_else(|| text(attributes.partitionkey)),
            version: text(attributes.sequence).and_then(|sequence| sequence.parse().ok()),
            raw,
            reason,
        }
    }
}

fn text(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) => Some(text),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(raw: &'static [u8]) -> DeadLetter {
        DeadLetter::new(
            "task-events",
            Bytes::from_static(raw),
            None,
            "unreadable".to_owned(),
        )
    }

    #[test]
    fn whatever_can_be_read_is_kept() {
        let dead =
            dead(br#"{"id":"e1","subject":7,"partitionkey":"t1","sequence":"12","type":[]}"#);

        assert_eq!(dead.event_id.as_deref(), Some("e1"));
        assert_eq!(dead.subject.as_deref(), Some("7"));
        assert_eq!(dead.key.as_deref(), Some("t1"));
        assert_eq!(dead.version, Some(12));
        assert_eq!(dead.event_type, None);
    }

    #[test]
    fn bytes_that_are_no_json_are_kept_too() {
        let dead = dead(&[0xff, 0x00, b'{']);

        assert_eq!(dead.event_id, None);
        assert_eq!(dead.raw.as_ref(), [0xff, 0x00, b'{']);
    }
}
