//! A task as callers see it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use event_schema::{
    Actor, DstGap, MonthOverflow, Priority, Recurrence, SeriesId, SlotAnchor, Status, Task, TaskId,
    TimeValue,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::recurrence_input::{AnchorName, DstGapName};
use super::reminder_view::TaskReminderView;
use super::time_value::TimeView;
use crate::domain::time;

/// A task.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Task)]
pub(super) struct TaskView {
    /// A UUIDv7; of an occurrence, a UUIDv5 of series and slot.
    #[schema(value_type = Uuid)]
    id: TaskId,
    /// Counts its changes; the `ETag`. What becomes of its reminders is none of them.
    version: u64,
    /// 1 to 500 characters.
    title: String,
    /// Markdown, up to 64 KiB.
    notes: String,
    /// `open`, `completed`, `cancelled` or `skipped`.
    #[schema(value_type = StatusName)]
    status: Status,
    /// `none`, `low`, `medium`, `high` or `urgent`.
    #[schema(value_type = PriorityName)]
    priority: Priority,
    /// Sorted, without repeats.
    #[schema(value_type = Vec<String>)]
    labels: BTreeSet<String>,
    /// When work may begin.
    start: Option<TimeView>,
    /// When it should be done.
    due: Option<TimeView>,
    /// The last acceptable moment, apart from due.
    deadline: Option<TimeView>,
    /// The task it is a part of.
    #[schema(value_type = Option<Uuid>)]
    parent_id: Option<TaskId>,
    /// At most 20.
    reminders: Vec<TaskReminderView>,
    /// The series it is an occurrence of.
    #[schema(value_type = Option<Uuid>)]
    series_id: Option<SeriesId>,
    /// The series that begins when this occurrence is finished, because its own was given another rule.
    #[schema(value_type = Option<Uuid>)]
    next_series_id: Option<SeriesId>,
    /// Its original civil start within the series, wherever its due is moved.
    slot: Option<String>,
    /// Its place among all slots of the series, from 1.
    occurrence_index: Option<u32>,
    /// Slots that passed between the occurrence before and this one.
    missed_count: u32,
    /// How it repeats.
    recurrence: Option<RecurrenceView>,
    /// When it was done, as the user says.
    completed_at: Option<DateTime<Utc>>,
    /// Who did it: `user:<id>` or `service:<app id>`.
    #[schema(value_type = Option<String>)]
    completed_by: Option<Actor>,
    /// Whether it is open and its due has passed. A date passes when its day has ended in the
    /// zone of your preferences.
    is_overdue: bool,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// Who created it.
    #[schema(value_type = String)]
    created_by: Actor,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// When it was put in the trash.
    trashed_at: Option<DateTime<Utc>>,
    /// Whether it was taken back, because the occurrence before it was opened again: it comes when that
    /// is finished.
    withdrawn: bool,
}

/// How a task repeats.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Recurrence)]
pub(super) struct RecurrenceView {
    /// RFC 5545 rule text in canonical order.
    #[schema(example = "FREQ=MONTHLY")]
    rrule: String,
    /// What a month without the start's day does: `clamp` or `skip`.
    #[schema(value_type = MonthOverflowName)]
    month_overflow: MonthOverflow,
    /// What becomes of a time that the clocks leave out: `shift` or `skip`.
    #[schema(value_type = DstGapName)]
    dst_gap: DstGap,
    /// What the next slot is counted from: `schedule` or `completion`.
    #[schema(value_type = AnchorName)]
    anchor: SlotAnchor,
}

/// Where a task stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Status)]
#[expect(dead_code, reason = "only described")]
pub(super) enum StatusName {
    Open,
    Completed,
    Cancelled,
    Skipped,
}

/// How much a task matters.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Priority)]
#[expect(dead_code, reason = "only described")]
pub(super) enum PriorityName {
    None,
    Low,
    Medium,
    High,
    Urgent,
}

/// What a month does that lacks the day of the start: have its last day instead, or no occurrence.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MonthOverflow)]
#[expect(dead_code, reason = "only described")]
pub(super) enum MonthOverflowName {
    Clamp,
    Skip,
}

impl TaskView {
    /// The task at a version of its stream, as it looks at `now`.
    pub(super) fn of(task: Task, version: u64, now: DateTime<Utc>) -> Self {
        let home = time::home(task.home_zone.as_deref());
        let view = |time: &Option<TimeValue>| time.as_ref().map(|time| TimeView::of(time, home));
        let is_past = |due| time::is_past(due, now, home);
        let due_has_passed = || task.due.as_ref().is_some_and(is_past);
        Self {
            is_overdue: task.is_open() && due_has_passed(),
            withdrawn: task.is_withdrawn(),
            version: task.revision(version),
            id: task.id,
            start: view(&task.start),
            due: view(&task.due),
            deadline: view(&task.deadline),
            reminders: reminders(&task),
            recurrence: task.recurrence.as_ref().map(RecurrenceView::from),
            title: task.title,
            notes: task.notes,
            status: task.status,
            priority: task.priority,
            labels: task.labels,
            parent_id: task.parent_id,
            series_id: task.series_id,
            next_series_id: task.next_series_id,
            slot: task.slot,
            occurrence_index: task.occurrence_index,
            missed_count: task.missed_count,
            completed_at: task.completed_at,
            completed_by: task.completed_by,
            created_at: task.created_at,
            created_by: task.created_by,
            updated_at: task.updated_at,
            trashed_at: task.trashed_at,
        }
    }
}

fn reminders(task: &Task) -> Vec<TaskReminderView> {
    let view = |reminder| TaskReminderView::of(task, reminder);
    task.reminders.iter().map(view).collect()
}

impl From<&Recurrence> for RecurrenceView {
    fn from(recurrence: &Recurrence) -> Self {
        Self {
            rrule: recurrence.rrule.clone(),
            month_overflow: recurrence.month_overflow,
            dst_gap: recurrence.dst_gap,
            anchor: recurrence.anchor,
        }
    }
}
