//! How far a series has come. Owned by recurring-generator.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event_type::event_set;
use crate::{After, Series, SeriesId, State, TaskId, Topic, UserId, is_default};

/// How far a series has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesProgress {
    /// Also the stream id and the partition key.
    pub series_id: SeriesId,
    /// Whose series it is.
    pub owner_id: UserId,
    /// The newest definition seen; `None` while only one of its tasks was seen.
    #[serde(default)]
    pub series: Option<Series>,
    /// The newest occurrence that was finished (completed, skipped or cancelled).
    #[serde(default)]
    pub finished: Option<OccurrenceFinished>,
    /// Earlier ones that were finished after they had been opened again: each counts when those behind it
    /// turn out to have been taken back. The newest 100.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub finished_again: BTreeMap<String, OccurrenceFinished>,
    /// The newest slot announced by `occurrence.due`.
    #[serde(default)]
    pub announced_slot: Option<String>,
    /// The occurrence after which that was announced, if it was because of its finish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced_after: Option<After>,
    /// The occurrences that were taken back and not announced again, by slot, with their `withdrawn`. The
    /// newest 100.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub withdrawn: BTreeMap<String, BTreeMap<String, u32>>,
    /// The finishes after which something was announced, by slot with `undone`, once anything was undone:
    /// each is followed once. The newest 16.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub followed: BTreeMap<String, u32>,
    /// Whether the rule has no slot left.
    #[serde(default)]
    pub exhausted: bool,
    /// Slots whose occurrence is open or announced, of a series that is made on schedule.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub open: BTreeSet<String>,
    /// The newest slot that was passed over, because it was missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_slot: Option<String>,
    /// The newest slot that was found to be late, in a series that skips what is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_slot: Option<String>,
}

impl State for SeriesProgress {
    const FIELD: &'static str = "progress";

    fn owner(&self) -> UserId {
        self.owner_id
    }
}

event_set! {
    /// What the generator learns and decides about a series.
    pub enum ProgressEvent of SeriesProgress, by RecurringGenerator {
        /// A newer definition of a series was seen. Stays in the ledger of recurring-generator.
        SeriesFollowed(SeriesFollowed) = "progress.series-followed.v1", None, "1.0.0";
        /// An occurrence was completed, skipped or cancelled. Stays in the ledger of
        /// recurring-generator.
        OccurrenceFinished(OccurrenceFinished) = "progress.occurrence-finished.v1", None, "1.0.0";
        /// An occurrence is open. Stays in the ledger of recurring-generator.
        OccurrenceOpened(OccurrenceOpened) = "progress.occurrence-opened.v1", None, "1.0.0";
        /// A finished occurrence is open again. Stays in the ledger of recurring-generator.
        OccurrenceReopened(OccurrenceReopened) = "progress.occurrence-reopened.v1", None, "1.0.0";
        /// An announced occurrence was taken back. Stays in the ledger of recurring-generator.
        OccurrenceWithdrawn(OccurrenceWithdrawn) = "progress.occurrence-withdrawn.v1", None, "1.0.0";
        /// Slots were missed and have no occurrence. Stays in the ledger of recurring-generator.
        SlotsPassed(SlotsPassed) = "progress.slots-passed.v1", None, "1.0.0";
        /// A slot's turn has come: its task shall exist.
        /// From recurring-generator; read by task-api, which creates the task.
        OccurrenceDue(OccurrenceDue) = "occurrence.due.v1", Some(Topic::RecurringEvents), "1.0.0", fact;
        /// An occurrence is open while the next one is due, in a series that skips what nobody has touched.
        /// From recurring-generator; read by task-api, which knows whether somebody has.
        OccurrenceLate(OccurrenceLate) = "occurrence.late.v1", Some(Topic::RecurringEvents), "1.0.0", fact;
        /// The rule of a series has no slot left.
        /// From recurring-generator; read by task-api, which ends the series, and by notifier.
        SeriesExhausted(SeriesExhausted) = "series.exhausted.v1", Some(Topic::RecurringEvents), "1.0.0", fact;
    }
}

/// A newer definition of the series was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesFollowed {
    /// The definition.
    pub series: Box<Series>,
}

/// An occurrence was completed, skipped or cancelled. It may begin the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OccurrenceFinished {
    /// The series.
    pub series_id: SeriesId,
    /// Whose series it is.
    pub owner_id: UserId,
    /// The occurrence.
    pub task_id: TaskId,
    /// Its slot, wherever its due was moved.
    pub slot: String,
    /// Its place among all slots of the series, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// How often a finished occurrence was opened again on the way here.
    #[serde(default, skip_serializing_if = "is_default")]
    pub undone: u32,
    /// When it was finished, as the user says.
    pub finished_at: DateTime<Utc>,
}

/// A finished occurrence is open again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OccurrenceReopened {
    /// Its slot.
    pub slot: String,
    /// How often a finished occurrence was opened again by now.
    pub undone: u32,
}

/// An announced occurrence was taken back, because the one before it is open again. It may begin the
/// stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OccurrenceWithdrawn {
    /// The series.
    pub series_id: SeriesId,
    /// Whose series it is.
    pub owner_id: UserId,
    /// Its slot.
    pub slot: String,
    /// The `withdrawn` of its task.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub withdrawn: BTreeMap<String, u32>,
}

/// An occurrence is open, created or again. It may begin the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OccurrenceOpened {
    /// The series.
    pub series_id: SeriesId,
    /// Whose series it is.
    pub owner_id: UserId,
    /// The occurrence.
    pub task_id: TaskId,
    /// Its slot, wherever its due was moved.
    pub slot: String,
}

/// Slots were missed and have no occurrence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SlotsPassed {
    /// The newest of them.
    pub through_slot: String,
}

/// A slot's turn has come: its task shall exist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OccurrenceDue {
    /// The civil start that names the occurrence.
    pub slot: String,
    /// Its place among all slots of the series, from 1.
    pub index: u32,
    /// Slots that passed between the previous occurrence and this one.
    #[serde(default)]
    pub missed_count: u32,
    /// The occurrence that was finished before it.
    pub previous_slot: String,
    /// The `undone` of that one when it was finished, if its finish is why this one is due: when it has
    /// been opened again since, nothing is due any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone: Option<u32>,
}

/// An occurrence is open while the next one is due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OccurrenceLate {
    /// The open one.
    pub slot: String,
    /// The one whose turn has come.
    pub next_slot: String,
}

/// The rule has no slot left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesExhausted {
    /// The last occurrence.
    pub last_slot: String,
}
