//! A task as callers see it: the same JSON as task-api answers.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use event_schema::{
    Actor, Priority, Recurrence, Reminder, SeriesId, Status, Task, TaskId, TimeValue,
};
use serde::Serialize;
use task_api::domain::time;

#[derive(Debug, Serialize)]
pub(super) struct View<'a> {
    id: TaskId,
    version: i64,
    title: &'a str,
    notes: &'a str,
    status: Status,
    priority: Priority,
    labels: &'a BTreeSet<String>,
    start: Option<TimeView>,
    due: Option<TimeView>,
    deadline: Option<TimeView>,
    parent_id: Option<TaskId>,
    reminders: &'a [Reminder],
    series_id: Option<SeriesId>,
    slot: Option<&'a str>,
    occurrence_index: Option<u32>,
    missed_count: u32,
    recurrence: Option<&'a Recurrence>,
    completed_at: Option<DateTime<Utc>>,
    completed_by: Option<Actor>,
    is_overdue: bool,
    created_at: DateTime<Utc>,
    created_by: Actor,
    updated_at: DateTime<Utc>,
    trashed_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize)]
struct TimeView {
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instant: Option<DateTime<Utc>>,
}

/// The answer to a completion.
#[derive(Debug, Serialize)]
pub(super) struct Completed<'a> {
    task: View<'a>,
    next_occurrence: Option<()>,
}

impl<'a> View<'a> {
    pub(super) fn of(task: &'a Task, version: i64, now: DateTime<Utc>) -> Self {
        let due_has_passed = || {
            task.due
                .as_ref()
                .is_some_and(|due| time::is_past(due, now, time::home(None)))
        };
        Self {
            id: task.id,
            version,
            title: &task.title,
            notes: &task.notes,
            status: task.status,
            priority: task.priority,
            labels: &task.labels,
            start: task.start.as_ref().map(TimeView::of),
            due: task.due.as_ref().map(TimeView::of),
            deadline: task.deadline.as_ref().map(TimeView::of),
            parent_id: task.parent_id,
            reminders: &task.reminders,
            series_id: task.series_id,
            slot: task.slot.as_deref(),
            occurrence_index: task.occurrence_index,
            missed_count: task.missed_count,
            recurrence: task.recurrence.as_ref(),
            completed_at: task.completed_at,
            completed_by: task.completed_by,
            is_overdue: task.is_open() && due_has_passed(),
            created_at: task.created_at,
            created_by: task.created_by,
            updated_at: task.updated_at,
            trashed_at: task.trashed_at,
        }
    }
}

impl TimeView {
    fn of(value: &TimeValue) -> Self {
        let text = value.civil_text();
        let (date, local, time_zone) = match value {
            TimeValue::Date { .. } => (text, None, None),
            TimeValue::Local { time_zone, .. } => (None, text, Some(time_zone.clone())),
            TimeValue::Instant { .. } => (None, None, None),
        };
        Self {
            date,
            local,
            time_zone,
            instant: time::instant_of(value, time::home(None)),
        }
    }
}

impl<'a> Completed<'a> {
    pub(super) fn of(task: View<'a>) -> Self {
        Self {
            task,
            next_occurrence: None,
        }
    }
}
