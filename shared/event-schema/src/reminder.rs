//! The reminders of a task and when they fire. Owned by reminder-scheduler.

use chrono::{DateTime, NaiveDateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event_type::event_set;
use crate::{ReminderId, State, TaskId, Terms, TimeValue, Told, Topic, UserId, civil, is_default};

/// Where a reminder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReminderStatus {
    /// Its time is still to come.
    Scheduled,
    /// It has been told.
    Fired,
    /// Its time passed too long ago to tell.
    Missed,
    /// It is not wanted any more.
    Cancelled,
}

/// A time on the wall of a zone, and so many seconds from it: what an instant follows from by the rules of
/// the zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WallClock {
    /// `2027-01-31T09:00`
    #[serde(with = "civil")]
    #[schemars(with = "String", extend("pattern" = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$"))]
    pub local: NaiveDateTime,
    /// An IANA name.
    pub time_zone: String,
    /// Seconds from it; negative is before.
    #[serde(default, skip_serializing_if = "is_default")]
    pub offset_seconds: i64,
}

/// A reminder with the instant that it resolves to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedReminder {
    /// The reminder.
    pub reminder_id: ReminderId,
    /// The instant, by the zone rules of `tzdb_version`; of one that was told, the last that was.
    pub fire_at: DateTime<Utc>,
    /// What its first time follows from, when other rules of a zone would make another instant of it. One
    /// that was planned before this was kept has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall: Option<WallClock>,
    /// Where it stands.
    pub status: ReminderStatus,
    /// The newest of its times that had its turn (fired or missed). None up to it comes again,
    /// wherever the task is moved.
    #[serde(default)]
    pub told_until: Option<DateTime<Utc>>,
    /// How it is told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub terms: Terms,
    /// Since it was scheduled: its first time, from which its nags count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_at: Option<DateTime<Utc>>,
    /// Since it was scheduled: how often it was told again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub nags: u16,
    /// When it is told again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nag_at: Option<DateTime<Utc>>,
    /// How often it fired.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fire_count: u32,
    /// When it fired last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_fired_at: Option<DateTime<Utc>>,
    /// How late that was, in milliseconds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub late_by_ms: u64,
    /// Whether the newest of its times that had its turn was missed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missed: bool,
    /// When that one was told, or found to be missed; none when it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<DateTime<Utc>>,
}

impl PlannedReminder {
    /// What became of it so far; `None` while nothing did. What was taken back had its turn too: it does not
    /// come again for that time, nor for one before.
    pub fn told(&self) -> Option<Told> {
        Some(Told {
            until: self.told_until?,
            missed: self.missed,
            fire_count: self.fire_count,
            last_fired_at: self.last_fired_at,
            late_by_ms: self.late_by_ms,
            nag_at: self.nag_at,
        })
    }

    /// When it is told next.
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        match self.status {
            ReminderStatus::Scheduled => Some(self.fire_at),
            ReminderStatus::Fired | ReminderStatus::Missed => self.nag_at,
            ReminderStatus::Cancelled => None,
        }
    }

    /// The first time since it was scheduled.
    pub fn first_at(&self) -> DateTime<Utc> {
        self.first_at.unwrap_or(self.fire_at)
    }
}

/// The full reminder state of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskReminders {
    /// Also the stream id and the partition key.
    pub task_id: TaskId,
    /// Whose task it is.
    pub owner_id: UserId,
    /// The task's version that the plan was made from.
    pub task_version: u64,
    /// What the notification shows.
    pub title: String,
    /// What the notification shows.
    #[serde(default)]
    pub due: Option<TimeValue>,
    /// In the order they were first planned; also some that the task does not have any more.
    pub reminders: Vec<PlannedReminder>,
    /// The zone rules that instants were derived by.
    pub tzdb_version: String,
}

impl State for TaskReminders {
    const FIELD: &'static str = "reminders";

    fn owner(&self) -> UserId {
        self.owner_id
    }
}

event_set! {
    /// What can happen to the reminders of a task.
    pub enum ReminderEvent of TaskReminders, by ReminderScheduler {
        /// A reminder was planned, or planned anew because its task changed.
        /// From reminder-scheduler; read by task-api and notifier.
        Scheduled(ReminderScheduled) = "reminder.scheduled.v1", Some(Topic::ReminderEvents), "1.0.0";
        /// A reminder reached its time.
        /// From reminder-scheduler; read by task-api and notifier, which tells the user.
        Fired(ReminderFired) = "reminder.fired.v1", Some(Topic::ReminderEvents), "1.0.0", fact;
        /// A reminder's time was found to have passed too long ago to tell.
        /// From reminder-scheduler; read by task-api and notifier.
        Missed(ReminderMissed) = "reminder.missed.v1", Some(Topic::ReminderEvents), "1.0.0", fact;
        /// A reminder fired or was missed although it should not have: its task was closed, or the reminder
        /// answered or moved, before. From reminder-scheduler; read by task-api and notifier, which takes back
        /// what it told.
        Withdrawn(ReminderWithdrawn) = "reminder.withdrawn.v1", Some(Topic::ReminderEvents), "1.0.0", fact;
        /// The zone rules changed, and with them the instant of a reminder: of one that is to come, when it
        /// will fire; of one that had its turn, what it stands for. It does not come again.
        /// From reminder-scheduler; read by task-api.
        Moved(ReminderMoved) = "reminder.moved.v1", Some(Topic::ReminderEvents), "1.0.0";
        /// The reminders of a task were reckoned anew, because the zone rules changed. Stays in the ledger
        /// of reminder-scheduler.
        Replanned(RemindersReplanned) = "reminder.replanned.v1", None, "1.0.0";
        /// A reminder will not fire: it was removed, or its task was closed or trashed.
        /// From reminder-scheduler; read by task-api and notifier.
        Cancelled(ReminderCancelled) = "reminder.cancelled.v1", Some(Topic::ReminderEvents), "1.0.0";
        /// What the notifications of a task will show changed, and no reminder moved.
        /// Stays in the ledger of reminder-scheduler.
        TaskSeen(ReminderTaskSeen) = "reminder.task-seen.v1", None, "1.0.0";
    }
}

/// A reminder was planned, or planned anew because its task changed. It may begin the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReminderScheduled {
    /// The task.
    pub task_id: TaskId,
    /// Whose task it is.
    pub owner_id: UserId,
    /// The reminder.
    pub reminder_id: ReminderId,
    /// When it will fire.
    pub fire_at: DateTime<Utc>,
    /// The task's version that the plan was made from.
    pub task_version: u64,
    /// What the notification will show.
    pub title: String,
    /// What the notification will show.
    #[serde(default)]
    pub due: Option<TimeValue>,
    /// The zone rules that `fire_at` was derived by.
    pub tzdb_version: String,
    /// What `fire_at` follows from, when other rules of a zone would make another instant of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall: Option<WallClock>,
    /// How it will be told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub terms: Terms,
    /// Whether it was told already, and `fire_at` is when it is told again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub nag: bool,
}

/// A reminder reached its time. Its event id is derived from the reminder and `scheduled_for`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReminderFired {
    /// The reminder.
    pub reminder_id: ReminderId,
    /// Its time.
    pub scheduled_for: DateTime<Utc>,
    /// When it fired; never before its time.
    pub fired_at: DateTime<Utc>,
    /// Milliseconds between the two.
    #[serde(default, skip_serializing_if = "is_default")]
    pub late_by_ms: u64,
    /// When it is told again unless somebody answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nag_at: Option<DateTime<Utc>>,
}

/// A reminder's time was found to have passed longer ago than its grace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReminderMissed {
    /// The reminder.
    pub reminder_id: ReminderId,
    /// Its time.
    pub scheduled_for: DateTime<Utc>,
    /// When that was found.
    pub missed_at: DateTime<Utc>,
    /// When it is told again unless somebody answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nag_at: Option<DateTime<Utc>>,
}

/// A reminder will not fire: it was removed, or its task was closed or trashed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReminderCancelled {
    /// The reminder.
    pub reminder_id: ReminderId,
    /// The task's version that said so.
    pub task_version: u64,
}

/// What the notifications of a task will show changed, and no reminder moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReminderTaskSeen {
    /// The task's version that said so.
    pub task_version: u64,
    /// What the notification will show.
    pub title: String,
    /// What the notification will show.
    #[serde(default)]
    pub due: Option<TimeValue>,
}

/// The instant of a reminder is another, because the rules of its zone are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReminderMoved {
    /// The reminder.
    pub reminder_id: ReminderId,
    /// Its first time by the rules of before.
    pub from: DateTime<Utc>,
    /// By the rules of now.
    pub to: DateTime<Utc>,
}

/// The reminders of a task stand by these zone rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RemindersReplanned {
    /// The rules, `2026a`.
    pub tzdb_version: String,
}

/// A reminder fired or was missed before it was known that it should not. Its event id is derived from the
/// reminder and `scheduled_for`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReminderWithdrawn {
    /// The reminder.
    pub reminder_id: ReminderId,
    /// The time for which it fired, or that was missed.
    pub scheduled_for: DateTime<Utc>,
    /// The task's version that said so.
    pub task_version: u64,
    /// Whether it was missed, and did not fire.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missed: bool,
}
