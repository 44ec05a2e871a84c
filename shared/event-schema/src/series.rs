//! A series: a rule plus the template of its tasks. Published by task-api.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event_type::event_set;
use crate::{
    Actor, Changed, Priority, Reminder, SeriesId, State, TaskId, TimeValue, Topic, UserId,
};

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

/// What becomes of a slot that the clocks leave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DstGap {
    /// It moves forward by the length of the gap.
    #[default]
    Shift,
    /// It is no occurrence.
    Skip,
}

/// What the slot after a finished one is counted from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlotAnchor {
    /// The rule: the first of its slots after both the finished one and the time it was finished.
    #[default]
    Schedule,
    /// The local date on which the occurrence was finished, plus the interval of the rule.
    Completion,
}

/// How a task repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recurrence {
    /// RFC 5545 rule text in canonical order, `FREQ=MONTHLY`.
    pub rrule: String,
    /// What a month without the start's day does.
    #[serde(default)]
    pub month_overflow: MonthOverflow,
    /// What becomes of a slot that the clocks leave out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dst_gap: DstGap,
    /// What the next slot is counted from.
    #[serde(default, skip_serializing_if = "is_default")]
    pub anchor: SlotAnchor,
}

/// When the occurrences of a series are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GenerationMode {
    /// When the one before is finished.
    #[default]
    OnCompletion,
    /// At their time, whatever became of the one before.
    OnSchedule,
}

/// What becomes of slots whose time passed while nothing was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// Only the newest of them has an occurrence.
    #[default]
    Latest,
    /// All of them have, the newest ones if there are too many.
    All,
    /// None has.
    None,
}

/// When the occurrences of a series are made, and how many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Generation {
    /// When.
    #[serde(default)]
    pub mode: GenerationMode,
    /// How long before its time an occurrence is made, in seconds; on schedule only.
    #[serde(default)]
    pub lead_time_seconds: u32,
    /// How many may be open at once, 1 to 100; on schedule only.
    pub max_open: u32,
    /// What becomes of slots that were missed; on schedule only.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// How many of them at most when all have an occurrence, 1 to 100.
    pub catch_up_limit: u32,
    /// Whether an occurrence that nobody has touched is skipped when the next one is due; on schedule, with
    /// one open at a time.
    #[serde(default, skip_serializing_if = "is_default")]
    pub auto_skip_when_late: bool,
}

impl Default for Generation {
    fn default() -> Self {
        Self {
            mode: GenerationMode::OnCompletion,
            lead_time_seconds: 0,
            max_open: 1,
            catch_up: CatchUp::Latest,
            catch_up_limit: 10,
            auto_skip_when_late: false,
        }
    }
}

/// What is different about one slot of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum SeriesException {
    /// It has no occurrence.
    Skip {
        /// The slot.
        slot: String,
    },
    /// Its occurrence starts with something else than the template. What is absent does not.
    Override {
        /// The slot.
        slot: String,
        /// The `title` of this occurrence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The `notes` of this occurrence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notes: Option<String>,
        /// The `priority` of this occurrence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority: Option<Priority>,
        /// The `labels` of this occurrence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        labels: Option<BTreeSet<String>>,
        /// The `due` of this occurrence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<TimeValue>,
    },
}

impl SeriesException {
    /// Which slot it is about.
    pub fn slot(&self) -> &str {
        match self {
            Self::Skip { slot } | Self::Override { slot, .. } => slot,
        }
    }

    /// The same about another slot.
    #[must_use]
    pub fn at(mut self, other: String) -> Self {
        match &mut self {
            Self::Skip { slot } | Self::Override { slot, .. } => *slot = other,
        }
        self
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
    /// The IANA zone in which dates and floating times are read: where its owner is, or UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_zone: Option<String>,
    /// What its tasks start with.
    pub template: TaskTemplate,
    /// Whether it still generates.
    #[serde(default)]
    pub status: SeriesStatus,
    /// When its occurrences are made.
    #[serde(default, skip_serializing_if = "is_default")]
    pub generation: Generation,
    /// Slots that are different, in the order of their slots; at most 366.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<SeriesException>,
    /// The series that it goes on from, with another rule, start or template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_series_id: Option<SeriesId>,
    /// The series that goes on from where it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_series_id: Option<SeriesId>,
    /// The occurrence of an earlier series with whose finish this one begins; one that begins by itself
    /// has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins_after: Option<BeginsAfter>,
    /// When it was started.
    pub created_at: DateTime<Utc>,
    /// Who started it.
    pub created_by: Actor,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Where a series begins that goes on from another one whose newest occurrence stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BeginsAfter {
    /// The occurrence that leads over.
    pub task_id: TaskId,
    /// Its slot, in the series that made it: earlier than every slot of this one.
    pub slot: String,
    /// The first day that is this series': slots of its rule before that are not its own.
    pub from: NaiveDate,
}

impl TaskTemplate {
    /// A title and nothing else.
    pub fn titled(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            notes: String::new(),
            priority: Priority::None,
            labels: BTreeSet::new(),
            start: None,
            deadline: None,
            reminders: Vec::new(),
        }
    }
}

impl Series {
    /// An active series that follows the rule alone, made when the one before is finished.
    pub fn new(
        id: SeriesId,
        created_by: Actor,
        owner_id: UserId,
        (recurrence, start): (Recurrence, TimeValue),
        template: TaskTemplate,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            owner_id,
            recurrence,
            start,
            home_zone: None,
            template,
            status: SeriesStatus::Active,
            generation: Generation::default(),
            exceptions: Vec::new(),
            previous_series_id: None,
            next_series_id: None,
            begins_after: None,
            created_at: now,
            created_by,
            updated_at: now,
        }
    }
}

impl Recurrence {
    /// A rule with the usual policies.
    pub fn of(rrule: impl Into<String>) -> Self {
        Self {
            rrule: rrule.into(),
            ..Self::default()
        }
    }
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
        /// Template, generation or exceptions of a series changed.
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

/// Something about a series changed. Only what changed is there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesChanged {
    /// The `recurrence` of the series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Changed<Recurrence>>,
    /// The `start` of the series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Changed<TimeValue>>,
    /// The `home_zone` of the series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_zone: Option<Changed<Option<String>>>,
    /// The `template` of the series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Changed<TaskTemplate>>,
    /// The `generation` of the series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<Changed<Generation>>,
    /// The `exceptions` of the series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exceptions: Option<Changed<Vec<SeriesException>>>,
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

/// No further occurrence, ever: the rule ran out, the user said so, or another series goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesEnded {
    /// From active or paused.
    pub status: Changed<SeriesStatus>,
    /// The series that goes on from here, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_series_id: Option<SeriesId>,
    /// When.
    pub updated_at: DateTime<Utc>,
}
