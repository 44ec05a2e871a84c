//! Reading the log.

use chrono::{DateTime, Utc};
use event_schema::{State, decode_state};
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
    /// The CloudEvent, byte for byte: in the version it was written in. [`event_schema::decode`] brings
    /// it to today's shape.
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

impl<S: State> Recorded<S> {
    /// The head that a service's own query found: `version`, `state` and `state_version` of its row in
    /// `stream`. The state is brought to today's shape.
    pub fn of_head(version: i64, state: &str, state_version: i32) -> serde_json::Result<Self> {
        let state_version = usize::try_from(state_version).unwrap_or_default();
        Ok(Self {
            version: u64::try_from(version).unwrap_or_default(),
            state: decode_state(state, state_version)?,
        })
    }
}
