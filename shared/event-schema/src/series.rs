//! A series: a rule plus the template of its tasks. Published by task-api.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event_type::event_set;
use crate::{Actor, Changed, Priority, Reminder, SeriesId, State, TimeValue, Topic, UserId};

/// What a month without the start's day does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MonthOverflow {
    /// Its last day; the next month that has the day uses it again.
    #[default]
    Clamp,
    /// No occurrence in that month.
    Skip,
}

/// How a task repeats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recurrence {
    /// RFC 5545 rule text in canonical order, `FREQ=MONTHLY`.
    pub rrule: String,
    /// What a month without the start's day does.
    #[serde(default)]
    pub month_overflow: MonthOverflow,
}

/// Whether a series still generates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeriesStatus {
    /// It does.
    #[default]
    Active,
    /// Not until it is resumed.
    Paused,
    /// Never again.
    Ended,
}

/// What every occurrence of a series starts with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskTemplate {
    /// The `title` of every occurrence.
    pub title: String,
    /// The `notes` of every occurrence.
    #[serde(default)]
    pub notes: String,
    /// The `priority` of every occurrence.
    #[serde(default)]
    pub priority: Priority,
    /// The `labels` of every occurrence.
    #[serde(default)]
    pub labels: BTreeSet<String>,
    /// The start beside the series' own: occurrences keep its civil distance from their slot.
    #[serde(default)]
    pub start: Option<TimeValue>,
    /// The deadline beside the series' own start: occurrences keep its civil distance from their slot.
    #[serde(default)]
    pub deadline: Option<TimeValue>,
    /// Relative reminders; an absolute one belongs to one occurrence only.
    #[serde(default)]
    pub reminders: Vec<Reminder>,
}

/// The full state of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// Also the stream id and the partition key.
    pub id: SeriesId,
    /// Whose series it is.
    pub owner_id: UserId,
    /// The rule.
    pub recurrence: Recurrence,
    /// What its rule counts from: the due it was started with, a date or a local time in a zone. The
    /// first slot is the first one of the rule at or after it.
    pub start: TimeValue,
    /// What its tasks start with.
    pub template: TaskTemplate,
    /// Whether it still generates.
    #[serde(default)]
    pub status: SeriesStatus,
    /// When it was started.
    pub created_at: DateTime<Utc>,
    /// Who started it.
    pub created_by: Actor,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl State for Series {
    const FIELD: &'static str = "series";

    fn owner(&self) -> UserId {
        self.owner_id
    }
}

event_set! {
    /// What can happen to a series.
    pub enum SeriesEvent of Series, by TaskApi {
        [born]
        /// A series began, with its first occurrence.
        /// From task-api; read by recurring-generator.
        Started = "series.started.v1", Some(Topic::RecurringEvents), "1.0.0";
        /// Rule or template of a series changed.
        /// From task-api; read by recurring-generator.
        Changed(Box<SeriesChanged>) = "series.changed.v1", Some(Topic::RecurringEvents), "1.0.0";
        /// A series makes no occurrence until it is resumed.
        /// From task-api; read by recurring-generator.
        Paused(SeriesPaused) = "series.paused.v1", Some(Topic::RecurringEvents), "1.0.0";
        /// A paused series generates again.
        /// From task-api; read by recurring-generator.
        Resumed(SeriesResumed) = "series.resumed.v1", Some(Topic::RecurringEvents), "1.0.0";
        /// A series makes no further occurrence: its rule ran out, or its owner said so.
        /// From task-api; read by recurring-generator.
        Ended(SeriesEnded) = "series.ended.v1", Some(Topic::RecurringEvents), "1.0.0";
    }
}

/// Rule or template changed. Only what changed is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesChanged {
    /// The `recurrence` of the series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Changed<Recurrence>>,
    /// The `start` of the series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Changed<TimeValue>>,
    /// The `template` of the series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Changed<TaskTemplate>>,
    /// When.
    pub updated_at: DateTime<Utc>,
}

/// No further occurrence until it is resumed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesPaused {
    /// Always from active.
    pub status: Changed<SeriesStatus>,
    /// When.
    pub updated_at: DateTime<Utc>,
}

/// A paused series generates again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesResumed {
    /// Always from paused.
    pub status: Changed<SeriesStatus>,
    /// When.
    pub updated_at: DateTime<Utc>,
}

/// No further occurrence, ever: the rule ran out or the user said so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesEnded {
    /// From active or paused.
    pub status: Changed<SeriesStatus>,
    /// When.
    pub updated_at: DateTime<Utc>,
}
