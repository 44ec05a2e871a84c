//! Typed ids, and the deterministic ones that make a thing happen once.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The id as the databases store it.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id! {
    /// A task; also the stream id of its events. UUIDv7, or UUIDv5 of (series, slot).
    TaskId
}
id! {
    /// A series; also the stream id of its events.
    SeriesId
}
id! {
    /// A reminder of a task.
    ReminderId
}
id! {
    /// A person.
    UserId
}
id! {
    /// A notification; UUIDv5 of (event, user, kind).
    NotificationId
}
id! {
    /// An event; with its source it identifies a CloudEvent.
    EventId
}

/// Namespace of every UUIDv5 that this suite derives. Never change it: ids of existing things hang on it.
const NAMESPACE: Uuid = Uuid::from_u128(0x7a5c_1ed6_0e12_5b7f_9d3a_6b4f_2c81_90ee);

fn derive(kind: &str, parts: &[&str]) -> Uuid {
    let name = format!("{kind}:{}", parts.join("|"));
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// The one task of a slot, however often and wherever its creation is asked for.
pub fn occurrence_task_id(series: SeriesId, slot: &str) -> TaskId {
    TaskId(derive("occurrence", &[&series.to_string(), slot]))
}

/// The reminder of an occurrence that a reminder of its series' template stands for.
pub fn occurrence_reminder_id(task: TaskId, template: ReminderId) -> ReminderId {
    ReminderId(derive(
        "occurrence.reminder",
        &[&task.to_string(), &template.to_string()],
    ))
}

/// The one `occurrence.due` event of a slot.
pub fn occurrence_event_id(series: SeriesId, slot: &str) -> EventId {
    EventId(derive("occurrence.due", &[&series.to_string(), slot]))
}

/// The one `occurrence.due` event of a slot that follows an occurrence for another time: that one had
/// been opened again, `undone` times so far.
pub fn occurrence_again_event_id(
    series: SeriesId,
    slot: &str,
    previous_slot: &str,
    undone: u32,
) -> EventId {
    EventId(derive(
        "occurrence.due",
        &[
            &series.to_string(),
            slot,
            previous_slot,
            &undone.to_string(),
        ],
    ))
}

/// The one `occurrence.late` event of a slot.
pub fn late_event_id(series: SeriesId, slot: &str) -> EventId {
    EventId(derive("occurrence.late", &[&series.to_string(), slot]))
}

/// The one `series.exhausted` event after a last slot.
pub fn exhausted_event_id(series: SeriesId, last_slot: &str) -> EventId {
    EventId(derive(
        "series.exhausted",
        &[&series.to_string(), last_slot],
    ))
}

/// The one `reminder.fired` or `reminder.missed` event of a reminder's scheduled time.
pub fn fired_event_id(reminder: ReminderId, scheduled_for: DateTime<Utc>) -> EventId {
    let at = scheduled_for.to_rfc3339_opts(SecondsFormat::Micros, true);
    EventId(derive("reminder.fired", &[&reminder.to_string(), &at]))
}

/// The one `reminder.withdrawn` event of a reminder's scheduled time.
pub fn withdrawn_event_id(reminder: ReminderId, scheduled_for: DateTime<Utc>) -> EventId {
    let at = scheduled_for.to_rfc3339_opts(SecondsFormat::Micros, true);
    EventId(derive("reminder.withdrawn", &[&reminder.to_string(), &at]))
}

/// The one notification that an event causes for a user.
pub fn notification_id(event: EventId, user: UserId, kind: &str) -> NotificationId {
    NotificationId(derive(
        "notification",
        &[&event.to_string(), &user.to_string(), kind],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Computed by another implementation of RFC 9562: things that exist hang on these values.
    #[test]
    fn derived_ids_never_change() {
        let [one, two, three] = [1, 2, 3].map(Uuid::from_u128);
        let (series, slot) = (SeriesId(one), "2027-02-28T09:00");
        let at = "2027-01-31T07:45:00Z".parse().unwrap();

        let derived = [
            occurrence_task_id(series, slot).as_uuid(),
            occurrence_reminder_id(TaskId(two), ReminderId(three)).as_uuid(),
            occurrence_event_id(series, slot).as_uuid(),
            occurrence_again_event_id(series, slot, "2027-01-31T09:00", 1).as_uuid(),
            late_event_id(series, slot).as_uuid(),
            exhausted_event_id(series, slot).as_uuid(),
            fired_event_id(ReminderId(three), at).as_uuid(),
            withdrawn_event_id(ReminderId(three), at).as_uuid(),
            notification_id(EventId(two), UserId(three), "reminder.fired").as_uuid(),
        ];

        let pinned = [
            "47ff49e7-f99f-5d65-ac22-ad1bbcb86e56",
            "48c86d87-2649-5853-af4e-366b44cb2f21",
            "f5c81a98-59cd-5404-ae22-f105ad71b9d1",
            "32116f17-414a-5e21-a24a-62c89974404f",
            "ee1fba16-62a0-5e3e-8992-5a9d98171188",
            "4bf31be8-9fa9-54f8-8b9d-1b2d9bf79db6",
            "7dc24bfc-e268-5c4b-8e33-3ebfe1f3368a",
            "2f3f5218-9c15-5251-a935-5347f9ed2184",
            "90395438-8869-58d3-8242-5c0ea2cb9a5e",
        ];
        assert_eq!(derived.map(|id| id.to_string()), pinned);
    }

    #[test]
    fn kinds_of_the_same_slot_have_different_ids() {
        let series = SeriesId(Uuid::from_u128(1));

        let task = occurrence_task_id(series, "2027-02-28").as_uuid();
        let event = occurrence_event_id(series, "2027-02-28").as_uuid();

        assert_ne!(task, event);
    }
}
