//! A series as callers see it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use event_schema::{
    Actor, Priority, Series, SeriesId, SeriesStatus, TaskId, TaskTemplate, TimeValue,
};
use recurrence::Slot;
use serde::Serialize;
use slots::Finished;
use utoipa::ToSchema;

use super::exceptions::ExceptionView;
use super::recurrence_input::GenerationView;
use super::reminder_view::ReminderView;
use super::task_view::{PriorityName, RecurrenceView};
use super::time_value::TimeView;
use crate::domain::{occurrence, time};

/// A series: a rule, and what every task of it starts with.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Series)]
pub(super) struct SeriesView {
    /// A UUIDv7.
    #[schema(value_type = Uuid)]
    id: SeriesId,
    /// Counts its changes; the `ETag`.
    version: u64,
    /// `active`, `paused` or `ended`.
    #[schema(value_type = SeriesState)]
    state: SeriesStatus,
    /// How it repeats.
    recurrence: SeriesRecurrenceView,
    /// What the rule counts from. The first slot is the first one of the rule at or after it.
    start: TimeView,
    /// What every occurrence starts with.
    template: TemplateView,
    /// Slots that are different, in their order.
    exceptions: Vec<ExceptionView>,
    /// The slot that follows if the newest occurrence is finished now; null when none does.
    next_slot: Option<String>,
    /// The series that it goes on from.
    #[schema(value_type = Option<Uuid>)]
    previous_series_id: Option<SeriesId>,
    /// The series that goes on from where it ended.
    #[schema(value_type = Option<Uuid>)]
    next_series_id: Option<SeriesId>,
    /// The occurrence of the series before it with whose finish it begins; null when it began by itself.
    #[schema(value_type = Option<Uuid>)]
    begins_after: Option<TaskId>,
    /// When it was started.
    created_at: DateTime<Utc>,
    /// Who started it.
    #[schema(value_type = String)]
    created_by: Actor,
    /// When it last changed.
    updated_at: DateTime<Utc>,
}

/// How a series repeats, and when its occurrences are made.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = SeriesRecurrence)]
struct SeriesRecurrenceView {
    #[serde(flatten)]
    rule: RecurrenceView,
    #[serde(flatten)]
    generation: GenerationView,
}

/// What every occurrence of a series starts with.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = TaskTemplate)]
struct TemplateView {
    /// The title of every occurrence.
    title: String,
    /// The notes of every occurrence.
    notes: String,
    /// The priority of every occurrence.
    #[schema(value_type = PriorityName)]
    priority: Priority,
    /// The labels of every occurrence.
    #[schema(value_type = Vec<String>)]
    labels: BTreeSet<String>,
    /// The start beside the series' own; occurrences keep its distance in days.
    start: Option<TimeView>,
    /// The deadline beside the series' own start; occurrences keep its distance in days.
    deadline: Option<TimeView>,
    /// The relative reminders of every occurrence.
    reminders: Vec<ReminderView>,
}

/// Whether a series still makes occurrences.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only described")]
pub(super) enum SeriesState {
    Active,
    Paused,
    Ended,
}

impl SeriesView {
    /// The series at a version, whose newest occurrence has this slot.
    pub(super) fn of(
        series: Series,
        version: u64,
        newest: Option<Slot>,
        now: DateTime<Utc>,
    ) -> Self {
        let finished = occurrence::known_through(&series, newest).map(|slot| Finished {
            slot,
            index: None,
            at: now,
        });
        let next = finished.and_then(|finished| occurrence::next(&series, finished));
        let home = time::home(series.home_zone.as_deref());
        Self {
            id: series.id,
            version,
            state: series.status,
            recurrence: SeriesRecurrenceView {
                rule: RecurrenceView::from(&series.recurrence),
                generation: GenerationView::from(&series.generation),
            },
            start: TimeView::of(&series.start, home),
            template: TemplateView::of(series.template, home),
            exceptions: series
                .exceptions
                .into_iter()
                .map(|exception| ExceptionView::of(exception, home))
                .collect(),
            next_slot: next.map(|turn| turn.slot.to_string()),
            previous_series_id: series.previous_series_id,
            next_series_id: series.next_series_id,
            begins_after: series.begins_after.map(|begins| begins.task_id),
            created_at: series.created_at,
            created_by: series.created_by,
            updated_at: series.updated_at,
        }
    }
}

impl TemplateView {
    fn of(template: TaskTemplate, home: Tz) -> Self {
        let view = |time: &Option<TimeValue>| time.as_ref().map(|time| TimeView::of(time, home));
        let reminders = template.reminders.iter();
        Self {
            title: template.title,
            notes: template.notes,
            priority: template.priority,
            labels: template.labels,
            start: view(&template.start),
            deadline: view(&template.deadline),
            reminders: reminders.map(|one| ReminderView::of(one, home)).collect(),
        }
    }
}
