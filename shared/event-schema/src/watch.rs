//! What notifier keeps of a task, so that it tells of it what is still true. Owned by notifier.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event_type::event_set;
use crate::{State, TaskId, TimeValue, UserId};

/// The newest that notifier knows of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskWatch {
    /// Also the stream id and the partition key.
    pub task_id: TaskId,
    /// Whose task it is.
    pub owner_id: UserId,
    /// The task's version that this is known from.
    pub task_version: u64,
    /// What a notification shows.
    pub title: String,
    /// What a notification shows.
    #[serde(default)]
    pub due: Option<TimeValue>,
    /// Since when nobody waits for the task any more: it was completed, cancelled, skipped or trashed.
    #[serde(default)]
    pub closed_at: Option<DateTime<Utc>>,
}

impl State for TaskWatch {
    const FIELD: &'static str = "watch";

    fn owner(&self) -> UserId {
        self.owner_id
    }
}

event_set! {
    /// What notifier learns of a task.
    pub enum WatchEvent of TaskWatch, by Notifier {
        /// A task was seen that notifications must not show as it was created: it changed or was
        /// closed. Stays in the ledger of notifier.
        TaskSeen(TaskSeen) = "watch.task-seen.v1", None, "1.0.0";
    }
}

/// A newer version of a task was seen. It may begin the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskSeen {
    /// The task.
    pub task_id: TaskId,
    /// Whose task it is.
    pub owner_id: UserId,
    /// The task's version.
    pub task_version: u64,
    /// Its title.
    pub title: String,
    /// Its due.
    #[serde(default)]
    pub due: Option<TimeValue>,
    /// Since when nobody waits for it any more.
    #[serde(default)]
    pub closed_at: Option<DateTime<Utc>>,
}
