//! A reminder as callers see it.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use event_schema::{Reminder, ReminderId, Reply, Task, TaskId, Trigger, civil};
use reminder_plan::{State, standing};
use serde::Serialize;
use utoipa::ToSchema;

use super::reminder_input::policy_name;
use super::time_value::TimeView;
use crate::domain::fields::anchor_name;
use crate::domain::{duration, time};
use crate::store::reminders::state_name;

/// A reminder of a task, and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = TaskReminder)]
pub(super) struct TaskReminderView {
    #[serde(flatten)]
    reminder: ReminderView,
    /// `scheduled`, `fired`, `snoozed`, `dismissed`, `acknowledged`, `missed` or `cancelled`.
    state: &'static str,
    /// When it is told next.
    next_fire_at: Option<DateTime<Utc>>,
    /// Until when it is snoozed.
    snoozed_until: Option<DateTime<Utc>>,
    /// When it fired last.
    last_fired_at: Option<DateTime<Utc>>,
    /// How late that was: ISO 8601, in whole seconds.
    late_by: Option<String>,
    /// How often it fired.
    fire_count: u32,
}

/// A reminder by itself.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ReminderResource)]
pub(super) struct ReminderResource {
    #[serde(flatten)]
    reminder: TaskReminderView,
    /// The task that it belongs to.
    #[schema(value_type = Uuid)]
    task_id: TaskId,
    /// That of its task; the `ETag`.
    version: u64,
}

/// What a reminder is to do.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Reminder)]
pub(super) struct ReminderView {
    /// Its identity; a PATCH that names it keeps it.
    #[schema(value_type = Uuid)]
    id: ReminderId,
    /// When it fires.
    trigger: TriggerView,
    /// Whether it is told in quiet hours too.
    urgent: bool,
    /// Whether it is told again until it is acknowledged.
    nag: Option<NagView>,
    /// What becomes of it when nobody could tell it at its time.
    misfire: MisfireView,
    /// Whether the next occurrence of its task has it too.
    carry_over: bool,
}

/// When a reminder fires.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = Trigger)]
pub(super) enum TriggerView {
    /// So long before or after one of the task's times.
    Relative {
        /// Which time.
        to: &'static str,
        /// ISO 8601; negative is before.
        offset: String,
    },
    /// At a time of its own.
    Absolute {
        /// The time.
        at: TimeView,
    },
    /// At a time of day, so many days before the day of one of the task's times.
    TimeOfDay {
        /// Which time.
        to: &'static str,
        /// Calendar days.
        days_before: u16,
        /// Such as `09:00`.
        at: String,
        /// Its zone; null is that of the time it counts from.
        time_zone: Option<String>,
    },
}

/// Telling again until it is acknowledged.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Nag)]
pub(super) struct NagView {
    /// The time between two: ISO 8601.
    every: String,
    /// How often it is told again after the first time.
    max: u16,
}

/// What becomes of a reminder that nobody could tell at its time.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Misfire)]
pub(super) struct MisfireView {
    /// `fire_late` or `skip`.
    policy: &'static str,
    /// How late it may be told by `fire_late`: ISO 8601.
    grace: String,
}

impl TaskReminderView {
    pub(super) fn of(task: &Task, reminder: &Reminder) -> Self {
        let stands = standing(task, reminder);
        let is_snoozed = stands.state == State::Snoozed;
        let until = reminder
            .answer
            .as_ref()
            .and_then(|answer| match answer.reply {
                Reply::Snoozed { until } => Some(until),
                Reply::Dismissed | Reply::Acknowledged => None,
            });
        let fired = reminder.told.filter(|told| told.last_fired_at.is_some());
        let seconds = |ms: u64| i64::try_from(ms / 1_000).unwrap_or(i64::MAX);
        Self {
            reminder: ReminderView::of(reminder, time::home(task.home_zone.as_deref())),
            state: state_name(stands.state),
            next_fire_at: stands.next_at,
            snoozed_until: until.filter(|_| is_snoozed),
            last_fired_at: fired.and_then(|told| told.last_fired_at),
            late_by: fired.map(|told| duration::format(seconds(told.late_by_ms))),
            fire_count: reminder.told.map_or(0, |told| told.fire_count),
        }
    }
}

impl ReminderResource {
    pub(super) fn of(task: &Task, version: u64, reminder: &Reminder) -> Self {
        Self {
            reminder: TaskReminderView::of(task, reminder),
            task_id: task.id,
            version,
        }
    }
}

impl ReminderView {
    /// The reminder as its owner reads it there.
    pub(super) fn of(reminder: &Reminder, home: Tz) -> Self {
        let terms = reminder.terms;
        Self {
            id: reminder.id,
            trigger: TriggerView::of(&reminder.trigger, home),
            urgent: terms.urgent,
            nag: terms.nag.map(|nag| NagView {
                every: duration::format(nag.every_seconds.into()),
                max: nag.max,
            }),
            misfire: MisfireView {
                policy: policy_name(terms.misfire.policy),
                grace: duration::format(terms.misfire.grace_seconds.into()),
            },
            carry_over: reminder.carries_over(),
        }
    }
}

impl TriggerView {
    fn of(trigger: &Trigger, home: Tz) -> Self {
        match trigger {
            Trigger::Relative { to, offset_seconds } => Self::Relative {
                to: anchor_name(*to),
                offset: duration::format(*offset_seconds),
            },
            Trigger::Absolute { at } => Self::Absolute {
                at: TimeView::of(at, home),
            },
            Trigger::TimeOfDay {
                to,
                days_before,
                at,
                time_zone,
            } => Self::TimeOfDay {
                to: anchor_name(*to),
                days_before: *days_before,
                at: civil::time::format(*at),
                time_zone: time_zone.clone(),
            },
        }
    }
}
