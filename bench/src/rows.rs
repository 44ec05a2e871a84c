//! The rows that a command makes, decided by the domain of task-api and written without the ledger.

use chrono::{DateTime, Utc};
use clock::Clock;
use event_schema::{
    Actor, App, Attributes, Envelope, EventId, EventSet, EventType, State, Task, TaskEvent,
};
use event_store::Aggregate;
use serde_json::value::RawValue;
use task_api::domain::task::{self, Command, TaskError, TaskStream};
use task_api::domain::time;
use uuid::Uuid;

/// Where tasks without a due stand, as in `tasks` of task-api: the end of the year 9999.
const NEVER: DateTime<Utc> = match DateTime::from_timestamp_micros(253_402_300_799_999_999) {
    Some(at) => at,
    None => DateTime::<Utc>::MAX_UTC,
};

/// A task and its version.
#[derive(Clone, Debug)]
pub(crate) struct Versioned {
    pub(crate) task: Task,
    pub(crate) version: i64,
}

/// What one command writes: an event, a head and a row for lists.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    pub(crate) after: Versioned,
    /// The state as the head holds it.
    pub(crate) state: String,
    pub(crate) event_id: Uuid,
    pub(crate) event_type: &'static EventType,
    pub(crate) envelope: String,
    pub(crate) recorded_at: DateTime<Utc>,
}

/// Why there are no rows.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RowsError {
    #[error(transparent)]
    Refused(#[from] TaskError),
    #[error("cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a command makes one event here")]
    NotOneEvent,
}

impl Rows {
    /// Decides a command on a task as it is, or is not, `before`.
    pub(crate) fn decide(
        before: Option<Versioned>,
        command: Command,
        actor: Actor,
        clock: &dyn Clock,
    ) -> Result<Self, RowsError> {
        let now = clock.now();
        let known = before.as_ref().map(|before| &before.task);
        let events = task::decide(known, command, now)?;
        let [event] = events.as_slice() else {
            return Err(RowsError::NotOneEvent);
        };
        let version = before.as_ref().map_or(0, |before| before.version) + 1;
        let task = TaskStream::evolve(before.map(|before| before.task), event);
        let after = Versioned {
            task: task.ok_or(RowsError::NotOneEvent)?,
            version,
        };
        let state = serde_json::to_string(&after.task)?;
        let event_id = clock.new_id();
        let story = clock.new_id().to_string();
        Ok(Self {
            envelope: envelope(&after, event, event_id, actor, &story, now, &state)?,
            state,
            event_id,
            event_type: event.event_type(),
            recorded_at: now,
            after,
        })
    }

    pub(crate) fn task_id(&self) -> Uuid {
        self.after.task.id.as_uuid()
    }

    pub(crate) fn owner_id(&self) -> Uuid {
        self.after.task.owner_id.as_uuid()
    }

    pub(crate) fn is_new(&self) -> bool {
        self.after.version == 1
    }

    /// Whether the row of `tasks` changes: not with a new title.
    pub(crate) fn changes_task(&self) -> bool {
        self.is_new() || !self.after.task.is_open()
    }

    pub(crate) fn topic(&self) -> Option<&'static str> {
        self.event_type.topic.map(event_schema::Topic::name)
    }

    /// The relay's share of the log, FNV-1a of the key as in the ledger.
    pub(crate) fn bucket(&self) -> i16 {
        let id = self.task_id();
        let hash = id.as_bytes().iter().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
        });
        i16::try_from(hash % 16).unwrap_or_default()
    }

    pub(crate) fn status(&self) -> &'static str {
        match self.after.task.status {
            event_schema::Status::Open => "open",
            event_schema::Status::Completed => "completed",
            event_schema::Status::Cancelled => "cancelled",
            event_schema::Status::Skipped => "skipped",
        }
    }

    pub(crate) fn due_rank(&self) -> i16 {
        i16::from(self.after.task.due.is_none())
    }

    pub(crate) fn due_at(&self) -> DateTime<Utc> {
        self.after
            .task
            .due
            .as_ref()
            .map_or(NEVER, |due| time::sort_key(due, time::home(None)))
    }
}

/// The CloudEvent, as the ledger makes it.
fn envelope(
    after: &Versioned,
    event: &TaskEvent,
    id: Uuid,
    actor: Actor,
    story: &str,
    now: DateTime<Utc>,
    state: &str,
) -> serde_json::Result<String> {
    let data = format!(
        r#"{{"actor":"{actor}","change":{},"{}":{state}}}"#,
        event.change_json()?.get(),
        Task::FIELD,
    );
    let event_type = event.event_type();
    let attributes = Attributes {
        id: EventId(id),
        source: App::TaskApi.source(),
        event_type: event_type.name,
        schema_version: event_type.schema_version,
        subject: after.task.id.as_uuid(),
        time: now,
        partition_key: after.task.id.as_uuid(),
        version: after.version.unsigned_abs(),
        correlation_id: Some(story),
        causation_id: Some(story),
        traceparent: None,
    };
    serde_json::to_string(&Envelope::new(&attributes, RawValue::from_string(data)?))
}
