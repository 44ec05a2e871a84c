//! Reading the log.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// An event as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RecordedEvent {
    /// Its place in the log.
    pub position: i64,
    /// The stream.
    pub stream_id: Uuid,
    /// The stream's version that it made.
    pub version: i64,
    /// Its wire name.
    pub r#type: String,
    /// Whose it is.
    pub owner_id: Uuid,
    /// The CloudEvent, byte for byte.
    pub envelope: String,
    /// When it was committed.
    pub recorded_at: DateTime<Utc>,
}

/// A stream's current state with its version.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded<S> {
    /// The stream's version.
    pub version: u64,
    /// Its state at that version.
    pub state: S,
}
