#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod actor;
pub mod civil;
pub mod compatibility;
mod data;
mod decode;
mod envelope;
mod event_type;
mod ids;
mod notification;
mod preferences;
mod recurring;
mod registry;
mod reminder;
mod series;
mod summary;
mod task;
mod task_reminder;
mod time_value;
pub mod topic;
mod upcast;
mod watch;

/// Whether a member can be left out.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub use actor::Actor;
pub use data::{Change, Changed, Data, State};
pub use decode::{DecodeError, Decoded, decode, decode_state};
pub use envelope::{Attributes, Envelope, EnvelopeError, dataschema};
pub use event_type::{EventSet, EventType};
pub use ids::{
    EventId, NotificationId, ReminderId, SeriesId, TaskId, UserId, exhausted_event_id,
    fired_event_id, late_event_id, notification_id, occurrence_again_event_id, occurrence_event_id,
    occurrence_reminder_id, occurrence_task_id, withdrawn_event_id,
};
pub use notification::{
    DeliveryFailed, Notification, NotificationDelivered, NotificationEvent, NotificationExpired,
    NotificationKind, NotificationRead, NotificationUpdated, NotificationWithdrawn,
};
pub use preferences::{Preferences, PreferencesChanged, PreferencesEvent, PreferencesFollowed};
pub use recurring::{
    OccurrenceDue, OccurrenceFinished, OccurrenceLate, OccurrenceOpened, OccurrenceReopened,
    OccurrenceWithdrawn, ProgressEvent, SeriesExhausted, SeriesFollowed, SeriesProgress,
    SlotsPassed,
};
pub use registry::{Family, all_events, check_registry, current_form, event_type_of, families};
pub use reminder::{
    PlannedReminder, ReminderCancelled, ReminderEvent, ReminderFired, ReminderMissed,
    ReminderMoved, ReminderScheduled, ReminderStatus, ReminderTaskSeen, ReminderWithdrawn,
    RemindersReplanned, TaskReminders, WallClock,
};
pub use series::{
    BeginsAfter, CatchUp, DstGap, Generation, GenerationMode, MonthOverflow, Recurrence, Series,
    SeriesChanged, SeriesEnded, SeriesEvent, SeriesException, SeriesPaused, SeriesResumed,
    SeriesStatus, SlotAnchor, TaskTemplate,
};
pub use summary::{
    Miss, MissEvent, MissSummed, MissWithdrawn, MissedReminder, MissedSummary, OpenSummary,
    SummaryBegun, SummaryEvent,
};
pub use task::{
    After, Priority, ReminderTold, Status, Task, TaskCancelled, TaskCompleted, TaskEvent,
    TaskPurged, TaskReminderAnswered, TaskRemindersTold, TaskReopened, TaskRestored, TaskSkipped,
    TaskTrashed, TaskUpdated,
};
pub use task_reminder::{
    Anchor, Answer, Misfire, MisfirePolicy, Nag, Reminder, Reply, Terms, Told, Trigger,
};
pub use time_value::{FLOATING, TimeValue};
pub use topic::{App, Topic};
pub use upcast::{Members, RegistryError, Step, Upcast, unchanged};
pub use watch::{TaskSeen, TaskWatch, WatchEvent};
