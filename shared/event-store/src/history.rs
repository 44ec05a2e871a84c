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
    /// The columns of a head. The state is brought to today's shape.
    pub(crate) fn of_head(
        version: i64,
        state: &str,
        state_version: i32,
    ) -> serde_json::Result<Self> {
        let state_version = usize::try_from(state_version).unwrap_or_default();
        Ok(Self {
            version: u64::try_from(version).unwrap_or_default(),
            state: decode_state(state, state_version)?,
        })
    }
}

/// A head that a service's own query found: `s.stream_id, s.version, s.state, s.state_version` of a row of
/// `stream`. A row with more columns takes it in by `#[sqlx(flatten)]`.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct FoundHead {
    stream_id: Uuid,
    version: i64,
    state: String,
    state_version: i32,
}

impl FoundHead {
    /// Reads it, brought to today's shape. Fails when it is no state of this kind.
    pub fn read<S: State>(&self) -> Result<Recorded<S>, database::Error> {
        let found = Recorded::of_head(self.version, &self.state, self.state_version);
        found.map_err(|error| database::Error::Corrupt {
            table: "stream",
            column: "state",
            id: self.stream_id.to_string(),
            reason: error.to_string(),
        })
    }
}
