//! What a person is told. Owned by notifier.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event_type::event_set;
use crate::{Changed, MissedSummary, NotificationId, SeriesId, State, TaskId, Topic, UserId};

/// What a notification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NotificationKind {
    /// A reminder reached its time.
    #[serde(rename = "reminder.fired")]
    ReminderFired,
    /// Reminders whose time passed while nobody could tell: a summary.
    #[serde(rename = "reminder.missed")]
    ReminderMissed,
    /// A series has no further occurrence.
    #[serde(rename = "series.ended")]
    SeriesEnded,
}

impl NotificationKind {
    /// The wire name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReminderFired => "reminder.fired",
            Self::ReminderMissed => "reminder.missed",
            Self::SeriesEnded => "series.ended",
        }
    }
}

/// The full state of a notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Notification {
    /// Also the stream id.
    pub id: NotificationId,
    /// Who is told; also the partition key.
    pub user_id: UserId,
    /// What it is about.
    pub kind: NotificationKind,
    /// One line.
    pub title: String,
    /// More, where there is more.
    #[serde(default)]
    pub body: String,
    /// The task it is about.
    #[serde(default)]
    pub task_id: Option<TaskId>,
    /// The series it is about.
    #[serde(default)]
    pub series_id: Option<SeriesId>,
    /// The time it is about, such as a reminder's.
    #[serde(default)]
    pub scheduled_for: Option<DateTime<Utc>>,
    /// What it sums up, if it is a summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<MissedSummary>,
    /// When it came into the inbox.
    pub created_at: DateTime<Utc>,
    /// When the user read it.
    #[serde(default)]
    pub read_at: Option<DateTime<Utc>>,
    /// When it was taken back; from then on nobody is shown it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<DateTime<Utc>>,
}

impl State for Notification {
    const FIELD: &'static str = "notification";

    fn owner(&self) -> UserId {
        self.user_id
    }
}

event_set! {
    /// What can happen to a notification.
    pub enum NotificationEvent of Notification, by Notifier {
        [born]
        /// A notification came into the inbox. From notifier; for live streams and audit.
        Created = "notification.created.v1", Some(Topic::NotificationEvents), "1.0.0";
        /// The user has read a notification. From notifier; for live streams and audit.
        Read(NotificationRead) = "notification.read.v1", Some(Topic::NotificationEvents), "1.0.0";
        /// A summary says more than before, or less. From notifier; for live streams and audit.
        Updated(NotificationUpdated) = "notification.updated.v1", Some(Topic::NotificationEvents), "1.0.0";
        /// A notification was taken back: what it told did not happen. It may come before what it takes
        /// back. From notifier; for live streams and audit.
        Withdrawn(NotificationWithdrawn) = "notification.withdrawn.v1", Some(Topic::NotificationEvents), "1.0.0";
        /// A channel took a notification. From notifier; for live streams and audit.
        Delivered(NotificationDelivered) = "notification.delivered.v1", Some(Topic::NotificationEvents), "1.0.0";
        /// A channel gave up on a notification. From notifier; for live streams and audit.
        Failed(DeliveryFailed) = "notification.failed.v1", Some(Topic::NotificationEvents), "1.0.0";
        /// A notification was not delivered while it mattered; it stays in the inbox.
        /// From notifier; for live streams and audit.
        Expired(NotificationExpired) = "notification.expired.v1", Some(Topic::NotificationEvents), "1.0.0";
    }
}

/// The user has read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationRead {
    /// The `read_at` of the notification.
    pub read_at: Changed<Option<DateTime<Utc>>>,
}

/// What a summary sums up changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationUpdated {
    /// How many reminders were missed, before and now.
    pub count: Changed<u32>,
    /// What it sums up now.
    pub missed: MissedSummary,
    /// What it is called now.
    pub title: String,
    /// What it says now.
    pub body: String,
}

/// It was taken back. It may begin the stream: then what it takes back is not shown when it comes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationWithdrawn {
    /// The notification.
    pub notification_id: NotificationId,
    /// Who was told, or would have been.
    pub user_id: UserId,
    /// What it is about.
    pub kind: NotificationKind,
    /// When.
    pub withdrawn_at: DateTime<Utc>,
}

/// A channel took it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationDelivered {
    /// Such as `email`.
    pub channel: String,
    /// Which try it was, from 1.
    pub attempt: u32,
    /// When.
    pub delivered_at: DateTime<Utc>,
}

/// A channel gave up on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryFailed {
    /// Such as `email`.
    pub channel: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The last error, without secrets.
    pub error: String,
    /// When.
    pub failed_at: DateTime<Utc>,
}

/// It was not delivered while it mattered; it stays in the inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationExpired {
    /// Such as `email`.
    pub channel: String,
    /// When.
    pub expired_at: DateTime<Utc>,
}
