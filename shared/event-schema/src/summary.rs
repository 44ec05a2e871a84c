//! What was missed while nobody could tell, and the notification that sums it up. Owned by notifier.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event_type::event_set;
use crate::{EventId, NotificationId, ReminderId, State, TaskId, UserId};

/// What a notification sums up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissedSummary {
    /// How many reminders were missed.
    pub count: u32,
    /// A few of them, the earliest first.
    pub first: Vec<MissedReminder>,
}

/// A reminder that was missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissedReminder {
    /// The reminder.
    pub reminder_id: ReminderId,
    /// Its task.
    pub task_id: TaskId,
    /// The task's title when it was missed.
    pub title: String,
    /// Its time.
    pub scheduled_for: DateTime<Utc>,
}

/// Which notification sums up what a user misses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenSummary {
    /// Also the stream id and the partition key.
    pub user_id: UserId,
    /// The newest of the user's summaries.
    pub notification_id: NotificationId,
}

impl State for OpenSummary {
    const FIELD: &'static str = "summary";

    fn owner(&self) -> UserId {
        self.user_id
    }
}

event_set! {
    /// What becomes of a user's summaries.
    pub enum SummaryEvent of OpenSummary, by Notifier {
        /// A summary of missed reminders began: what is missed next is added to it.
        /// Stays in the ledger of notifier.
        Begun(SummaryBegun) = "summary.begun.v1", None, "1.0.0";
    }
}

/// A summary began. It may begin the stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SummaryBegun {
    /// Whose.
    pub user_id: UserId,
    /// The notification.
    pub notification_id: NotificationId,
}

/// What became of one missed time of a reminder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Miss {
    /// The event that told of it; also the stream id and the partition key.
    pub event_id: EventId,
    /// Whose reminder it was.
    pub user_id: UserId,
    /// The summary that it is in, or was.
    #[serde(default)]
    pub notification_id: Option<NotificationId>,
    /// Whether it was taken back.
    pub withdrawn: bool,
}

impl State for Miss {
    const FIELD: &'static str = "miss";

    fn owner(&self) -> UserId {
        self.user_id
    }
}

event_set! {
    /// What can happen to a missed time of a reminder.
    pub enum MissEvent of Miss, by Notifier {
        /// A missed reminder was added to a summary. Stays in the ledger of notifier.
        Summed(MissSummed) = "miss.summed.v1", None, "1.0.0";
        /// A missed reminder was taken back; it may come before what it takes back.
        /// Stays in the ledger of notifier.
        Withdrawn(MissWithdrawn) = "miss.withdrawn.v1", None, "1.0.0";
    }
}

/// It was added to a summary. It begins the stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissSummed {
    /// The event that told of it.
    pub event_id: EventId,
    /// Whose reminder it was.
    pub user_id: UserId,
    /// The summary.
    pub notification_id: NotificationId,
}

/// It was taken back. It may begin the stream: then it is not added to a summary when it comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissWithdrawn {
    /// The event that told of it.
    pub event_id: EventId,
    /// Whose reminder it was.
    pub user_id: UserId,
}
